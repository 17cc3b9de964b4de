"""Case files that run: the contract of summary.json, overrides, and the command line."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from case_texts.valves import CASE
from launch import ROOT
from mpi4py import MPI

from fespin import Contact, Interface, Layer, Material, Stack, TransportProblem, line
from fespin.cases.casefile import read
from fespin.cases.json_schema import schema
from fespin.cases.notes import notes_of
from fespin.cases.registry import kind_of
from fespin.cli import main
from references.devices import reference

CO = Material.from_star("Co", 75e-9, 60e-9, 0.46)
CU = Material("Cu", 6e-9, 450e-9)


def stack(direction):
    layers = [
        Layer(CU, 10e-9, "lead-bottom"),
        Layer(CO, 6e-9, "fixed", (0, 0, 1)),
        Layer(CU, 10e-9),
        Layer(CO, 3e-9, "free", (0, 0, direction)),
        Layer(CU, 10e-9),
    ]
    return Stack(*layers, interfaces={("Co", "Cu"): Interface(0.51e-15, 0.77)})


def run(tmp_path, *arguments, text=CASE, name="valve"):
    path = tmp_path / f"{name}.toml"
    path.write_text(text)
    out = tmp_path / f"{name}-out"
    assert main([str(a) for a in ["run", path, "--output", out, "--force", *arguments]]) == 0
    return json.loads((out / "summary.json").read_text()), out


def test_the_contract_on_a_line(tmp_path):
    """Every key of summary.json against the independent exact solution."""
    summary, out = run(tmp_path)
    assert list(summary["states"]) == ["parallel", "antiparallel"]
    areas = {}
    for name, direction in (("parallel", 1), ("antiparallel", -1)):
        s, e = summary["states"][name], reference(stack(direction), ("lead", "lead"))
        areas[name] = e.resistance_area
        assert s["resistance"] is None
        assert s["current"] == s["current_density"]
        assert s["dissipated_power"] == pytest.approx(s["voltage"] * s["current"], rel=1e-12, abs=0)
        assert s["resistance_area"] == pytest.approx(e.resistance_area, rel=1e-8, abs=0)
        assert s["current_density"] == pytest.approx(1e11, rel=1e-12, abs=0)
        assert s["voltage"] == pytest.approx(1e11 * e.resistance_area, rel=1e-8, abs=0)
        assert s["dissipated_power"] == pytest.approx(1e22 * e.resistance_area, rel=1e-8, abs=0)
        assert abs(s["power_balance"]) < 1e-10
        assert isinstance(s["dofs"], int)
        assert list(s["accumulation"]) == ["lead-bottom|fixed", "fixed|Cu3", "Cu3|free", "free|Cu5"]
        accumulation = np.array(list(s["accumulation"].values())) / 1e11
        assert accumulation == pytest.approx(np.array(e.accumulation_at_interfaces), rel=1e-6, abs=1e-24)
        assert s["r_nonequilibrium"] == pytest.approx(e.r_nonequilibrium, rel=1e-7, abs=0)
        assert s["power_by_mechanism"]["spin flip"] == pytest.approx(1e22 * e.power["spin_flip"], rel=1e-6, abs=0)
        assert sum(s["power_by_place"].values()) == pytest.approx(s["dissipated_power"], rel=1e-12, abs=0)
    swing = areas["antiparallel"] - areas["parallel"]
    assert summary["delta_resistance_area"] == pytest.approx(swing, rel=1e-6, abs=0)
    assert summary["magnetoresistance"] == pytest.approx(swing / areas["parallel"], rel=1e-6, abs=0)
    assert summary["case"]["layer"][1]["name"] == "fixed"
    assert summary["ranks"] == MPI.COMM_WORLD.size
    assert summary["wall_time"] > 0
    assert {"fespin", "dolfinx", "petsc"} <= summary["versions"].keys()
    assert {p.name for p in out.iterdir()} == {
        "summary.json",
        "profile.png",
        *(f"{a}.{n}.{b}" for n in ("parallel", "antiparallel") for a, b in (("fields", "bp"), ("profile", "csv"))),
    }
    rows = (out / "profile.parallel.csv").read_text().splitlines()
    assert rows[0] == "position_m,layer,phi_up_V,phi_down_V,accumulation_V"
    assert len(rows) > 100


def test_the_python_interface_says_the_same(tmp_path):
    summary, _ = run(tmp_path, "--no-pictures")
    domain = line(MPI.COMM_WORLD, stack(-1), mesh_size=1e-9)
    problem = TransportProblem(domain, contacts=dict.fromkeys(("bottom", "top"), Contact("lead")))
    x = problem.solve(current_density=1e11)
    assert x.resistance_area == summary["states"]["antiparallel"]["resistance_area"]


def test_without_states_there_is_a_default(tmp_path):
    text = CASE[: CASE.index("[state.parallel]")]
    summary, out = run(tmp_path, "--set", "transport.current_density=-2e10", text=text)
    assert list(summary["states"]) == ["default"]
    assert "magnetoresistance" not in summary
    assert summary["states"]["default"]["voltage"] < 0
    assert (out / "fields.bp").exists()


@pytest.mark.slow
def test_strips_and_pillars_report_ohms(tmp_path):
    """Voltage drive; R = A R / A in ohm; per-layer drops add up to the voltage."""
    exact = {
        n: reference(stack(d), ("lead", "lead")).resistance_area for n, d in (("parallel", 1), ("antiparallel", -1))
    }
    for name, shape, area in (
        ("strip", 'shape = "strip"\nwidth = 50e-9\ndepth = 20e-9', 1e-15),
        ("pillar", 'shape = "pillar"\nsemi_axes = [20e-9, 30e-9]', np.pi * 6e-16),
    ):
        text = CASE.replace('shape = "line"\nmesh_size = 1e-9', shape + "\nmesh_size = 10e-9")
        text = text.replace("current_density = 1e11", "voltage = 1e-3")
        summary, out = run(tmp_path, text=text, name=name)
        for state, s in summary["states"].items():
            assert s["resistance_area"] == pytest.approx(exact[state], rel=1e-5, abs=0)
            assert s["resistance"] == pytest.approx(exact[state] / area, rel=1e-5, abs=0)
            assert s["current"] == pytest.approx(1e-3 * area / exact[state], rel=1e-5, abs=0)
            assert s["voltage"] == pytest.approx(1e-3, rel=1e-12, abs=0)
            drops = sum(s["layer_drops"].values()) + sum(s["interface_drops"].values())
            assert drops == pytest.approx(1e-3, rel=1e-8, abs=0)
            assert (out / f"accumulation.{state}.png").stat().st_size > 10_000


def test_lateral_case(tmp_path, capsys):
    """Several terminals: voltages of all contacts; current drive between two of them."""
    text = """
