"""A textured wire that tests share."""

from dolfinx import mesh

from fespin.texture import (
    Grid,
    Lead,
    OhmicCircuit,
    TexturedMagnet,
)

MAGNET = TexturedMagnet(
    saturation_magnetization=8.3e5,
    exchange=1.7e-11,
    damping=0.05,
    conductivity=5e6,
    polarization=0.55,
    nonadiabaticity=0.08,
    easy_constant=1.4e5,
    hard_constant=0.9e5,
)
LENGTH = 300e-9


def line(comm, cells=120, length=LENGTH):
    return Grid(mesh.create_interval(comm, cells, [0, length]))


def left(x):
    return x[0] < 1e-12


def right(x, length=LENGTH):
    return x[0] > length - 1e-12


def circuit(grid, magnet, length=LENGTH, **driven):
    return OhmicCircuit(
        grid, magnet, {"left": Lead(left, voltage=0.0), "right": Lead(lambda x: right(x, length), **driven)}
    )
