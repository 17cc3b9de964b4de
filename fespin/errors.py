"""The errors fespin raises, and the words it puts them in."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FespinError(Exception):
    """Base of every error that fespin raises on purpose; its text is one line for the user."""


class InputError(FespinError, ValueError):
    """Refusal of what the user declared: an unknown name, a value out of range, a bad mesh file."""


class ModelError(InputError):
    """A declaration that thermodynamics or the model forbids, such as a negative coefficient."""


class SolverError(FespinError, RuntimeError):
    """A solve did not converge; the text says what to try."""


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the clause that follows an unknown name: the nearest known one, or all of them.

    Examples
    --------
    >>> nearest("resistivty", ["beta", "resistivity"])
    "did you mean 'resistivity'?"
    """
    name, names = str(name), sorted(set(known))
    lower = {k.lower(): k for k in names}
    close = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.6 if len(name) > 3 else 0.5)
    if close:
        return f"did you mean '{lower[close[0]]}'?"
    return f"known: {', '.join(names)}" if names else "none is known"


def one_line(text: str) -> str:
    """Return a text without line breaks and control characters."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in " ".join(text.split()))