[geometry]
shape = "lateral"
dimension = 2
separation = 300e-9
wire_width = [100e-9, 60e-9]
channel_width = 80e-9
[[layer]]
name = "channel"
material = "Cu"
thickness = 60e-9
[[layer]]
name = "injector"
material = "Py"
thickness = 30e-9
[[layer]]
name = "detector"
material = "Py"
thickness = 30e-9
[contact.left]
spin = "lead"
voltage = 0
[contact.injector]
current = 1e-3
[contact.detector]
current = 0
[contact.right]
spin = "lead"
current = 0
[transport]
measure = ["detector", "right"]
[state.parallel]
detector = [0, 0, 1]
[state.antiparallel]
detector = [0, 0, -1]
"""
    summary, _ = run(tmp_path, text=text, name="lateral")
    up, down = (
        s["voltages"]["detector"] - s["voltages"]["right"]
        for s in (summary["states"]["parallel"], summary["states"]["antiparallel"])
    )
    assert up > 0 > down
    for s in summary["states"].values():
        assert s["currents"]["left"] == pytest.approx(-1e-3, rel=1e-9, abs=0)
        assert abs(s["power_balance"]) < 1e-10
    assert "magnetoresistance" not in summary
    assert summary["delta_voltages"]["detector"] - summary["delta_voltages"]["right"] == pytest.approx(
        down - up, rel=1e-9, abs=0
    )
    assert summary["reference_state"] == "parallel"
    measured = [s["measured_resistance"] for s in summary["states"].values()]
    assert measured == pytest.approx([up / 1e-3, down / 1e-3], rel=1e-9, abs=0)
    assert summary["delta_measured_resistance"] == pytest.approx((down - up) / 1e-3, rel=1e-9, abs=0)
    assert "(V(detector) - V(right))/I = " in capsys.readouterr().out


def test_set_changes_what_it_names(tmp_path):
    path = tmp_path / "c.toml"
    path.write_text(CASE)
    case, raw = read(path, ["layer.free.thickness=5e-9", "layer.1.material=Ag", "interface.'Co|Cu'.gamma=0.1"])
    assert case.layer[3].thickness == 5e-9
    assert case.make_stack().layers[0].material.name == "Ag"
    assert case.interface["Co|Cu"].gamma == 0.1
    assert raw["layer"][3]["thickness"] == 5e-9


def test_library_holds_where_the_case_is_silent(tmp_path):
    """Materials and interfaces that the case does not mention come from the library; AR* = 0 is perfect."""
    text = CASE.replace('[interface."Co|Cu"]\narea_resistance_star = 0.51e-15\ngamma = 0.77\n', "")
    path = tmp_path / "c.toml"
    path.write_text(text)
    assert read(path)[0].make_stack().interface("fixed", "Cu3") == Interface(0.51e-15, 0.77)
    case, _ = read(path, ["interface.'Cu|Co'.area_resistance_star=0"])
    assert case.make_stack().interface("fixed", "Cu3") is None
    case, _ = read(path, ["interface.'fixed|Cu3'.area_resistance_star=1e-15"])
    stack = case.make_stack()
    # What an entry leaves open, the library fills: a sweep of AR* keeps gamma.
    assert stack.interface("Cu3", "fixed") == Interface(1e-15, 0.77)
    case, _ = read(path, ["interface.'Cu|Co'.gamma=0.5"])
    assert case.make_stack().interface("Cu3", "fixed") == Interface(0.51e-15, 0.5)
    case, _ = read(path, ["interface.'Cu|Co'.area_resistance_star=2e-15", "interface.'Cu|Co'.gamma=0"])
    assert case.make_stack().interface("Cu3", "fixed") == Interface(2e-15, 0.0)
    assert stack.interface("free", "Cu3") == Interface(0.51e-15, 0.77)


def test_what_is_assumed_is_said(tmp_path, capsys):
    """An interface of a magnet that is in neither library nor case; an entry that nothing uses."""
    text = CASE.replace('[interface."Co|Cu"]', '[interface."Co|Ag"]')
    summary, _ = run(tmp_path, "--no-pictures", "--set", "transport.temperature=300", text=text)
    assert summary["notes"] == [
        "interface 'Co|Ag' is not used: no layer is made of one of its materials",
        "no interface Cu|Co in the library at 300 K, and none given: taken as perfect",
    ]
    assert "fespin: note: no interface Cu|Co" in capsys.readouterr().err
    assert set(summary["interfaces"].values()) == {"perfect"}
    assert summary["contacts"] == {"bottom": "lead", "top": "lead"}
    assert run(tmp_path, "--no-pictures", name="plain")[0]["notes"] == []


def test_every_key_is_documented(tmp_path):
    page = (ROOT / "docs" / "conventions.md").read_text()
    summary, _ = run(tmp_path, "--no-pictures")
    for key in (*summary, *next(iter(summary["states"].values()))):
        assert f"`{key}" in page, key


def test_dry_run_meshes_nothing(tmp_path, capsys):
    path = tmp_path / "c.toml"
    path.write_text(CASE)
    assert main(["run", str(path), "--dry-run"]) == 0
    printed = capsys.readouterr().out
    for words in ("Co/Cu/Co spin valve", "free", "59.13", "AR* 5.1e-16", "parallel, antiparallel"):
        assert words in printed
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_waits_for_nothing_that_it_does_not_use(tmp_path):
    """Each of these takes longer to import than the line to solve."""
    (tmp_path / "c.toml").write_text(CASE)
    code = (
        "import sys; from fespin.cli import main\n"
        "assert main(['run', 'c.toml', '--no-pictures']) == 0\n"
        "others = {'gmsh', 'scipy', 'matplotlib', 'pyvista', 'fespin.sigma', 'fespin.coupling'} & set(sys.modules)\n"
        "assert not others, others"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stderr


def test_schema_and_materials_print(capsys):
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == schema()
    assert "geometry" in schema()["properties"]
    assert main(["materials"]) == 0
    assert "Co|Cu" in capsys.readouterr().out
    assert main(["materials", "Ag"]) == 0
    printed = capsys.readouterr().out
    assert "Ag at 4.2 K" in printed
    assert "Co|Cu" not in printed
    assert main(["materials", "Silver"]) == 2
    assert "did you mean 'Ag'?" in capsys.readouterr().err


def test_cases_of_demos_and_meshes_are_valid():
    """Case files that are shown to users pass the checks."""
    paths = (*ROOT.glob("demos/*.toml"), *ROOT.glob("meshes/*.toml"))
    assert len(paths) >= 12
    for path in paths:
        read(path)


def test_progress_bar_is_for_terminals(tmp_path, capsys, monkeypatch):
    """On a terminal a bar is drawn and removed; in a log there are lines only."""
    run(tmp_path, "--no-pictures", name="log")
    logged = capsys.readouterr().err
    assert "\r" not in logged
    assert logged.count("fespin: state") == 2
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    run(tmp_path, "--no-pictures", name="terminal")
    shown = capsys.readouterr().err
    assert "] state antiparallel" in shown
    assert shown.rstrip("\n").endswith("\r\x1b[K")


def calls(action):
    """Return how many functions are called."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("model", ["two-channel", "vector"])
def test_reading_is_linear_in_the_layers(model, tmp_path):
    """Layers, their interfaces by name and a state of them all: twice as many take twice the work."""

    def work(n):
        lines = ["[geometry]", 'shape = "line"', "[transport]", "current_density = 1e11", f'model = "{model}"']
        lines += ["[state.p]", *(f"n{i} = [0, 0, -1]" for i in range(1, n, 2))]
        for i in range(n):
            lines += ["[[layer]]", f'name = "n{i}"', f'material = "{("Cu", "Co")[i % 2]}"', "thickness = 2e-9"]
            if i:
                lines += [f'[interface."n{i - 1}|n{i}"]', "area_resistance_star = 1e-15", "gamma = 0.3"]
                lines += ["mixing_conductance = 4e14"] if model == "vector" else []
        path = tmp_path / f"{n}.toml"
        path.write_text("\n".join(lines))

        def whole():
            case = read(path)[0]
            assert len(case.layer) == n
            kind_of(case).describe(case)
            notes_of(case)

        return calls(whole)

    work(4)  # what is done once
    few, more, most = (work(n) for n in (100, 200, 300))
    assert most - more == pytest.approx(more - few, rel=0.05)
