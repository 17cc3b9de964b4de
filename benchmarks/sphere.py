"""The Fokker-Planck equation on the sphere: errors and seconds, alone and against other methods.

    OMP_NUM_THREADS=1 python benchmarks/sphere.py                 # every part, some fifteen minutes
    OMP_NUM_THREADS=1 python benchmarks/sphere.py wer rates       # some of them
    OMP_NUM_THREADS=1 mpirun -n 2 python benchmarks/sphere.py scaling

wer        write-error rates on the full sphere: error and seconds against unknowns
langevin   seconds to an equal error, against trajectories
harmonics  the same evolutions by spherical harmonics (references/harmonics.py), seconds to an equal error
fplanck    an axisymmetric problem against the package fplanck, which is not among the project's requirements:
           pip install --no-deps --target FOLDER fplanck, then --path FOLDER; without it the part is skipped
scaling    seconds of each step against unknowns, and the exponents; also under mpirun
rates      rates of escape by an eigensolve and by committors

Contestants of one table run in turns in one process, and the smallest of their seconds is what counts, so that other
work on the machine disturbs the ratios as little as it can. "Warm" seconds start with the sphere made and end with
the probabilities: they contain everything else. Those of the part harmonics are the processor's. Problems that are
symmetric about an axis are solved on the full sphere nevertheless, unless a row says meridian.
"""

import argparse
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import scipy.sparse as sparse
from mpi4py import MPI
from petsc4py import PETSc
from scipy.optimize import brentq
from scipy.sparse.linalg import splu

import fespin as fs
from fespin.sigma import switching
from fespin.sigma.dimensionless import DimensionlessDrift
from fespin.sigma.escape import escape
from fespin.sigma.factor import Factor
from fespin.sigma.krylov import propagate
from fespin.sigma.meridian import Meridian
from fespin.sigma.operator import Operator
from fespin.sigma.spectrum import near_zero

sys.path.insert(0, str(Path(__file__).parents[1]))

from references import harmonics as reference

COMM = MPI.COMM_WORLD
DOWN = (0.0, 0.0, -1.0)
# Write-error rates of a uniaxial magnet of 60 kT at twice its critical torque, from an independent calculation.
TAU = np.array([4.0, 6.0, 8.0, 10.0])
KNOWN = np.array([1.52695e-2, 2.72580e-4, 4.83683e-6, 8.58196e-8])
# Errors of meshes of nearly one size differ by a factor of three or so: geometric means over these factors on it.
NEARLY_ONE = (0.94, 0.97, 1.0, 1.03, 1.06)


def say(*text):
    """Print on one rank, at once."""
    if COMM.rank == 0:
        print(*text, flush=True)


def magnet(damping, *terms):
    """Return a disk of 40 nm by 1 nm with the given energies."""
    return fs.Macrospin(math.pi / 4 * (40e-9) ** 2 * 1e-9, 1e6, damping, 300.0, terms)


def tilted(degrees):
    """Return the direction at an angle to -z."""
    return (math.sin(math.radians(degrees)), 0.0, -math.cos(math.radians(degrees)))


def race(contestants: dict[object, Callable[[], object]], repeats=5):
    """Run all in turns; return the least seconds of each and what the last run of each returned."""
    seconds, results = dict.fromkeys(contestants, math.inf), {}
    for _ in range(repeats):
        for name, run in contestants.items():
            COMM.Barrier()
            begin = time.perf_counter()
            results[name] = run()
            COMM.Barrier()
            seconds[name] = min(seconds[name], time.perf_counter() - begin)
    return seconds, results


def curve(surface, spin, torque, times, start=(0.0, 0.0, 1.0), rtol=1e-6):
    """Return the write-error rates on a sphere, from nothing but the sphere."""
    fp = fs.FokkerPlanck(surface, spin, torque, axisymmetric=False, verify=False)
    return fp.switching(times, start=start, rtol=rtol).not_switched


