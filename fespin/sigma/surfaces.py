"""Surfaces on which the questions about one macrospin are solved: the polar angle, rings around an axis, triangles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Literal

import numpy as np
from mpi4py import MPI

from ..energy.on_sphere import Array
from ..errors import InputError
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from ..macrospin.torque import Torque
from .cost import bearable_sphere
from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .meridian import Meridian
from .orders import Climbed, Orders, Unresolved, refuse
from .passes import is_high, sphere_for_rates
from .resolution import meridian_cells
from .space import Density, Sigma
from .symmetry import find_axis, shares

METHODS = ("automatic", "sphere", "fourier")
type Method = Literal["automatic", "sphere", "fourier"]
"""How the sphere of directions is divided, see :class:`fespin.FokkerPlanck`."""


class Surfaces:
    """The surfaces of one macrospin and its torque, each made when it is needed.

    The constructor is collective, as are all methods.

    Parameters
    ----------
    sigma, spin, torque, axisymmetric, method, sphere, fitted, say
        As of :class:`fespin.FokkerPlanck`.

    Raises
    ------
    InputError
        If `axisymmetric` is True and the problem is not; if the method is unknown, or contradicts a sphere.
    """

    def __init__(
        self,
        sigma: Sigma | MPI.Intracomm,
        spin: Macrospin,
        torque: Torque | None,
        *,
        axisymmetric: bool | None,
        method: Method | None,
        sphere: Callable[[], Sigma] | None,
        fitted: bool | None,
        say: Callable[[str], None] | None,
    ) -> None:
        self._make, self._say = sphere, say
        self._fitted = sphere is None and not isinstance(sigma, Sigma) if fitted is None else fitted
        self.spin, self.torque = spin, torque
        self.comm = sigma.comm if isinstance(sigma, Sigma) else sigma
        self._sigma = sigma if isinstance(sigma, Sigma) else None
        self.drift = DimensionlessDrift(spin, torque)
        self.axis = None if axisymmetric is False else find_axis(spin, torque)
        given = isinstance(sigma, Sigma)
        self.method = method or ("sphere" if given or sphere is not None or axisymmetric is False else "automatic")
        if self.method not in METHODS:
            raise InputError(f"sphere: the method is {method!r}; it must be one of {', '.join(map(repr, METHODS))}")
        if self.method == "fourier" and (given or axisymmetric is False):
            raise InputError("sphere: method 'fourier' takes no sphere of triangles, and no axisymmetric = False")
        if axisymmetric and self.axis is None:
            raise InputError(
                "sphere: the problem is not symmetric about an axis; energy, field and torque must share one"
            )

    @cached_property
    def sphere(self) -> Sigma:
        """Return the sphere, made if need be. Collective."""
        if self._sigma is not None:
            return self._sigma
        if self._make is not None:
            return self._make()
        wells = survey(self.spin).wells
        axis = wells[0].direction if wells else np.array([0.0, 0.0, 1.0])
        return bearable_sphere(lambda size: Sigma(self.comm, size, axis=tuple(axis), refine=self.spin), self.spin)

    @cached_property
    def _pass_sphere(self) -> Sigma:
        return sphere_for_rates(self.comm, self.spin, axis=survey(self.spin).wells[0].direction)

    def _surface_for_rates(self) -> Surface:
        """Return where to solve for rates of escape. Collective."""
        if self.axis is not None or not self._fitted or self.drift.has_torque or not is_high(self.spin):
            return self.surface()
        return self._pass_sphere

    @cached_property
    def meridian(self) -> Meridian:
        """Return the polar angle about the axis of symmetry."""
        assert self.axis is not None
        return Meridian(self.axis, meridian_cells(self.drift))

    def surface(self, axes: Sequence[Sequence[float] | Array] = (), functions: Sequence[Density] = ()) -> Surface:
        """Return where to solve when these axes and functions play a role, too. Collective.

        Raises
        ------
        InputError
            If rings are asked for and triangles would be needed.
        """
        if self.axis is None or not shares(self.axis, axes, functions):
            if self.method == "fourier":
                raise refuse(
                    "first passages are solved on triangles where start, target, energy and torque share no axis"
                )
            return self.sphere
        return self.meridian

    @cached_property
    def _orders(self) -> Orders | None:
        """Rings for the problem; None if triangles are asked for, or rings do not fit."""
        if self.method == "sphere":
            return None
        try:
            return Orders(self.drift)
        except Unresolved as why:
            if self.method == "fourier":
                raise refuse(str(why)) from why
            return None

    def _on_rings[T](
        self,
        solve: Callable[[Surface], T],
        change: Callable[[T, T], float],
        tolerance: float,
        axes: Sequence[Sequence[float] | Array] = (),
        functions: Sequence[Density] = (),
        refinement: float = 1.0,
        patient: bool = False,
    ) -> Climbed[T] | None:
        """Return an answer on rings around an axis; None if the meridian or triangles serve better. Collective."""
        if self.axis is not None and shares(self.axis, axes, functions):
            return None
        if self._orders is None:
            return None
        try:
            found = self._orders.climb(self.comm, solve, change, tolerance, refinement, patient=patient)
        except Unresolved as why:
            if self.method == "fourier":
                raise refuse(str(why)) from why
            return None
        if found.change > tolerance and not patient and self._say is not None:
            self._say(
                f"note: {found.surface.orders} Fourier orders, the most that are tried, leave an error of about "
                f"{found.change:.1g} where {tolerance:.0g} is aimed at; see error_estimate"
            )
        return found
