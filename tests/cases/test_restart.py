"""Runs that are killed at any moment and started again end with the numbers of an undisturbed run."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from casefiles import refused, run, task
from dolfinx import fem, mesh
from launch import python
from samples import wires
from samples.longitudinal import COMM, LENGTH, interval, magnet

import fespin as fs
from fespin import InputError
from fespin.checkpoint import Journal, StateFile, digest_of
from fespin.longitudinal import Flux, Held, evolve
from fespin.sigma.surveys import phase_diagram
from fespin.stepping import Course
from fespin.texture import Dynamics, WallWatch, wall

# Dies by SIGKILL at the n-th time that a file of a checkpoint is replaced (just before or just after) or a piece is
# about to be written.
DRIVER = """\
import os, signal, sys
from fespin import checkpoint
from fespin.cli import main
deadly, count = int(sys.argv[1]), 0
replace, fsync = os.replace, os.fsync
def die():
    os.kill(os.getpid(), signal.SIGKILL)
def counted(work):
    def inner(*arguments):
        global count
        count += 1
        if 2 * count == deadly:
            die()
        work(*arguments)
        if 2 * count + 1 == deadly:
            die()
    return inner
checkpoint.os.replace, checkpoint.os.fsync = counted(replace), counted(fsync)
status = main(sys.argv[2:])
# Launchers may lose lines.
open(f"{__file__}.{os.getpid()}", "w").write(str(count))
sys.exit(status)
"""
LONGITUDINAL = (
    "[longitudinal]\nxi = 0.23\ntau_mM = 0.7e-12\ndiffusion = 1.7e-3\ntau_ML = 9e-12\nsusceptibility = 0.013\n"
    '[longitudinal.geometry]\nshape = "rectangle"\nsize = [90e-9, 40e-9]\nmesh_size = 12e-9\n'
    "[longitudinal.boundary.left]\nflux = -3e6\n[longitudinal.boundary.right]\naccumulation = 0.0\n"
    '[longitudinal.start]\nshape = "step"\nposition = 40e-9\nM = 2e3\nm = -300.0\n'
    + task("relaxation", 'name = "decay"', "duration = 3e-12", "samples = 4", "tolerance = 1e-3")
)
TEXTURE = (
    "[texture]\nsaturation_magnetization = 8e5\nexchange = 1.3e-11\ndamping = 0.1\nconductivity = 4e6\n"
    "polarization = 0.5\nnonadiabaticity = 0.06\neasy_constant = 1.4e5\neasy_axis = [1, 0, 0]\n"
    "hard_constant = 0.6e5\nhard_axis = [0, 0, 1]\nfield = [6e-3, 0, 0]\ncurrent_density = 1e11\n"
    '[texture.geometry]\nshape = "rectangle"\nsize = [200e-9, 20e-9]\nmesh_size = 5e-9\n'
    "[texture.wall]\nposition = 90e-9\n[texture.probe]\npositions = [60e-9, 140e-9]\n"
    + task("dynamics", 'name = "wall"', "duration = 0.2e-9", "samples = 5", "tolerance = 1e-3")
)
MAP = """
[geometry]
shape = "strip"
width = 30e-9
depth = 40e-9
mesh_size = 30e-9
[[layer]]
material = "Cu"
thickness = 8e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 9e-9
magnetization = [0, 0.6, 0.8]
[[layer]]
material = "Cu"
thickness = 6e-9
[[layer]]
name = "free"
material = "Py"
thickness = 3e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 8e-9
[interface."Co|Cu"]
mixing_conductance = [5.5e14, 0.5e14]
[interface."Py|Cu"]
mixing_conductance = [3.9e14, 0.4e14]
[transport]
model = "vector"
degree = 1
current_density = -1.2e11
solver = {rtol = 1e-16}
[macrospin]
layer = "free"
saturation_magnetization = 8e5
damping = 0.02
temperature = 300
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 9
[torque]
source = "transport"
tolerance = 1e-3
pumping = false
[sphere]
mesh_size = 0.8
degree = 2
verify = false
""" + task("dwell-times", "drives = [-2e10, 3e10]", "samples = 3")


class Stop(Exception):
    """What interrupts."""


def close(found, expected, rel, where="", scale=0.0):
    """Compare nested results; what says how a run went may differ, and so may what is nothing but rounding.

    Numbers of a list are compared on the scale of its largest.
    """
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key, value in expected.items():
            if key == "units":
                assert found[key] == value, where
            elif key in ("conservation", "power_balance", "energy_balance"):
                assert abs(found[key]) < 1e-9 > abs(value), where
            elif key == "units":
                assert found[key] == value, where
            elif key not in ("wall_time", "seconds", "iterations", "ranks", "linear_solves", "factors"):
                # An error is a small difference of numbers that agree.
                close(found[key], value, 1e-6 if key == "error" else rel, f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        beside = [abs(x) for x in expected if isinstance(x, float)]
        for i, (x, y) in enumerate(zip(found, expected, strict=True)):
            close(x, y, rel, f"{where}[{i}]", max(beside, default=0.0))
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=rel, abs=rel * scale), where
    else:
        assert found == expected, where


# ---- files
@pytest.mark.parametrize("shape", ["line", "square"])
def test_state_file(shape, tmp_path):
    """Values at nodes come back, of any number of columns, with the numbers beside them to the last bit."""
    domain = mesh.create_interval(COMM, 5, [0, 2]) if shape == "line" else mesh.create_unit_square(COMM, 3, 2)
    space = fem.functionspace(domain, ("Lagrange", 3))
    n = space.dofmap.index_map.size_local
    file = StateFile(COMM, space, tmp_path / "state", every=0.0, about="a test")
    assert file.load() is None
    assert file.due()
    values = {"m": np.random.default_rng(3).random((n, 3)), "nothing": np.zeros((n, 0)), "T": np.ones((n, 1)) / 3}
    numbers = {"time": 0.1 + 0.2, "rows": [[1e-300, float("inf"), -0.0]], "fresh": True, "name": "µ"}
    file.save({"time": 1.0}, {})
    file.save(numbers, values)
    found, arrays = file.load()
    assert found == numbers
    for name, expected in values.items():
        assert (arrays[name] == expected).all() and arrays[name].shape == expected.shape
    assert os.listdir(tmp_path) == ["state"]
    assert not StateFile(COMM, space, tmp_path / "state", every=60.0, about="a test").due()
    with pytest.raises(InputError, match="it is the state of a test, not of another"):
        StateFile(COMM, space, tmp_path / "state", about="another").load()
    other = fem.functionspace(domain, ("Lagrange", 2))
    with pytest.raises(InputError, match=r"cells of degree 3; this mesh has .* of degree 2"):
        StateFile(COMM, other, tmp_path / "state", about="a test").load()
    whole = (tmp_path / "state").read_bytes()
    magic = b"fespin state 2\n"
    for content in (b"", magic, magic + b"99", (magic + b"5").ljust(32) + b"[1,2]", b"\xff" * 99):
        (tmp_path / "state").write_bytes(content)
        with pytest.raises(InputError, match="it is not one of fespin's"):
            file.load()
    (tmp_path / "state").write_bytes(whole[: -len(whole) // 3])
    with pytest.raises(InputError, match="incomplete"):
        StateFile(COMM, space, tmp_path / "state", about="a test").load()
    (tmp_path / "state").write_bytes(whole)
    with pytest.raises(InputError, match="of another version"), file.understood():
        Course.taken_from({"time": 1.0})
    lost = StateFile(COMM, space, tmp_path / "no" / "state", about="a test")
    with pytest.raises(InputError, match="cannot be written"):
        lost.save({}, {})


def test_journal(tmp_path):
    """Pieces of earlier runs are known, whatever a killed run left at the end of its line."""
    first = Journal(COMM, tmp_path / "map")
    first.put([1, 0.1], [0.1 + 0.2, float("inf")])
    assert first.get([1, 0.1]) is None  # ranks would disagree
    with (tmp_path / "map.0").open("a") as file:
        file.write("\n[[2, 0.2], [0.")
    Journal(COMM, tmp_path / "map").put([3, 0.3], {"a": [True, None]})
    (tmp_path / "map.7").write_text("\n[[4, 0.4], 4]")
    found = Journal(COMM, tmp_path / "map")
    assert found.get([1, 0.1]) == [0.1 + 0.2, float("inf")]
    assert found.get([2, 0.2]) is None
    assert found.get([3, 0.3]) == {"a": [True, None]}
    assert found.get([4, 0.4]) == 4
    assert len(found) == 3
    with pytest.raises(InputError, match="cannot be written"):
        Journal(COMM, tmp_path / "no" / "map").put(1, 2)


@pytest.mark.parametrize("interval", ["-1", "nan", "inf"])
def test_interval_is_a_time(interval, tmp_path, capsys):
    (tmp_path / "case.toml").write_text(LONGITUDINAL)
    arguments = ["run", tmp_path / "case.toml", "--checkpoint", tmp_path / "s", "--checkpoint-interval", interval]
    refused(capsys, arguments, ["checkpoint: interval is", "finite and not negative"])
    assert os.listdir(tmp_path) == ["case.toml"]


def test_digests_follow_contents(tmp_path):
    """What a result depends on is in the name of its checkpoint: tables and the contents of meshes."""
    (tmp_path / "m").write_text("a")
    one = digest_of({"a": 1.0}, files=[tmp_path / "m"])
    assert digest_of({"a": 1.0}, files=[tmp_path / "m"]) == one
    assert digest_of({"a": 1.5}, files=[tmp_path / "m"]) != one
    (tmp_path / "m").write_text("b")
    assert digest_of({"a": 1.0}, files=[tmp_path / "m"]) != one


# ---- longitudinal
def test_relaxation_goes_on(tmp_path):
    """Stopped at every fourth step, across a jump of the flux: the same steps and numbers to 1e-12."""
    problem = interval(magnet(0.3, 0.05, 0.2))

    def flux(t):
        return -2e6 if t < 1e-12 else 3e6

    initial = problem.state(lambda y: 2e3 * np.cos(3 * y[0] / LENGTH), -300.0)
    options = {
        "conditions": {"left": Flux(flux), "right": Held(150.0)},
        "wanted": [0.0, 0.4e-12, 2.1e-12],
        "tolerance": 1e-4,
        "breakpoints": [1e-12],
    }
    whole = evolve(problem, initial, 2.5e-12, **options)

    path, stops = tmp_path / "state", 0
    while True:
        count = 0

        def stop(t, state):
            nonlocal count
            count += 1
            if count == 5:
                raise Stop

        try:
            found = evolve(problem, initial, 2.5e-12, **options, each=stop, checkpoint=path, every=0.0, resume=True)
            break
        except Stop:
            stops += 1
    assert stops > 5
    assert len(found.times) == len(whole.times) and found.rejected == whole.rejected
    for key in ("times", "total_M", "total_m", "energy", "work", "lost", "heat", "put_in"):
        expected = getattr(whole, key)
        assert getattr(found, key) == pytest.approx(expected, rel=1e-12, abs=1e-12 * np.abs(expected).max()), key
    for a, b in zip([*found.states, found.final], [*whole.states, whole.final], strict=True):
        assert np.array([a.M, a.m]) == pytest.approx(np.array([b.M, b.m]), rel=1e-12, abs=1e-9)
    with pytest.raises(InputError, match="it is of a longer relaxation"):
        evolve(problem, initial, 1e-12, checkpoint=path, resume=True)


# ---- textures
def pulse(t):
    return (6e-3 if 1e-10 < t < 1.6e-10 else 1e-3, 0.0, 2e-3)


@pytest.mark.parametrize("step", [None, 4e-12], ids=["controlled", "even"])
def test_motion_goes_on(step, tmp_path):
    """A wall between leads under a pulse of field, stopped again and again: every step is that of one motion."""
    grid = wires.line(COMM, cells=60)

    def moved(path=None):
        leads = wires.circuit(grid, wires.MAGNET, current=lambda t: 3e11 if t > 5e-11 else 0.0)
        start = wall(wires.MAGNET, 120e-9, 0.1)
        motion = Dynamics(grid, wires.MAGNET, start, field=pulse, current=leads)
        watch, count = WallWatch(grid, wires.MAGNET), 0

        def seen(now):
            nonlocal count
            count += 1
            if path is not None and count == 7:
                raise Stop
            return [watch.position(now.directions), now.energy, now.flow.currents["left"]]

        kept = {} if path is None else {"checkpoint": path, "save_every": 0.0, "resume": True}
        try:
            history = motion.run(3e-10, {"all": seen}, tolerance=1e-4, step=step, every=2, **kept)
            return history, motion.directions, motion.newton_steps
        finally:
            motion.destroy()
            leads.destroy()

    whole, directions, counts = moved()
    stops = 0
    while True:
        try:
            found, ends, again = moved(tmp_path / "state")
            break
        except Stop:
            stops += 1
    assert stops > 2
    assert again == counts
    assert found.times == pytest.approx(whole.times, rel=1e-12, abs=0)
    for a, b in zip(found.seen["all"].T, whole.seen["all"].T, strict=True):
        assert a == pytest.approx(b, rel=1e-12, abs=1e-12 * np.abs(b).max())
    assert ends == pytest.approx(directions, rel=0, abs=1e-12)
    with pytest.raises(InputError, match="it is of a longer motion"):
        Dynamics(grid, wires.MAGNET, wall(wires.MAGNET, 1e-7)).run(1e-11, checkpoint=tmp_path / "state", resume=True)


# ---- surveys
@pytest.mark.slow
def test_surveys_take_points_that_are_done(tmp_path):
    """A phase diagram that broke off is finished; a finer one solves only its new points."""
    spin = fs.Macrospin(1.3e-24, 9e5, 0.07, 310.0, [fs.Uniaxial(stability=9)])
    torque = fs.SpinTorque.critical(spin, 1.0, polarizer=(0, 0, -1))
    solved = []

    def make(comm, of, with_torque):
        solved.append(of.field)
        if len(solved) == deadly:
            raise KeyboardInterrupt
        return fs.FokkerPlanck(comm, of, with_torque)

    def survey(drives, journal=None):
        solved.clear()
        return phase_diagram(
            COMM,
            lambda x: (spin, torque.scaled(x)),
            drives,
            [-0.01, 0.0, 0.02],
            along=(0, 0, 1),
            make=make,
            journal=journal,
        )

    coarse, fine = [-0.3, 0.1], [-0.3, -0.1, 0.1]
    deadly = 0
    whole = survey(fine)
    each = len(solved) // 9
    deadly = 2 * each + 1
    with pytest.raises(KeyboardInterrupt):
        survey(coarse, Journal(COMM, tmp_path / "points"))
    deadly = 0
    survey(coarse, Journal(COMM, tmp_path / "points"))
    assert len(solved) == 4 * each
    found = survey(fine, Journal(COMM, tmp_path / "points"))
    assert len(solved) == 3 * each
    for key in ("dwell_times", "populations"):
        assert getattr(found, key) == pytest.approx(getattr(whole, key), rel=1e-12, abs=0, nan_ok=True)
    assert (found.regions == whole.regions).all()
    assert found.failures == {}


# ---- kill -9
@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "kills", "saves"),
    # A map has five pieces.
    [(LONGITUDINAL, 2, (4, 9)), (TEXTURE, 2, (4, 9)), (MAP, 2, (3, 5))],
    ids=["longitudinal", "texture", "torque map"],
)
def test_killed_again_and_again(text, kills, saves, tmp_path):
    """Killed at random saves, on one rank and on two in turn, until it is let run: the numbers of one run."""
    expected, _ = run(tmp_path, text, name="whole")
    driver, path, states = tmp_path / "driver.py", tmp_path / "case.toml", tmp_path / "states"
    driver.write_text(DRIVER)
    path.write_text(text)
    arguments = ["run", path, "--output", tmp_path / "out", "--no-pictures", "--checkpoint", states]
    arguments += ["--checkpoint-interval", 0]
    chance, saved = random.Random(20), []
    for k in range(kills + 1):
        deadly = chance.randrange(*saves) if k < kills else 0
        done = python(1 + k % 2, driver, deadly, *arguments, timeout=300)
        if k < kills:
            assert done.returncode in (137, 9, -9), done.stderr
            assert not (tmp_path / "out").exists()
            assert os.listdir(states)
        else:
            assert done.returncode == 0, done.stderr
            saved = [int(x.read_text()) for x in tmp_path.glob("driver.py.*")]
            assert len(saved) == 1 + k % 2
    found = json.loads((tmp_path / "out" / "summary.json").read_text())
    # States of transport are solved anew.
    for summary in (found, expected):
        summary.pop("states", None)
    # Another number of ranks adds in another order: what the solver leaves, 1e-12 of a solve, decides.
    close(found, expected, 1e-9)
    (told, *_) = expected["tasks"].values()
    # Angles of a map, and points of its survey.
    pieces = expected["torque_map"]["solves"] + told["samples"] if "torque_map" in expected else told["steps"]
    # What is kept of a motion for pictures is written, too.
    pieces += len(told["times"]) if told["kind"] == "dynamics" else 0
    assert sum(saved) < pieces


def test_killed_at_any_time(tmp_path):
    """Killed by the clock, wherever it is: on the same number of ranks the numbers are equal to 1e-12."""
    expected, _ = run(tmp_path, LONGITUDINAL, name="whole")
    path, out = tmp_path / "case.toml", tmp_path / "out"
    path.write_text(LONGITUDINAL)
    command = [sys.executable, "-m", "fespin", "run", path, "--output", out, "--no-pictures"]
    command += ["--checkpoint", tmp_path / "states", "--checkpoint-interval", "0"]
    chance, killed = random.Random(4), 0
    for k in range(4):
        started = subprocess.Popen([str(x) for x in command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        if k < 3:
            states = tmp_path / "states"
            until = time.monotonic() + 120
            while started.poll() is None and time.monotonic() < until and not (states.exists() and os.listdir(states)):
                time.sleep(0.01)
            time.sleep(chance.uniform(0.0, 0.3))
            started.send_signal(signal.SIGKILL)
            killed += started.wait() == -signal.SIGKILL
            if out.exists():
                break
        _, err = started.communicate()
        assert k < 3 or started.returncode == 0, err
    assert killed
    close(json.loads((out / "summary.json").read_text()), expected, 1e-12)
