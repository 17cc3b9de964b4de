"""Several energies together: checked, completed by what the magnet knows, and added up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from ..errors import InputError
from .declaration import EnergyTerm, Scales, SurfaceTerm
from .terms import Dipolar, Energy, Shape

type AnyTerm = EnergyTerm | SurfaceTerm | Dipolar


def as_terms(owner: str, terms: Any, *, functions: bool = False) -> tuple[AnyTerm, ...]:
    """Return one term or several as a tuple.

    Parameters
    ----------
    owner
        Beginning of the messages.
    functions
        True if plain functions of u stand for an :class:`Energy` (J).

    Raises
    ------
    InputError
        If something else is among them, or dipolar energies count twice.
    """
    several = terms if isinstance(terms, Sequence) else (terms,)
    checked = tuple(_as_term(owner, term, functions) for term in several)
    dipolar = sum(isinstance(term, Dipolar) for term in checked)
    if dipolar > 1:
        raise InputError(f"{owner}: found {dipolar} Dipolar among the energies; allowed: one, it is the whole body's")
    require_no_shape(owner, checked, dipolar=bool(dipolar))
    return checked


def require_no_shape(owner: str, terms: Iterable[Any], *, dipolar: bool) -> None:
    """Refuse a shape's anisotropy beside the dipolar field, of which it is the mean: one of the two is enough.

    Parameters
    ----------
    owner
        Beginning of the message.
    dipolar
        True if there is a dipolar field.

    Raises
    ------
    InputError
        If there are both.
    """
    if dipolar and any(isinstance(term, Shape) for term in terms):
        raise InputError(
            f"{owner}: Shape and the dipolar field are one energy, which would count twice; give one of them"
        )


def _as_term(owner: str, term: Any, functions: bool) -> AnyTerm:
    if isinstance(term, EnergyTerm | SurfaceTerm | Dipolar):
        return term
    if functions and callable(term):
        return Energy(term)
    allowed = "functions of u" if functions else "Density(f) with f(m, grad, x) in J/m3"
    raise InputError(f"{owner}: found {term!r} among the energies; allowed: terms such as Uniaxial, {allowed}")


def resolve(terms: Iterable[AnyTerm], scales: Scales) -> tuple[AnyTerm, ...]:
    """Return terms with what they depend on: Ms, and a macrospin's volume and kT.

    Raises
    ------
    InputError
        If one needs a macrospin and there is none.
    """
    return tuple(term.resolved(scales) if hasattr(term, "resolved") else term for term in terms)


def volume_density(term: Any, m: Any, grad: Any, x: Any, thickness: float | None = None) -> Any:
    """Return the energy density (J/m3) of a term, that of a face being spread over a film's thickness.

    Parameters
    ----------
    thickness
        Thickness (m) of the film, if the term does not have its own.

    Raises
    ------
    InputError
        If a face's energy has no thickness or is of a whole surface, or the term is no density.
    """
    if isinstance(term, Dipolar):
        raise InputError("macrospin: a Dipolar field is one of a body in space; for one direction give Shape(factors)")
    parts = [term.density(m, grad, x)] if hasattr(term, "density") else []
    if hasattr(term, "surface_density"):
        if getattr(term, "face", None) == "all":
            raise InputError(
                f'macrospin: {type(term).__name__} with face="all" is the energy of a body\'s whole surface; '
                "for one direction leave face out and give the film's thickness (m)"
            )
        own = getattr(term, "thickness", None)
        across = thickness if own is None else own
        if across is None:
            raise InputError(
                f"macrospin: {type(term).__name__} is an energy of a face (J/m2); give the film's thickness (m), "
                "Macrospin(thickness=...) or that of the term"
            )
        parts.append(term.surface_density(m, x) / across)
    return sum(parts[1:], parts[0])


def samples_along_step(terms: Iterable[Any]) -> int:
    """Return how many fields along a step give the mean that does exactly the energy's work.

    Gauss's rule of n points is exact for a field of degree 2 n - 1 in m. A term that is no polynomial takes five.
    """
    most = 1
    for term in terms:
        if isinstance(term, Dipolar) or getattr(term, "quadratic", False):
            continue
        degree = getattr(term, "degree", None)
        most = max(most, 5 if degree is None else math.ceil(degree / 2))
    return most
