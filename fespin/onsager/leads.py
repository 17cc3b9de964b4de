"""Contacts by kind: reservoirs, blocked contacts, and semi-infinite continuations of a medium.

What a lead does follows from its matrices alone. With K the conduction, R the
relaxation (reversible part included) and q the charge field, everything that is not
conserved decays as ``exp(-(K^-1 R)^{1/2} z)``, so at the contact

    flux = Y phi,  Y = K (K^-1 R)^{1/2},       (q^T K q)^-1 q^T K phi = what is imposed far away,

exact for fields that are uniform over the cross-section. An alternating drive puts
R + i omega C, with the storage C, in the place of R.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ModelError
from .declaration import ContactLaw, Direction, Mechanism, Medium, Reversible
from .matrices import matrix_of, mechanisms_of

_STACKING: Direction = (0.0, 0.0, 1.0)

# Entries below this part of the largest are rounding.
_SMALL = 1e-13


def admittance(
    medium: Medium, charge: str, others: Sequence[str], omega: float = 0.0, normal: Direction = _STACKING
) -> NDArray[Any]:
    """Return Y of a lead over the fields that are not conserved (S/m2), complex for an alternating drive.

    Parameters
    ----------
    others
        The fields that decay in the lead.
    omega
        Angular frequency (1/s), for amplitudes of exp(+i omega t).
    normal
        Direction in which the lead goes on.

    Raises
    ------
    ModelError
        If one of the fields is not conducted.
    """
    live = (charge, *others)
    k = _block(medium.along(normal), medium, live)
    r = _block(medium.reactions, medium, live, medium.reversible) + 0j
    if omega:
        r = r + 1j * omega * _block(medium.storage, medium, live)
    try:
        decay, modes = np.linalg.eig(np.linalg.solve(k, r))
        roots = np.where(np.abs(decay) < 1e-12 * np.abs(decay).max(initial=0.0), 0.0, np.sqrt(decay))
        y = k @ modes @ np.diag(roots) @ np.linalg.inv(modes)
    except np.linalg.LinAlgError as error:
        raise ModelError(f"a lead needs all of its fields conducted, found {', '.join(live)}") from error
    # Charge does not decay: its row and column of Y vanish.
    return np.asarray(y[1:, 1:] if omega else y[1:, 1:].real)


def _block(
    mechanisms: Sequence[Mechanism[str]], medium: Medium, live: Sequence[str], turns: Sequence[Reversible[str]] = ()
) -> NDArray[np.float64]:
    """Return the matrix of mechanisms over some of a medium's fields."""
    fields = sorted(medium.fields)
    at = [fields.index(f) for f in live]
    return np.asarray(matrix_of(mechanisms, fields, turns)[np.ix_(at, at)])


def dissipative(y: NDArray[Any], fields: Sequence[str]) -> tuple[Mechanism[str], ...]:
    """Return the symmetric part of a lead's admittance as mechanisms."""
    return tuple(replace(m, name="lead", destination="lead") for m in mechanisms_of("lead", (y + y.T) / 2, fields))


def odd_couplings(y: NDArray[Any], fields: Sequence[str]) -> tuple[Reversible[str], ...]:
    """Return the antisymmetric part of a lead's admittance as reversible couplings."""
    odd, small = (y - y.T) / 2, _SMALL * np.abs(y).max(initial=0.0)
    return tuple(
        Reversible("lead", fields[i], fields[j], float(odd[i, j]), "lead")
        for i in range(len(fields))
        for j in range(i)
        if abs(odd[i, j]) > small
    )


def contact_law(
    kind: str, medium: Medium, charge: str, fields: Sequence[str], normal: Direction = _STACKING
) -> ContactLaw:
    """Return what a contact on a medium imposes.

    Parameters
    ----------
    kind
        "reservoir": all fields but the charge field vanish; "blocked": their fluxes do;
        "lead": the medium goes on for ever.
    medium
        Medium that the contact touches.
    fields
        All fields of the model, in order; a lead leaves out those that are absent from the medium.
    normal
        Unit vector out of the device: fields vary along it alone in a lead, which matters where the medium's
        conduction depends on directions of space. What flows across it, such as Hall currents, closes in the lead.

    Raises
    ------
    ModelError
        If a crossed coupling of the lead's medium acts along the normal, or a field of the lead is not conducted.
    """
    if kind == "reservoir":
        # Also of fields that only another layer at the same contact has.
        return ContactLaw({charge: 1.0}, grounded=tuple(f for f in fields if f != charge))
    if kind == "blocked":
        return ContactLaw({charge: 1.0})
    others = tuple(f for f in fields if f in medium.fields and f != charge)
    for coupling in medium.crossed:
        if abs(np.einsum("a,ab,b", normal, coupling.matrix, normal)) > _SMALL * np.abs(coupling.matrix).max():
            raise ModelError(f"a lead cannot continue a medium in which '{coupling.name}' acts along the lead")
    row = _block(medium.along(normal), medium, (charge, *others))[0]
    weights = {f: float(x / row[0]) for f, x in zip(others, row[1:], strict=True)}
    y = admittance(medium, charge, others, normal=normal)
    potential = {charge: 1.0} | {f: x for f, x in weights.items() if abs(x) > _SMALL}
    return ContactLaw(potential, (), dissipative(y, others), odd_couplings(y, others), normal=normal)
