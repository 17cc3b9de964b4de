"""docs/scaling.md and its examples."""

import json

import numpy as np
import pytest
from launch import ROOT, python

from fespin.plotting import transport

EXAMPLES = ROOT / "docs" / "examples"


@pytest.mark.slow
def test_groups_share_the_angles(tmp_path):
    """One and two groups find the same map."""
    results = []
    for ranks in (1, 2):
        command = ["--mesh-size", 4e-8, "--tolerance", 1e-4, "--output", tmp_path / "torque.json"]
        process = python(ranks, EXAMPLES / "groups.py", *command)
        assert process.returncode == 0, process.stderr
        results.append(json.loads((tmp_path / "torque.json").read_text()))
    assert [f["groups"] for f in results] == [1, 2]
    one = results[0]
    assert one["resistance_area"][-1] > 1.02 * one["resistance_area"][0]
    for other in results[1:]:
        for key in ("resistance_area", "damping_like"):
            assert np.allclose(other[key], one[key], rtol=0, atol=1e-6 * np.abs(one[key]).max()), key


def test_groups_as_jobs():
    text = (EXAMPLES / "groups.slurm").read_text()
    count = len(text.split("thicknesses=(")[1].split(")")[0].split())
    assert f"--array=0-{count - 1}" in text
    assert "python docs/examples/groups.py --ranks 32" in text


def test_huge_meshes_are_not_drawn(monkeypatch, tmp_path):
    """The line that a case prints, and that nothing else is lost."""
    from mpi4py import MPI

    from fespin import InputError, TransportProblem, strip
    from references.devices import UP, valve

    monkeypatch.setattr(transport, "MOST_CELLS", 100)
    solution = TransportProblem(strip(MPI.COMM_SELF, valve(UP), width=60e-9)).solve(current_density=1e11)
    with pytest.raises(InputError, match=r"cells are more than one rank draws, 100; ParaView opens the fields"):
        solution.plot(tmp_path / "device.png")
