"""Several energies together: checked, completed by what the magnet knows, and added up."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InputError
from .declaration import EnergyTerm, Scales, SurfaceTerm
from .functions import Energy
from .terms import Dipolar, InterfaceAnisotropy, InterlayerExchange, Shape

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
    """Refuse a shape anisotropy beside the dipolar field: it is the mean of that field, which would count twice.

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


@dataclass(frozen=True)
class Spread:
    """An energy of a face, spread evenly over the thickness of a film.

    Attributes
    ----------
    term
        Energy of a class that has no thickness of its own.
    thickness
        Thickness (m) of the film.

    Examples
    --------
    >>> from fespin.energy.collection import Spread
    >>> spread = Spread(fs.InterfaceAnisotropy(4e-4), thickness=2e-9)
    >>> print(spread.surface_density((0.0, 0.0, 1.0), None) / spread.thickness)  # J/m3
    -200000.0
    """

    term: SurfaceTerm
    thickness: float

    @property
    def local(self) -> bool:
        """Return whether the term is local, as it says itself."""
        return bool(getattr(self.term, "local", False))

    @property
    def quadratic(self) -> bool:
        """Return whether the term is quadratic, as it says itself."""
        return bool(getattr(self.term, "quadratic", False))

    @property
    def degree(self) -> int | None:
        """Return the degree of the term's polynomial; None: it says none."""
        return getattr(self.term, "degree", None)

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3) that the term has besides that of its face."""
        return self.term.density(m, grad, x) if hasattr(self.term, "density") else 0.0

    def surface_density(self, m: Any, x: Any) -> Any:
        """Return the energy (J/m2) of the face."""
        return self.term.surface_density(m, x)


def spread(terms: Iterable[AnyTerm], thickness: float | None) -> tuple[AnyTerm, ...]:
    """Return terms in which those of faces have the thickness of their film.

    A term of fespin's own has its `thickness` set, which takes the place of its face; one of another class is
    wrapped in :class:`Spread`.

    Parameters
    ----------
    thickness
        Thickness (m) for those without one of their own; None changes nothing.
    """
    return tuple(terms) if thickness is None else tuple(_spread(term, thickness) for term in terms)


def _spread(term: Any, thickness: float) -> AnyTerm:
    if not hasattr(term, "surface_density") or getattr(term, "thickness", None) is not None:
        return term  # type: ignore[no-any-return]
    if type(term) in (InterfaceAnisotropy, InterlayerExchange):
        return dataclasses.replace(term, face=None, thickness=thickness)  # type: ignore[no-any-return]
    return Spread(term, thickness)


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
