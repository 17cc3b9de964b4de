"""What goes wrong around a run: one rank that fails, signals, disks that are full, files that are none."""

import os
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from casefiles import refused, task
from launch import python

from fespin.cli import main

PARALLEL = Path(__file__).parent / "parallel"
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
    done = python(ranks, SCRIPT, how, rank, error, timeout=100)
    said = lines(done.stderr)
    assert done.returncode == status, done.stderr
    assert len(said) == 1 and words in said[0], done.stderr
    assert "Traceback" not in done.stderr


def test_all_ranks_fail():
    """What all ranks raise stays theirs: nothing is added, and the status is the error's."""
    done = python(2, SCRIPT, "raises", "all", "exit", timeout=100)
    assert done.returncode == 7, done.stderr
    assert not lines(done.stderr)
    assert "MPI_ABORT" not in done.stderr


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
    done = python(2, SCRIPT, how, rank, "", int(number), to, timeout=100)
    said = lines(done.stderr)
    assert done.returncode != 0, done.stderr
    assert len(said) == 1 and f"ended by {number.name}" in said[0], done.stderr
    assert "Traceback" not in done.stderr


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
        done = python(ranks, PARALLEL / "full_disk.py", how, path, tmp_path / "out", timeout=100, cwd=tmp_path)
        said = lines(done.stderr)
        assert done.returncode == 1, done.stderr
        assert len(said) == 1 and "density" in said[0] and "too large" in said[0], done.stderr
        assert not {"Traceback", "terminate called"} & set(done.stderr.split("\n")), done.stderr
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
    done = python(ranks, PARALLEL / "with_environment.py", "XDG_CACHE_HOME", tmp_path / "file", *run, cwd=tmp_path)
    said = lines(done.stderr)
    assert done.returncode == 1, done.stderr
    assert len(said) == 1 and "XDG_CACHE_HOME" in said[0] and "Not a directory" in said[0], done.stderr
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
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True)
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == len(lines(done.stderr)) == count
