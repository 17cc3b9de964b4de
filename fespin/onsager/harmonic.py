"""Alternating drives: amplitudes of exp(+i omega t), real and imaginary parts as fields of their own.

A declaration in time becomes a steady one of twice as many fields. What dissipates
does so for both parts; storage turns one into the other without dissipation, which is
what a reversible coupling is::

    J... + R w + i omega C w = 0      ->      [R  -omega C; omega C  R] (Re w; Im w)

Nothing else of the engine has to know.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from .declaration import Along, ContactLaw, Declaration, Direction, InterfaceLaw, Mechanism, Medium, Reversible, Varying
from .leads import admittance, dissipative, odd_couplings
from .matrices import matrix_of

IMAGINARY = "_im"
"""Ending of the name of an imaginary part."""


def imaginary(key: Any) -> Any:
    """Return the name of the imaginary part of a field, or of a field on one side of an interface."""
    if isinstance(key, Along):
        return replace(key, field=key.field + IMAGINARY)
    return (key[0], key[1] + IMAGINARY) if isinstance(key, tuple) else key + IMAGINARY


def _both(mechanisms: Sequence[Mechanism[Any]]) -> tuple[Mechanism[Any], ...]:
    second = (replace(m, weights={imaginary(k): w for k, w in m.weights.items()}) for m in mechanisms)
    return (*mechanisms, *second)


def _both_turns(turns: Sequence[Reversible[Any]]) -> tuple[Reversible[Any], ...]:
    return (*turns, *(replace(t, row=imaginary(t.row), column=imaginary(t.column)) for t in turns))


def _crossed(name: str, matrix: Any, fields: Sequence[str]) -> tuple[Reversible[str], ...]:
    """Return the couplings of i times a symmetric matrix."""
    return tuple(
        Reversible(name, f, imaginary(g), -float(matrix[i, j]))
        for i, f in enumerate(fields)
        for j, g in enumerate(fields)
        if matrix[i, j]
    )


def _medium(medium: Medium, omega: float) -> Medium:
    fields = sorted(medium.fields)
    stored = _crossed("storage", omega * matrix_of(medium.storage, fields), fields)
    second = (replace(x, row=imaginary(x.row), column=imaginary(x.column)) for x in medium.crossed)
    return Medium(
        _both(medium.conduction),
        _both(medium.reactions),
        (),
        (*_both_turns(medium.reversible), *stored),
        (*medium.crossed, *second),
    )


def _law(law: InterfaceLaw) -> InterfaceLaw:
    perfect = law.perfect | {imaginary(f) for f in law.perfect}
    return InterfaceLaw(_both(law.mechanisms), perfect, _both_turns(law.reversible))


def _varying(region: Varying, omega: float) -> Varying:
    def law_of(law: Callable[[Direction], InterfaceLaw]) -> Callable[[Direction], InterfaceLaw]:
        return lambda u: _law(law(u))

    laws = {p: law_of(x) for p, x in region.laws.items()}
    return Varying(region.magnetization, lambda u: _medium(region.medium(u), omega), laws)


def _contact(law: ContactLaw, medium: Medium, omega: float) -> ContactLaw:
    mechanisms, turns = _both(law.mechanisms), _both_turns(law.reversible)
    if law.mechanisms:
        others = tuple(dict.fromkeys(f for m in law.mechanisms for f in m.weights))
        y = admittance(medium, law.charge, others, omega, law.normal)
        both = (*others, *map(imaginary, others))
        real = np.block([[y.real, -y.imag], [y.imag, y.real]])
        mechanisms, turns = dissipative(real, both), odd_couplings(real, both)
    further = [*law.further, *({imaginary(f): w for f, w in p.items()} for p in law.potentials)]
    grounded = (*law.grounded, *map(imaginary, law.grounded))
    return ContactLaw(law.potential, grounded, mechanisms, turns, tuple(further))


def harmonic(declaration: Declaration, touched: Mapping[str, str], frequency: float) -> Declaration:
    """Return the declaration of real and imaginary amplitudes at a frequency.

    Parameters
    ----------
    declaration
        Declaration with storage.
    touched
        The region that each contact touches.
    frequency
        Frequency in Hz, not angular.
    """
    omega = 2 * math.pi * frequency
    return Declaration(
        (*declaration.fields, *map(imaginary, declaration.fields)),
        {r: _medium(m, omega) for r, m in declaration.media.items()},
        {p: _law(x) for p, x in declaration.laws.items()},
        {k: _contact(c, declaration.media[touched[k]], omega) for k, c in declaration.contacts.items()},
        declaration.thermal,
        {r: _varying(t, omega) for r, t in declaration.varying.items()},
        declaration.applied,
    )
