"""The README's case, from layers to write errors, at low resolution."""

import json

import numpy as np
import pytest
from launch import ROOT
from mpi4py import MPI

import fespin as fs
from fespin.cli import main
from fespin.coupling import TorqueMap

CASE = ROOT / "demos" / "write_errors.toml"


@pytest.mark.slow
def test_the_readmes_case(tmp_path):
    """Roughly the README's numbers, and those of Python with the map that the case has written."""
    out = tmp_path / "out"
    coarse = ["--set", "geometry.mesh_size=20e-9"]
    assert main(["run", str(CASE), "--output", str(out), *coarse]) == 0
    summary = json.loads((out / "summary.json").read_text())
    told, tasks = summary["torque_map"], summary["tasks"]
    assert summary["magnetoresistance"] == pytest.approx(0.349, abs=0.005)
    # A current downwards makes the antiparallel state unstable, one upwards the parallel state.
    wells = [w["direction"][2] for w in summary["macrospin"]["wells"]]
    critical = dict(zip(np.sign(wells), told["critical_current_density"], strict=True))
    assert critical[-1.0] == pytest.approx(-5.910e10, rel=2e-3, abs=0)
    assert critical[1.0] == pytest.approx(1.467e11, rel=5e-3, abs=0)
    assert told["damping_like"]["antiparallel"] > told["damping_like"]["parallel"] > 0
    # The states that are solved for the pictures are those of the map.
    for name in ("parallel", "antiparallel"):
        seen = summary["states"][name]["resistance_area"]
        assert seen == pytest.approx(told["resistance_area"][name], rel=1e-6, abs=0)
    wer = np.array(tasks["write"]["not_switched"])
    assert wer[50] == pytest.approx(2.239e-5, rel=0.02, abs=0)  # 5 ns
    spin = fs.Macrospin(np.pi / 4 * 40e-9**2 * 2e-9, 1.4e6, 0.02, 300.0, fs.Uniaxial(stability=60))
    found_map = TorqueMap.load(out / "torque_map.json")
    spin, torque = (f(spin, current_density=-2e11) for f in (found_map.pumped, found_map.torque))
    right = fs.FokkerPlanck(MPI.COMM_SELF, spin, torque).switching(np.linspace(0, 1e-8, 101), start=(0, 0, -1))
    assert wer == pytest.approx(right.not_switched, rel=1e-4, abs=0)
    # Trajectories agree as far as they reach.
    found = tasks["trajectories"]
    expected = np.interp(found["times"], tasks["write"]["times"], wer)
    error = np.sqrt(expected * (1 - expected) / found["ensemble"])
    assert (np.abs(found["not_switched"] - expected)[2:] < 4 * error[2:]).all()
    names = {p.name for p in out.glob("*.png")}
    assert {"torque_map.png", "write_error.png", "accumulation.antiparallel.png"} <= names
