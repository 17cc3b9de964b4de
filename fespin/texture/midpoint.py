"""One step of the implicit midpoint rule for Gilbert's equation with the torques of a current."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..block_matrix import BlockMatrix
from ..cross_products import cross, crossed
from ..energy.dipolar import DipolarField
from ..errors import SolverError
from ..grid import Array, Grid
from ..petsc import Options
from .energy import in_space
from .magnet import TexturedMagnet

type CurrentOf = Callable[[Array, Array], Array | None]
"""J in the cells (cells, 3), or None without a current, of m and dm/dt at the nodes (owned, 3)."""

type RateOf = Callable[[Array, Array], Array]
"""dm/dt at the nodes (owned, 3) of m and B there (owned, 3), perpendicular to m: a law other than Gilbert's."""

_CLOSE = 2e-13  # of m: what may be left of the iteration
_FLOOR = 1e-11  # and so do those that rounding keeps from falling further
_ROUGH = 0.1  # of a residual: what a solve in bodies may leave
_KEPT = 40  # pairs of an iterate's and a residual's differences: one for each iteration of a step
_SLOW = 0.3  # ratio of two changes above which an iteration in bodies takes a new factor


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

    In bodies a linear system is solved to a tenth in each iteration. With a dipolar field the Jacobian has instead of
    its matrix, which is dense, the body's demagnetizing tensor at each node. What both leave out, iterations learn from
    their differences (:class:`_Secants`). So they do where dm/dt obeys another law, of which Gilbert's equation is the
    larger part.

    Parameters
    ----------
    fixed
        Which of this rank's own nodes do not move (owned,).
    dipolar
        Dipolar field of the body; without it there is none.
    other_law
        True if steps are those of another law.
    """

    def __init__(
        self,
        grid: Grid,
        magnet: TexturedMagnet,
        fixed: Array,
        options: Options | None = None,
        dipolar: DipolarField | None = None,
        *,
        other_law: bool = False,
    ) -> None:
        self._grid, self._magnet, self._dipolar = grid, magnet, dipolar
        self._free = (~fixed.astype(bool)).astype(float)[:, None]
        self._free_seen = grid.seen(self._free)
        # In bodies the system is not solved for itself, but to find the next iterate.
        self._secants = _Secants(grid) if grid.dim == 3 or other_law else None
        self._system = BlockMatrix(grid, 3, "magnetization", tolerance=_ROUGH, options=options)
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

    def solve(
        self, old: Array, guess: Array, tau: float, applied: Array, current: CurrentOf, law: RateOf | None = None
    ) -> tuple[Array, Torques]:
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
        law
            dm/dt, if it is not Gilbert's equation with the current's torques.

        Raises
        ------
        SolverError
            If Newton's method fails.
        """
        magnet = self._magnet
        m, last, made, fresh = guess, np.inf, 0, True
        stale = self.made_of is None or not 0.8 < self.made_of[2] / tau < 1.25
        secants = self._secants
        if secants is not None:
            secants.forget()
        for _ in range(_KEPT):
            rate = 2 / tau * (m - old)
            density = current(m, rate)
            torques = self.torques(m, applied, density, old)
            if law is None:
                missed = rate - self._turned(m, rate, torques)
            else:
                missed = rate - law(m, torques.field)
                # As Gilbert's equation has it, for which the Jacobian is made.
                missed = missed - magnet.damping * cross(m, missed)
            residual = missed * self._free
            renewed = stale
            if stale:
                self._refresh(m, old, tau, torques, density)
                stale, made = False, made + 1
            residual *= tau / 2
            if secants is None:
                change = -self._system.solve(residual)
            else:
                change = secants.change(m, residual, self._system.solve)
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

    def _turned(self, m: Array, rate: Array, torques: Torques) -> Array:
        """Return the right side of Gilbert's equation (owned, 3)."""
        magnet = self._magnet
        turned = -magnet.gyromagnetic_ratio * torques.field + magnet.damping * rate
        return cross(m, turned + cross(m, torques.drift) + magnet.nonadiabaticity * torques.drift)

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
    """Differences of iterates and of their residuals, of which the next change is made: GCR with any solver inside.

    Each pair (u, q) tells that a move u changes the residual by q; the q are orthonormal. What of a residual lies in
    their span the moves take away, and only the rest is left to the solver, which may be rough: of what it leaves out,
    the dipolar field between the nodes above all, the pairs learn. For a linear problem it is the method of generalized
    conjugate residuals.

    References
    ----------
    S. C. Eisenstat, H. C. Elman, M. H. Schultz, SIAM J. Numer. Anal. 20, 345 (1983); D. G. Anderson, J. ACM 12, 547
    (1965).
    """

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._moves = np.empty((_KEPT, 3 * grid.owned))
        self._falls = np.empty((_KEPT, 3 * grid.owned))
        self._count = 0
        self._last: tuple[Array, Array] | None = None

    def forget(self) -> None:
        """Drop what is known: pairs of another step are a hindrance."""
        self._last, self._count = None, 0

    def change(self, m: Array, residual: Array, solve: Callable[[Array], Array]) -> Array:
        """Return the change (owned, 3) of m (owned, 3) that takes away its residual (owned, 3).

        Parameters
        ----------
        solve
            Returns the approximate change of m that adds a given residual.
        """
        flat = residual.ravel()
        if self._last is not None:
            move, fall = self._rest(m.ravel() - self._last[0], flat - self._last[1])
            move, fall = self._rest(move, fall)  # twice is enough for orthogonality to rounding
            length = math.sqrt(self._grid.total(fall * fall))
            if length > 0:
                self._add(np.asarray(move / length, dtype=float), np.asarray(fall / length, dtype=float))
        self._last = m.ravel(), flat
        move, rest = self._rest(np.zeros_like(flat), flat)
        return np.asarray(move.reshape(-1, 3) - solve(rest.reshape(-1, 3)))

    def _add(self, move: Array, fall: Array) -> None:
        self._moves[self._count], self._falls[self._count] = move, fall
        self._count += 1

    def _rest(self, move: Array, fall: Array) -> tuple[Array, Array]:
        """Return a move and the residual it makes without the known part of the residual."""
        if not self._count:
            return move, fall
        moves, falls = self._moves[: self._count], self._falls[: self._count]
        parts = self._grid.totals(*(falls @ fall))
        return move - parts @ moves, fall - parts @ falls
