"""Notes: what a case assumed in silence or what looks wrong in it, one line each.

They are printed once, on the terminal, and stand in ``summary.json`` under "notes". Notes on the tables alone are known
before anything is meshed, also in a dry run. Meshes, solutions and tasks add more while a case runs: a line of progress
that begins with :data:`PREFIX` is a note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from .registry import AnyCase, kind_of

PREFIX = "note: "
"""Beginning of those lines of progress that are notes."""


class Notes:
    """The notes of a run, in the order in which they come.

    It takes the place of the function that prints progress, so that the code that runs need not know of notes.

    Parameters
    ----------
    say
        Prints a line of progress; called on every rank.

    Attributes
    ----------
    texts
        All notes so far, without their prefix. A note that comes twice stands there once.

    Examples
    --------
    >>> notes = Notes(print)
    >>> notes("mesh: 20 cells")
    mesh: 20 cells
    >>> notes("note: cells of 9 nm are coarse")
    note: cells of 9 nm are coarse
    >>> notes.texts
    ['cells of 9 nm are coarse']
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self.texts: list[str] = []

    def __call__(self, text: str) -> None:
        """Say a line of progress; keep it if it is a note."""
        if text.startswith(PREFIX):
            self.add([text.removeprefix(PREFIX)])
        else:
            self._say(text)

    def add(self, texts: Iterable[str]) -> None:
        """Say notes, given without their prefix, and keep them; those that are known already are left out."""
        for text in texts:
            if text not in self.texts:
                self.texts.append(text)
                self._say(PREFIX + text)


def notes_of(case: AnyCase, assignments: Sequence[str] = ()) -> list[str]:
    """Return the notes on a validated case before it is meshed.

    Parameters
    ----------
    assignments
        Changes by ``--set``, "table.key=value" each: a value that is set there is likely to be swept.
    """
    return kind_of(case).notes(case, assignments)
