"""muMAG standard problem 5: a nanosecond of a vortex in a current, against own finite differences at equal error.

The error is that of <m_x>, <m_y> at quarters of the nanosecond, relative to their size, against finite differences that
were extrapolated to bricks without size (REST). The finite differences of references/ run on the same machine with
three sizes of bricks; between these their seconds at the error of fespin are found.
"""

import importlib.util
import json
import sys
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[2]


def load(path):
    """Return a module of this tree, whatever tree fespin is from."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vortex, differences = load(HERE / "benchmarks/vortex.py"), load(HERE / "references/finite_differences.py")
XI, UNTIL, MARKS = 0.05, 1e-9, (0.25e-9, 0.5e-9, 0.75e-9, 1e-9)
# <m_x>, <m_y> at the marks: bricks of 2.5 and 1.25 nm extrapolated in the plane, and 1, 2, 4 layers across it.
REST = np.array([(-0.1302, 0.1866), (-0.3130, 0.1482), (-0.3460, -0.0105), (-0.2396, -0.0982)])


def error_of(times, means):
    """Return the error of a trajectory."""
    components = np.array([[np.interp(t, times, means[:, k]) for k in (0, 1)] for t in MARKS])
    return float(np.sqrt(((components - REST) ** 2).sum() / (REST**2).sum()))


def moved(size, layers, step):
    """Return seconds and error of fespin, from rest."""
    grid = vortex.film(size, layers)
    dipolar = vortex.DipolarField(grid, vortex.permalloy())
    start = vortex.relaxed(grid, dipolar)
    vortex.trajectory(grid, dipolar, start, XI, 2 * step, step)
    begin = time.process_time()
    times, means, *_ = vortex.trajectory(grid, dipolar, start, XI, UNTIL, step)
    return time.process_time() - begin, error_of(times, means)


def differenced(n, layers):
    """Return seconds and error of finite differences, from rest."""
    size = (100e-9 / n, 100e-9 / n, 10e-9 / layers)
    gamma = 2.211e5 / vortex.VACUUM_PERMEABILITY
    calm, film = (differences.Film((n, n, layers), size, 8e5, 1.3e-11, gamma, alpha) for alpha in (1.0, 0.1))
    x = film.centres()
    m = np.stack([-x[..., 1], x[..., 0], np.full(x.shape[:3], 1e-8)], axis=-1)
    m /= np.linalg.norm(m, axis=-1, keepdims=True)
    *_, m = calm.run(m, 5e-9, stop=3e7)
    drift = -vortex.BOHR_MAGNETON / (vortex.ELEMENTARY_CHARGE * 8e5) * vortex.CURRENT / (1 + XI**2)
    begin = time.process_time()
    times, means, _ = film.run(m, UNTIL, (drift, 0, 0), XI)
    return time.process_time() - begin, error_of(times, means)


def tell(work, seconds, error, **detail):
    """Print a line."""
    print(json.dumps({"work": work, "seconds": seconds, "error": error, "detail": detail}), flush=True)


PEERS = {"5 x 5 x 10 nm": (20, 1), "2.5 x 2.5 x 10 nm": (40, 1)}
OURS = {"5 x 5 x 10 nm": (5e-9, 1, 1e-11), "2.5 x 2.5 x 10 nm": (2.5e-9, 1, 5e-12)}


def main():
    """Print a line for each size of cells, of finite differences and of fespin."""
    differences = []
    for cells, (n, layers) in PEERS.items():
        differences.append(differenced(n, layers))
        tell(f"muMAG 5, 1 ns, own finite differences, {cells}", *differences[-1])
    (coarse, large), (fine, small) = differences
    order = np.log(fine / coarse) / np.log(small / large)
    for cells, arguments in OURS.items():
        if cells != "5 x 5 x 10 nm" and "--coarse" in sys.argv:
            continue
        seconds, error = moved(*arguments)
        equal = coarse * (error / large) ** order
        tell(
            f"muMAG 5, 1 ns, {cells}",
            seconds,
            error,
            step=arguments[2],
            seconds_of_differences=equal,
            ratio=seconds / equal,
        )


main()
