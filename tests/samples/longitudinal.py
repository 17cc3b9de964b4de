"""Longitudinal magnets and samples that tests share."""

import math

import numpy as np
from dolfinx import mesh
from mpi4py import MPI

from fespin.gmsh_session import mesh_from_gmsh
from fespin.longitudinal import (
    LongitudinalMagnet,
    LongitudinalProblem,
)
from fespin.solvers import SolverOptions

COMM = MPI.COMM_WORLD
TAU, D, LENGTH, RADIUS = 2.3e-12, 3.1e-3, 3.3e-7, 1.7e-7


def magnet(xi=0.3, w_m=0.0, w_M=0.0, tau=TAU):
    """Lattice rates in units of r; all coefficients unequal and none of them 1."""
    r = (1 - xi) / tau
    times = [1 / (w * r) if w else math.inf for w in (w_M, w_m)]
    return LongitudinalMagnet(xi, tau, D, *times, susceptibility=0.37)


def interval(g, cells=24, degree=2, length=LENGTH, comm=COMM):
    domain = mesh.create_interval(comm, cells, [0.0, length])
    ends = {
        "left": lambda x: np.isclose(x[0], 0, atol=1e-9 * length),
        "right": lambda x: np.isclose(x[0], length, rtol=1e-9),
    }
    return LongitudinalProblem(domain, g, parts=ends, degree=degree)


def disc(g, size=0.2, kind="auto", comm=COMM):
    def build(gmsh):
        gmsh.model.occ.addDisk(0, 0, 0, 1, 1)
        gmsh.model.occ.synchronize()
        gmsh.model.addPhysicalGroup(2, [1], 1, "disc")
        gmsh.option.setNumber("Mesh.MeshSizeMax", size)
        gmsh.model.mesh.generate(2)
        gmsh.model.mesh.setOrder(2)
        return {}

    domain = mesh_from_gmsh(comm, 2, build)[0]
    domain.geometry.x[:] *= RADIUS
    edge = {"edge": lambda x: np.hypot(x[0], x[1]) > RADIUS * (1 - 1e-6)}
    return LongitudinalProblem(domain, g, parts=edge, options=SolverOptions(kind))


def box(g, kind="auto", cells=(3, 4, 5), comm=COMM):
    corners = [np.zeros(3), np.array([0.7, 0.9, 1.0]) * LENGTH]
    domain = mesh.create_box(comm, corners, list(cells))
    parts = {
        "bottom": lambda x: np.isclose(x[2], 0, atol=1e-9 * LENGTH),
        "top": lambda x: np.isclose(x[2], LENGTH, rtol=1e-9),
    }
    return LongitudinalProblem(domain, g, parts=parts, options=SolverOptions(kind))
