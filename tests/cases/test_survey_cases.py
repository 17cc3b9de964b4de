"""Cases with tasks against drive and field: the numbers are those of Python, and bad input is refused."""

import csv
import json

import numpy as np
import pytest
from case_texts.surveys import DEVICE, TASKS
from mpi4py import MPI

import fespin as fs
from fespin.cases.casefile import read
from fespin.cli import main
from fespin.coupling import TorqueMap
from fespin.sigma.surveys import dwell_times, phase_diagram, resonances

COMM = MPI.COMM_SELF


def task(kind, text=None):
    return f'[[task]]\nkind = "{kind}"\nname = "{kind}"\n{TASKS[kind] if text is None else text}'


def write(folder, text, *changes):
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "case.toml"
    path.write_text(text)
    return path


def run(folder, text, *options):
    """Run a case; return the folder and the summary."""
    out = folder / "out"
    assert main(["run", str(write(folder, text)), "--output", str(out), *options]) == 0
    return out, json.loads((out / "summary.json").read_text())


def columns(path):
    with path.open() as file:
        rows = list(csv.DictReader(file))
    return {k: [r[k] for r in rows] for k in rows[0]}


def free_layer(**more):
    return fs.Macrospin(40e-9 * 50e-9 * 3e-9, 8e5, 0.05, 300.0, fs.Uniaxial(stability=8, axis=(0, 0, 1)), **more)


def close(found, right, **tolerance):
    """Whether nested lists are the same numbers; None stands for what is not finite."""
    given = np.array(found, dtype=float)
    right = np.where(np.isfinite(right), right, np.nan)
    return given == pytest.approx(right, nan_ok=True, **({"rel": 1e-6, "abs": 0} | tolerance))


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """The case with all five kinds of tasks, and its map."""
    out, summary = run(tmp_path_factory.mktemp("surveys"), DEVICE + "".join(task(k) for k in TASKS))
    found = TorqueMap.load(out / "torque_map.json")
    spin = found.pumped(free_layer(), current_density=-2e9)

    def driven(j):
        return spin, found.torque(spin, current_density=j)

    return out, summary, driven


@pytest.mark.slow
def test_the_map_of_the_case_is_that_of_python(case):
    """What the other tests take from the file is what a torque map of the same device gives."""
    out, summary, _ = case
    saved = TorqueMap.load(out / "torque_map.json")
    stack = read(out.parent / "case.toml", [])[0].make_stack()
    domain = fs.strip(COMM, stack, width=40e-9, depth=50e-9, mesh_size=40e-9)
    problem = fs.TransportProblem(domain, fs.Vector(), contacts=dict.fromkeys(("bottom", "top"), "lead"), degree=1)
    right = fs.torque_map(problem, "free", tolerance=1e-2, pumping=True)
    for key in ("damping_like", "field_like", "resistance_area"):
        assert getattr(saved, key)(0.3) == pytest.approx(getattr(right, key)(0.3), rel=1e-9, abs=0)
    assert saved.pumping[0](0.3) == pytest.approx(right.pumping[0](0.3), rel=1e-9, abs=0)
    assert summary["torque_map"]["pumped_damping"].keys() == {"parallel", "perpendicular", "antiparallel"}


def test_dwell_times(case):
    out, summary, driven = case
    told = summary["tasks"]["dwell-times"]
    right = dwell_times(COMM, driven, [-1e10, 0.0, 1e10])
    assert told["drives"] == [-1e10, 0.0, 1e10]
    assert close(told["dwell_times"], right.dwell_times)
    assert close(told["populations"], right.populations, rel=1e-6, abs=1e-12)
    assert told["stable"] == right.stable.tolist()
    written = columns(out / "dwell.dwell-times.csv")
    assert set(written) == {
        "current_density_A_per_m2",
        *(f"{k}_{i}{s}" for i in (0, 1) for k, s in (("dwell_time", "_s"), ("population", ""))),
    }
    assert [float(x) for x in written["dwell_time_1_s"]] == pytest.approx(right.dwell_times[:, 1], rel=1e-6, abs=0)
    assert [float(x) for x in written["current_density_A_per_m2"]] == [-1e10, 0.0, 1e10]


@pytest.mark.slow
def test_phase_diagram(case):
    out, summary, driven = case
    told = summary["tasks"]["phase-diagram"]
    right = phase_diagram(COMM, driven, [-6e10, -2e10, 2e10], [-3e-3, 0.0, 3e-3], along=(0, 0, 1), observation=1e-6)
    assert told["regions"] == right.regions.tolist()
    assert len({x for row in told["regions"] for x in row}) > 1
    assert close(told["dwell_times"], right.dwell_times)
    assert told["observation_time"] == 1e-6
    assert sum(map(len, told["critical"])) > 0
    for a, b in zip(told["critical"], right.critical, strict=True):
        assert np.array(a).reshape(-1, 2) == pytest.approx(b, rel=1e-9, abs=0)
    written = columns(out / "phase_diagram.phase-diagram.csv")
    assert written["region"] == [x for row in told["regions"] for x in row]
    assert [float(x) for x in written["field_T"]] == np.repeat([-3e-3, 0.0, 3e-3], 3).tolist()
    assert {"current_density_A_per_m2", "dwell_time_0_s", "population_1"} <= set(written)