def exact(spin, torque, times, refine=1):
    """Return a meridian's write-error rates; its cells are `refine` times the default's number."""
    fp = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque, verify=False)
    if refine != 1:
        fp.meridian = Meridian(fp.axis, refine * fp.meridian.cells)
    return fp.switching(times, rtol=1e-9).not_switched


def when(spin, torque, probability):
    """Return the reduced time at which the write-error rate has fallen so far."""
    rate = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).reduced_time
    return brentq(lambda x: math.log(exact(spin, torque, [x / rate])[0] / probability), 1, 20, rtol=1e-6)


def worst(values, right):
    """Return the largest relative error."""
    return float(np.abs(values / right - 1).max())


# ---- write-error rates
def wer():
    """Print errors and seconds against unknowns, for two dampings."""
    wer_at(0.1, (0.5, 0.36, 0.29, 0.22, 0.17, 0.12, 0.1))
    wer_at(0.01, (0.36, 0.29, 0.22, 0.17, 0.12, 0.105, 0.08))


def wer_at(damping, sizes):
    """Print the table of one damping."""
    spin = magnet(damping, fs.Uniaxial(stability=60))
    torque = fs.SpinTorque.critical(spin, 2.0, DOWN)
    rate = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).reduced_time
    deep = when(spin, torque, 1e-12)
    times, deeper = TAU / rate, np.append(TAU, deep) / rate
    right = exact(spin, torque, deeper, refine=2)
    # The same physics with the easy axis oblique to the mesh: no edge of it is the equator, no node the pole.
    axis = np.array([1.0, 2.0, 2.0]) / 3
    turned = magnet(damping, fs.Uniaxial(stability=60, axis=tuple(axis)))
    turned_torque = fs.SpinTorque.critical(turned, 2.0, tuple(-axis))
    spheres = {h: fs.Sigma(COMM, h, refine=spin) for h in sizes}
    oblique = {h: fs.Sigma(COMM, h, refine=turned) for h in sizes}
    runs = {("curve", h): lambda h=h: curve(spheres[h], spin, torque, times) for h in sizes}
    runs |= {("deep", h): lambda h=h: curve(spheres[h], spin, torque, deeper) for h in sizes}
    runs |= {("turned", h): lambda h=h: curve(oblique[h], turned, turned_torque, times, axis) for h in sizes}
    runs["meridian"] = lambda: fs.FokkerPlanck(COMM, spin, torque, verify=False).switching(times).not_switched
    seconds, results = race(runs, 4)
    say(f"\ndamping {damping}: WER at tau = 4, 6, 8, 10; 1e-12 at tau = {deep:.2f}")
    say("the meridian's at those:", " ".join(f"{x:.8e}" for x in right))
    say(f"against the known ones: {worst(right[:4], KNOWN):.1e}")
    say("unknowns  worst error  seconds  error at 1e-12  seconds to there  oblique mesh: worst error  seconds")
    for h in sizes:
        say(
            f"{spheres[h].dofs:>8} {worst(results['curve', h], right[:4]):>12.1e} {seconds['curve', h]:>8.3f}"
            f" {abs(results['deep', h][4] / right[4] - 1):>15.1e} {seconds['deep', h]:>17.3f}"
            f" {worst(results['turned', h], right[:4]):>26.1e} {seconds['turned', h]:>8.3f}"
        )
    dofs = fs.FokkerPlanck(COMM, spin, torque).meridian.dofs
    say(f"{dofs:>8} {worst(results['meridian'], right[:4]):>12.1e} {seconds['meridian']:>8.3f}  meridian")


