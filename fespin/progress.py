"""A bar that shows how far a long run is."""

from __future__ import annotations

import sys

from mpi4py import MPI


class ProgressBar:
    """A bar on a terminal, nothing in a log; drawn by rank 0.

    Parameters
    ----------
    steps
        How many there are.
    """

    WIDTH = 24

    def __init__(self, comm: MPI.Intracomm, steps: int) -> None:
        self.steps, self.done = steps, 0
        self.shown = comm.rank == 0 and sys.stderr.isatty()

    def advance(self, what: str) -> None:
        """Say what is done next; the last call is for what was done last."""
        if self.shown:
            full = self.WIDTH * self.done // self.steps
            bar = "#" * full + "." * (self.WIDTH - full)
            print(f"\r\033[Kfespin: [{bar}] {what}", end="", file=sys.stderr, flush=True)
        self.done += 1

    def clear(self) -> None:
        """Remove the bar before a line is printed."""
        if self.shown:
            print("\r\033[K", end="", file=sys.stderr, flush=True)

    def at(self, part: float, what: str) -> None:
        """Show a part between 0 and 1 as done."""
        done = int(part * self.steps)
        if done > self.done or part == 0:
            self.done = done
            self.advance(what)
            self.done = done