def test_resonance(case):
    out, summary, driven = case
    told = summary["tasks"]["resonance"]
    right = resonances(COMM, driven, [-1e10, 1e10], state=(0, 0, -1))
    written = columns(out / "resonance.resonance.csv")
    for key in ("frequency", "width", "thermal_frequency", "thermal_width"):
        assert close(told[key], getattr(right, key))
        assert [float(x) for x in written[f"{key}_Hz"]] == pytest.approx(getattr(right, key), rel=1e-6, abs=0)
    # Downwards the current favours parallel magnets, which narrows the other state's line.
    assert 0 < told["width"][0] < told["width"][1]


def test_noise_of_the_resistance(case):
    out, summary, driven = case
    told = summary["tasks"]["noise"]
    spin, torque = driven(-2e9)
    found = TorqueMap.load(out / "torque_map.json")
    right = fs.FokkerPlanck(COMM, spin, torque).noise(found.resistance_at, np.geomspace(1e5, 1e10, 11))
    assert close(told["density"], right.density)
    assert told["mean_observable"] == pytest.approx(right.mean, rel=1e-9, abs=0)
    assert told["variance"] == pytest.approx(right.variance, rel=1e-9, abs=0)
    assert set(columns(out / "noise.noise.csv")) == {"frequency_Hz", "density_ohm2_m4_per_Hz"}


def test_loops_of_the_resistance(case):
    out, summary, driven = case
    loops = summary["tasks"]["hysteresis"]["loops"]
    found = TorqueMap.load(out / "torque_map.json")
    assert [x["drive"] for x in loops] == [-4e9, 4e9]
    times = np.linspace(0, 2 * 0.04 / 1e5, 17)
    spin, torque = driven(4e9)
    right = fs.FokkerPlanck(COMM, spin, torque).evolve(
        times,
        start=(0, 0, 1),
        field=lambda t: (0, 0, 0.02 - 1e5 * min(t, times[-1] - t)),
        breakpoints=[times[8]],
        observables={"resistance": found.resistance_at},
        tolerance=1e-2,
    )
    assert loops[1]["resistance_area"] == pytest.approx(right.observables["resistance"], rel=1e-5, abs=0)
    assert len(loops[1]["reversals"]) == 2
    # A current downwards favours parallel magnets, which shifts the loop to negative fields.
    assert loops[0]["shift"] < 0 < loops[1]["shift"]
    for number in range(2):
        written = columns(out / f"hysteresis.hysteresis.{number}.csv")
        assert set(written) == {
            "time_s",
            "field_T",
            "mean_along",
            "mean_x",
            "mean_y",
            "mean_z",
            "resistance_area_ohm_m2",
        }


def test_pictures(case):
    out = case[0]
    for name in (
        "phase_diagram.phase-diagram.png",
        "dwell.dwell-times.png",
        "resonance.resonance.png",
        "noise.noise.png",
        "hysteresis.hysteresis.png",
        "resistance.hysteresis.png",
        "torque_map.png",
    ):
        assert (out / name).stat().st_size > 10_000, name


def test_without_pumping(case, tmp_path):
    """The critical currents are the map's with the intrinsic damping alone."""
    text = (DEVICE + task("dwell-times")).replace("tolerance = 1e-2", "tolerance = 1e-2\npumping = false")
    out, summary = run(tmp_path, text, "--no-pictures")
    found, told = TorqueMap.load(out / "torque_map.json"), summary["torque_map"]
    assert found.pumping is None and "pumped_damping" not in told
    pumped = case[1]["torque_map"]["critical_current_density"]
    with_pumping, saved = case[2](0.0)[0], TorqueMap.load(case[0] / "torque_map.json")
    for well, less, more in zip(summary["macrospin"]["wells"], told["critical_current_density"], pumped, strict=True):
        assert less == pytest.approx(found.critical_current_density(free_layer(), well["direction"]), rel=1e-9, abs=0)
        right = saved.critical_current_density(with_pumping, well["direction"])
        assert more == pytest.approx(right, rel=1e-9, abs=0)
        assert 1.02 < more / less < 1.5


