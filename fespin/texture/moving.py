r"""A texture that the fluxes of a generic or a two-band magnet move.

Saslow's equation is that of Landau and Lifshitz, with H the part of the effective field that is perpendicular to m,

    dm/dt = -gamma' m x B + lambda H + N'/Ms,

in which N' is the torque of all other mechanisms: gradients of mu and of T, what H itself drives, and what of it
the texture scatters. At each instant (bands that take time: at each step) the carriers answer the field at hand, so
that N' belongs to the solve of the currents. The damping lambda acts at nodes, all else in cells; both with the same
H, so that the energy which the magnet loses is what leads and field supply less what is dissipated and stored, to
rounding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..cross_products import cross
from ..errors import InputError, SolverError
from ..grid import Array
from .generic import GenericMagnet
from .hform import LandauLifshitz
from .irreversible import IrreversibleProblem, IrreversibleState
from .irreversible import Step as CarrierStep
from .laws import require_positive
from .magnet import TexturedMagnet
from .responses import IrreversibleMagnet, Magnetization
from .two_band import TwoBandMagnet

# Relative difference of damping and gamma, of the two descriptions of a magnet.
_SAME = 1e-9


class MovingCarriers:
    """The carriers of a moving texture. The constructor is collective, and so is every method.

    Parameters
    ----------
    problem
        Carriers between leads.
    magnet
        The energies of the texture, its damping and gamma; its polarization and nonadiabaticity play no part.

    Attributes
    ----------
    spins
        s of bands that take time at this rank's own nodes (owned,), in V; None if carriers follow at once.

    Raises
    ------
    InputError
        If damping or gamma of the two differ.
    """

    def __init__(self, problem: IrreversibleProblem, magnet: TexturedMagnet) -> None:
        self.problem, self.grid = problem, problem.grid
        self._law, self._bare = problem.magnet, undamped(problem.magnet)
        self._ms = magnet.saturation_magnetization
        form = LandauLifshitz.of(magnet)
        self.gamma, self.rate_of_damping = form.gyromagnetic_ratio, form.damping_rate
        found = damping_rate(self._law, self._ms), self._law.gyromagnetic_ratio
        for name, given, own in zip(("damping", "gamma"), found, (form.damping_rate, self.gamma), strict=True):
            if abs(given - own) > _SAME * own:
                raise InputError(
                    f"texture: the {name} of the {type(self._law).__name__}, {given:.10g} 1/(s T) in the form of "
                    f"Landau and Lifshitz, is not that of the TexturedMagnet, {own:.10g}; the method `of` makes one "
                    "that agrees"
                )
        self.spins: Array | None = None

    @property
    def takes_time(self) -> bool:
        """Return whether the bands store spins."""
        return isinstance(self._law, TwoBandMagnet) and self._law.spin_relaxation_time > 0

    def _at(self, m: Array, field: Array) -> tuple[Magnetization, Array]:
        """Return the place and the thermodynamic field (owned, 3) of directions of any length and B (owned, 3)."""
        unit = m / np.linalg.norm(m, axis=1, keepdims=True)
        across = field - np.einsum("na,na->n", field, unit)[:, None] * unit
        try:
            return Magnetization(self.grid, self._ms * unit), across
        except InputError as error:  # an iterate that is no texture any more
            raise SolverError(
                f"{str(error).partition(';')[0]} in the iteration of a step; try a smaller step"
            ) from error

    def _step(self, tau: float) -> CarrierStep | None:
        return None if self.spins is None else (self.spins, tau)

    def rate(self, m: Array, field: Array, t: float, tau: float) -> Array:
        """Return dm/dt (owned, 3) in the middle of a step, in which m and B (owned, 3) are.

        Parameters
        ----------
        t, tau
            Middle and length of the step (s).
        """
        where, across = self._at(m, field)
        forces = self.problem.carriers(self._bare, where, across, t, self._step(tau))[3]
        torque = where.torque_of(self._bare, forces)
        unit = m / np.linalg.norm(m, axis=1, keepdims=True)
        torque = torque - np.einsum("na,na->n", torque, unit)[:, None] * unit
        return np.asarray(-self.gamma * cross(m, field) + self.rate_of_damping * across + torque / self._ms)

    def state(self, m: Array, field: Array, t: float, tau: float) -> tuple[IrreversibleState, float]:
        """Return the carriers in the middle of a step, and the power of the damping (W); parameters as of `rate`."""
        where, across = self._at(m, field)
        found = self.problem.state(self._bare, where, across, t, self._step(tau))
        square = np.einsum("na,na->n", across, across) * self.grid.weights[: self.grid.owned]
        return found, self.rate_of_damping * self._ms * self.grid.total(square)

    def begin(self, m: Array, field: Array, t: float) -> None:
        """Give bands that take time the spins that they would have at rest."""
        if self.takes_time:
            self.spins = None
            self.spins = self.state(m, field, t, 0.0)[0].spins

    def take(self, middle: IrreversibleState) -> None:
        """Go on to the end of a step whose middle is known."""
        if self.spins is not None:
            self.spins = 2 * middle.spins - self.spins

    def check(self, m: Array) -> None:
        """Refuse a texture (owned, 3) that lets entropy production be negative."""
        require_positive(self._law, self.grid, Magnetization(self.grid, self._ms * m).place)


def undamped(law: IrreversibleMagnet) -> IrreversibleMagnet:
    """Return a magnet without its transverse damping."""
    return replace(law, A_perp=0.0) if isinstance(law, GenericMagnet) else replace(law, damping_rate=0.0)


def damping_rate(law: IrreversibleMagnet, saturation_magnetization: float) -> float:
    """Return lambda (1/(s T)) of a magnet with a given Ms (A/m)."""
    return law.A_perp * saturation_magnetization if isinstance(law, GenericMagnet) else law.damping_rate
