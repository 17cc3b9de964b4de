"""What goes wrong around a run: one rank that fails, signals, disks that are full, files that are none."""

import math
import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from casefiles import refused, task
from launch import TESTS, python

from fespin import Macrospin, Uniaxial
from fespin.cli import main
from fespin.quantities import direction

PARALLEL = TESTS / "parallel"
SCRIPT = PARALLEL / "ending.py"
MACROSPIN = """\
[macrospin]
volume = 6e-24
saturation_magnetization = 7e5
damping = 0.07
[[macrospin.anisotropy]]
kind = "uniaxial"
constant = 3e3
""" + task("steady", 'name = "one"')
LINE = """\
[geometry]
shape = "line"
[[layer]]
name = "free"
material = "Co"
thickness = 7e-9
[[layer]]
material = "Cu"
thickness = 4e-9
[transport]
current_density = 2e11
"""


def lines(text):
    """Return the lines that fespin says."""
    return [x for x in text.splitlines() if x.startswith("fespin: error: ")]


@contextmanager
def files_up_to(size):
    """No file may grow beyond so many bytes: what a full disk does to it, for users who cannot mount one."""
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


# ---- one rank fails
@pytest.mark.slow
@pytest.mark.parametrize(
    ("ranks", "how", "rank", "error", "status", "words"),
    [
        (2, "raises", 1, "exit", 7, "rank 1: SystemExit: 7"),
        (2, "raises", 0, "interrupt", 130, "ended by SIGINT"),
        (3, "raises", 2, "input", 2, "rank 2: no such thing"),
        (2, "twice", 1, "bug", 1, "rank 1: ZeroDivisionError: a b (ending.py, line"),
        (2, "late", 1, "success", 1, "rank 1: SystemExit: 0"),
    ],
)
def test_one_rank_fails(ranks, how, rank, error, status, words):
    """All ranks end, with one line and a status other than zero, though the others wait in a collective call."""
    process = python(ranks, SCRIPT, how, rank, error, timeout=100)
    messages = lines(process.stderr)
    assert process.returncode == status, process.stderr
    assert len(messages) == 1 and words in messages[0], process.stderr
    assert "Traceback" not in process.stderr


def test_all_ranks_fail():
    """What all ranks raise stays theirs: nothing is added, and the status is the error's."""
    process = python(2, SCRIPT, "raises", "all", "exit", timeout=100)
    assert process.returncode == 7, process.stderr
    assert not lines(process.stderr)
    assert "MPI_ABORT" not in process.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "rank", "to", "number"),
    [
        ("waits", 0, 0, signal.SIGTERM),
        ("waits", 1, 0, signal.SIGUSR1),
        ("busy", 1, 1, signal.SIGINT),
        ("busy", 0, 1, signal.SIGHUP),
    ],
)
def test_signal_to_one_rank(how, rank, to, number):
    """A rank that hears a signal ends the run, in Python, in a collective call, or in code that Python cannot stop."""
    process = python(2, SCRIPT, how, rank, "", int(number), to, timeout=100)
    messages = lines(process.stderr)
    assert process.returncode != 0, process.stderr
    assert len(messages) == 1 and f"ended by {number.name}" in messages[0], process.stderr
    assert "Traceback" not in process.stderr


