"""Write-error rates of bits of 60 kT under tilted polarizers: kernel alone, and whole default calls with estimates."""

import json
import time

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.sigma import switching
from fespin.sigma.dimensionless import DimensionlessDrift

try:
    from fespin.sigma import Fourier
except ImportError:  # a revision without
    Fourier = None

COMM = MPI.COMM_SELF
TAU = np.array([3.0, 4, 5, 6, 8, 11, 14, 16])  # reduced times
# By damping, hard axis (kT) and tilt (degrees): rates on rings of 32 cells, degree 7, 12 orders, agreement 1e-7.
EXACT = {
    (0.1, 0, 20): (
        *(8.86700868e-2, 1.17317595e-2, 1.53581690e-3, 1.99371718e-4),
        *(3.36108483e-6, 7.35554239e-9, 1.60980894e-11, 2.71360857e-13),
    ),
    (0.01, 0, 20): (
        *(1.09525160e-1, 1.52238593e-2, 2.03828367e-3, 2.71616316e-4),
        *(4.81717559e-6, 1.13759051e-8, 2.68645014e-11, 4.76402465e-13),
    ),
    (0.1, 20, 10): (4.61049409e-2, 4.45126577e-3, 4.22972211e-4, 4.01319787e-5, 3.61048774e-7, 3.08052611e-10),
}


def problem(damping, hard, tilt):
    """Return a macrospin, its torque at twice the critical one, and times per 2 tau_N."""
    terms = [fs.Uniaxial(stability=60)] + ([fs.Uniaxial(stability=-hard, axis=(1, 0, 0))] if hard else [])
    spin = fs.Macrospin(1.4e-24, 8e5, damping, 300.0, terms)
    angle = np.radians(tilt)
    torque = fs.SpinTorque.critical(spin, 2.0, polarizer=(np.sin(angle), 0, -np.cos(angle)))
    return spin, torque, TAU[: len(EXACT[damping, hard, tilt])] / 120


def kernel(key, surface, rtol):
    """Return the rates on rings of so many cells, orders and degree, or on a sphere; no estimate."""
    spin, torque, s = problem(*key)
    begin = time.process_time()
    if isinstance(surface, tuple):
        surface = Fourier((0, 0, 1), *surface[:2], degree=surface[2], width=2)
    free, drift = DimensionlessDrift(spin), DimensionlessDrift(spin, torque)
    result = switching.course(surface, s, (0, 0, 1), [], rtol, free=free, drift=drift)
    return time.process_time() - begin, result.probability, {"unknowns": surface.dofs}


def whole(key):
    """Return the rates of a call in Python, from the macrospin on."""
    spin, torque, s = problem(*key)
    begin = time.process_time()
    result = fs.FokkerPlanck(COMM, spin, torque).switching(s / spin.diffusion)
    seconds = time.process_time() - begin
    surface = result.final.surface
    detail = {"estimate": float(result.error_estimate.max()), "on": type(surface).__name__, "unknowns": surface.dofs}
    return seconds, result.not_switched, detail


def say(work, key, run, runs=3):
    """Run once to warm and some times more; print the smallest CPU seconds and the largest relative error."""
    run()
    fastest = min((run() for _ in range(runs)), key=lambda x: x[0])
    error = float(np.abs(fastest[1] / np.array(EXACT[key]) - 1).max())
    work = f"{work}, damping {key[0]}, {f'hard axis of {key[1]} kT, ' if key[1] else ''}polarizer at {key[2]} degrees"
    print(json.dumps({"work": work, "seconds": round(fastest[0], 4), "error": error, "detail": fastest[2]}), flush=True)


def main():
    """Print all lines."""
    for key in EXACT:
        if not key[1]:
            sphere = None
            if Fourier is None:
                spin, torque, _ = problem(*key)
                sphere = fs.FokkerPlanck(COMM, spin, torque).sphere
            for name, rings, rtol in (("1e-4", (20, 4, 4), 1e-5), ("1e-6", (24, 5, 5), 1e-6)):
                say(
                    f"write errors to {name}, kernel",
                    key,
                    lambda a=key, b=sphere or rings, c=rtol: kernel(a, b, c),
                    3 if Fourier else 1,
                )
        say("write errors, whole call with estimate", key, lambda a=key: whole(a), 3 if Fourier else 1)


if __name__ == "__main__":
    main()