# ---- trajectories
def langevin():
    """Print what one percent costs by trajectories and by the equation."""
    say("\nSeconds to a relative error of 1e-2; N = (1 - P)/(P eps^2) trajectories, their rate measured")
    say(
        "damping        P  unknowns    error  seconds  steps/traj.  traj.-steps/s   N to 1e-2  seconds to 1e-2    ratio"
    )
    trials = [
        langevin_at(damping, sizes, p)
        for damping, sizes in ((0.1, (0.5, 0.36, 0.29)), (0.01, (0.36, 0.29, 0.22)))
        for p in (3e-2, 1e-5)
    ]
    say("\nFor real, asked for 5e-2:")
    say("damping        P  trajectories    found  deviation (standard errors)  seconds  predicted")
    for spin, torque, t, p, pace, right in trials[::2]:
        x = fs.langevin(COMM, spin, t, ensemble=round((1 - p) / (p * 25e-4)), torque=torque)
        got, error = x.not_switched[0], x.not_switched_error[0]
        say(
            f"{spin.damping:>7} {p:>8.0e} {x.ensemble:>13} {got:>8.5f} {(got - right) / error:>28.1f}"
            f" {x.seconds:>8.1f} {x.ensemble * x.steps / pace:>10.1f}"
        )


def langevin_at(damping, sizes, p):
    """Print one row; return what a run for real needs."""
    spin = magnet(damping, fs.Uniaxial(stability=60))
    torque = fs.SpinTorque.critical(spin, 2.0, DOWN)
    t = [when(spin, torque, p) / fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).reduced_time]
    right = exact(spin, torque, t, refine=2)
    spheres = (fs.Sigma(COMM, h, refine=spin) for h in sizes)
    good = next(x for x in spheres if worst(curve(x, spin, torque, t), right) < 1e-2)
    seconds, results = race(
        {
            "sphere": lambda: curve(good, spin, torque, t),
            "trajectories": lambda: fs.langevin(COMM, spin, t, ensemble=2048, torque=torque),
        },
        4,
    )
    steps = results["trajectories"].steps
    pace = 2048 * steps / seconds["trajectories"]
    many = (1 - p) / (p * 1e-4)
    needed = many * steps / pace
    say(
        f"{damping:>7} {p:>8.0e} {good.dofs:>9} {worst(results['sphere'], right):>8.1e} {seconds['sphere']:>8.3f}"
        f" {steps:>12} {pace:>14.2e} {many:>11.1e} {needed:>16.1f} {needed / seconds['sphere']:>8.0f}"
    )
    return spin, torque, t, p, pace, float(right[0])


# ---- spherical harmonics
class Spherical:
    """Spherical harmonics up to a degree, with the time integration of the project."""

    def __init__(self, lmax, v, chi, phi, damping, superlu):
        self.h = reference.Harmonics(lmax, v, damping, chi, phi)
        self.surface, self.superlu = SimpleNamespace(comm=MPI.COMM_SELF), superlu
        n = self.h.size
        self.M = PETSc.Mat().createAIJ((n, n), csr=_csr(sparse.identity(n, format="csr")), comm=MPI.COMM_SELF)
        self.ones = np.zeros(n)  # what rounding makes of mass is left alone

    def start(self, v, lowest):
        """Return the coefficients of Boltzmann's distribution in uz > 0."""
        c = self.h.project(reference.boltzmann(reference.add(v, {(0, 0, 0): -lowest}), up=True))
        return c / self.h.mass(c)

    def shifted(self, mass, transport):
        """Return the factors of mass - transport L."""
        matrix = mass * sparse.identity(self.h.size, format="csc") - transport * self.h.generator.tocsc()
        if self.superlu:
            lu = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
            return SimpleNamespace(solve=lu.solve, destroy=lambda: None)
        n = self.h.size
        return Factor(PETSc.Mat().createAIJ((n, n), csr=_csr(matrix.tocsr()), comm=MPI.COMM_SELF))


def _csr(matrix):
    return matrix.indptr, matrix.indices, matrix.data


class Stopwatch:
    """Processor's seconds spent in the sphere's time integration: the factorization and the Krylov space."""

    def __enter__(self):
        self.seconds = 0.0

        def timed(*args, **options):
            begin = time.process_time()
            result = propagate(*args, **options)
            self.seconds += time.process_time() - begin
            return result

        switching.propagate = timed
        return self

    def __exit__(self, *_):
        switching.propagate = propagate


