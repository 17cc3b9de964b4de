"""The spectrum, each eigenvalue by the method that gets it right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ..energy.on_sphere import Array
from ..errors import InputError
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from ..petsc import Options
from . import escape as escaping
from .dimensionless import DimensionlessDrift
from .distribution import Surface
from .matrix import Vector
from .meridian import Meridian
from .operator import Operator
from .resolution import require_resolution
from .results import Spectrum
from .spectrum import Mode, Pairs, merged, meridian_near, meridian_spectrum, near, near_zero
from .weight import is_weighted

# Eigenvalues below this are rounding; the rates of escape give them.
_SLOW = 1e-6


def find_spectrum(
    surface: Surface,
    drift: DimensionlessDrift,
    count: int,
    near_to: complex | None = None,
    *,
    verify: bool = True,
    options: Options | None = None,
) -> Spectrum:
    """Return the eigenvalues of lowest real part, or nearest to a complex number. Collective.

    Parameters
    ----------
    surface
        Sphere or meridian.
    drift
        Velocity of the direction, with the torque if there is one.
    count
        Number of eigenvalues, zero included.
    near_to
        Complex number (1/s) near which they are sought.
    verify
        Solve on a coarser surface as well, and refuse a surface that does not resolve the first mode.
    options
        PETSc options of the factorizations, without prefix.

    Raises
    ------
    SolverError
        If an iteration does not converge, or the surface is too coarse.
    """
    problem = _Problem(drift, count, near_to, options)
    values, methods, vectors, residual, orders = problem.solve(surface)
    # What comes from rates of escape is no eigenpair.
    residual = np.where(np.isin(methods, ("stationary", "committor")), 0.0, residual)
    scale = drift.spin.diffusion
    spectrum = Spectrum(scale * values, values, methods, residual.copy(), residual, tuple(vectors), orders, surface)
    if verify:
        other, other_methods = replace(problem, count=count + 4).solve(surface.coarser)[:2]
        error = _errors(spectrum, other, other_methods)
        # Higher modes may be coarse; the first is what was asked for.
        first_mode = next((k for k, m in enumerate(methods) if m != "stationary"), None)
        if first_mode is not None:
            require_resolution(surface, "the spectrum", float(error[first_mode]), drift.spin)
        spectrum = replace(spectrum, error_estimate=error)
    return spectrum


def mode_errors(found: Spectrum, other: Spectrum) -> Array:
    """Return the estimated error of each eigenvalue, relative to its magnitude, from those of another space (n,)."""
    return _errors(found, other.reduced, other.methods)


def _errors(found: Spectrum, other: NDArray[np.complex128], methods: Sequence[str]) -> Array:
    """Return how far off the nearest of other eigenvalues is, relative to the magnitude, or the residual (n,)."""
    error = found.residuals.copy()
    for k, z in enumerate(found.reduced):
        if found.methods[k] != "stationary":
            kind = found.methods[k] == "committor"
            same = [o for o, m in zip(other, methods, strict=True) if (m == "committor") == kind]
            nearest = min((abs(o - z) for o in same), default=np.inf)
            error[k] = max(error[k], min(float(nearest) / abs(z), 1.0))
    return error


def resonances(spin: Macrospin) -> list[complex]:
    """Return the eigenvalues of the linearized motion about each well that precesses, without torque, per 2 tau_N."""
    out: list[complex] = []
    for well in survey(spin).wells:
        low, high = (max(c, 0.0) for c in well.curvatures)
        frequency, decay = np.sqrt(low * high) / spin.damping, (low + high) / 2
        if frequency > decay and not any(abs(z.imag - frequency) < 0.2 * frequency for z in out):
            out.append(complex(decay, frequency))
    return out


type _Solved = tuple[NDArray[np.complex128], tuple[str, ...], list[Vector], Array, tuple[int, ...] | None]


@dataclass(frozen=True)
class _Problem:
    """Eigenproblem whose solutions are sought on a surface, and on a coarser one."""

    drift: DimensionlessDrift
    count: int
    near_to: complex | None
    options: Options | None

    def solve(self, surface: Surface) -> _Solved:
        """Return eigenvalues, their methods, densities, residuals and, on a meridian, azimuthal orders. Collective."""
        orders: tuple[int, ...] | None = None
        # Under torque the plain form has the smaller error; slow modes come from rates of escape anyway.
        operator = Operator(surface, self.drift, weighted=is_weighted(surface, self.drift), options=self.options)
        try:
            if self.near_to is not None:
                target = self.near_to / self.drift.spin.diffusion
                if isinstance(surface, Meridian):
                    pairs, left = meridian_near(operator, target, self.count)
                    values, orders, vectors = _columns(pairs)
                    methods = tuple(f"meridian, m = {m}" for m in orders)
                    return values, methods, [operator.density(x) for x in vectors], np.array(left), orders
                values, vectors, residual = near(operator, target, self.count)
                order = np.argsort(np.abs(values - target))
                methods = ("Arnoldi at the frequency",) * len(order)
                modes = [operator.density(vectors[k]) for k in order]
                return values[order], methods, modes, residual[order], None
            if isinstance(surface, Meridian):
                values, orders, vectors = _columns(meridian_spectrum(operator, self.count))
                residual = np.zeros(len(values))
                methods = tuple(f"meridian, m = {m}" for m in orders)
            else:
                base = near_zero(operator, self.count + 2)
                others: list[Pairs] = [near(operator, z, self.count + 2) for z in resonances(self.drift.spin)]
                values, vectors, residual = merged(base, others, self.count)
                known = list(base[0])
                methods = tuple(
                    "Krylov-Schur" if any(z == w for w in known) else "Arnoldi at the resonance" for z in values
                )
            values, methods = self._slow_ones(surface, values, list(methods))
            modes = [operator.density(x) for x in vectors]
            return values, methods, modes, residual, orders
        finally:
            operator.destroy()

    def _slow_ones(
        self, surface: Surface, values: NDArray[np.complex128], methods: list[str]
    ) -> tuple[NDArray[np.complex128], tuple[str, ...]]:
        """Name the stationary mode, and replace slow modes by those of the rates of escape."""
        small = [k for k in range(len(values)) if abs(values[k]) < _SLOW]
        values = values.copy()
        if not small:
            return values, tuple(methods)
        values[small[0]], methods[small[0]] = 0.0, "stationary"
        if len(small) > 1:
            try:
                slow = escaping.rates_on(surface, self.drift, self.options).eigenvalues()
            except InputError:
                return values, tuple(methods)  # no wells, between which rates could be defined
            for k, z in zip(small[1:], slow, strict=False):
                values[k], methods[k] = z, "committor"
        return values, tuple(methods)


def _columns(modes: list[Mode]) -> tuple[NDArray[np.complex128], tuple[int, ...], list[Vector]]:
    """Return eigenvalues, orders and vectors of modes."""
    return np.array([z for z, _, _ in modes]), tuple(m for _, m, _ in modes), [x for _, _, x in modes]
