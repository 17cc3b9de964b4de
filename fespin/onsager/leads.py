"""Contacts by kind: reservoirs, blocked contacts, and semi-infinite continuations of a medium.

What a lead does follows from its matrices alone. With K the conduction, R the
relaxation (reversible part included) and q the conserved fields, everything that is
not conserved decays as ``exp(-(K^-1 R)^{1/2} z)``, so at the contact

    flux = Y phi,  Y = K (K^-1 R)^{1/2},       (q^T K q)^-1 q^T K phi = what is imposed far away,

exact for fields that are uniform over the cross-section.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..errors import ModelError
from .declaration import ContactLaw, Medium, Reversible, matrix_of, mechanisms_of


def contact_law(kind: str, medium: Medium, conserved: Sequence[str], fields: Sequence[str]) -> ContactLaw:
    """Return what a contact on a medium imposes.

    Parameters
    ----------
    kind
        "reservoir": all fields that are not conserved vanish; "blocked": their fluxes do;
        "lead": the medium goes on for ever.
    medium
        What the contact touches.
    conserved
        Fields of conserved quantities, the charge field first.
    fields
        All fields of the model, in order.

    Raises
    ------
    ModelError
        If a lead's medium lets something vanish without conduction.
    """
    live = [f for f in fields if f in medium.fields]
    driven = [f for f in conserved if f in live]
    others = tuple(f for f in live if f not in driven)
    plain = [{f: 1.0} for f in driven]
    if kind != "lead":
        grounded = others if kind == "reservoir" else ()
        return ContactLaw(plain[0], grounded=grounded, further=tuple(plain[1:]))
    k = matrix_of(medium.conduction, live)
    r = matrix_of(medium.reactions, live, medium.reversible)
    try:
        decay, modes = np.linalg.eig(np.linalg.solve(k, r))
        roots = np.where(np.abs(decay) < 1e-12 * np.abs(decay).max(initial=0.0), 0.0, np.sqrt(decay + 0j))
        y = np.real(k @ modes @ np.diag(roots) @ np.linalg.inv(modes))
    except np.linalg.LinAlgError as error:
        raise ModelError(f"a lead needs all of its fields conducted, found {', '.join(live)}") from error
    q = np.array([[float(f == d) for d in driven] for f in live])
    weights = np.linalg.solve(q.T @ k @ q, q.T @ k)
    potentials = []
    for d, row in zip(driven, weights, strict=True):
        w = dict(zip(live, row, strict=True))
        potentials.append({d: 1.0} | {f: float(w[f]) for f in others if abs(w[f]) > 1e-14})
    # What is conserved does not decay: its rows and columns of Y vanish.
    at = [live.index(f) for f in others]
    y = y[np.ix_(at, at)]
    even, odd = (y + y.T) / 2, (y - y.T) / 2
    mechanisms = tuple(replace(m, name="lead") for m in mechanisms_of("lead", even, others))
    small = 1e-13 * np.abs(y).max(initial=0.0)
    turns = tuple(
        Reversible("lead", others[i], others[j], float(odd[i, j]))
        for i in range(len(others))
        for j in range(i)
        if abs(odd[i, j]) > small
    )
    return ContactLaw(potentials[0], (), mechanisms, turns, tuple(potentials[1:]))
