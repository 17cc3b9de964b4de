"""Everything in which the supported DOLFINx versions (0.9 to 0.11) differ, by feature detection."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

import dolfinx
import numpy as np
from dolfinx import cpp, fem, graph, mesh
from mpi4py import MPI
from numpy.typing import NDArray

VERSION: str = dolfinx.__version__


def partitioner() -> Any:
    """Return a cell partitioner with the ghost layer that interior facet integrals need."""
    try:
        return mesh.create_cell_partitioner(mesh.GhostMode.shared_facet, 2)
    except TypeError:
        return mesh.create_cell_partitioner(mesh.GhostMode.shared_facet)


def from_gmsh(
    model: Any, comm: MPI.Intracomm, gdim: int
) -> tuple[mesh.Mesh, mesh.MeshTags, mesh.MeshTags, dict[tuple[int, str], int]]:
    """Return mesh, cell tags, facet tags and ``{(dimension, name): tag}`` of the gmsh model on rank 0."""
    try:  # 0.10 and later
        from dolfinx.io import gmsh as reader
    except ImportError:  # 0.9
        from dolfinx.io import gmshio as reader
    data = reader.model_to_mesh(model, comm, 0, gdim=gdim, partitioner=partitioner())
    names = None
    if comm.rank == 0:
        names = {(d, model.getPhysicalName(d, t)): t for d, t in model.getPhysicalGroups()}
    names = comm.bcast(names, 0)
    if hasattr(data, "mesh"):
        return data.mesh, data.cell_tags, data.facet_tags, names
    return *data[:3], names


def create_mesh(
    comm: MPI.Intracomm, cells: NDArray[np.int64], element: Any, x: NDArray[np.float64], partitioner: Any = None
) -> mesh.Mesh:
    """Return a mesh from nodes per cell and coordinates; the versions order the arguments differently."""
    return mesh.create_mesh(comm, cells=cells, e=element, x=x, partitioner=partitioner)


def cell_nodes(m: mesh.Mesh) -> NDArray[np.int32]:
    """Return the geometry nodes of each local cell."""
    maps = getattr(m.geometry, "dofmaps", None)
    nodes: NDArray[np.int32] = m.geometry.dofmap if maps is None else maps[0]
    return nodes


def interpolation_points(space: fem.FunctionSpace) -> NDArray[np.float64]:
    """Return the points at which functions are evaluated to be interpolated; a method before 0.10."""
    points = space.element.interpolation_points
    return np.asarray(points() if callable(points) else points)


def index_map(comm: MPI.Intracomm, size: int, ghosts: NDArray[np.int64], owners: NDArray[np.int32]) -> Any:
    """Return an index map with `size` owned indices and the given ghosts."""
    try:
        return cpp.common.IndexMap(comm, size, ghosts, owners, 1234)
    except TypeError:
        return cpp.common.IndexMap(comm, size, ghosts, owners)


def space_with_dofmap(space: fem.FunctionSpace, imap: Any, cells: NDArray[np.int32]) -> fem.FunctionSpace:
    """Return the scalar space of the same element with another dof map: `cells` lists dofs per cell."""
    adjacency = graph.adjacencylist(cells)
    adjacency = getattr(adjacency, "_cpp_object", adjacency)
    dofmap = cpp.fem.DofMap(space.dofmap.dof_layout, imap, 1, adjacency, 1)
    arguments = (space.mesh._cpp_object, space._cpp_object.element, dofmap)
    cls = type(space._cpp_object)
    try:
        inner = cls(*arguments)
    except TypeError:
        inner = cls(*arguments, [int(s) for s in space.value_shape])
    return fem.FunctionSpace(space.mesh, space.ufl_element(), inner)


def exterior_facet() -> Any:
    """Return the integral type of exterior facets."""
    return getattr(fem.IntegralType, "exterior_facet", None) or fem.IntegralType.facet


def attach(
    compiled: Any,
    spaces: Sequence[fem.FunctionSpace],
    m: mesh.Mesh,
    subdomains: Mapping[Any, Sequence[tuple[int, NDArray[np.int32]]]],
    coefficients: Sequence[fem.Function],
    constants: Sequence[fem.Constant],
) -> fem.Form:
    """Return a compiled form attached to spaces, entities and data, without DOLFINx's own analysis of the form.

    Parameters
    ----------
    coefficients, constants
        Coefficients and constants in the order in which the UFL form has them.
    """
    form = compiled.ufcx_form
    create = functools.partial(
        fem.forms.form_cpp_creator(compiled.dtype),
        int(compiled.module.ffi.cast("uintptr_t", compiled.module.ffi.addressof(form))),
        [v._cpp_object for v in spaces],
        {
            f"w{k}": coefficients[form.original_coefficient_positions[k]]._cpp_object
            for k in range(form.num_coefficients)
        },
        {f"c{k}": c._cpp_object for k, c in enumerate(constants)},
        dict(subdomains),
    )
    try:
        cpp_form = create({}, m._cpp_object)
    except TypeError:  # 0.10 and later
        cpp_form = create([], m._cpp_object)
    return fem.Form(cpp_form, form, compiled.code)


def versions() -> dict[str, str]:
    """Return the versions that a result depends on."""
    import petsc4py

    from ._version import __version__

    petsc = ".".join(map(str, petsc4py.PETSc.Sys.getVersion()))
    return {"fespin": __version__, "dolfinx": VERSION, "petsc": petsc, "numpy": np.__version__}