# ---- disks and folders
@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Compile all forms, for which there is room."""
    for text in (LINE, *(MACROSPIN.replace("steady", k) for k in ("steady", "spectrum", "escape"))):
        path = tmp_path_factory.mktemp("compiled") / "case.toml"
        path.write_text(text)
        assert main(["run", str(path), "--output", str(path.with_suffix("")), "--no-pictures"]) == 0


@pytest.mark.parametrize(
    ("text", "size", "file"),
    [
        (MACROSPIN, 100, "density.one.bp"),
        (MACROSPIN, 200_000, "density.one.bp"),
        (LINE, 500_000, None),
        (MACROSPIN.replace("steady", "spectrum"), 50, "spectrum.one.csv"),
        (MACROSPIN.replace("steady", "escape"), 50, "summary.json"),
    ],
)
@pytest.mark.usefixtures("compiled")
def test_full_disk(text, size, file, tmp_path, capsys):
    """One line that names the file, status 1, and nothing left; what fits is written."""
    path, out = tmp_path / "case.toml", tmp_path / "out"
    path.write_text(text)
    arguments = ["run", path, "--output", out, "--no-pictures"]
    with files_up_to(size):
        if file is None:
            assert main([str(a) for a in arguments]) == 0
            return
        refused(capsys, arguments, [file, "too large"], 1, progress="mesh|sphere|task")
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.usefixtures("compiled")
@pytest.mark.parametrize("ranks", [1, 2])
def test_full_disk_of_several_ranks(ranks, tmp_path):
    """All ranks end, where a file of fields has no room, and where ADIOS2 finds it out itself, without a core dump."""
    path = tmp_path / "case.toml"
    path.write_text(MACROSPIN)
    for how in ["asked"] + ["found"] * (ranks == 1):
        process = python(ranks, PARALLEL / "full_disk.py", how, path, tmp_path / "out", timeout=100, cwd=tmp_path)
        messages = lines(process.stderr)
        assert process.returncode == 1, process.stderr
        assert len(messages) == 1 and "density" in messages[0] and "too large" in messages[0], process.stderr
        assert not {"Traceback", "terminate called"} & set(process.stderr.split("\n")), process.stderr
        assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.usefixtures("compiled")
def test_pictures_on_a_full_disk(tmp_path, capsys):
    """A picture that has no room is an error, unlike one that cannot be drawn, and half of it is not left."""
    path, out = tmp_path / "case.toml", tmp_path / "out"
    path.write_text(MACROSPIN.replace("steady", "spectrum"))
    with files_up_to(5_000):
        refused(capsys, ["run", path, "--output", out], ["spectrum.one.png", "too large"], 1, progress="task|sphere")
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_no_cache(ranks, tmp_path):
    """Where nothing can be compiled, the line says where that would be."""
    (tmp_path / "case.toml").write_text(LINE.replace("7e-9", "8e-9"))
    (tmp_path / "file").write_text("")
    run = ("run", "case.toml", "--output", "out", "--no-pictures")
    process = python(ranks, PARALLEL / "with_environment.py", "XDG_CACHE_HOME", tmp_path / "file", *run, cwd=tmp_path)
    messages = lines(process.stderr)
    assert process.returncode == 1, process.stderr
    assert len(messages) == 1 and "XDG_CACHE_HOME" in messages[0] and "Not a directory" in messages[0], process.stderr
    assert sorted(os.listdir(tmp_path)) == ["case.toml", "file"]


def test_no_working_directory(tmp_path, capsys, monkeypatch):
    (tmp_path / "case.toml").write_text(LINE)
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    os.rmdir(tmp_path / "gone")
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], ["working directory", "gone"], 1)


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/full", "pipe", "large", "folder"])
def test_cases_that_are_no_files(name, tmp_path, capsys, monkeypatch):
    """Nothing is waited for, and nothing endless is read."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.mkdir("folder")
    with open("large", "wb") as f:
        f.truncate(10**9)
    refused(capsys, ["run", name], [name, "cannot be read"])


@pytest.mark.parametrize(("redirection", "status", "count"), [("> /dev/full", 1, 1), (">&-", 0, 0)])
def test_closed_output(redirection, status, count):
    """A standard output that is full is one line, one that is closed none."""
    command = f"exec {sys.executable} -m fespin materials Co {redirection}"
    process = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert process.returncode == status
    assert len(process.stderr.splitlines()) == len(lines(process.stderr)) == count


