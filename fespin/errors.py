"""The errors that fespin raises, and the words of their messages."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FespinError(Exception):
    """Base of every error that fespin raises on purpose; its text is one line for the user.

    Examples
    --------
    >>> try:
    ...     fs.material("Unobtainium")
    ... except fs.FespinError as error:
    ...     print(type(error).__name__)
    InputError
    """


class InputError(FespinError, ValueError):
    """Refusal of what the user declared: an unknown name, a value out of range, a bad mesh file.

    Examples
    --------
    >>> fs.Layer(fs.material("Cu"), thickness=-20e-9)
    Traceback (most recent call last):
        ...
    fespin.errors.InputError: layer 'Cu': thickness is -2e-08; it must be finite and positive
    """


class ModelError(InputError):
    """A declaration that thermodynamics or the model forbids, such as a negative coefficient.

    Examples
    --------
    >>> fs.LongitudinalMagnet(xi=1.5, tau_mM=1e-12, diffusion=1e-3)
    Traceback (most recent call last):
        ...
    fespin.errors.ModelError: magnet: xi = chi_m/chi_M is 1.5; a stable magnet has chi_m <= chi_M,...
    """


class SolverError(FespinError, RuntimeError):
    """A solve did not converge; the text says what to try.

    Examples
    --------
    >>> options = fs.SolverOptions("amg", max_iterations=1)
    >>> problem = fs.TransportProblem(fs.strip(comm, stack, width=40e-9), solver=options)
    >>> problem.solve(current_density=1e11)
    Traceback (most recent call last):
        ...
    fespin.errors.SolverError: transport: no convergence after 1 iterations (DIVERGED_MAX_IT,...
    """


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
