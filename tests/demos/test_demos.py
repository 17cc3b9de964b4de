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
