r"""The response to spins injected at a frequency, to a current through a normal metal, and to an alternating field.

At exp(i omega t) a follows from b node by node, and b obeys a scalar equation with the wavenumber of
:meth:`LongitudinalMagnet.wavenumber`, whatever the mesh:

    (alpha G + D chi_m K) b = injection,     alpha = -D chi_m k(omega)^2

Its real and imaginary parts are solved together, so that any build of PETSc will do. Positive entropy production
and positive storage make Re alpha >= 0 and Im alpha >= 0 for omega > 0. With W = Re alpha G + D chi_m K and
T = Im alpha G the matrix [[W, -T], [T, W]] is preconditioned by [[W, -T], [T, W + 2 T]], which takes two
solves with the real W + T; the eigenvalues lie between 1/2 and 1, and GMRES needs some fifteen steps on any mesh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from petsc4py import PETSc

from ..constants import VACUUM_PERMEABILITY
from ..errors import InputError, SolverError
from ..petsc import destroy, linear_solver, require_convergence, unique_prefix
from ..quantities import is_finite
from .drives import AppliedField, Conditions, Contact, ContactState, Flux, amount, require_amount
from .magnet import Array, Complex
from .problem import MECHANISMS, LongitudinalProblem, ScalarSolver


@dataclass(frozen=True)
class Response:
    """Complex amplitudes of exp(i omega t). Energies and powers are per area or length in lower dimensions.

    Attributes
    ----------
    frequency
        (Hz).
    M, m
        Deviations at the owned nodes (A/m), complex.
    accumulation
        dm_ = m + xi M there (A/m).
    inward
        Spin flux into each part with a condition (A m2/s), complex.
    mean_accumulation
        Mean of dm_ over each part of the boundary (A/m).
    dissipation
        T times the mean entropy production by mechanism (W).
    work
        Mean power of the boundaries (W).
    iterations
        Number of iterations of the outer method.
    field_work
        Mean power of the applied field, mu0 int H d(M + m)/dt (W).
    susceptibility
        int shape (dM + dm)/(amplitude int shape^2), dM being that of M itself; None without a field.
    contacts
        Currents and accumulations at each :class:`Contact`.

    Examples
    --------
    >>> from fespin.longitudinal import Flux, respond
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts={"left": lambda x: x[0] < 1e-12})
    >>> response = respond(problem, 1e11, {"left": Flux(-1e3)})
    >>> print(f"{response.impedance('left'):.2e} {response.work:.2e}")
    2.05e-05-1.15e-05j 4.28e-05
    >>> abs(response.balance) < 1e-6
    True
    """

    frequency: float
    M: Complex
    m: Complex
    accumulation: Complex
    inward: dict[str, complex]
    mean_accumulation: dict[str, complex]
    dissipation: dict[str, float]
    work: float
    iterations: int
    field_work: float = 0.0
    susceptibility: complex | None = None
    contacts: dict[str, ContactState] = dataclass_field(default_factory=dict)

    @property
    def balance(self) -> float:
        """(dissipation - work of boundaries and field) over the largest of them."""
        heat = sum(self.dissipation.values())
        return (heat - self.work - self.field_work) / (max(abs(heat), abs(self.work), abs(self.field_work)) or 1.0)

    def impedance(self, part: str) -> complex:
        """Return the mean of dm_ over a part for the flux into it: A/m for A/s, so s/m in 1D.

        Into a half space it is 1/(i D k), with k of :meth:`LongitudinalMagnet.wavenumber`.
        """
        if part not in self.inward or not self.inward[part]:
            raise InputError(f"impedance: nothing is injected at '{part}'")
        return self.mean_accumulation[part] / self.inward[part]


class _Split:
    """The matrix [[W, -T], [T, W]] on the free nodes, and its preconditioner.

    What metals at the boundary take up, `drains`, has positive real and imaginary parts, as alpha has.
    """

    def __init__(
        self, problem: LongitudinalProblem, alpha: complex, fixed: NDArray[np.int32], drains: dict[str, complex]
    ) -> None:
        self.p, self.alpha, self.fixed, self.n, self.drains = problem, alpha, fixed, problem.owned, drains
        self.failure: SolverError | None = None
        self.inner: ScalarSolver = problem.solver(
            alpha.real + alpha.imag,
            problem.magnet.stiffness,
            fixed,
            "longitudinal_response",
            drains={name: y.real + y.imag for name, y in drains.items()},
            passes=1,
        )

    def apply(self, b: Complex) -> Complex:
        """Return (alpha G + D chi_m K) b (owned,)."""
        p = self.p

        def both(x: Array) -> tuple[Array, Array]:
            return p.times(p.mass, x), p.magnet.stiffness * p.times(p.stiffness, x)

        (g, k), (h, j) = both(np.ascontiguousarray(b.real)), both(np.ascontiguousarray(b.imag))
        return np.asarray(self.alpha * (g + 1j * h) + k + 1j * j) + self.drained(b)

    def drained(self, b: Complex) -> Complex:
        """Return what flows out into the metals (owned,)."""
        out = np.zeros(self.n, dtype=complex)
        for name, y in self.drains.items():
            mass = self.p.boundary_mass(name)
            real, imaginary = (self.p.times(mass, np.ascontiguousarray(x)) for x in (b.real, b.imag))
            out += y * (real + 1j * imaginary)
        return out

    def _lagging(self, x: Array) -> Array:
        """Return T x (owned,)."""
        out = self.alpha.imag * self.p.times(self.p.mass, x)
        for name, y in self.drains.items():
            out += y.imag * self.p.times(self.p.boundary_mass(name), x)
        return np.asarray(out)

    def mult(self, _: Any, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Multiply; called by PETSc."""
        u = np.real(x.array_r)
        b = u[: self.n] + 1j * u[self.n :]
        b[self.fixed] = 0.0
        out = self.apply(b)
        # Known nodes keep what they have.
        out[self.fixed] = u[: self.n][self.fixed] + 1j * u[self.n :][self.fixed]
        y.array[:] = np.concatenate([out.real, out.imag])

    def precondition(self, x: PETSc.Vec, y: PETSc.Vec) -> None:
        """Solve with the preconditioner: (W + T) z = f + g, (W + T) u = f + T z, v = z - u."""
        r = np.real(x.array_r)
        f, g = r[: self.n].copy(), r[self.n :].copy()
        known = f[self.fixed], g[self.fixed]
        f[self.fixed] = g[self.fixed] = 0.0
        z = self.inner.solve(f + g)
        u = self.inner.solve(f + self._lagging(z))
        v = z - u
        u[self.fixed], v[self.fixed] = known
        y.array[:] = np.concatenate([u, v])


