"""Stacks of non-collinear magnets that tests share, and the way to the reference solver."""

import fespin as fs
from references import channel_models as exact
from references import channels as solver

J = 4e10
CU = fs.Material("Cu", 6.1e-9, 450e-9, density_of_states=1.4e47)
AU = fs.Material("Au", 2.3e-8, 38e-9, density_of_states=1.1e47, g_factor=2.1)
CO = fs.Material(
    "Co", 7.4e-8, 41e-9, 0.46, density_of_states=2.1e47, transverse_conductivity=9e6, dephasing_length=1.7e-9,
    precession_length=1.1e-9,
)  # fmt: skip
PY = fs.Material("Py", 1.2e-7, 5.5e-9, 0.7, density_of_states=2.6e47, dephasing_length=2.3e-9, precession_length=3.1e-9)
TILT, OBLIQUE = (1, 2, 2), (-0.3, 0.5, 0.7)
NC = fs.Interface.from_conductances(1.1e15, 4.1e14, 5.5e14 + 0.7e14j)
NP = fs.Interface.from_conductances(8e14, 3.2e14, 3.9e14 - 0.4e14j)
NN = fs.Interface(0.2e-15)


def layer(material, nm, m=None):
    return fs.Layer(material, nm * 1e-9, "", m)


STACKS = {
    "absorbed": (
        [layer(CU, 12), layer(CO, 7, TILT), layer(CU, 9), layer(PY, 4, OBLIQUE), layer(AU, 30)],
        {("Cu", "Co"): NC, ("Cu", "Py"): NP, ("Py", "Au"): NP},
        ("lead", "reservoir"), "absorbed", (0, 0, 0),
    ),
    "absorbed, Hanle": (
        [layer(CO, 7, TILT), layer(AU, 25), layer(CU, 30), layer(PY, 4, OBLIQUE)],
        {("Au", "Co"): NC, ("Cu", "Py"): NP, ("Au", "Cu"): NN},
        ("reservoir", "lead"), "absorbed", (40.0, -90.0, 70.0),
    ),
    "resolved": (
        [layer(AU, 12), layer(CO, 7, TILT), layer(CU, 9), layer(PY, 4, OBLIQUE), layer(AU, 30)],
        {}, ("lead", "lead"), "resolved", (0, 0, 0),
    ),
    "resolved, magnets touch": (
        [layer(CO, 11, TILT), layer(PY, 14, OBLIQUE), layer(CU, 9)],
        {}, ("lead", "blocked"), "resolved", (0, 50.0, 20.0),
    ),
    "resolved, magnetic leads": (
        [layer(PY, 9, (0, 1, 0)), layer(CU, 9), layer(CO, 7, OBLIQUE)], {}, ("lead", "lead"), "resolved", (0, 0, 0)
    ),
}  # fmt: skip


def reference(stack, ends, transverse, field, **options):
    layers = []
    for x in stack:
        m, sigma = x.material, 1 / x.material.resistivity
        if x.direction is None:
            layers.append(
                exact.normal(
                    x.thickness, sigma, m.spin_diffusion_length, field=field, g_factor=m.g_factor,
                    states=m.density_of_states,
                )
            )  # fmt: skip
            continue
        layers.append(
            exact.magnet(
                x.thickness, sigma, m.beta, m.spin_diffusion_length, x.direction, transverse=transverse,
                sigma_perp=m.transverse_conductivity, dephasing=m.dephasing_length, precession=m.precession_length,
                states=m.density_of_states,
            )
        )  # fmt: skip
    joints = []
    for a, b in zip(stack.layers, stack.layers[1:], strict=False):
        face = stack.interface(a.name, b.name)
        if face is None:
            joints.append(exact.vector_face())
            continue
        magnets = [x for x in (a, b) if x.direction]
        normal_side = 1 if magnets and magnets[0] is a else 0
        joints.append(
            exact.vector_face(
                magnets[0].direction if magnets else None, face.conductances, face.mixing_conductance,
                normal_side=normal_side,
            )
        )  # fmt: skip
    ends = [solver.Contact(k) for k in ends]
    return solver.solve(layers, joints, *ends, exact.VECTOR, current_density=J, **options)
