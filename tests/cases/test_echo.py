"""What summary.json says of its own case: defaults that were used, units, and a case that runs again."""

import json
import tomllib

import pytest
from case_texts import layers, longitudinal, macrospins, models, relaxation, surveys, textures
from casefiles import run, task, written
from launch import ROOT

from fespin.cases.casefile import read
from fespin.cases.registry import kinds
from fespin.cases.units import occurring
from fespin.cli import main

TEXTS = {
    "line": layers.LINE,
    "strip": layers.STRIP,
    "pillar": layers.LEADS,
    "lateral": layers.LATERAL,
    "three channels": models.STACK + models.THREE + models.STATES,
    "heat": models.WARM + models.HEAT + models.STATES,
    "vectors": models.STACK + models.VECTOR + models.TILTED,
    "macrospin": macrospins.GOOD,
    "all tasks": macrospins.MAGNET + macrospins.BIAXIAL + macrospins.SWEEP + macrospins.BAND + macrospins.PASSAGE,
    "faces": relaxation.VALVE,
    "device": surveys.DEVICE + "".join(task(k, surveys.TASKS[k]) for k in surveys.TASKS),
    "wall": textures.BASE + textures.EMF + textures.MOVE,
    "modes": longitudinal.MAGNET + longitudinal.LINE + task("dispersion"),
    "start": longitudinal.MAGNET + longitudinal.BOX + longitudinal.SPOT + longitudinal.RELAX,
    "response": longitudinal.MAGNET + longitudinal.LINE + longitudinal.INJECT + longitudinal.RESPONSE,
    **{p.name: p.read_text("utf-8") for p in sorted(ROOT.glob("demos/*.toml"))},
}


