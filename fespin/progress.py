"""Progress of long computations: the function by which they report it, and a bar on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mpi4py import MPI

type Progress = Callable[[float], None]
"""Function that a long computation calls now and then, on every rank, with the part that is done (0 to 1).

Evolutions, surveys and simulations take one as `progress`; it must not be collective, because ranks that work on pieces
of their own call it at different times. :meth:`ProgressBar.following` makes one, ``print`` is another.
"""


class ProgressBar:
    """A bar on a terminal, nothing in a log; drawn by rank 0.

    Parameters
    ----------
    comm
        All ranks.
    steps
        Number of steps of which the work consists, or parts into which it is divided.

    Examples
    --------
    >>> bar = ProgressBar(comm)
    >>> result = fs.langevin(comm, spin, [0.0, 1e-9], ensemble=100, progress=bar.following("trajectories"))
    >>> bar.clear()
    """

    WIDTH = 24

    def __init__(self, comm: MPI.Intracomm, steps: int = 100) -> None:
        self.steps, self.done = steps, 0
        self.shown = comm.rank == 0 and sys.stderr.isatty()

    def advance(self, doing: str) -> None:
        """Show what is done next, one step after the last call; the last call is for the last step."""
        if self.shown:
            full = self.WIDTH * self.done // self.steps
            bar = "#" * full + "." * (self.WIDTH - full)
            print(f"\r\033[Kfespin: [{bar}] {doing}", end="", file=sys.stderr, flush=True)
        self.done += 1

    def clear(self) -> None:
        """Remove the bar before a line is printed."""
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def at(self, part: float, doing: str) -> None:
        """Show a part between 0 and 1 as done, if that is a step more than is shown."""
        done = int(part * self.steps)
        if done > self.done or part == 0:
            self.done = done
            self.advance(doing)
            self.done = done

    def following(self, doing: str) -> Progress:
        """Return a function of the part that is done, for computations that tell their progress."""
        return lambda part: self.at(part, doing)
