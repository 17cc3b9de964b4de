"""Building blocks of declarations over the spin vector s = (sx, sy, sz): squares, turns, steps at interfaces."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ..constants import ELEMENTARY_CHARGE, HBAR
from ..device import Interface, Layer
from ..onsager.declaration import GradientCoupling, InterfaceLaw, Mechanism, Reversible

SPIN = ("sx", "sy", "sz")
"""Names of the components of s."""

SPIN_PER_CHARGE = HBAR / (2 * ELEMENTARY_CHARGE)
"""Angular momentum per charge (J s/C): (hbar/2e) J_s is the flux of spin angular momentum."""


def along(u: Sequence[float], weight: float = 1.0) -> dict[str, float]:
    """Return weight u.s as weights over the spin fields."""
    return {k: weight * x for k, x in zip(SPIN, u, strict=True) if x}


def squares(name: str, coefficient: float, u: Sequence[float]) -> tuple[Mechanism[str], ...]:
    """Return coefficient |u x s|^2 as mechanisms."""
    x, y, z = u
    rows = ({"sz": y, "sy": -z}, {"sx": z, "sz": -x}, {"sy": x, "sx": -y})
    kept = ({k: w for k, w in row.items() if w} for row in rows)
    return tuple(Mechanism(name, coefficient, row) for row in kept if row)


def turns(name: str, coefficient: float, u: Sequence[float]) -> tuple[Reversible[str], ...]:
    """Return the relaxation coefficient u x s as reversible couplings."""
    x, y, z = u
    entries = (("sx", "sy", -z), ("sz", "sx", -y), ("sy", "sz", -x))
    return tuple(Reversible(name, i, j, coefficient * w) for i, j, w in entries if w)


def given_to_magnet[T: (Mechanism[Any], Reversible[Any])](terms: Sequence[T]) -> tuple[T, ...]:
    """Return terms whose angular momentum a magnet takes: they make its torque and follow its motion."""
    return tuple(replace(x, destination="magnet") for x in terms)


def spin_hall(conductivity: float) -> tuple[GradientCoupling, ...]:
    """Return the spin Hall effect and its inverse as couplings of c with each component of s.

    With k = theta/rho, ``J_c,i = k eps_iaj d_j s_a`` and ``J_s,a,j = -k eps_iaj d_i c`` (a of spin, i and j of
    space): J_s.n = theta n x J through a face with the normal n (Sinova et al., Rev. Mod. Phys. 87, 1213 (2015),
    with the sign of docs/conventions.md).

    Parameters
    ----------
    conductivity
        k (S/m).
    """
    if not conductivity:
        return ()
    levi_civita = np.array([np.cross(e, np.eye(3)) for e in np.eye(3)])  # [i][j] = e_i x e_j

    def matrix(a: int) -> tuple[Any, ...]:
        # eps_iaj = -eps_ija, and -J_c = matrix . grad s_a.
        return tuple(tuple(map(float, row)) for row in conductivity * levi_civita[:, :, a])

    return tuple(GradientCoupling("spin Hall", "c", k, matrix(a)) for a, k in enumerate(SPIN))


def side_turns(name: str, coefficient: float, u: Sequence[float], row: int, column: int) -> list[Reversible[Any]]:
    """Return the flux coefficient u x s out of one side, of s on the same or the other side, as couplings."""
    if not coefficient:
        return []
    return [Reversible(name, (row, t.row), (column, t.column), t.value) for t in turns(name, coefficient, u)]


def jump(name: str, coefficient: float, weights: Mapping[str, float]) -> Mechanism[tuple[int, str]]:
    """Return a mechanism driven by the step of a combination of fields across an interface."""
    return Mechanism(name, coefficient, {(i, k): s * w for i, s in ((0, 1.0), (1, -1.0)) for k, w in weights.items()})


def memory_loss(side: int, loss: float, u: Sequence[float] | None = None) -> tuple[Mechanism[Any], ...]:
    """Return the relaxation of spins at one side of an interface: loss s^2, or loss (u.s)^2 of spins along u alone."""
    if not loss:
        return ()
    kept: list[Mapping[str, float]] = [{k: 1.0} for k in SPIN] if u is None else [along(u)]
    return tuple(Mechanism("spin memory loss", loss, {(side, k): x for k, x in w.items()}) for w in kept)


def isotropic(face: Interface) -> InterfaceLaw:
    """Return an interface that treats all spins alike: between normal metals, or magnets without gamma."""
    total = sum(face.conductances)
    return InterfaceLaw(
        (
            jump("interface charge", total, {"c": 1.0}),
            *(jump("interface spin", total, {k: 1.0}) for k in SPIN),
        )
    )


def storage_of(layer: Layer) -> tuple[Mechanism[str], ...]:
    """Return the spin capacity e^2 N per s^2."""
    n = layer.material.density_of_states
    return () if n is None else tuple(Mechanism("spin capacity", ELEMENTARY_CHARGE**2 * n, {k: 1.0}) for k in SPIN)
