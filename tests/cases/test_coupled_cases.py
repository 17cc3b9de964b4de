"""Cases from a layer stack to switching statistics: the torque comes from transport."""

import json

import numpy as np
import pytest
from case_texts.coupled import ALONE, CASE
from launch import python
from mpi4py import MPI

import fespin as fs
from fespin.cases.casefile import read
from fespin.cli import main
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from fespin.coupling import DirectionMap, TorqueMap, torque_map

COMM = MPI.COMM_SELF


def write(folder, *changes):
    text = CASE
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "case.toml"
    path.write_text(text)
    return path


@pytest.mark.slow
def test_the_case_is_the_python_api(tmp_path):
    path = write(tmp_path)
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    case, _ = read(path, [])
    stack = case.make_stack()
    domain = fs.strip(COMM, stack, width=40e-9, depth=50e-9, mesh_size=20e-9)
    problem = fs.TransportProblem(domain, fs.Vector(), contacts={"bottom": "lead", "top": "lead"})
    found = torque_map(problem, "free", pumping=True)
    spin = fs.Macrospin(40e-9 * 50e-9 * 3e-9, 8e5, 0.02, 300.0, fs.Uniaxial(stability=40, axis=(0, 0, 1)))
    torque = found.torque(spin, current_density=-1.2e11)
    spin = found.pumped(spin, current_density=-1.2e11)
    right = fs.FokkerPlanck(COMM, spin, torque).switching(np.linspace(0, 1e-8, 5), start=(0, 0, -1))
    wer = summary["tasks"]["wer"]["not_switched"]
    assert wer == pytest.approx(right.not_switched, rel=1e-6, abs=0)
    assert 1e-12 < wer[-1] < 0.5
    told = summary["torque_map"]
    assert told["layer"] == "free" and told["polarizer"] == [0, 0, 1] and told["error"] < 1e-4
    for key, c in (("parallel", 1.0), ("perpendicular", 0.0), ("antiparallel", -1.0)):
        assert told["damping_like"][key] == pytest.approx(float(torque.damping_like(c)), rel=1e-9, abs=0)
        assert told["resistance_area"][key] == pytest.approx(float(found.resistance_area(c)), rel=1e-12, abs=0)
    for key, c in (("parallel", 1.0), ("antiparallel", -1.0)):
        assert told["pumped_damping"][key] == pytest.approx([float(spin.pumping.normal(c))] * 2, rel=1e-9, abs=0)
    # Electrons that flow from the fixed to the free layer favour parallel: conventional current downwards.
    down = next(
        j for w, j in zip(summary["macrospin"]["wells"], told["critical_current_density"], strict=True)
        if w["direction"][2] < 0
    )  # fmt: skip
    assert -1.2e11 < down < 0
    assert told["damping_like"]["antiparallel"] > 0
    saved = TorqueMap.load(tmp_path / "out" / "torque_map.json")
    assert saved.resistance_area(0.3) == pytest.approx(found.resistance_area(0.3), rel=1e-12, abs=0)
    for name in ("torque_map.png", "torque_map.csv", "write_error.png"):
        assert (tmp_path / "out" / name).stat().st_size > 500


@pytest.mark.slow
def test_a_voltage_and_two_ranks(tmp_path):
    path = write(tmp_path, ("current_density = -1.2e11", "voltage = -4.5e-4"))
    options = ["--no-pictures", "--set", "transport.solver.rtol=1e-14"]
    run = python(2, "-m", "fespin", "run", str(path), "--output", str(tmp_path / "two"), *options)
    assert run.returncode == 0, run.stderr
    assert main(["run", str(path), "--output", str(tmp_path / "one"), *options]) == 0
    one, two = (json.loads((tmp_path / n / "summary.json").read_text()) for n in ("one", "two"))
    assert two["tasks"]["wer"]["not_switched"] == pytest.approx(one["tasks"]["wer"]["not_switched"], rel=1e-7, abs=0)
    assert two["torque_map"]["damping_like"] == pytest.approx(one["torque_map"]["damping_like"], rel=1e-8, abs=0)