def at_level(errors, seconds, level):
    """Return the seconds at which an error is reached, between the rows of a table."""
    last = max((k for k, e in enumerate(errors) if e > level), default=-1)
    if last == len(errors) - 1:
        return math.nan
    if last < 0:
        return seconds[0]
    x = math.log(errors[last] / level) / math.log(errors[last] / errors[last + 1])
    return seconds[last] ** (1 - x) * seconds[last + 1] ** x


def harmonics():
    """Print the two contestants' errors and seconds on three evolutions."""
    stiff = fs.Biaxial(stability=60, hard_stability=400, axis=(0, 0, 1), hard_axis=(1, 0, 0))
    problems = (
        ("60 kT, polarizer at 20 degrees", 0.1, fs.Uniaxial(stability=60), reference.uniaxial(60), 20,
         (3, 4, 5, 6), (50, 60, 70, 80), (0.6, 0.5, 0.4, 0.33, 0.27), 120),
        ("60 kT, polarizer at 20 degrees", 0.01, fs.Uniaxial(stability=60), reference.uniaxial(60), 20,
         (3, 4, 5, 6), (60, 70, 80, 100), (0.4, 0.33, 0.29, 0.24, 0.2), 140),
        ("in-plane bit, 60 kT and 400 kT", 0.05, stiff, reference.biaxial(60, 400), 0,
         (2, 3, 4, 5), (130, 150, 170, 190), (0.3, 0.25, 0.21, 0.17, 0.14, 0.11), 240),
    )  # fmt: skip
    for name, damping, term, v, angle, taus, degrees, sizes, finest in problems:
        spin = magnet(damping, term)
        torque = fs.SpinTorque.critical(spin, 2.0, tilted(angle))
        along, around = (c / spin.diffusion for c in torque.coefficients(spin))
        p = reference.linear(torque.polarizer)
        chi, phi = reference.scale(along, p), reference.scale(around, p)
        times = np.array(taus) / fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).reduced_time
        s = times * spin.diffusion

        def spectral(lmax, superlu, rtol=1e-4, v=v, chi=chi, phi=phi, damping=damping, s=s) -> tuple[np.ndarray, float]:
            galerkin = Spherical(lmax, v, chi, phi, damping, superlu)
            c, up = galerkin.start(v, -60.0), galerkin.h.hemisphere()
            begin = time.process_time()
            # Harmonics keep the mass by themselves.
            values = propagate(galerkin, c, np.zeros_like(c), s, up[None], rtol=rtol)[0][:, 0]
            return values, time.process_time() - begin

        def elements(surface, rtol=1e-4, spin=spin, torque=torque, times=times) -> tuple[np.ndarray, float]:
            with Stopwatch() as watch:
                values = curve(surface, spin, torque, times, rtol=rtol)
            return values, watch.seconds

        right = spectral(finest, True, 1e-8)[0]
        spheres = {(h, x): fs.Sigma(MPI.COMM_SELF, x * h, refine=spin) for h in sizes for x in NEARLY_ONE}
        names = [*spheres, *((n, lu) for n in degrees for lu in (True, False))]
        seconds, inner, errors = dict.fromkeys(names, math.inf), dict.fromkeys(names, math.inf), {}
        for _ in range(4):
            for key in names:
                begin = time.process_time()
                values, part = elements(spheres[key]) if key in spheres else spectral(*key)
                seconds[key] = min(seconds[key], time.process_time() - begin)
                inner[key] = min(inner[key], part)
                errors[key] = worst(values, right)
        finer = fs.Sigma(MPI.COMM_SELF, 0.6 * sizes[-1], refine=spin)
        check = worst(elements(finer, 1e-7)[0], right)
        say(f"\n{name}, damping {damping}: WER", " ".join(f"{x:.3e}" for x in right))
        say(f"from harmonics up to {finest}; finite elements on a finer mesh differ by {check:.1e}")
        say("                 unknowns  worst error  seconds  of these factorization and Krylov")
        table = {}
        for h in sizes:
            dofs, *row = (
                math.exp(np.mean([math.log(of[h, x]) for x in NEARLY_ONE]))
                for of in ({key: surface.dofs for key, surface in spheres.items()}, errors, seconds, inner)
            )
            table.setdefault("elements", []).append(row)
            spread = " to ".join(f"{f(errors[h, x] for x in NEARLY_ONE):.1e}" for f in (min, max))
            say(f"mesh {h:<12} {dofs:>8.0f} {row[0]:>12.1e} {row[1]:>8.3f} {row[2]:>8.3f}   (errors {spread})")
        for n in degrees:
            key = min(((n, lu) for lu in (True, False)), key=lambda k: inner[k])
            table.setdefault("harmonics", []).append((errors[key], seconds[key], inner[key]))
            which = "SuperLU" if key[1] else "PETSc"
            say(
                f"lmax {n:<4} {which:<7} {(n + 1) ** 2:>8} {errors[key]:>12.1e} {seconds[key]:>8.3f} {inner[key]:>8.3f}"
            )
        say("at equal error: elements, harmonics (all); elements, harmonics (factorization and Krylov); ratios")
        for level in (1e-2, 1e-3):
            t = [
                at_level([r[0] for r in table[who]], [r[k] for r in table[who]], level)
                for k in (1, 2)
                for who in ("elements", "harmonics")
            ]
            say(
                f"{level:>8.0e} {t[0]:>8.3f} {t[1]:>8.3f} {t[2]:>8.3f} {t[3]:>8.3f}"
                f"   all {t[1] / t[0]:.2f}, factorization and Krylov {t[3] / t[2]:.2f}"
            )


