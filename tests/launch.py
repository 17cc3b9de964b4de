"""Run a script on several ranks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def mpirun(ranks, *command, timeout=600, **options):
    """Run a command under mpirun and return the finished process, output captured."""
    # A launcher inside a launched process must not find the outer one's variables.
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_COMM", "PMIX", "OMPI_UNIVERSE", "PMI_"))}
    launcher = ["mpirun", "-n", str(ranks)]
    if "Open MPI" in subprocess.run(["mpirun", "--version"], capture_output=True, text=True).stdout:
        # Not bound to cores, which other programs may use.
        launcher += ["--map-by", ":OVERSUBSCRIBE", "--bind-to", "none"]
    clean.setdefault("OMP_NUM_THREADS", "1")
    # More ranks than free cores: who waits lets others work.
    clean.setdefault("OMPI_MCA_mpi_yield_when_idle", "1")
    clean["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(TESTS), clean.get("PYTHONPATH", "")])
    assert shutil.which("mpirun"), "mpirun is needed"
    return subprocess.run(
        [*launcher, *map(str, command)], env=clean, capture_output=True, text=True, timeout=timeout, **options
    )


def python(ranks, *arguments, **options):
    """Run a Python script on several ranks."""
    return mpirun(ranks, sys.executable, *arguments, **options)


def numbers(ranks, script, folder):
    """Return what a script of tests/parallel writes as JSON when it runs on several ranks."""
    process = python(ranks, TESTS / "parallel" / script, folder / "out.json")
    assert process.returncode == 0, process.stderr
    return json.loads((folder / "out.json").read_text())


def require_equal(parallel, serial):
    """Require the numbers of one rank, to 1e-9 of the largest of their group: the first two parts of a name.

    Returns the names of the groups.
    """
    assert parallel.keys() == serial.keys()
    groups = {}
    for name in serial:
        groups.setdefault("/".join(name.split("/")[:2]), []).append(name)
    for names in groups.values():
        scale = max(abs(serial[n]) for n in names)
        for n in names:
            assert parallel[n] == pytest.approx(serial[n], rel=0, abs=1e-9 * scale), n
    return list(groups)
