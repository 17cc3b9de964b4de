"""Helmholtz's decomposition of tangential fields on the sphere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from dolfinx import fem

from ..energy.on_sphere import Array
from ..errors import InputError
from .space import Sigma


@dataclass(frozen=True)
class Decomposition:
    """X = grad chi + u x grad Phi; both potentials have mean zero.

    Attributes
    ----------
    chi, phi
        DOLFINx functions on the sphere, in units of X.
    residual
        Norm of X minus its decomposition over the norm of X: the discretization's error.

    Examples
    --------
    >>> sphere = fs.Sigma(comm, mesh_size=0.5)
    >>> parts = fs.decompose(sphere, lambda u: np.cross(u, (0.0, 0.0, 1.0)))  # u x the gradient of u_z
    >>> print(f"{parts.phi.x.array.max():.3f} {abs(parts.chi.x.array).max():.3f}")
    1.000 0.000
    """

    chi: fem.Function
    phi: fem.Function
    residual: float


def decompose(sigma: Sigma, field: Callable[[Array], Array]) -> Decomposition:
    """Return the potentials of a tangential field. Collective.

    Lap chi = div X and Lap Phi = div (X x u), in weak form.

    Parameters
    ----------
    field
        Takes directions (n, 3), returns X (n, 3); a part along u is dropped.

    Raises
    ------
    InputError
        If the field has another shape or is not finite.

    Examples
    --------
    >>> sphere = fs.Sigma(comm, mesh_size=0.5)
    >>> parts = fs.decompose(sphere, lambda u: np.array([0.0, 0.0, 1.0]) - u[:, 2:] * u)  # the gradient of u_z
    >>> print(f"{parts.chi.x.array.max():.3f}")
    1.000
    """
    u = sigma.points
    x = np.asarray(field(u), dtype=float)
    if x.shape != u.shape or not np.isfinite(x).all():
        raise InputError("decompose: the field must return finite vectors of the shape of u, (n, 3)")
    x = x - np.sum(x * u, axis=1, keepdims=True) * u
    n = len(u)
    stiffness = sigma.transport(np.ones(n), np.zeros(n), np.zeros((n, 3)))
    # One value is fixed, the mean subtracted afterwards.
    rows = np.array([0] if sigma.comm.rank == 0 else [], dtype=int)
    stiffness.pin(rows)
    factor = stiffness.factor()
    potentials = []
    for source in (x, np.cross(x, u)):
        load = sigma.load_gradient(source)
        load[rows] = 0.0
        values = factor.solve(load)
        values -= sigma.integral(sigma.at_points(values)) / (4 * np.pi)
        potentials.append(values)
    factor.destroy()
    stiffness.destroy()
    chi, phi = potentials
    rest = x - sigma.gradient_at_points(chi) - np.cross(u, sigma.gradient_at_points(phi))
    size = sigma.integral(np.sum(x**2, axis=1))
    left = sigma.integral(np.sum(rest**2, axis=1))
    return Decomposition(
        sigma.function(chi, "chi"), sigma.function(phi, "Phi"), float(np.sqrt(left / size)) if size else 0.0
    )
