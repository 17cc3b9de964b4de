"""One step of the implicit midpoint rule for Gilbert's equation with the torques of a current."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..block_matrix import BlockMatrix, cross, crossed
from ..energy.dipolar import DipolarField
from ..errors import SolverError
from ..grid import Array, Grid
from ..petsc import Options
from .energy import in_space
from .magnet import TexturedMagnet

type CurrentOf = Callable[[Array, Array], Array | None]
"""J in the cells (cells, 3), or None without a current, of m and dm/dt at the nodes (owned, 3)."""

_CLOSE = 2e-13  # of m: what may be left of the iteration
_FLOOR = 1e-11  # and so do those that rounding keeps from falling further
_SLOW = 0.5  # ratio of two changes above which a dipolar field's iteration takes a new factor


@dataclass(frozen=True)
class Torques:
    """Torques at this rank's own nodes: dm/dt = m x (-gamma B + alpha dm/dt + m x g + beta g).

    Attributes
    ----------
    field
        B of all energies, what is applied and the dipolar field (owned, 3), in T.
    drift
        g, the mean of (u.grad) m around each node (owned, 3), in 1/s.
    """

    field: Array
    drift: Array


class Midpoint:
    """The equation of one step, and Newton's method for it.

    With m the middle of the step and w the lumped volumes, each node obeys

        (2/tau)(m - m_old) = m x (-gamma B(m) + alpha dm/dt + m x g(m) + beta g(m)).

    The right side is perpendicular to m, so lengths stay. B is the mean along the step of the field of energies that
    are not quadratic (:meth:`fespin.energy.InSpace.mean_field`), so that the energy's change is exactly the work along
    the step. The Jacobian's factor is kept over steps while it serves. Collective throughout.

    With a dipolar field the Jacobian has instead of its matrix, which is dense, the body's demagnetizing tensor at
    each node. Of what that leaves out, iterations learn by their differences (:class:`_Secants`).

    Parameters
    ----------
    fixed
        Which of this rank's own nodes do not move (owned,).
    dipolar
        Dipolar field of the body; without it there is none.
    """

    def __init__(
        self,
        grid: Grid,
        magnet: TexturedMagnet,
        fixed: Array,
        options: Options | None = None,
        dipolar: DipolarField | None = None,
    ) -> None:
        self._grid, self._magnet, self._dipolar = grid, magnet, dipolar
        self._free = (~fixed.astype(bool)).astype(float)[:, None]
        self._free_seen = grid.seen(self._free)
        self._system = BlockMatrix(grid, 3, "magnetization", options=options)
        self.made_of: tuple[Array, Array, float] | None = None
        self._space = in_space(grid, magnet)
        self._local = np.zeros((3, 3)) if dipolar is None else -dipolar.scale * dipolar.factors
        self.iterations = self.factors = 0

    def torques(self, m: Array, applied: Array, density: Array | None, old: Array | None = None) -> Torques:
        """Return field and drift at m (owned, 3), for an applied field (owned, 3) and J (cells, 3).

        Parameters
        ----------
        old
            Start of a step of which m is the middle: then the field is the mean along the step.
        """
        g = self._grid
        field = applied + (self._space.field(m) if old is None else self._space.mean_field(old, m))
        if self._dipolar is not None:
            field = field + self._dipolar.field(m)
        if density is None:
            return Torques(field, np.zeros_like(m))
        gradient = g.gradient(g.seen(m))
        carried = self._magnet.drift_per_current * np.einsum("ci,cia->ca", density, gradient)
        carried = np.broadcast_to((carried * g.share[:, None])[:, None], (len(g.cells), g.dim + 1, 3))
        return Torques(field, g.gathered(carried) / g.weights[: g.owned, None])

    def energy(self, m: Array) -> float:
        """Return what the magnet stores at m (owned, 3), :func:`fespin.texture.stored_energy` (J)."""
        energy = self._space.energy(m)
        return energy if self._dipolar is None else energy + self._dipolar.energy(m)

    def solve(self, old: Array, guess: Array, tau: float, applied: Array, current: CurrentOf) -> tuple[Array, Torques]:
        """Return m in the middle of a step (owned, 3), and the torques there.

        Parameters
        ----------
        old, guess
            m at its start, and what is expected in its middle (owned, 3).
        tau
            Length of the step (s).
        applied
            B applied in its middle (owned, 3), in T.
        current
            J for a given m and dm/dt. It is asked at each iteration, so that what the motion pumps acts back.

        Raises
        ------
        SolverError
            If Newton's method fails.
        """
        magnet = self._magnet
        m, last, made, fresh = guess, np.inf, 0, True
        stale = self.made_of is None or not 0.8 < self.made_of[2] / tau < 1.25
        secants = None if self._dipolar is None else _Secants(self._grid)
        for _ in range(40):
            rate = 2 / tau * (m - old)
            density = current(m, rate)
            torques = self.torques(m, applied, density, old)
            turned = -magnet.gyromagnetic_ratio * torques.field + magnet.damping * rate
            turned = turned + cross(m, torques.drift) + magnet.nonadiabaticity * torques.drift
            residual = (rate - cross(m, turned)) * self._free
            renewed = stale
            if stale:
                self._refresh(m, old, tau, torques, density)
                stale, made = False, made + 1
                secants = None if secants is None else _Secants(self._grid)
            change = -self._system.solve(residual * (tau / 2))
            if secants is not None:
                change = secants.improved(m, change)
            size = self._grid.largest(np.abs(change))
            self.iterations += 1
            if not size < 1e3:
                break
            m = m + change
            # What is left falls by the same ratio once more. The fall after a new factor is quadratic, and no guide.
            ratio = 1.0 if fresh or not np.isfinite(last) else min(1.0, size / last)
            fresh = renewed
            if size * ratio < _CLOSE or (size < _FLOOR and size > 0.3 * last):
                return m, torques
            # A factor of an earlier step converges linearly; it is renewed when that gets slow.
            stale = size > (0.2 if secants is None else _SLOW) * last and made < 5
            last = size
        raise SolverError(f"texture: Newton's method fails in a step of {tau:.3g} s; try a smaller step")

    def _refresh(self, m: Array, old: Array, tau: float, torques: Torques, density: Array | None) -> None:
        """Factorize the Jacobian of the residual times tau/2, the current being kept."""
        g, magnet = self._grid, self._magnet
        seen = g.seen(m)
        turn = crossed(seen)[g.cells] * (self._free_seen[g.cells] / g.weights[g.cells][:, :, None])[..., None]
        half = tau / 2
        blocks = np.matmul(turn[:, :, None], self._space.mean_hessian(old, m))
        blocks *= -half * magnet.gyromagnetic_ratio / magnet.saturation_magnetization
        if density is not None:
            carried = magnet.drift_per_current * g.share[:, None] * np.einsum("ci,cbi->cb", density, g.slopes)
            twice = np.matmul(turn, crossed(seen)[g.cells]) + magnet.nonadiabaticity * turn
            blocks -= half * np.einsum("cb,capq->cabpq", carried, twice)
        one, drift = np.eye(3), torques.drift
        inner = magnet.gyromagnetic_ratio * (crossed(m) @ self._local - crossed(torques.field))
        inner -= 2 * magnet.damping / tau * crossed(old)
        inner -= np.einsum("na,na->n", m, drift)[:, None, None] * one + m[:, :, None] * drift[:, None, :]
        inner += magnet.nonadiabaticity * crossed(drift) + 2 * drift[:, :, None] * m[:, None, :]
        diagonal = one + half * inner * self._free[:, :, None]
        self._system.refresh(blocks, diagonal)
        self.made_of = m, old, tau
        self.factors += 1

    def remake(self, m: Array, old: Array, tau: float, applied: Array, density: Array | None) -> None:
        """Make the factor of an earlier step again, on which what follows depends to rounding; see `made_of`."""
        self._refresh(m, old, tau, self.torques(m, applied, density, old), density)

    def destroy(self) -> None:
        """Free the factor."""
        self._system.destroy()


class _Secants:
    """Anderson's acceleration of an iteration m -> m + change(m): differences of earlier changes correct the next.

    Those of the changes are kept orthonormal. For a linear problem it is the method of generalized conjugate residuals.

    References
    ----------
    D. G. Anderson, J. ACM 12, 547 (1965).
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._moves: list[Array] = []  # differences of m, and of the change that they made
        self._falls: list[Array] = []
        self._last: tuple[Array, Array] | None = None

    def improved(self, m: Array, change: Array) -> Array:
        """Return a better change (owned, 3) of m (owned, 3)."""
        if self._last is not None:
            move, fall = self._corrected(m - self._last[0], change - self._last[1])
            length = math.sqrt(self._grid.total(fall * fall))
            if length > 0:
                self._moves.append(np.asarray(move / length, dtype=float))
                self._falls.append(np.asarray(fall / length, dtype=float))
        self._last = m, change
        step, rest = self._corrected(np.zeros_like(m), change)
        return np.asarray(rest + step)

    def _corrected(self, move: Array, fall: Array) -> tuple[Array, Array]:
        """Return a move and the change it makes without the known part of the change."""
        if not self._falls:
            return move, fall
        for part, u, v in zip(
            self._grid.totals(*(float(np.vdot(v, fall)) for v in self._falls)), self._moves, self._falls, strict=True
        ):
            move, fall = move - part * u, fall - part * v
        return move, fall
