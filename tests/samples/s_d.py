"""Stacks of three and four channels that tests share, and the way to the reference solver."""

import itertools

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.transport import FourChannel, ThreeChannel
from references import channel_models as exact
from references import channels as solver

COMM = MPI.COMM_SELF
CU = fs.Material("Cu", 6.1e-9, 450e-9)
AU = fs.Material("Au", 2.3e-8, 38e-9)
CO = fs.Bands(s_up=1.1e7, s_down=3.2e6, d_down=1.7e6, spin_flip=2.3e21, sd=7.9e21)
FE = fs.Bands(s_up=6e6, s_down=4.1e6, d_down=2.9e6, spin_flip=9e21, sd=2.2e22)
FULL = fs.Bands(
    s_up=1.1e7, s_down=3.2e6, d_down=1.7e6, spin_flip=2.3e21, sd=7.9e21, d_up=4e5, sd_up=3.1e21, sd_spin_flip=6e20,
    d_spin_flip=1.1e21,
)  # fmt: skip
OTHER = fs.Bands(
    s_up=6e6, s_down=4.1e6, d_down=2.9e6, spin_flip=9e21, sd=2.2e22, d_up=9e5, sd_up=8e21, sd_spin_flip=1.7e21,
    d_spin_flip=4e20,
)  # fmt: skip
FACE = fs.Interface(0.51e-15, 0.6)
UP, DOWN = (0, 0, 1), (0, 0, -1)
LOCAL = {"s_up": "s_up", "s_down": "s_dn", "d_down": "d_dn", "d_up": "d_up"}


def magnet(bands, thickness, direction=UP, name=""):
    material = fs.Material.from_bands("Fe" if bands in (FE, OTHER) else "Co", bands)
    return fs.Layer(material, thickness, name, direction)


def sign_of(layer):
    return 1 if layer.magnetization is None or layer.magnetization[2] > 0 else -1


def reference_layer(layer):
    m = layer.material
    if m.bands is None:
        return exact.two_channels(layer.thickness, m.resistivity, 0.0, m.spin_diffusion_length)
    b = m.bands
    pairs = {("s_up", "s_dn"): b.spin_flip, ("s_dn", "d_dn"): b.sd}
    if b.d_up is not None:
        more = {("s_up", "d_up"): b.sd_up, ("s_dn", "d_up"): b.sd_spin_flip, ("d_dn", "d_up"): b.d_spin_flip}
        pairs |= {k: g for k, g in more.items() if g}
    sigma = {LOCAL[k]: getattr(b, k) for k in b.channels}
    states = {LOCAL[k]: n for k, n in b.densities.items()} if b.densities else None
    return exact.channel_layer(layer.thickness, sigma, pairs, sign=sign_of(layer), states=states)


def reference_face(stack, a, b):
    face = stack.interface(a.name, b.name)
    magnets = [x for x in (a, b) if x.material.bands]
    if face is not None:
        return exact.resistive_face(face.area_resistance_star, face.gamma, sign_of(magnets[0]) if magnets else 1)
    if len(magnets) == 2 and sign_of(a) == sign_of(b):
        names = ["s_up", "s_dn", *(n for n in ("d_up", "d_dn") if n == "d_dn" or a.material.bands.d_up)]
        return exact.channel_face(names, sign=sign_of(a))
    return exact.channel_face()


def reference(stack, ends, j):
    layers = list(stack)
    charge = np.ones(4)
    return solver.solve(
        [reference_layer(x) for x in layers],
        [reference_face(stack, a, b) for a, b in itertools.pairwise(layers)],
        solver.Contact(ends[0]),
        solver.Contact(ends[1]),
        charge,
        current_density=j,
    )


def model_of(stack):
    four = any(x.material.bands and x.material.bands.d_up for x in stack)
    return FourChannel() if four else ThreeChannel()


def normal(material, thickness):
    return fs.Layer(material, thickness)


STACKS = {
    "single layer": ([normal(CU, 40e-9), magnet(CO, 20e-9), normal(AU, 30e-9)], {}, ("reservoir", "lead")),
    "antiparallel valve": (
        [normal(CU, 10e-9), magnet(CO, 9e-9, UP), normal(CU, 6e-9), magnet(FE, 4e-9, DOWN), normal(AU, 25e-9)],
        {("Co", "Cu"): FACE, ("Fe", "Au"): fs.Interface(0.3e-15, -0.4)},
        ("lead", "lead"),
    ),
    "wall": ([magnet(CO, 60e-9, UP), magnet(FE, 50e-9, DOWN)], {}, ("reservoir", "lead")),
    "parallel magnets": ([magnet(CO, 15e-9), magnet(FE, 12e-9), normal(CU, 33e-9)], {}, ("lead", "blocked")),
    "four channels": (
        [normal(CU, 10e-9), magnet(FULL, 9e-9, DOWN), normal(CU, 6e-9), magnet(OTHER, 14e-9, UP), normal(AU, 25e-9)],
        {("Co", "Cu"): FACE},
        ("lead", "reservoir"),
    ),
    "four channels, wall": ([magnet(FULL, 22e-9, DOWN), magnet(OTHER, 31e-9, UP)], {}, ("lead", "reservoir")),
}


# ---- limits
def solution(layers, *, faces=None, ends=("reservoir", "reservoir"), model=None, j=3e10, mesh_size=0.1e-9):
    stack = fs.Stack(*layers, interfaces=faces or {}, library={})
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(
        fs.line(COMM, stack, mesh_size=mesh_size), model or model_of(stack), contacts=contacts
    )
    return problem, problem.solve(current_density=j)