# ---- fplanck
def fplanck():
    """Print the meridian against fplanck, in the polar angle."""
    try:
        from fplanck.solver import FokkerPlanck as Other
    except ImportError:
        say("\nfplanck is missing: pip install --no-deps --target FOLDER fplanck, then --path FOLDER")
        return
    from scipy.constants import Boltzmann

    spin = magnet(0.1, fs.Uniaxial(stability=60))
    torque = fs.SpinTorque.critical(spin, 2.0, DOWN)
    fp = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque, verify=False)
    times = TAU / fp.reduced_time
    right = exact(spin, torque, times, refine=2)
    reduced, free = DimensionlessDrift(spin, torque), DimensionlessDrift(spin)
    kt = Boltzmann * spin.temperature

    def directions(x):
        theta = x + np.pi / 2
        return np.stack([np.sin(theta), 0 * theta, np.cos(theta)], axis=-1)

    def potential(x):
        # The torque of one polarizer has a potential in the polar angle; the sine is that of the area.
        return kt * (reduced.effective(directions(x))[0] - np.log(np.cos(x)))

    def initial(x):
        return np.where(x < 0, np.exp(-free.potential(directions(x)) - 60) * np.cos(x), 0.0)

    def grid(n):
        h = np.pi / n
        # kT over the drag is 1: times are in 2 tau_N.
        model = Other(temperature=spin.temperature, drag=kt, extent=np.pi - h / 2, resolution=h, potential=potential)
        assert model.Ngrid[0] == n
        last = times[-1] * spin.diffusion
        s, p = model.propagate_interval(initial, last, Nsteps=6)  # tau = 0, 2, ..., 10
        assert np.allclose(s[2:], times * spin.diffusion)
        return p[2:, : n // 2].sum(axis=1)

    def meridian(cells):
        own = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque, verify=False)
        if cells:
            own.meridian = Meridian(own.axis, cells)
        return own.switching(times, rtol=1e-5 if cells else 1e-6).not_switched

    points, cells = (200, 400, 800, 1600), (12, 16, 20, 28, 0)
    runs = {("grid", n): lambda n=n: grid(n) for n in points}
    runs |= {("meridian", n): lambda n=n: meridian(n) for n in cells}
    seconds, results = race(runs, 3)
    errors = {k: worst(x, right) for k, x in results.items()}
    say("\nWER at tau = 4, 6, 8, 10 in the polar angle, damping 0.1")
    say("                unknowns  worst error  seconds")
    for n in points:
        say(f"fplanck         {n:>8} {errors['grid', n]:>12.1e} {seconds['grid', n]:>8.3f}")
    for n in cells:
        dofs = 4 * n + 1 if n else fp.meridian.dofs
        say(
            f"meridian {'' if n else 'default':<7}{dofs:>7} {errors['meridian', n]:>13.1e}"
            f" {seconds['meridian', n]:>8.3f}"
        )
    # Beyond its finest grid fplanck's error falls with the square of the points, its seconds as observed.
    growth = math.log(seconds["grid", points[-1]] / seconds["grid", points[-2]]) / math.log(points[-1] / points[-2])
    order = -math.log(errors["grid", points[-1]] / errors["grid", points[-2]]) / math.log(points[-1] / points[-2])
    say(f"fplanck: error ~ n^-{order:.2f}, seconds ~ n^{growth:.2f} between the last two")
    for level in (1e-2, 1e-3, 1e-4):
        a = at_level([errors["grid", n] for n in points], [seconds["grid", n] for n in points], level)
        extrapolated = math.isnan(a)
        if extrapolated:
            a = seconds["grid", points[-1]] * (errors["grid", points[-1]] / level) ** (growth / order)
        b = at_level([errors["meridian", n] for n in cells], [seconds["meridian", n] for n in cells], level)
        note = " (extrapolated)" if extrapolated else ""
        say(f"error {level:.0e}: fplanck {a:.3g} s{note}, meridian {b:.3g} s, ratio {a / b:.0f}")