class _Context:
    """Preconditioner that PETSc calls."""

    def __init__(self, split: _Split) -> None:
        self.split = split

    def apply(self, _: Any, x: PETSc.Vec, y: PETSc.Vec) -> None:
        try:
            self.split.precondition(x, y)
        except SolverError as error:
            self.split.failure = error  # PETSc keeps no more than that there was one
            raise


def _solve(split: _Split, right: Complex, rtol: float) -> tuple[Complex, int]:
    """Return b and the number of iterations. Collective."""
    p, n = split.p, split.n
    prefix = unique_prefix("longitudinal_ac")
    matrix = PETSc.Mat().createPython(((2 * n, 2 * p.unknowns), (2 * n, 2 * p.unknowns)), split, comm=p.comm)
    matrix.setUp()
    ksp = linear_solver(matrix, prefix)
    ksp.setType("gmres")
    ksp.setPCSide(PETSc.PC.Side.RIGHT)
    ksp.setGMRESRestart(100)
    ksp.setTolerances(rtol=rtol, atol=0.0, max_it=p.options.max_iterations)
    ksp.getPC().setType("python")
    ksp.getPC().setPythonContext(_Context(split))
    ksp.setFromOptions()
    f, x = matrix.createVecs()
    try:
        out, count = np.zeros(n, dtype=complex), 0
        # A second pass on the residual mends what the first lost to rounding.
        for _ in range(2):
            b = out.copy()
            b[split.fixed] = 0.0
            rest = right - split.apply(b)
            rest[split.fixed] = 0.0
            f.array[:] = np.concatenate([rest.real, rest.imag])
            if not f.norm() > 0:
                break
            ksp.solve(f, x)
            count += int(ksp.getIterationNumber())
            advice = f"try the solver kind 'direct', or PETSc options under the prefix -{prefix}"
            require_convergence(ksp, "longitudinal response", advice, x)
            u = np.real(x.array)
            out = out + u[:n] + 1j * u[n:]
    except PETSc.Error as error:
        if split.failure is not None:
            raise split.failure from None
        raise SolverError(f"longitudinal response: PETSc failed ({error})") from error
    finally:
        destroy(ksp, matrix, f, x)
    return out, count