def test_a_voltage_behind_a_load(tmp_path):
    """Drives are voltages; the load lessens and evens out the current, and takes part in the pumping."""
    text = (DEVICE + task("dwell-times", "drives = [-1e-5, 1e-5]\nsamples = 2\n")).replace(
        "current_density = -2e9", "voltage = -1e-5"
    )
    text = text.replace("tolerance = 1e-2", "tolerance = 1e-2\nseries_resistance_area = 2e-15")
    out, summary = run(tmp_path, text, "--no-pictures")
    found = TorqueMap.load(out / "torque_map.json")
    circuit = {"voltage": -1e-5, "series_resistance_area": 2e-15}
    spin = found.pumped(free_layer(), **circuit)
    told = summary["torque_map"]["damping_like"]
    for key, c in (("parallel", 1.0), ("antiparallel", -1.0)):
        right = float(found.torque(spin, **circuit).damping_like(c))
        assert told[key] == pytest.approx(right, rel=1e-9, abs=0)
        current = -1e-5 / (float(found.resistance_area(c)) + 2e-15)
        per_current = float(found.torque(spin, current_density=1.0).damping_like(c))
        assert told[key] == pytest.approx(current * per_current, rel=1e-6, abs=0)
    right = dwell_times(
        COMM, lambda v: (spin, found.torque(spin, voltage=v, series_resistance_area=2e-15)), [-1e-5, 1e-5]
    )
    assert close(summary["tasks"]["dwell-times"]["dwell_times"], right.dwell_times)
    assert "voltage_V" in columns(out / "dwell.dwell-times.csv")


GIVEN = [('source = "transport"\ntolerance = 1e-2', "damping_like = 1e-3")]
NO_TORQUE = [('[torque]\nsource = "transport"\ntolerance = 1e-2\n', "")]
NO_TRANSPORT = [('[transport]\nmodel = "vector"\ncurrent_density = -2e9\ndegree = 1\n', "")]
LOAD = [("tolerance = 1e-2", "tolerance = 1e-2\nseries_resistance_area = 1e-15")]
SWEPT = "drives = [-1e9, 1e9]\nsweep = 'torque'\nrange = [-1, 1]\nrate = 1e5\n"
BAD = {
    "no drives": ("dwell-times", "samples = 3\n", [], "task 1 ('dwell-times').drives: missing"),
    "one drive": ("dwell-times", "drives = [1e9]\n", [], "task 1 ('dwell-times').drives: found [1000000000.0]"),
    "drives fall": ("dwell-times", "drives = [1e9, -1e9]\n", [], "task 1 ('dwell-times').drives: found"),
    "drives of a diagram fall": (
        "phase-diagram", TASKS["phase-diagram"].replace("[-6e10, 2e10]", "[2e10, 2e10]"), [],
        "task 1 ('phase-diagram').drives: found",
    ),
    "three drives": ("resonance", "drives = [0, 1e9, 2e9]\n", [], "task 1 ('resonance').drives: found"),
    "drives of a torque sweep": ("hysteresis", SWEPT, [], "task 1 ('hysteresis').drives: they belong to a sweep"),
    "drives, no torque": ("dwell-times", None, NO_TORQUE, "task 1 ('dwell-times'): drives need the table [torque]"),
    "loops, no torque": ("hysteresis", None, NO_TORQUE, "task 1 ('hysteresis').drives: they need the table [torque]"),
    "resistance of a given torque": ("noise", None, GIVEN, "task 1 ('noise').observable: \"resistance\" needs"),
    "resistance without transport": (
        "noise", None, [*NO_TRANSPORT, *GIVEN, ('[contact.bottom]\nspin = "lead"\n[contact.top]\nspin = "lead"\n', "")],
        "task 1 ('noise').observable: \"resistance\" needs",
    ),
    "no fields": (
        "phase-diagram", TASKS["phase-diagram"].replace("fields = [-3e-3, 3e-3]\n", ""), [],
        "task 1 ('phase-diagram').fields: missing",
    ),
    "no direction": (
        "phase-diagram", TASKS["phase-diagram"].replace("direction = [0, 0, 2]\n", ""), [],
        "task 1 ('phase-diagram').direction: missing",
    ),
    "one sample": ("resonance", "drives = [0, 1e9]\nsamples = 1\n", [], "task 1 ('resonance').samples: found 1"),
    "a load of a current": ("dwell-times", None, LOAD, "torque.series_resistance_area: belongs to transport.voltage"),
    "a load of a given torque": (
        "dwell-times", None, [*GIVEN, ("damping_like = 1e-3", "damping_like = 1e-3\nseries_resistance_area = 1e-15")],
        "torque.series_resistance_area: belongs to source",
    ),
    "pumping of a given torque": (
        "dwell-times", None, [*GIVEN, ("damping_like = 1e-3", "damping_like = 1e-3\npumping = true")],
        "torque.pumping: belongs to source",
    ),
    "no time to observe": (
        "phase-diagram", TASKS["phase-diagram"].replace("= 1e-6", "= 0"), [],
        "task 1 ('phase-diagram').observation_time: found 0",
    ),
    "a time before": (
        "phase-diagram", TASKS["phase-diagram"].replace("= 1e-6", "= -1.0"), [],
        "task 1 ('phase-diagram').observation_time: found -1",
    ),
    "a key of another kind": ("resonance", TASKS["phase-diagram"], [], "task 1 ('resonance').direction: belongs to"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, tmp_path, capsys, monkeypatch):
    """One line that names the key, before anything is meshed."""
    kind, text, changes, message = BAD[name]

    def never(*_, **__):
        raise AssertionError("a mesh was made")

    monkeypatch.setattr("fespin.cases.layered.run.make_domain", never)
    path = write(tmp_path, DEVICE + task(kind, text), *changes)
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1, error
    assert not (tmp_path / "out").exists()
