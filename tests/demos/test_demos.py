"""Every demo runs with its own checks, at low resolution, on two ranks; so does the README's case, on one."""

import json

import pytest
from launch import ROOT, python

from fespin.cli import main

DEMOS = ROOT / "demos"
SCRIPTS = sorted(p.name for p in DEMOS.glob("[0-9]*.py"))


def test_demos_are_numbered():
    assert [n[:2] for n in SCRIPTS] == [f"{i:02}" for i in range(1, len(SCRIPTS) + 1)]


@pytest.mark.slow
@pytest.mark.parametrize("name", SCRIPTS)
def test_demo(name, tmp_path, monkeypatch):
    monkeypatch.setenv("FESPIN_QUICK", "1")
    monkeypatch.setenv("FESPIN_OUTPUT", str(tmp_path))
    process = python(2, DEMOS / name)
    assert process.returncode == 0, process.stdout + process.stderr
    pictures = list(tmp_path.rglob("*.png"))
    assert pictures
    assert all(p.stat().st_size > 10_000 for p in pictures)


@pytest.mark.slow
def test_case_of_the_readme(tmp_path):
    """At a coarse mesh and degree 1, with pictures: what the README shows, roughly."""
    out = tmp_path / "out"
    coarse = ["--set", "geometry.mesh_size=20e-9", "--set", "transport.degree=1"]
    assert main(["run", str(DEMOS / "spin_valve.toml"), "--output", str(out), *coarse]) == 0
    summary = json.loads((out / "summary.json").read_text())
    assert summary["magnetoresistance"] == pytest.approx(0.334, abs=0.02)
    assert {p.name for p in out.glob("*.png")} == {
        "accumulation.antiparallel.png",
        "accumulation.parallel.png",
        "profile.png",
    }
    assert (out / "fields.parallel.bp").exists()
    assert (out / "profile.parallel.csv").exists()


@pytest.mark.slow
def test_heavy_metals_of_the_flagship(tmp_path):
    """The numbers of the README's table; another heavy metal is one word."""
    found = {}
    # Without the phase diagram, its last task, which takes a minute.
    case = tmp_path / "cell.toml"
    case.write_text((DEMOS / "sot_mram.toml").read_text().partition("# What lasts")[0])
    fewer = ["task.trajectories.ensemble=200", "task.write.samples=5"]
    for metal in ("W", "Ta"):
        out, given = tmp_path / metal, [f"layer.bar.material={metal}", *fewer]
        options = [x for change in given for x in ("--set", change)]
        assert main(["run", str(case), "--output", str(out), "--no-pictures", *options]) == 0
        summary = json.loads((out / "summary.json").read_text())
        well = next(k for k, w in enumerate(summary["macrospin"]["wells"]) if w["direction"][1] < 0)
        found[metal] = (
            summary["torque_map"]["damping_like"]["perpendicular"],
            summary["torque_map"]["critical_current_density"][well],
            summary["tasks"]["write"]["not_switched"][-1],
        )
        # After half of the pulse, beside 200 trajectories.
        middle, sampled = (
            summary["tasks"]["write"]["not_switched"][2],
            summary["tasks"]["trajectories"]["not_switched"][-1],
        )
        assert abs(middle - sampled) < 4.5 * (max(middle * (1 - middle), 1e-3) / 200) ** 0.5
    assert found["W"] == pytest.approx((4.015e-3, 6.787e10, 6.108e-6), rel=2e-3)
    assert found["Ta"] == pytest.approx((1.038e-3, 1.925e11, 0.9999), rel=2e-3)