# ---- scaling
def scaling():
    """Print seconds of each step against unknowns, and fitted exponents."""
    spin = magnet(0.1, fs.Uniaxial(stability=60))
    torque = fs.SpinTorque.critical(spin, 2.0, DOWN)
    rate = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).reduced_time
    times = TAU / rate
    gamma = times[-1] * spin.diffusion / 20
    say(f"\n{COMM.size} rank(s), seconds")
    say("unknowns     mesh  assembly  factorization  one solve  whole curve")
    rows = []
    for h in (0.37, 0.24, 0.17, 0.12, 0.084, 0.059, 0.0382):
        begin = time.perf_counter()
        surface = fs.Sigma(COMM, h, refine=spin)
        meshed = time.perf_counter() - begin
        repeats = 5 if surface.dofs < 5e4 else 2
        operator = Operator(surface, DimensionlessDrift(spin, torque), weighted=False)
        assembly, operators = race(
            {0: lambda surface=surface: Operator(surface, DimensionlessDrift(spin, torque), weighted=False)}, repeats
        )
        operators[0].destroy()
        factorization, operators = race({0: lambda operator=operator: operator.shifted(1.0, gamma)}, repeats)
        b = operator.ones.copy()
        solve, _ = race({0: lambda operators=operators, b=b: operators[0].solve(b)}, 10)
        operators[0].destroy()
        operator.destroy()
        whole, _ = race({0: lambda surface=surface: curve(surface, spin, torque, times)}, repeats)
        row = (surface.dofs, assembly[0], factorization[0], solve[0], whole[0])
        rows.append(row)
        say(f"{row[0]:>8} {meshed:>8.2f} {row[1]:>9.3f} {row[2]:>14.3f} {row[3]:>10.5f} {row[4]:>12.2f}")
    fitted = [np.polyfit(np.log([r[0] for r in rows]), np.log([r[k] for r in rows]), 1)[0] for k in (1, 2, 3, 4)]
    upper = [np.polyfit(np.log([r[0] for r in rows[3:]]), np.log([r[k] for r in rows[3:]]), 1)[0] for k in (1, 2, 3, 4)]
    for text, e in (("all rows", fitted), ("from 20k on", upper)):
        say(f"exponents, {text:<12} {e[0]:>9.2f} {e[1]:>11.2f} {e[2]:>10.2f} {e[3]:>10.2f}")


