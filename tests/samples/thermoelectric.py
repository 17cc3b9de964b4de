"""Stacks with heat currents that tests share, and the way to the reference solver."""

from mpi4py import MPI

import fespin as fs
from references import channels as solver
from references import thermoelectric as exact

COMM = MPI.COMM_SELF


T0 = 285.0
CU = fs.Material("Cu", 1.8e-8, 320e-9, thermal=fs.Thermal((1.7e-6, 1.7e-6), 390.0))
PT = fs.Material("Pt", 1.1e-7, 7e-9, thermal=fs.Thermal((-5e-6, -5e-6), 72.0))
CO = fs.Material("Co", 7.4e-8, 38e-9, 0.36, thermal=fs.Thermal((-2.9e-5, -1.7e-5), 85.0))
PY = fs.Material("Py", 1.9e-7, 5e-9, 0.6, thermal=fs.Thermal((-1.4e-5, -2.6e-5), 31.0))
FACE = fs.Interface(0.5e-15, 0.7, thermal_conductance=1.3e9)
PLAIN = fs.Interface(0.3e-15, -0.3)
HEAT_ONLY = fs.Interface(0.0, thermal_conductance=4e8)
UP, DOWN = (0, 0, 1), (0, 0, -1)


def layer(material, nm, m=None):
    return fs.Layer(material, nm * 1e-9, "", m)


STACKS = {
    "one magnet": ([layer(CU, 20), layer(CO, 15, UP), layer(PT, 12)], {}, ("reservoir", "lead")),
    "parallel": (
        [layer(CU, 20), layer(CO, 15, UP), layer(CU, 9), layer(PY, 6, UP), layer(PT, 30)],
        {("Cu", "Co"): FACE, ("Cu", "Py"): PLAIN}, ("lead", "lead"),
    ),
    "antiparallel": (
        [layer(CU, 20), layer(CO, 15, DOWN), layer(CU, 9), layer(PY, 6, UP), layer(PT, 30)],
        {("Cu", "Co"): FACE, ("Cu", "Py"): PLAIN, ("Py", "Pt"): HEAT_ONLY}, ("lead", "reservoir"),
    ),
    "blocked": ([layer(CO, 25, UP), layer(PT, 12), layer(CU, 40)], {("Co", "Pt"): HEAT_ONLY}, ("blocked", "lead")),
    "wall": ([layer(CO, 45, UP), layer(PY, 30, DOWN)], {}, ("lead", "lead")),
}  # fmt: skip
DRIVES = {
    "temperatures": {"bottom": fs.Terminal(current=0.0, temperature=T0 + 3), "top": fs.Terminal(voltage=0.0)},
    "current": {"bottom": fs.Terminal(current=4e10), "top": fs.Terminal(voltage=0.0, temperature=T0 - 2)},
    "heat": {"bottom": fs.Terminal(current=-2e10, heat=3e7), "top": fs.Terminal(voltage=0.0)},
}


def sign_of(x):
    return -1 if x.direction and x.direction[2] < 0 else 1


def coefficients(x):
    """Return conductivities, Seebeck coefficients, kappa and g of a layer, up and down along the axis."""
    m, sign = x.material, sign_of(x)
    beta = m.beta or 0.0
    up, down = (1 + beta) / (2 * m.resistivity), (1 - beta) / (2 * m.resistivity)
    g = 1 / (m.spin_diffusion_length**2 * (1 / up + 1 / down))
    return (up, down)[::sign], m.thermal.seebeck[::sign], m.thermal.conductivity, g


def faces_of(stack):
    for a, b in zip(stack.layers, stack.layers[1:], strict=False):
        face = stack.interface(a.name, b.name)
        if face is None:
            yield None, None
            continue
        magnet = next((x for x in (a, b) if x.direction), a)
        yield None if face.perfect else face.conductances[:: sign_of(magnet)], face.thermal_conductance


def reference(stack, ends, drive):
    layers = [exact.thermo_layer(x.thickness, *coefficients(x), T0) for x in stack]
    faces = [exact.thermo_face(*f, T0) for f in faces_of(stack)]
    contacts = []
    for kind, t in zip(ends, (drive["bottom"], drive["top"]), strict=True):
        theta = 0.0 if t.temperature is None else t.temperature - T0
        contacts.append(solver.Contact(kind, theta, None if t.heat is None else t.heat / T0, coupled=False))
    return solver.solve(
        layers, faces, *contacts, exact.CHARGE, current_density=drive["bottom"].current, thermal=exact.HEAT
    )


def problem_of(name, mesh_size=0.4e-9, degree=2):
    layers, faces, ends = STACKS[name]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    model = fs.Thermoelectric(T0)
    return fs.TransportProblem(fs.line(COMM, stack, mesh_size=mesh_size), model, contacts=contacts, degree=degree), ends
