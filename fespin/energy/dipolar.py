"""The dipolar (demagnetizing) field of a body: by transforms on bricks in boxes, by boundary elements elsewhere."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..constants import DIPOLAR_MEMORY, VACUUM_PERMEABILITY
from ..errors import InputError
from ..grid import Array, Grid
from ..petsc import Options
from ..quantities import is_finite, require_positive
from .boundary_elements import BoundaryField
from .bricks import BrickField, box_of
from .surface import Surface
from .terms import DIPOLAR_METHODS


class Magnetized(Protocol):
    """Anything with a saturation magnetization."""

    @property
    def saturation_magnetization(self) -> float:
        """Return Ms (A/m)."""
        ...


class DipolarField:
    """The dipolar field of a magnetization in a body of tetrahedra, free space around it.

    The field at the nodes is B = -mu0 Ms w^-1 Q m, w being the lumped volumes. There are two operators Q, both
    symmetric, so that the energy -(Ms/2) sum_i w_i m_i.B_i is a quadratic form and its change in a step of the
    midpoint rule is exactly the work:

    * "bricks", in boxes along the axes: the mean of m in each of equal bricks, Newell's exact tensor between these by
      fast Fourier transforms, and the transpose of the mean (:class:`fespin.energy.bricks.BrickField`);
    * "boundary", in bodies of any shape: finite elements inside and boundary elements on the surface
      (:class:`fespin.energy.boundary_elements.BoundaryField`).

    In a box bricks are faster. They are more accurate, too, unless cells are much smaller than the lengths over which
    m varies: a uniform m has the field of the closed form. A curved or oblique surface made of bricks would have
    steps, with false charges on them.

    The constructor is collective, and so is every method.

    Parameters
    ----------
    grid
        Grid of tetrahedra, in three dimensions.
    magnet
        Magnet, whose saturation magnetization counts.
    method
        "bricks", "boundary" or "auto": bricks if the mesh fills a box.
    memory
        Bytes that the matrix of boundary elements may take, on all ranks together.
    tolerance
        Tolerance of the compressed matrix of boundary elements; 0: it is dense; default: dense up to 5000 nodes of the
        surface, then 1e-4. The error of the matrix that results is measured: `compression_error`.
    options
        PETSc options of the sparse solves of boundary elements, without prefix.

    Attributes
    ----------
    method
        "bricks" or "boundary".
    scale
        mu0 Ms (T).

    Raises
    ------
    InputError
        If the mesh is no body of tetrahedra, it is to be made of bricks and fills no box, or its surface has too many
        nodes.

    Examples
    --------
    >>> from fespin.energy import DipolarField
    >>> from fespin.geometry import bricks
    >>> from fespin.texture import Grid
    >>> cube = Grid(bricks(comm, (0, 0, 0), (1e-8, 1e-8, 1e-8), (6, 6, 6)))
    >>> m = cube.directions((0, 0, 1))
    >>> for method in ("bricks", "boundary"):
    ...     dipolar = DipolarField(cube, fs.Magnet(8e5, 0.02), method=method)
    ...     print(f"{dipolar.energy(m) / (2e-7 * np.pi * 8e5**2 * 1e-24):.3f}")  # 1/3 is the factor of a cube
    0.333
    0.323
    """

    def __init__(
        self,
        grid: Grid,
        magnet: Magnetized,
        *,
        method: str = "auto",
        memory: float = DIPOLAR_MEMORY,
        tolerance: float | None = None,
        options: Options | None = None,
    ) -> None:
        if grid.dim != 3:
            raise InputError(
                f"texture: a dipolar field needs a body of tetrahedra, and the mesh has dimension {grid.dim}; on lines "
                "and surfaces give the shape's anisotropy by hard_constant and easy_constant of the magnet"
            )
        require_positive("texture", "memory", memory)
        if tolerance is not None and not (is_finite(tolerance) and 0 <= tolerance < 0.1):
            raise InputError(f"texture: tolerance is {tolerance!r}; it must be from 0, for none, to 0.1")
        if method not in DIPOLAR_METHODS:
            raise InputError(f"texture: method is {method!r}; allowed: {', '.join(DIPOLAR_METHODS)}")
        self._grid, self.scale = grid, VACUUM_PERMEABILITY * magnet.saturation_magnetization
        self._half_ms = magnet.saturation_magnetization / 2
        box = None if method == "boundary" else box_of(grid)
        if box is None and method == "bricks":
            raise InputError(
                'texture: method is "bricks", and the mesh fills no box whose edges are along the axes; give '
                '"boundary" or "auto"'
            )
        self.method = "boundary" if box is None else "bricks"
        self._operator: BrickField | BoundaryField
        if box is None:
            self._operator = BoundaryField(grid, self.surface, memory=memory, tolerance=tolerance, options=options)
        else:
            self._operator = BrickField(grid, box)

    @property
    def compression_error(self) -> float:
        """Return the measured error of the matrix of boundary elements, relative to it; 0 if it is not compressed."""
        return 0.0 if isinstance(self._operator, BrickField) else self._operator.compression_error

    @cached_property
    def surface(self) -> Surface:
        """Return the surface of the body. Collective at its first use."""
        return Surface(self._grid)

    def potential(self, m: Array) -> Array:
        """Return u (m) at this rank's own nodes (owned,) of m there (owned, 3); H = -Ms grad u.

        It is determined up to a constant in each part of the mesh.

        Raises
        ------
        InputError
            If the method is not "boundary": bricks have no potential.
        """
        if isinstance(self._operator, BrickField):
            raise InputError('texture: bricks have no potential; give method="boundary" to DipolarField')
        return self._operator.potential(m)

    def field(self, m: Array) -> Array:
        """Return mu0 H_d (T) at this rank's own nodes (owned, 3) of m there (owned, 3).

        It is the derivative of :meth:`energy`, divided by the lumped volumes and -Ms.
        """
        return np.asarray(self._operator(m) * (-self.scale / self._grid.weights[: self._grid.owned, None]))

    def energy(self, m: Array) -> float:
        """Return -(Ms/2) sum_i w_i m_i.B_d,i (J), never negative for a mesh that resolves m; m (owned, 3)."""
        return self._half_ms * self.scale * self._grid.total(m * self._operator(m))

    @cached_property
    def factors(self) -> NDArray[Any]:
        """Return the body's demagnetizing tensor (3, 3): <H> = -N M of a uniform magnetization."""
        g, out = self._grid, np.empty((3, 3))
        for k in range(3):
            q = self._operator(np.broadcast_to(np.eye(3)[k], (g.owned, 3)).copy())
            out[:, k] = g.totals(*q.sum(axis=0)) / g.volume
        return out

    def serves(self, grid: Grid, magnet: Magnetized) -> bool:
        """Return whether this is the field of a magnet on a grid."""
        same = 2 * self._half_ms == magnet.saturation_magnetization
        return grid is self._grid and same

    def destroy(self) -> None:
        """Free the factors."""
        if isinstance(self._operator, BoundaryField):
            self._operator.destroy()
