"""Case files that are solved on rings around an axis: what is chosen, what the summary says, what is refused."""

import numpy as np
import pytest
from casefiles import refused, run, swap, task

from fespin.sigma.escape import Rates, log_stationary
from fespin.sigma.results import escape_times

BIT = """
[macrospin]
volume = 1.1e-24
saturation_magnetization = 9.3e5
damping = 0.15
temperature = 320
field = [0.004, -0.002, 0.006]
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 9

[torque]
damping_like = 1.5e-3
field_like = 4e-4
polarizer = [0.4, 0.2, -1]
"""
TASKS = (
    task("switching", "pulse = 4e-9", "samples = 3")
    + task("steady")
    + task("escape")
    + task("spectrum", "count = 3")
    + task("susceptibility", "frequencies = [1e8, 1e9]", "samples = 2", "direction = [1, 2, 0]")
)


def test_rings_answer(tmp_path):
    """All tasks say where they were solved, and how well."""
    summary, out = run(tmp_path, BIT + TASKS)
    for name, found in summary["tasks"].items():
        assert found["solved_on"] == "fourier"
        assert found["orders"] >= 4 and found["cells"] >= 12 and found["degree"] >= 4 and found["dofs"] > 100
        assert found["mesh_size"] == pytest.approx(np.pi / found["cells"])
        assert np.max(found["error_estimate"]) < (0.02 if name == "3" else 1e-3)
    assert summary["units"]["tasks"]["1"]["orders"] == "1"
    assert (out / "density.1.bp").exists()
    assert "mesh_size" not in summary["macrospin"]  # no triangles were needed


@pytest.mark.slow
def test_triangles_answer_the_same(tmp_path):
    """If asked for: within both estimates."""
    one, other = (
        run(tmp_path, swap(BIT, ("[torque]", f'[sphere]\nmethod = "{m}"\n[torque]')) + TASKS, name=m)[0]["tasks"]
        for m in ("fourier", "sphere")
    )
    assert {x["solved_on"] for x in other.values()} == {"sphere"}
    assert all("orders" not in x for x in other.values())
    pulse, same = (np.array(x["1"]["not_switched"]) for x in (one, other))
    bound = np.array(one["1"]["error_estimate"]) + other["1"]["error_estimate"]
    assert (np.abs(pulse / same - 1) <= bound).all()
    assert one["2"]["mean_direction"] == pytest.approx(other["2"]["mean_direction"], abs=1e-4)
    modes = (np.array(x["4"]["eigenvalues_reduced"]) for x in (one, other))
    assert next(modes) == pytest.approx(next(modes), rel=1e-4, abs=1e-3)


def test_keys_of_triangles_choose_them(tmp_path):
    text = swap(BIT, ("[torque]", "[sphere]\nmesh_size = 0.4\n[torque]")) + task("steady")
    assert run(tmp_path, text)[0]["tasks"]["1"]["solved_on"] == "sphere"
    text = swap(text, ("mesh_size = 0.4", 'method = "fourier"'))
    assert run(tmp_path, text, name="rings")[0]["tasks"]["1"]["solved_on"] == "fourier"


@pytest.mark.parametrize(
    ("sphere", "anisotropy", "words"),
    [
        ('method = "fourier"\nmesh_size = 0.3', "", ["sphere.method", "has no triangles", "mesh_size"]),
        ('method = "fourier"\naxisymmetric = false', "", ["sphere.method", "axisymmetric = false"]),
        ('method = "fourier"', 'kind = "cubic"', ["sphere.method", "near one axis"]),
        ('method = "harmonics"', "", ["sphere.method", "fourier"]),
    ],
)
def test_what_rings_refuse(tmp_path, capsys, sphere, anisotropy, words):
    """In one line, before anything is solved."""
    text = swap(BIT, ("[torque]", f"[sphere]\n{sphere}\n[torque]"))
    if anisotropy:
        text = swap(text, ('kind = "uniaxial"', anisotropy), ("field = [0.004, -0.002, 0.006]\n", ""))
    path = tmp_path / "case.toml"
    path.write_text(text + task("steady"))
    refused(capsys, ["run", path, "--output", tmp_path / "out"], words)


def test_first_passages_need_triangles(tmp_path, capsys):
    """Refused before anything is solved, unless all has one axis."""
    text = swap(BIT, ("[torque]", '[sphere]\nmethod = "fourier"\n[torque]')) + task(
        "first-passage", "start = [0, 0, 1]"
    )
    path = tmp_path / "case.toml"
    path.write_text(text)
    refused(capsys, ["run", path, "--dry-run"], ["sphere.method", "first passages", "task 1"])
    aligned = swap(
        text, ("field = [0.004, -0.002, 0.006]", ""), ("polarizer = [0.4, 0.2, -1]", "polarizer = [0, 0, -1]")
    )
    assert run(tmp_path, aligned)[0]["tasks"]["1"]["mean_first_passage_time"] > 0


@pytest.mark.parametrize("lost", [-np.inf, -900.0])
def test_rates_that_are_not_resolved(tmp_path, monkeypatch, lost):
    """Null, with a note, and the others stand."""

    def answer(log_slow):
        rates = np.array([[-np.inf, -60.0], [log_slow, -np.inf]])
        return Rates(np.array([[0, 0, 1.0], [0, 0, -1.0]]), rates, log_stationary(rates), None, (), np.zeros((2, 0)))

    def escape(self):
        return escape_times(answer(lost), answer(-880.0), self.spin)

    monkeypatch.setattr("fespin.sigma.FokkerPlanck.escape", escape)
    summary, _ = run(tmp_path, BIT + task("escape"))
    found = summary["tasks"]["1"]
    assert found["rates"][0][1] > 0 and found["rates"][1][0] is None
    assert found["log10_rates"][1][0] is None
    assert found["dwell_times"][0] == pytest.approx(1 / found["rates"][0][1]) and found["dwell_times"][1] is None
    assert found["log10_dwell_times"][1] is None and found["log10_populations"][0] is None
    assert found["log10_populations"][1] == pytest.approx(0, abs=1e-12)
    assert found["error_estimate"] < 1e-3
    assert sum("from state 1 to 0 is " in x for x in summary["notes"]) == 1
