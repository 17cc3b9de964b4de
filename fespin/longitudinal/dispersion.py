r"""Rates of decay and wavenumbers of the discretised equations, beside their closed forms.

Fluctuations (a, b) exp(-gamma t) obey the symmetric eigenproblem

    [R G + D chi_m (0, K)] (a, b) = gamma S G (a, b)

Its modes with closed ends factor into those of the scalar Laplacian, K phi = k_h^2 G phi, so that gamma is the closed
form at the discrete k_h to rounding, and differs from that at the exact k by the error of k_h^2: order 2p for degree p.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray
from petsc4py import PETSc
from slepc4py import SLEPc

from ..errors import InputError, SolverError, nearest
from ..petsc import factor_options, set_options, unique_prefix
from ..quantities import is_finite
from .ac_injection import Response
from .magnet import Array, LongitudinalMagnet
from .problem import LongitudinalProblem

BRANCHES = ("slow", "fast")
# The search for a mode looks at this many eigenpairs around the closed form's rate, then at more.
SOUGHT = (6, 24, 96)
# A mode's rate is the closed form's at its own wavenumber to rounding; a mixture of two waves is off by their distance.
AGREES = 1e-6


@dataclass(frozen=True)
class Mode:
    """A mode of decay of the discretised equations.

    Attributes
    ----------
    branch
        "slow" or "fast".
    rate
        gamma (1/s).
    wavenumber
        k_h (1/m), from the Rayleigh quotient of the mode's dm_.
    M, m
        The mode at the owned nodes, of free energy mu0/2 times chi_M.
    ratio
        dm/dM, that of the mode's M and m everywhere; :meth:`LongitudinalMagnet.mode_ratio` is its closed form.
    residual
        |A x - gamma B x| / (|A x| + |gamma B x|).

    Examples
    --------
    >>> from fespin.longitudinal import decay_mode
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> fast = decay_mode(fs.LongitudinalProblem(wire, magnet), np.pi / 400e-9, "fast")
    >>> print(f"{fast.rate:.3e} {fast.wavenumber:.3e}")
    8.164e+11 7.854e+06
    """

    branch: str
    rate: float
    wavenumber: float
    M: Array
    m: Array
    ratio: float
    residual: float


class _Pencil:
    """The two matrices of the eigenproblem, and their factor near a target. Collective."""

    def __init__(self, problem: LongitudinalProblem) -> None:
        p, g = problem, problem.magnet
        self.problem = p
        self.A = self._blocks(g.relaxation, g.stiffness)
        self.B = self._blocks(g.storage, 0.0)

    def _blocks(self, factors: Array, stiffness: float) -> PETSc.Mat:
        p = self.problem
        blocks = []
        for i in range(2):
            row = []
            for j in range(2):
                block = p.mass.copy()
                block.scale(factors[i, j])
                if i == j == 1 and stiffness:
                    block.axpy(stiffness, p.stiffness, PETSc.Mat.Structure.SAME_NONZERO_PATTERN)
                row.append(block)
            blocks.append(row)
        nest = PETSc.Mat().createNest(blocks, comm=p.comm)
        # PETSc would convert in place without a target of its own.
        flat = nest.convert("aij", PETSc.Mat())
        nest.destroy()
        for block in itertools.chain(*blocks):
            block.destroy()
        return flat

    def near(self, target: float, count: int) -> list[tuple[float, Array]]:
        """Return the eigenvalues nearest to a target, and their vectors (2 owned,)."""
        prefix = unique_prefix("longitudinal_modes")
        eps = SLEPc.EPS().create(self.problem.comm)
        eps.setOptionsPrefix(prefix)
        eps.setOperators(self.A, self.B)
        eps.setProblemType(SLEPc.EPS.ProblemType.GHEP)
        eps.setDimensions(count, max(2 * count + 10, 30))
        eps.setWhichEigenpairs(SLEPc.EPS.Which.TARGET_MAGNITUDE)
        eps.setTarget(target)
        eps.setTolerances(1e-12, 500)
        transform = eps.getST()
        transform.setType(SLEPc.ST.Type.SINVERT)
        defaults = {f"st_{k}": v for k, v in factor_options(self.A, "mumps").items()}
        out = []
        try:
            # The inner solver reads its options when it is made, in the solve.
            with set_options(prefix, defaults):
                eps.setFromOptions()
                eps.solve()
            real, imaginary = self.A.createVecs()
            for i in range(eps.getConverged()):
                value = eps.getEigenpair(i, real, imaginary)
                out.append((float(np.real(value)), np.real(real.array).copy()))
            real.destroy()
            imaginary.destroy()
        except PETSc.Error as error:
            raise SolverError(f"longitudinal modes: SLEPc failed ({error}); options: prefix -{prefix}") from error
        finally:
            eps.destroy()
        return out

    def modes(self, pairs: list[tuple[float, Array]]) -> list[Mode]:
        """Return the modes among eigenpairs, each with its branch. Collective.

        A pair counts if its rate is its branch's closed form at its own wavenumber: a mixture of waves is left out.
        """
        g = self.problem.magnet
        out = []
        for value, x in pairs:
            mode = self._mode(value, x, "slow" if value < g.rate_between else "fast")
            exact = float(g.decay_rates(mode.wavenumber)[BRANCHES.index(mode.branch)])
            if abs(value - exact) < AGREES * max(exact, g.rate):
                out.append(mode)
        return out

    def _sides(self, x: Array) -> tuple[Array, Array]:
        """Return the two sides of the eigenproblem, A x and B x (2, owned)."""
        p, g = self.problem, self.problem.magnet
        a, b = x.reshape(2, p.owned)
        left, right = (
            np.array([p.times(p.mass, row[0] * a + row[1] * b) for row in matrix])
            for matrix in (g.relaxation, g.storage)
        )
        left[1] += g.stiffness * p.times(p.stiffness, b)
        return left, right

    def _mode(self, value: float, x: Array, branch: str) -> Mode:
        p, g = self.problem, self.problem.magnet
        left, right = self._sides(x)
        right *= value
        lengths = [np.sqrt(p.sum(y**2)) for y in (left - right, left, right)]
        a, b = x.reshape(2, p.owned)
        M, m = g.storage @ x.reshape(2, p.owned)
        size = np.sqrt(p.product((a, b), (M, m)) / g.susceptibility)
        k = np.sqrt(max(p.dot(b, p.times(p.stiffness, b)) / p.dot(b, p.times(p.mass, b)), 0.0))
        square = p.dot(M, p.times(p.mass, M))
        ratio = p.dot(m, p.times(p.mass, M)) / square if square else np.inf
        rest = lengths[0] / (lengths[1] + lengths[2] or 1.0)
        return Mode(branch, value, float(k), M / size, m / size, float(ratio), rest)

    def destroy(self) -> None:
        self.A.destroy()
        self.B.destroy()


def decay_mode(problem: LongitudinalProblem, wavenumber: float, branch: str = "slow") -> Mode:
    """Return the mode of a closed sample whose discrete wavenumber is nearest to one given. Collective.

    See :func:`decay_modes`.

    Examples
    --------
    >>> from fespin.longitudinal import decay_mode
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> slow = decay_mode(fs.LongitudinalProblem(wire, magnet), np.pi / 400e-9)
    >>> print(f"{slow.rate:.4e} {magnet.decay_rates(np.pi / 400e-9)[0]:.4e}")
    4.0309e+10 4.0309e+10
    """
    return decay_modes(problem, [wavenumber], (branch,))[0]


def decay_modes(
    problem: LongitudinalProblem, wavenumbers: Iterable[float], branches: Iterable[str] = BRANCHES
) -> list[Mode]:
    """Return modes of decay of a closed sample by SLEPc, from the matrix of M and m together. Collective.

    Parameters
    ----------
    problem
        Magnet and mesh; conditions play no part.
    wavenumbers
        Square roots of eigenvalues of the Laplacian with closed ends, such as n pi/L on an interval (1/m).
    branches
        "slow", "fast", or both.

    Returns
    -------
    list
        For each branch one mode per wavenumber: of those of this branch whose rate lies near the closed form's, the
        one of nearest discrete wavenumber. All slow modes lie below
        :attr:`~fespin.longitudinal.LongitudinalMagnet.rate_between`, all fast ones above.

    Raises
    ------
    InputError
        If a wavenumber is negative or a branch unknown, or if the slow modes are asked for where all of them decay at
        one rate (w_M = r): no wavenumber tells them apart then.
    SolverError
        If no mode of the branch is found near its rate.

    Examples
    --------
    >>> from fespin.longitudinal import decay_modes
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet)
    >>> modes = decay_modes(problem, [np.pi / 400e-9, 2 * np.pi / 400e-9])
    >>> [(mode.branch, f"{mode.rate:.3e}") for mode in modes]
    [('slow', '4.031e+10'), ('slow', '9.801e+10'), ('fast', '8.164e+11'), ('fast', '1.129e+12')]
    """
    ks, names = list(wavenumbers), list(branches)
    for k in ks:
        if not is_finite(k) or k < 0:
            raise InputError(f"modes: a wavenumber is {k!r}; it must be finite and not negative")
    for name in names:
        if name not in BRANCHES:
            raise InputError(f"modes: branch is '{name}': {nearest(name, BRANCHES)}")
    g = problem.magnet
    if "slow" in names and g.rate_between - float(g.decay_rates(0.0)[0]) < AGREES * g.rate_between:
        raise InputError(
            f"modes: all slow modes decay at one rate, {g.rate_between:.6g} 1/s, since M decays to the lattice as "
            "fast as to m (w_M = r): none has a wavenumber; ask for the fast ones, or change tau_ML"
        )
    pencil, out = _Pencil(problem), []
    try:
        for branch in names:
            for k in ks:
                rate = float(g.decay_rates(k)[BRANCHES.index(branch)])
                # Not on an eigenvalue, where the shifted matrix would be singular.
                target = rate * (1 + 1e-5) if rate else -1e-3 * g.rate
                for count in SOUGHT:
                    candidates = [mode for mode in pencil.modes(pencil.near(target, count)) if mode.branch == branch]
                    if candidates:
                        break
                else:
                    raise SolverError(
                        f"longitudinal modes: no {branch} mode among the {SOUGHT[-1]} rates next to {rate:.6g} 1/s, "
                        f"its closed form at k = {k:.6g} 1/m; a finer mesh resolves shorter waves"
                    )
                out.append(min(candidates, key=lambda mode: abs(mode.wavenumber - k)))
    finally:
        pencil.destroy()
    return out


def fitted_wavenumber(
    problem: LongitudinalProblem, response: Response, start: float, spacing: float, count: int = 5
) -> complex:
    r"""Return k of the response in a line, from its values at equidistant vertices. Collective.

    Waves exp(-+i k x) together, whatever their ratio, have u(x - h) + u(x + h) = 2 cos(k h) u(x); cos(k h) is
    fitted to `count` such triples by least squares.

    Parameters
    ----------
    problem
        Problem on an interval along x.
    response
        Amplitudes from :func:`fespin.longitudinal.respond`.
    start, spacing
        The first point and h (m); all points must be nodes of the mesh. |Re k| h must stay below pi.
    count
        Triples.

    Returns
    -------
    complex
        With Im k <= 0 (1/m).

    Raises
    ------
    InputError
        If the mesh is no line, or a point no node of it.

    Examples
    --------
    >>> from fespin.longitudinal import Flux, fitted_wavenumber, respond
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> problem = fs.LongitudinalProblem(wire, magnet, parts={"left": lambda x: x[0] < 1e-12})
    >>> response = respond(problem, 1e11, {"left": Flux(-1e3)})
    >>> print(f"{fitted_wavenumber(problem, response, start=20e-9, spacing=4e-9):.3e}")
    1.043e+07-1.860e+07j
    >>> print(f"{magnet.wavenumber(2e11 * np.pi):.3e}")
    1.043e+07-1.860e+07j
    """
    if problem.mesh.topology.dim != 1:
        raise InputError("fitted_wavenumber: found a mesh that is no line; use closed forms or modes there")
    if not is_finite(spacing) or spacing <= 0 or count < 1:
        raise InputError(f"fitted_wavenumber: spacing {spacing!r} and count {count!r} must be positive")
    x = problem.nodes()[:, 0]
    points = start + spacing * np.arange(count + 2)
    near: list[NDArray[np.int_]] = [np.flatnonzero(np.abs(x - q) < 1e-6 * spacing) for q in points]
    values = np.array([response.accumulation[i[0]] if len(i) else 0.0 for i in near], dtype=complex)
    values = np.asarray(problem.comm.allreduce(values))
    hits = np.asarray(problem.comm.allreduce(np.array([len(i) for i in near])))
    if (hits != 1).any():
        raise InputError(f"fitted_wavenumber: {points[np.flatnonzero(hits != 1)[0]]:.6g} m is no node of the mesh")
    middle, outer = values[1:-1], values[:-2] + values[2:]
    # Weighted alike along a wave that decays by many powers of ten.
    cosine = np.mean(outer / middle) / 2
    k = complex(np.arccos(cosine)) / spacing
    return k if k.imag <= 0 else -k


def wavenumber_of_pencil(magnet: LongitudinalMagnet, omega: float) -> complex:
    """Return k(omega) from the pencil (i omega S + R) + k^2 diag(0, D chi_m), with Im k <= 0 (1/m).

    The wave's a, which does not diffuse, makes the other eigenvalue infinite.

    Examples
    --------
    >>> from fespin.longitudinal import wavenumber_of_pencil
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12)
    >>> print(f"{wavenumber_of_pencil(magnet, 2e11 * np.pi):.3e}")
    1.043e+07-1.860e+07j
    """
    right = np.diag([0.0, -magnet.stiffness])
    top, bottom = scipy.linalg.eigvals(1j * omega * magnet.storage + magnet.relaxation, right, homogeneous_eigvals=True)
    finite = int(np.argmax(np.abs(bottom) / np.hypot(np.abs(top) / magnet.k_M**2, np.abs(bottom))))
    return complex(-1j * np.sqrt(-top[finite] / bottom[finite]))