def tables(text, tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(text, "utf-8")
    return read(path)[0].used()


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_tables_that_are_used_make_the_same_case(text, tmp_path):
    """They are valid, have all that was given, and nothing more comes when they are read once more."""
    used = tables(text, tmp_path)
    assert tables("\n".join(f"{json.dumps(k)} = {written(v)}" for k, v in used.items()), tmp_path) == used

    def contained(given, there, where):
        for key, value in given.items() if isinstance(given, dict) else enumerate(given):
            if isinstance(value, dict | list):
                contained(value, there[key], f"{where}.{key}")
            else:
                assert there[key] == value, f"{where}.{key}"

    contained(tomllib.loads(text), used, "")


def test_the_case_of_a_summary_runs_again(tmp_path):
    """And gives the same numbers: with units, the version, and defaults of layers, contacts and the model."""
    text = layers.STRIP.replace("degree = 2", "degree = 1") + "[state.parallel]\nfree = [0, 0, 1]\n"
    first, _ = run(tmp_path, text)
    assert first["schema_version"] == 2
    case = first["case"]
    assert [x["name"] for x in case["layer"]] == ["fixed", "Cu2", "free"]
    assert case["geometry"]["depth"] == 1.0 and "length_unit" not in case["geometry"]
    assert case["contact"] == {k: {"spin": "reservoir"} for k in ("bottom", "top")}
    assert case["transport"]["solver"] == {"kind": "auto", "rtol": 1e-8, "max_iterations": 500, "petsc": {}}
    assert "sphere" not in case and "reference_temperature" not in case["transport"]
    again, _ = run(tmp_path, "\n".join(f"{json.dumps(k)} = {written(v)}" for k, v in case.items()), name="again")
    assert again["case"] == case
    for name, state in first["states"].items():
        assert again["states"][name] == state
    units = first["units"]
    assert units["states"]["resistance_area"] == "ohm m2" and units["states"]["current"] == "A"
    assert units["delta_resistance_area"] == "ohm m2" and units["magnetoresistance"] == "1"
    assert units["wall_time"] == units["seconds"] == "s"


def test_units_follow_the_dimension(tmp_path):
    """On a line currents are densities; of a body totals are per area or per depth."""
    line, _ = run(tmp_path, layers.LINE)
    assert line["units"]["states"]["current"] == "A/m2" and line["units"]["states"]["dissipated_power"] == "W/m2"
    text = longitudinal.MAGNET + "{}" + longitudinal.START + longitudinal.RELAX
    rectangle = '[longitudinal.geometry]\nshape = "rectangle"\nsize = [40e-9, 20e-9]\nmesh_size = 10e-9\n'
    units = run(tmp_path, text.format(rectangle))[0]["units"]
    assert units["longitudinal"]["volume"] == "m2"
    assert units["tasks"]["1"]["total_M"] == "A m" and units["tasks"]["1"]["free_energy"] == "J/m"
    assert units["tasks"]["1"]["dissipation"] == "W/m" and units["tasks"]["1"]["duration"] == "s"


def test_units_follow_the_sweep(tmp_path):
    """A swept field is in T, a swept torque a factor."""
    swept = {
        "field": "direction = [0, 0, 1]\nrange = [0.01, -0.01]\nrate = 1e9\nsamples = 2\nloop = false",
        "torque": 'sweep = "torque"\nrange = [1, 0.5]\nrate = 1e9\nsamples = 2\nloop = false',
    }
    tasks = "".join(task("hysteresis", f'name = "{k}"', v) for k, v in swept.items())
    text = macrospins.MAGNET + macrospins.UNIAXIAL.replace("40", "3") + macrospins.TORQUE + tasks
    units = run(tmp_path, text)[0]["units"]["tasks"]
    assert [units["field"][k] for k in ("range", "rate", "field", "reversals")] == ["T", "T/s", "T", "T"]
    assert [units["torque"][k] for k in ("range", "rate", "factor", "reversals")] == ["1", "1/s", "1", "1"]


# Numbers that count or name something in ways that no unit says.
WITHOUT = {"ranks", "schema_version", "critical", "degree"}


def numbers(value, key=""):
    """Yield the keys that hold numbers, the innermost one that is no name."""
    if isinstance(value, dict):
        for k, v in value.items():
            yield from numbers(v, k)
    elif isinstance(value, list):
        for v in value:
            yield from numbers(v, key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda k: k.title)
def test_units_of_tasks_are_of_known_keys(kind):
    """Units are texts of SI, written as in descriptions."""
    for task_class in kind.tasks.values():
        for key, unit in task_class.units.items():
            assert key.isidentifier() and unit and not unit.startswith("("), key


def test_every_number_of_a_summary_has_a_unit(tmp_path):
    """Of a macrospin's tasks: each key with numbers, or the table that it is in."""
    asked = (macrospins.SPECTRUM, macrospins.PASSAGE, task("escape"), task("steady"))
    text = macrospins.MAGNET + macrospins.UNIAXIAL.replace("40", "5") + "".join(asked)
    summary, _ = run(tmp_path, text)
    for name, results in summary["tasks"].items():
        lacking = set(numbers(results)) - summary["units"]["tasks"][name].keys() - WITHOUT
        assert not lacking, name
    assert not set(numbers(summary["macrospin"])) - summary["units"]["macrospin"].keys()


def test_keys_inside_of_tables_are_found():
    units = {"energy": "kT", "x": "m"}
    assert occurring(units, {"wells": [{"energy": 1.0}, {"energy": 2.0}], "y": 1, "x": {"left": 2.0}}) == units
    assert occurring(units, {"y": [[1.0], [2.0]]}) == {}


def test_a_dry_run_leaves_no_summary(tmp_path):
    (tmp_path / "case.toml").write_text(layers.LINE)
    assert main(["run", str(tmp_path / "case.toml"), "--dry-run"]) == 0
    assert [x.name for x in tmp_path.iterdir()] == ["case.toml"]


@pytest.mark.slow
def test_an_echo_without_a_start_has_the_same_mesh(tmp_path):
    """A default start must not turn the mesh of directions when it is written."""
    text = macrospins.MAGNET + "field = [0.02, 0.01, -0.03]\n" + macrospins.UNIAXIAL.replace("40", "6")
    text = text.replace('kind = "uniaxial"', 'kind = "uniaxial"\naxis = [1, 0.3, 0.2]') + "[sphere]\nmesh_size = 0.4\n"
    first, _ = run(tmp_path, text + macrospins.SPECTRUM + macrospins.SWITCHING)
    echo = "\n".join(f"{json.dumps(k)} = {written(v)}" for k, v in first["case"].items())
    again, _ = run(tmp_path, echo, name="again")
    assert again["tasks"]["2"]["dofs"] == first["tasks"]["2"]["dofs"]
    assert again["tasks"]["1"]["eigenvalues"] == first["tasks"]["1"]["eigenvalues"]