def respond(
    problem: LongitudinalProblem,
    frequency: float,
    conditions: Conditions | None = None,
    field: AppliedField | None = None,
) -> Response:
    """Solve for the amplitudes of exp(i omega t). Collective.

    Parameters
    ----------
    problem
        Magnet and mesh.
    frequency
        omega/(2 pi) (Hz); 0 is the steady state.
    conditions
        Conditions with complex amplitudes; other parts of the boundary are closed.
    field
        Applied field with a complex amplitude. A steady one, at frequency 0, only shifts the equilibrium.

    Raises
    ------
    InputError
        If the frequency is negative, a condition is impossible, or nothing takes up a steady injection.
    SolverError
        If the iteration does not converge.

    Examples
    --------
    >>> from fespin.longitudinal import Flux, respond
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts={"left": lambda x: x[0] < 1e-12})
    >>> response = respond(problem, 1e11, {"left": Flux(-1e3)})
    >>> print(f"{abs(response.accumulation).max():.2e}")
    2.35e-02
    """
    if not is_finite(frequency) or frequency < 0:
        raise InputError(f"response: frequency is {frequency!r}; it must be finite and not negative")
    conditions = conditions or {}
    held, fixed = problem.check(conditions, varying=False)
    if field is not None:
        require_amount("field", field.amplitude, varying=False)
    p, g, omega = problem, problem.magnet, 2 * math.pi * frequency
    c = 1j * omega * g.storage + g.relaxation
    # The same as det c/c[0, 0], without a difference of nearly equal numbers.
    alpha = -g.stiffness * complex(g.wavenumber(omega)) ** 2
    alpha = complex(max(alpha.real, 0.0), max(alpha.imag, 0.0))
    drains = {name: x.drain(omega) for name, x in conditions.items() if isinstance(x, Contact)}
    if not alpha and not held and not drains:
        raise InputError(
            "response: nothing takes up a steady injection; give a lattice rate, a Held boundary, a Contact, or a "
            "frequency"
        )
    load = np.zeros(p.owned, dtype=complex)
    known = np.zeros(p.owned, dtype=complex)
    for name, condition in conditions.items():
        value = complex(cast(complex, amount(condition)))
        if isinstance(condition, Flux):
            load -= value * p.parts[name].load
        elif isinstance(condition, Contact):
            load += condition.injection(omega) * value * p.parts[name].load
    shape = p.nodal("field", 0.0 if field is None else field.shape)
    applied = 0j if field is None else complex(cast(complex, field.amplitude))
    # M does not follow the field by itself: its deviation from equilibrium is driven.
    push = -1j * omega * g.susceptibility * applied * shape
    weighted = p.times(p.mass, shape)
    load -= 1j * omega * g.susceptibility * applied * (-c[1, 0] / c[0, 0]) * weighted
    for name, own in p.reservoirs(held):
        known[own] = complex(cast(complex, amount(conditions[name]))) / g.chi_m
    split = _Split(p, alpha, fixed, drains)
    try:
        b, iterations = _solve(split, load - split.apply(known), p.options.rtol)
    finally:
        split.inner.destroy()
    b[fixed] = known[fixed]
    rest = split.apply(b) - load
    a = (push - c[0, 1] * b) / c[0, 0]
    inward: dict[str, complex] = {}
    contacts: dict[str, ContactState] = {}
    work = 0.0
    mean = {k: _total(p, part.load * b) * g.chi_m / part.measure for k, part in p.parts.items()}
    for name, condition in conditions.items():
        part, value = p.parts[name], complex(cast(complex, amount(condition)))
        if isinstance(condition, Flux):
            inward[name] = -value * part.measure
            work -= VACUUM_PERMEABILITY / 2 * _power(p, b, value * part.load)
        elif isinstance(condition, Contact):
            here = _total(p, part.load * b) / part.measure
            put = condition.injection(omega) * value
            inward[name] = (put - drains[name] * here) * part.measure
            contacts[name] = condition.state(value, here, omega)
            work += VACUUM_PERMEABILITY / 2 * _power(p, b, put * part.load)
    work -= VACUUM_PERMEABILITY / 2 * _power(p, b, split.drained(b))
    for name, own in p.reservoirs(held):
        inward[name] = _total(p, rest[own])
        work += VACUUM_PERMEABILITY / 2 * _power(p, b[own], rest[own])
    s = g.storage
    M, m = s[0, 0] * a + s[0, 1] * b, s[1, 0] * a + s[1, 1] * b
    moved = M + m + g.susceptibility * applied * shape
    square = p.dot(weighted, shape)
    follows = _total(p, weighted * moved)
    real, imaginary = p.dissipation(a.real.copy(), b.real.copy()), p.dissipation(a.imag.copy(), b.imag.copy())
    return Response(
        frequency=float(frequency),
        M=M,
        m=m,
        accumulation=g.chi_m * b,
        inward=inward,
        mean_accumulation=mean,
        dissipation={k: (real[k] + imaginary[k]) / 2 for k in MECHANISMS},
        work=work,
        iterations=iterations,
        field_work=VACUUM_PERMEABILITY / 2 * float(np.real(np.conj(applied) * 1j * omega * follows)),
        susceptibility=follows / (applied * square) if applied and square else None,
        contacts=contacts,
    )


def _total(p: LongitudinalProblem, x: Complex) -> complex:
    return complex(p.sum(x.real), p.sum(x.imag))


def _power(p: LongitudinalProblem, b: Complex, flux: Any) -> float:
    return p.sum(np.real(np.conj(b) * flux))