# ---- rates
def rates():
    """Print the slowest decay by eigensolves and by committors."""
    from references.harmonics import axisymmetric_rate

    barriers = (10, 20, 30, 40, 60, 80)
    surface = fs.Sigma(COMM, 0.17, refine=magnet(1.0, fs.Uniaxial(stability=60)))
    say(f"\nSlowest decay x 2 tau_N, free, {surface.dofs} unknowns: relative errors and seconds")
    say("barrier  damping        exact    eigensolve   error  seconds     committor   error  seconds")
    for sigma in barriers:
        right = axisymmetric_rate(sigma)
        for damping in (1.0, 0.1, 0.01):
            spin = magnet(damping, fs.Uniaxial(stability=sigma))

            def eigensolve(spin=spin):
                operator = Operator(surface, DimensionlessDrift(spin), weighted=True)
                values = near_zero(operator, 4)[0]
                operator.destroy()
                return float(sorted(values, key=abs)[1].real)

            def committor(spin=spin):
                operator = Operator(surface, DimensionlessDrift(spin), weighted=True)
                value = float(escape(operator).eigenvalues()[0])
                operator.destroy()
                return value

            seconds, rate = race({"e": eigensolve, "c": committor}, 3)
            say(
                f"{sigma:>7} {damping:>8} {right:>12.5e} {rate['e']:>13.5e} {abs(rate['e'] / right - 1):>7.0e}"
                f" {seconds['e']:>8.2f} {rate['c']:>13.5e} {abs(rate['c'] / right - 1):>7.0e} {seconds['c']:>8.2f}"
            )
    say("\nEscape against the torque and with it, 60 kT (1/s): sphere against meridian")
    say("torque  damping  with it: meridian  sphere differs  against it: meridian  sphere differs  seconds (both)")
    for ratio in (0.3, 0.6):
        for damping in (1.0, 0.1, 0.01):
            spin = magnet(damping, fs.Uniaxial(stability=60))
            torque = fs.SpinTorque.critical(spin, ratio, DOWN)

            def outward(place, axisymmetric=None, spin=spin, torque=torque):
                x = fs.FokkerPlanck(place, spin, torque, axisymmetric=axisymmetric, verify=False).escape()
                up = int(np.argmax(x.states[:, 2]))
                return np.array([x.rates[up, 1 - up], x.rates[1 - up, up]])

            seconds, results = race(
                {"m": lambda outward=outward: outward(COMM), "s": lambda outward=outward: outward(surface, False)}, 3
            )
            m, differs = results["m"], np.abs(results["s"] / results["m"] - 1)
            say(
                f"{ratio:>6} {damping:>8} {m[0]:>18.5e} {differs[0]:>15.0e} {m[1]:>21.5e} {differs[1]:>15.0e}"
                f" {seconds['m']:>8.2f} {seconds['s']:>6.2f}"
            )


PARTS = {f.__name__: f for f in (wer, langevin, harmonics, fplanck, scaling, rates)}


def main():
    """Print the tables that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; default: all")
    parser.add_argument("--path", help="a folder with further packages")
    options = parser.parse_args()
    if not set(options.parts) <= set(PARTS):
        parser.error(f"parts are {', '.join(PARTS)}")
    sys.path[:0] = [options.path] if options.path else []
    for part in options.parts or (["scaling"] if COMM.size > 1 else PARTS):
        begin = time.perf_counter()
        PARTS[part]()
        say(f"({part}: {time.perf_counter() - begin:.0f} s)")


if __name__ == "__main__":
    main()
