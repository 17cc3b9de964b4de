"""Dipolar field of a film, 100 nm x 100 nm x 10 nm: seconds of one field, and error of a vortex's energy.

Both ways where there are two, with cells of equal edges. The energy is compared with finite differences (references/)
with bricks of 1.25 and 0.625 nm, extrapolated: 1.81898e-18 J.
"""

import importlib.util
import json
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parents[2]
EXACT = 1.81898e-18  # J


def load(path):
    """Return a module of this tree, whatever tree fespin is from."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


vortex = load(HERE / "benchmarks/vortex.py")


def beside(x):
    """Return m of a vortex with a narrow core beside the middle."""
    a, b = x[..., 0] - 3e-9, x[..., 1] + 7e-9
    m = np.stack([-b, a, 1e-9 + 10e-9 * np.exp(-(a * a + b * b) / 15e-9**2)], axis=-1)
    return m / np.linalg.norm(m, axis=-1, keepdims=True)


def measure(size, method):
    """Print a line for cells of a size (m)."""
    grid = vortex.film(size)
    try:
        dipolar = vortex.DipolarField(grid, vortex.permalloy(), **({} if method == "auto" else {"method": method}))
    except TypeError:
        return  # of versions that have one way only
    m = grid.directions(beside)
    dipolar.field(m)
    count = 20
    begin = time.process_time()
    for _ in range(count):
        dipolar.field(m)
    seconds = (time.process_time() - begin) / count
    error = abs(dipolar.energy(m) / EXACT - 1)
    work = f"dipolar field of a film, cells of {1e9 * size:g} nm" + ("" if method == "auto" else f", {method}")
    detail = {"nodes": grid.map.size_global, "method": getattr(dipolar, "method", "boundary")}
    print(json.dumps({"work": work, "seconds": seconds, "error": error, "detail": detail}), flush=True)


for edge in (5e-9, 2.5e-9):
    for way in ("auto", "boundary"):
        measure(edge, way)
