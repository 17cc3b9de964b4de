"""What fails loses nothing else: tasks, samples and points that are missing, and exit status 3."""

import csv
import json

import numpy as np
import pytest
from mpi4py import MPI

import fespin as fs
from fespin.cli import main
from fespin.errors import SolverError
from fespin.sigma.fokker_planck import FokkerPlanck
from fespin.sigma.surveys import dwell_times, phase_diagram

COMM = MPI.COMM_WORLD
MAGNET = """
[macrospin]
volume = 1.6e-24
saturation_magnetization = 7e5
damping = 0.3
temperature = 290
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 30
[torque]
critical_ratio = 1.8
polarizer = [0.8, 0, -0.55]
[sphere]
mesh_size = 0.4
"""
WRITE = """
[[task]]
name = "write"
kind = "switching"
start = [0, 0, 1]
reduced_time = %g
samples = 7
"""
# Far above the critical torque one state is left: no rates.
ESCAPE = """
[[task]]
name = "leave"
kind = "escape"
"""


def run(tmp_path, text):
    path, out = tmp_path / "case.toml", tmp_path / "out"
    path.write_text(text)
    status = main(["run", str(path), "--output", str(out), "--no-pictures"])
    return status, json.loads((out / "summary.json").read_text()) if out.exists() else None


@pytest.mark.slow
def test_a_task_that_fails(tmp_path, capsys):
    """The task after it is done as if it were alone; the last lines say what is missing, and why."""
    status, summary = run(tmp_path, MAGNET + ESCAPE + WRITE % 0.5)
    assert status == 3
    told = summary["tasks"]
    assert told["leave"]["kind"] == "escape"
    assert told["leave"]["error"].startswith("task 1 (escape): escape: the magnet has 1 stable direction")
    assert told["write"]["not_switched"][0] == 1
    seen = capsys.readouterr()
    assert "task leave failed: task 1 (escape)" in seen.out
    assert seen.err.strip().splitlines()[-1] == "fespin: 1 part is missing, see above and in summary.json"
    (tmp_path / "alone").mkdir()
    status, alone = run(tmp_path / "alone", MAGNET + WRITE % 0.5)
    assert status == 0
    assert alone["tasks"]["write"]["not_switched"] == told["write"]["not_switched"]
    # Where nothing is left there is no output.
    (tmp_path / "nothing").mkdir()
    assert run(tmp_path / "nothing", MAGNET + ESCAPE) == (2, None)


@pytest.mark.slow
def test_samples_that_are_not_resolved(tmp_path, capsys):
    """Null in the summary, empty in the table, with their estimates; the others stand."""
    status, summary = run(tmp_path, MAGNET + WRITE % 6)
    assert status == 3
    told = summary["tasks"]["write"]
    assert told["not_switched"][0] == 1 > told["not_switched"][1] > 1e-4
    assert told["not_switched"][-1] is None
    assert told["error_estimate"][-1] > 0.5
    assert "samples are not resolved" in told["missing"][0]
    with (tmp_path / "out" / "switching.write.csv").open() as f:
        rows = list(csv.DictReader(f))
    assert rows[-1]["not_switched"] == "" and float(rows[0]["not_switched"]) == 1
    assert "not resolved" in capsys.readouterr().out


@pytest.mark.slow
def test_points_that_fail():
    """A point of a survey whose solve fails is nan, and says why; the others are what they are without it."""
    spin = fs.Macrospin(1.6e-24, 7e5, damping=0.2, temperature=290.0, terms=[fs.Uniaxial(stability=14)])
    torque = fs.SpinTorque.critical(spin, 1.0, (0, 0, -1))
    drives = [-0.2, 0.1, 0.3]

    def driven(y):
        return spin, torque.scaled(y)

    def make(comm, spin, torque, bad=0.1 * torque.damping_like):
        if abs(torque.damping_like / bad - 1) < 1e-9:
            raise SolverError("a solve failed")
        return FokkerPlanck(comm, spin, torque)

    found, whole = dwell_times(COMM, driven, drives, make=make), dwell_times(COMM, driven, drives)
    assert found.failures == {1: "a solve failed"} and whole.failures == {}
    assert np.isnan(found.dwell_times[1]).all()
    assert found.dwell_times[[0, 2]] == pytest.approx(whole.dwell_times[[0, 2]], rel=1e-12)
    diagram = phase_diagram(COMM, driven, drives, [0.0, 0.01], along=(0, 0, 1), make=make)
    assert diagram.failures == {(0, 1): "a solve failed", (1, 1): "a solve failed"}
    assert (diagram.regions[:, 1] == "unknown").all()
    assert not (diagram.regions[:, [0, 2]] == "unknown").any()
    with pytest.raises(SolverError, match="a solve failed"):
        dwell_times(COMM, driven, [0.1], make=make)
