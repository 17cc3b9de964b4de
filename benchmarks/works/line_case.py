"""A case on a line, whole jobs: CPU seconds of `fespin run` after the environment is entered.

The two states of a spin valve in two channels; A R is compared with the exact solution of Valet and Fert.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import fespin as fs

CASE = """
[geometry]
shape = "line"
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 6e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "free"
material = "Co"
thickness = 3e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 10e-9
[interface."Co|Cu"]
area_resistance_star = 0.51e-15
gamma = 0.77
[contact.bottom]
spin = "lead"
[contact.top]
spin = "lead"
[transport]
model = "two-channel"
current_density = 1e11
[state.parallel]
free = [0, 0, 1]
[state.antiparallel]
free = [0, 0, -1]
"""


STATES = {"parallel": (0, 0, 1), "antiparallel": (0, 0, -1)}


def exact(free):
    """Return A R (ohm m2) with the free layer magnetized this way."""
    Co, Cu = fs.material("Co"), fs.material("Cu")
    stack = fs.Stack(
        fs.Layer(Cu, 10e-9),
        fs.Layer(Co, 6e-9, "fixed", magnetization=(0, 0, 1)),
        fs.Layer(Cu, 10e-9),
        fs.Layer(Co, 3e-9, "free", magnetization=free),
        fs.Layer(Cu, 10e-9),
        interfaces={("Co", "Cu"): fs.Interface(area_resistance_star=0.51e-15, gamma=0.77)},
    )
    return fs.solve_multilayer(stack, fs.Contact("lead"), fs.Contact("lead"), current_density=1e11).resistance_area


def run(folder, *options):
    """Run the case and return its CPU seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "fespin", "run", "line.toml", "--force", *options]
    # Installed programs do not compile their modules at each start.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def error_of(folder):
    """Return the relative error of A R, the larger of both states."""
    states = json.loads((Path(folder) / "line" / "summary.json").read_text())["states"]
    return max(abs(states[name]["resistance_area"] / exact(free) - 1) for name, free in STATES.items())


with tempfile.TemporaryDirectory() as folder:
    (Path(folder) / "line.toml").write_text(CASE)
    for work, options in (
        ("line case, no pictures", ["--no-pictures"]),
        ("line case, pictures", []),
        ("line case, dry run", ["--dry-run"]),
    ):
        run(folder, *options)  # compiles what is not compiled yet
        seconds = min(run(folder, *options) for _ in range(4))
        error = None if "--dry-run" in options else error_of(folder)
        print(json.dumps({"work": work, "seconds": seconds, "error": error, "detail": {"smallest of runs": 4}}))