# ---- numbers beyond all bounds
LONGITUDINAL = """\
[longitudinal]
xi = 0.4
tau_mM = 2e-12
diffusion = 3e-3
tau_ML = 2e-10
[longitudinal.geometry]
shape = "line"
length = 90e-9
[longitudinal.boundary.left]
flux = -3e7
[[task]]
kind = "response"
frequencies = [2e9, 3e12]
"""
TEXTURE = """\
[texture]
saturation_magnetization = 7e5
exchange = 1.1e-11
damping = 0.2
conductivity = 4e6
polarization = 0.4
easy_constant = 5e4
[texture.geometry]
shape = "line"
length = 400e-9
[texture.wall]
position = 200e-9
[[task]]
kind = "electromotive_force"
"""
KEYS = {
    LINE: ["transport.current_density", "layer.free.thickness", "layer.free.magnetization.2", "material.Co.beta"],
    LONGITUDINAL: [
        *(f"longitudinal.{k}" for k in ("xi", "tau_mM", "tau_mL", "diffusion", "susceptibility", "boundary.left.flux")),
        *("longitudinal.geometry.length", "longitudinal.geometry.mesh_size", "task.1.frequencies.1"),
    ],
    TEXTURE: [
        *(f"texture.{k}" for k in ("saturation_magnetization", "exchange", "damping", "conductivity", "polarization")),
        *("texture.easy_constant", "texture.voltage", "texture.wall.position", "texture.wall.angle"),
        "texture.gyromagnetic_ratio",
    ],
    MACROSPIN: [
        *(f"macrospin.{k}" for k in ("volume", "saturation_magnetization", "damping")),
        *("macrospin.anisotropy.1.constant", "torque.damping_like", "torque.critical_ratio"),
    ],
}


@pytest.mark.parametrize("value", ["1e-300", "-1e-300", "1e300", "-1e300"])
@pytest.mark.parametrize(("text", "key"), [(text, k) for text, keys in KEYS.items() for k in keys])
def test_numbers_beyond_all_bounds(text, key, value, tmp_path, capsys):
    """Neither overflow nor squares that vanish: the key, what was found, and a bound."""
    path = tmp_path / "case.toml"
    text = text.replace('name = "free"', 'name = "free"\nmagnetization = [0, 0, 1]')
    path.write_text(text)
    line = refused(capsys, ["run", path, "--set", f"{key}={value}", "--dry-run"], ["found", f"{float(value):g}"])
    assert " must " in line and key.rpartition(".")[2].removesuffix("1").removesuffix("2") in line


def test_no_temperature_at_all(tmp_path, capsys):
    """Barriers given in kT hide it."""
    path = tmp_path / "case.toml"
    path.write_text(
        MACROSPIN.replace("constant = 3e3", "stability = 4").replace("damping", "temperature = 1e-300\ndamping")
    )
    refused(capsys, ["run", path], ["macrospin.temperature", "found 1e-300", "at least 1e-06"])


@pytest.mark.parametrize("size", [1e308, 1e160, 1.0, 1e-160, 5e-324])
def test_axes_of_any_length(size):
    """Directions are what they are, though the squares of their components overflow or vanish."""
    unit_vector = direction((size, -size, 2 * size if size < 1e300 else size), "a magnet")
    third = 2 if size < 1e300 else 1
    assert unit_vector == pytest.approx([x / math.sqrt(2 + third**2) for x in (1, -1, third)], rel=1e-15)


def test_a_thousand_terms(tmp_path, capsys):
    """An energy is the sum of its terms, however many; a case with so many is a mistake."""
    terms = [Uniaxial(3e1 + i % 7, axis=(i % 3, 1, 2)) for i in range(1000)]
    u = np.array([[0.3, -0.4, 0.866], [0.0, 0.6, -0.8]])
    many = Macrospin(6e-24, 7e5, 0.07, terms=terms).energy(u)
    axes = np.array([t.axis for t in terms]) / np.linalg.norm([t.axis for t in terms], axis=1)[:, None]
    expected = -6e-24 * np.array([t.constant for t in terms]) @ (axes @ u.T) ** 2
    assert many == pytest.approx(expected, rel=1e-12)
    path = tmp_path / "case.toml"
    one = MACROSPIN.partition("[[task]]")[0].partition("[[macrospin")[2]
    path.write_text(MACROSPIN.replace("[[task]]", 999 * f"[[macrospin{one}" + "[[task]]"))
    refused(capsys, ["run", path], ["macrospin.anisotropy", "at most 50 entries"])


@pytest.mark.parametrize(
    "key", ["layer.2x.thickness", "layer.\u00b2.thickness", "layer.0.thickness", "layer.-1.thickness"]
)
def test_numbers_of_layers_that_are_none(key, tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(LINE)
    refused(capsys, ["run", path, "--set", f"{key}=1e-9"], [f"there is no '{key.split('.')[1]}' among 2"])
