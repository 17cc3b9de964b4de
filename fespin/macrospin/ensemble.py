"""Ensembles of macrospins in thermal noise: their input, steps, blocks and ranks.

Every number is the same on any number of ranks: trajectories come in blocks of 1024, each with its own
random numbers, and sums over blocks are taken in the order of the blocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator, Philox

from ..energy.on_sphere import Array
from ..errors import InputError
from ..quantities import direction
from .heun import Heun
from .llg import Motion
from .sampling import Boltzmann
from .spin import PROBES

if TYPE_CHECKING:  # checking a case must not start MPI
    from mpi4py import MPI

    from ..progress import Progress

type Observable = Callable[[Array], Array]

BLOCK = 1024
TICKS = 20
# Limits of a step: turn (rad), turn without precession (rad), and kick D dt. First the default, then the largest.
_TURN, _LONGEST_TURN = 0.1, 0.5
_APPROACH = 0.03
_KICK, _LONGEST_KICK = 0.002, 0.02
# Steps after which u, which rounding makes longer or shorter, is normalised at the latest.
_UNINTERRUPTED = 500


def step_lengths(motion: Motion, times: Array) -> tuple[float, float]:
    """Return the default and the longest allowed step (s) up to the last of the times.

    In the default u turns by at most 0.1 at the first of :meth:`Motion.fastest_rates` and by 0.03 at the second, and
    D step is at most 0.002; the longest are 0.5 and 0.02. Precession is followed to the second order of the step, what
    damping and torque do together with the noise to the first: hence the two bounds. Averages then err by less than
    0.01 kT in the energy, and by D step in free diffusion's rates; with the longest step by 0.05 kT.
    """
    (rate, approach), diffusion = motion.fastest_rates(times), motion.spin.diffusion
    if motion.spin.pumping is not None:
        diffusion *= float(np.linalg.norm(motion.spin.mobility(PROBES)[0], ord=2, axis=(1, 2)).max())
    return (
        1 / max(rate / _TURN, approach / _APPROACH, diffusion / _KICK),
        1 / max(rate / _LONGEST_TURN, diffusion / _LONGEST_KICK),
    )


class Run:
    """Checked inputs of an ensemble, and the loop over its blocks."""

    def __init__(
        self,
        comm: MPI.Intracomm,
        motion: Motion,
        times: Array,
        ensemble: int,
        seed: int,
        start: Sequence[float] | None,
        equilibrate: bool,
        step: float | None,
        progress: Progress | None,
    ) -> None:
        if not isinstance(ensemble, (int, np.integer)) or isinstance(ensemble, bool) or not 2 <= ensemble <= 10**10:
            raise InputError(f"langevin: ensemble is {ensemble!r}; it must be an integer from 2 to 1e10")
        if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or not 0 <= seed < 2**64:
            raise InputError(f"langevin: seed is {seed!r}; it must be an integer from 0 to 2^64 - 1")
        axis = direction((0.0, 0.0, 1.0) if start is None else start, "langevin", "start")
        self.start = np.array(axis)
        default, longest = step_lengths(motion, times)
        if step is not None and not (isinstance(step, (int, float)) and 0 < step <= longest):
            raise InputError(f"langevin: step is {step!r}; it must be positive and at most {longest:.3g} s here")
        self.comm, self.motion, self.ensemble, self.seed, self.progress = comm, motion, ensemble, seed, progress
        self.step = default if step is None else float(step)
        hemisphere = None if start is None else axis
        self._equilibrium = Boltzmann(motion.spin.reduced_energy, hemisphere) if equilibrate else None

    def advance(
        self, heun: Heun, random: Generator, start: float, end: float, steps: int, tick: Callable[[int], None]
    ) -> None:
        """Take equal steps from one time (s) to another."""
        for steps_done in range(0, steps, _UNINTERRUPTED):
            step, few = (end - start) / steps, min(_UNINTERRUPTED, steps - steps_done)
            heun.advance(random, start + steps_done * step, step, few)
            tick(few)

    def blocks(self, work: Callable[[Generator, Array, Callable[[int], None]], Array], steps: int) -> list[Array]:
        """Return the results of `work` on all blocks, in the order of the blocks, on every rank.

        Raises
        ------
        InputError
            If a trajectory has more than 1e9 steps.
        """
        if steps > 1e9:
            raise InputError(
                f"langevin: {steps:.1g} steps for each trajectory are more than 1e9; rare or slow events are a matter "
                "for the Fokker-Planck equation"
            )
        count = -(-self.ensemble // BLOCK)
        own = range(self.comm.rank, count, self.comm.size)
        steps_done = ticks = 0

        def tick(more: int) -> None:
            nonlocal steps_done, ticks
            steps_done += more
            while self.progress is not None and ticks < TICKS * steps_done // max(1, steps * len(own)):
                ticks += 1
                self.progress(ticks / TICKS)

        def share(k: int) -> Array:
            random = Generator(Philox(key=np.array([self.seed, k], dtype=np.uint64)))
            n = min(BLOCK, self.ensemble - k * BLOCK)
            u = np.tile(self.start, (n, 1))
            if self._equilibrium is not None:
                u = self._equilibrium.draw(random, n)
            return work(random, u, tick)

        from ..mpi import map_over_ranks

        return map_over_ranks(self.comm, count, share, "langevin")


def observed(function: Observable, u: Array, name: str) -> Array:
    """Return an observable's values at directions u (n, 3), (n,).

    Raises
    ------
    InputError
        If the user's function returns something else than one finite number for each direction.
    """
    values = np.asarray(function(u), dtype=float)
    if values.shape != (len(u),) or not np.isfinite(values).all():
        raise InputError(f"langevin: {name} must return one finite number for each direction, (n,)")
    return values