SOURCE = 'source = "transport"'
NO_MIXING = [
    ("mixing_conductance = [5.5e14, 0.5e14]", "gamma = 0.5"),
    ("mixing_conductance = [3.9e14, 0.4e14]", "gamma = 0.5"),
]
BAD = {
    "no transport": (
        [('[transport]\nmodel = "vector"\ncurrent_density = -1.2e11\n', "")], "the table [transport] is missing"
    ),
    "another model": (
        [('model = "vector"', 'model = "two-channel"'), *NO_MIXING], 'needs transport.model = "vector"'
    ),
    "a volume": ([('layer = "free"', "volume = 6e-24")], "needs macrospin.layer, the free layer"),
    "a drive of its own": (
        [(SOURCE, SOURCE + "\ndamping_like = 0.01")], "torque.damping_like: belongs to source"
    ),
    "a tolerance for a given torque": (
        [(SOURCE, "damping_like = 0.01\ntolerance = 1e-3")], "torque.tolerance: belongs to source"
    ),
    "a swept torque with a field": (
        [
            ('model = "vector"', 'model = "vector"\nfield = [0, 0, 1.0]'),
            ("[contact.bottom]", "[material.Cu]\ndensity_of_states = 1e47\n[contact.bottom]"),
            ('kind = "switching"\nname = "wer"\nstart = [0, 0, -1]\npulse = 1e-8\nsamples = 5',
             'kind = "hysteresis"\nsweep = "torque"\nrange = [-1, 1]\nrate = 1e9'),
        ],
        "needs one fixed direction",
    ),
    "the layer is no magnet": ([('layer = "free"', 'layer = "Cu1"')], "'Cu1' is no ferromagnet"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, tmp_path, capsys):
    changes, message = BAD[name]
    path = write(tmp_path, *changes)
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


SECOND = (
    '[[layer]]\nmaterial = "Cu"\nthickness = 10e-9\n[interface."Co|Cu"]',
    '[[layer]]\nmaterial = "Cu"\nthickness = 5e-9\n[[layer]]\nname = "reference"\nmaterial = "Co"\nthickness = 6e-9\n'
    'magnetization = [1, 0, 0]\n[[layer]]\nmaterial = "Cu"\nthickness = 10e-9\n[interface."Co|Cu"]',
)


def alone(folder, old="", new=""):
    path = folder / "alone.toml"
    path.write_text(ALONE.replace(old, new) if old else ALONE)
    return path


def test_a_magnet_alone_pumps(tmp_path, capsys):
    """Damping by the closed form of both faces, the same in all directions; no torque, and still one angle."""
    assert main(["run", str(alone(tmp_path)), "--output", str(tmp_path / "out"), "--no-pictures"]) == 0
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    g = sum(
        x / (1 + 2 * x * rho * length * back)
        for x, rho, length, back in (
            (3.9e14 + 0.4e14j, 6e-9, 450e-9, 1 / np.tanh(10 / 450)),
            (6.1e14 - 1.1e14j, 95e-9, 14e-9, 1.0),
        )
    )
    scale = fs.Macrospin(1e-24, 8e5, 0.02).gyromagnetic_ratio * HBAR**2 / (2 * ELEMENTARY_CHARGE**2 * 8e5 * 3e-9)
    found = told["torque_map"]
    assert found["alone"] and found["solves"] == 1
    assert np.ravel(list(found["pumped_damping"].values())) == pytest.approx([scale * g.real] * 6, rel=1e-4, abs=0)
    assert set(found["damping_like"].values()) == set(found["field_like"].values()) == {0.0}
    assert "is the only magnet, no torque; pumped damping" in capsys.readouterr().out
    held = TorqueMap.load(tmp_path / "out" / "torque_map.json")
    assert held.alone and held.polarizer == pytest.approx((1 / 3, 2 / 3, 2 / 3))
    spin = held.pumped(fs.Macrospin(1e-24, 8e5, 0.02), current_density=0.0)
    tensor = spin.pumping.tensor(np.array([[0.6, 0.0, 0.8]]))[0]
    assert np.trace(tensor) / 2 == pytest.approx(scale * g.real, rel=1e-4, abs=0)
    assert abs(tensor - tensor.T).max() / 2 == pytest.approx(abs(scale * g.imag) * 0.8, rel=1e-3, abs=0)
    # All of it is (alpha + a)/(1 + e) and gamma/(1 + e), u x (u x du/dt) being -du/dt.
    e = scale * g.imag
    gamma = fs.Macrospin(1e-24, 8e5, 0.02).gyromagnetic_ratio / (1 + e)
    plain = fs.Macrospin(
        3e-9 * np.pi * 20e-9**2, 8e5, (0.02 + scale * g.real) / (1 + e), 300.0,
        [fs.Uniaxial(stability=40.0, axis=(1, 2, 2))], gyromagnetic_ratio=gamma,
    )  # fmt: skip
    right = fs.FokkerPlanck(COMM, plain).spectrum(2).eigenvalues[1]
    assert told["tasks"]["1"]["eigenvalues"][1][0] == pytest.approx(right.real, rel=1e-4, abs=0)


def test_a_magnet_alone_without_pumping(tmp_path, capsys):
    path = alone(tmp_path, 'source = "transport"', 'source = "transport"\npumping = false')
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 2
    assert (
        "'free' is the only magnet; nothing polarizes the current, and pumping is left out" in capsys.readouterr().err
    )


@pytest.mark.slow
def test_two_fixed_directions(tmp_path):
    """A perpendicular polarizer and an in-plane reference: a map over the whole sphere."""
    tolerance = (SOURCE, SOURCE + "\ntolerance = 0.03")
    path = write(
        tmp_path,
        SECOND,
        tolerance,
        ("stability = 40", "stability = 8"),
        ("samples = 5", "samples = 2"),
        ("pulse = 1e-8", "pulse = 2e-9"),
        ("mesh_size = 20e-9", "mesh_size = 40e-9"),
    )
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    told = summary["torque_map"]
    assert told["polarizer"] is None and told["error"] < 0.03 and told["degree"] >= 2
    found = DirectionMap.load(tmp_path / "out" / "torque_map.json")
    spin = fs.Macrospin(40e-9 * 50e-9 * 3e-9, 8e5, 0.02, 300.0, fs.Uniaxial(stability=8, axis=(0, 0, 1)))
    torque = found.torque(spin, current_density=-1.2e11)
    solver = fs.FokkerPlanck(COMM, found.pumped(spin, current_density=-1.2e11), torque)
    assert solver.axis is None
    right = solver.switching(np.linspace(0, 2e-9, 2), start=(0, 0, -1))
    assert summary["tasks"]["wer"]["not_switched"] == pytest.approx(right.not_switched, rel=1e-6, abs=0)
    rows = (tmp_path / "out" / "torque_map.csv").read_text().splitlines()
    assert rows[0].startswith("polar_deg,azimuth_deg,torque_x_T") and len(rows) == 1 + 19 * 37
    assert (tmp_path / "out" / "torque_map.png").stat().st_size > 5000


def test_what_two_fixed_directions_cannot(tmp_path, capsys):
    langevin = ('kind = "switching"', 'kind = "langevin"\nensemble = 100')
    path = write(tmp_path, SECOND, langevin)
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 2
    assert "give torque.pumping = false" in capsys.readouterr().err


@pytest.mark.slow
def test_pumping_first_on_ranks_without_the_magnet(tmp_path):
    """Ranks that hold no part of an interface do not wait for those that do."""
    script = tmp_path / "pump.py"
    script.write_text(
        "from mpi4py import MPI\nimport fespin as fs\n"
        "cu, co = fs.material('Cu'), fs.material('Co')\n"
        "face = {('Co', 'Cu'): fs.Interface(0.5e-15, 0.7, 5e14)}\n"
        "stack = fs.Stack(fs.Layer(cu, 90e-9), fs.Layer(co, 4e-9, 'm', (0, 0, 1)), fs.Layer(cu, 90e-9),\n"
        "                 interfaces=face, library={})\n"
        "domain = fs.pillar(MPI.COMM_WORLD, stack, diameter=30e-9, mesh_size=12e-9)\n"
        "problem = fs.TransportProblem(domain, fs.Vector(), degree=1)\n"
        "print(fs.pumping_matrix(problem, 'm')[0, 0] > 0)\n"
    )
    run = python(3, str(script), timeout=120)
    assert run.returncode == 0, run.stderr
    assert run.stdout.count("True") == 3
