"""The spectrum, each eigenvalue by the method that gets it right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import InputError
from ..macrospin.landscape import survey
from . import escape as escaping
from .distribution import Surface
from .krylov import Vector
from .meridian import Meridian
from .operator import Operator
from .resolution import require_resolution
from .results import Spectrum
from .spectrum import Mode, Pairs, merged, meridian_near, meridian_spectrum, near, near_zero

if TYPE_CHECKING:
    from .fokker_planck import FokkerPlanck

# Eigenvalues below this are rounding; the rates of escape give them.
_SLOW = 1e-6


def find_spectrum(fp: FokkerPlanck, count: int, near_to: complex | None) -> Spectrum:
    """Return the eigenvalues of lowest real part, or nearest to a complex number (1/s). Collective."""
    surface = fp.surface()
    values, methods, vectors, residual, orders = _solve(fp, surface, count, near_to)
    # What comes from rates of escape is no eigenpair.
    residual = np.where(np.isin(methods, ("stationary", "committor")), 0.0, residual)
    error = residual.copy()
    if fp.verify:
        other, other_methods = _solve(fp, surface.coarser, count + 4, near_to)[:2]
        for k, z in enumerate(values):
            if methods[k] != "stationary":
                same = [
                    o
                    for o, m in zip(other, other_methods, strict=True)
                    if (m == "committor") == (methods[k] == "committor")
                ]
                nearest = min((abs(o - z) for o in same), default=np.inf)
                error[k] = max(error[k], min(float(nearest) / abs(z), 1.0))
        # Higher modes may be coarse; the first is what was asked for.
        first = next((k for k, m in enumerate(methods) if m != "stationary"), None)
        if first is not None:
            require_resolution(surface, "the spectrum", float(error[first]), fp.spin)
    scale = fp.spin.diffusion
    return Spectrum(scale * values, values, methods, error, residual, tuple(vectors), orders)


def resonances(fp: FokkerPlanck) -> list[complex]:
    """Return the eigenvalues of the linearized motion about each well that precesses, without torque, per 2 tau_N."""
    out: list[complex] = []
    for well in survey(fp.spin).wells:
        low, high = (max(c, 0.0) for c in well.curvatures)
        frequency, decay = np.sqrt(low * high) / fp.spin.damping, (low + high) / 2
        if frequency > decay and not any(abs(z.imag - frequency) < 0.2 * frequency for z in out):
            out.append(complex(decay, frequency))
    return out


type _Solved = tuple[NDArray[np.complex128], tuple[str, ...], list[Vector], Array, tuple[int, ...] | None]


def _solve(fp: FokkerPlanck, surface: Surface, count: int, near_to: complex | None) -> _Solved:
    orders: tuple[int, ...] | None = None
    # Under torque the plain form has the smaller error; slow modes come from rates of escape anyway.
    operator = Operator(surface, fp.drift, weighted=not fp.drift.has_torque, options=fp.options)
    try:
        if near_to is not None:
            target = near_to / fp.spin.diffusion
            if isinstance(surface, Meridian):
                found, left = meridian_near(operator, target, count)
                values, orders, vectors = _columns(found)
                methods = tuple(f"meridian, m = {m}" for m in orders)
                return values, methods, [operator.density(x) for x in vectors], np.array(left), orders
            values, vectors, residual = near(operator, target, count)
            order = np.argsort(np.abs(values - target))
            methods = ("Arnoldi at the frequency",) * len(order)
            modes = [operator.density(vectors[k]) for k in order]
            return values[order], methods, modes, residual[order], None
        if isinstance(surface, Meridian):
            values, orders, vectors = _columns(meridian_spectrum(operator, count))
            residual = np.zeros(len(values))
            methods = tuple(f"meridian, m = {m}" for m in orders)
        else:
            base = near_zero(operator, count + 2)
            others: list[Pairs] = [near(operator, z, count + 2) for z in resonances(fp)]
            values, vectors, residual = merged(base, others, count)
            known = list(base[0])
            methods = tuple(
                "Krylov-Schur" if any(z == w for w in known) else "Arnoldi at the resonance" for z in values
            )
        values, methods = _slow_ones(fp, surface, values, list(methods))
        modes = [operator.density(x) for x in vectors]
        return values, methods, modes, residual, orders
    finally:
        operator.destroy()


def _columns(modes: list[Mode]) -> tuple[NDArray[np.complex128], tuple[int, ...], list[Vector]]:
    """Return eigenvalues, orders and vectors of modes."""
    return np.array([z for z, _, _ in modes]), tuple(m for _, m, _ in modes), [x for _, _, x in modes]


def _slow_ones(
    fp: FokkerPlanck, surface: Surface, values: NDArray[np.complex128], methods: list[str]
) -> tuple[NDArray[np.complex128], tuple[str, ...]]:
    """Name the stationary mode, and replace slow modes by those of the rates of escape."""
    small = [k for k in range(len(values)) if abs(values[k]) < _SLOW]
    values = values.copy()
    if not small:
        return values, tuple(methods)
    values[small[0]], methods[small[0]] = 0.0, "stationary"
    if len(small) > 1:
        try:
            slow = escaping.rates_on(surface, fp.drift, fp.options).eigenvalues()
        except InputError:
            return values, tuple(methods)  # no wells: they are what they are
        for k, z in zip(small[1:], slow, strict=False):
            values[k], methods[k] = z, "committor"
    return values, tuple(methods)
