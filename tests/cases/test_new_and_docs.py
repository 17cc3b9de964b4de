"""Cases to start from, and explanations of keys: what they write is what validation does."""

import json
import re
import tomllib

import pytest
from casefiles import refused, swap
from launch import python

from fespin.cases.casefile import read
from fespin.cases.lookup import explained
from fespin.cases.new import annotated, new_case, templates
from fespin.cases.reference import tables
from fespin.cases.registry import kinds
from fespin.cli import main

# Changes that make runs short.
QUICK = {
    "pillar": ["geometry.mesh_size=40e-9"],
    "write-error": ["geometry.mesh_size=40e-9", "sphere.degree=2", "task.write.samples=2", "torque.tolerance=1e-2"],
    "macrospin": ["task.2.samples=3", "task.3.samples=3", "task.3.rate=1e9"],
    "domain-wall": ["task.motion.duration=1e-12", "task.motion.samples=2"],
    "longitudinal": ["task.modes.count=1"],
}


@pytest.mark.parametrize("name", templates())
def test_cases_to_start_from_run(name, tmp_path, monkeypatch):
    """As `fespin new` writes them, but for what makes them quick."""
    monkeypatch.chdir(tmp_path)
    assert main(["new", name]) == 0
    sets = [x for change in QUICK.get(name, []) for x in ("--set", change)]
    assert main(["run", f"{name}.toml", "--no-pictures", *sets]) == 0
    summary = json.loads((tmp_path / name / "summary.json").read_text())
    assert summary["title"] and (summary.get("states") or summary["tasks"])
    assert not any("error" in r for r in summary.get("tasks", {}).values())


@pytest.mark.parametrize("name", templates())
def test_every_key_is_explained_once(name, tmp_path):
    """In the first table of its kind, with its description and unit; also those that are not given."""
    text = new_case(name)
    raw = tomllib.loads(text)
    lines = text.splitlines()
    for i, line in enumerate(lines):
        assert len(line) <= 230
        if line.startswith("#") and " = " not in line:
            assert lines[i + 1] or i == 0, line
    first = text.partition("[[layer]]")[2].partition("\n[")[0] if "layer" in raw else ""
    assert not first or ("# default material and position" in first and "thickness = " in first)
    path = tmp_path / "case.toml"
    path.write_text(text)
    case, _ = read(path)
    assert case.title == raw["title"] and lines[0].startswith("# ") and lines[0].endswith(".")


@pytest.mark.parametrize("name", templates())
def test_defaults_in_comments_are_the_defaults(name, tmp_path):
    """A case in which they are no comments any more is the same case."""
    path = tmp_path / "case.toml"
    path.write_text(new_case(name))
    used = read(path)[0].used()
    text, count = re.subn(r"^# (\w+ = (?!\.\.\.).*)$", r"\1", new_case(name), flags=re.M)
    path.write_text(text)
    assert count > 1 and read(path)[0].used() == used


def test_kinds_of_case_have_one_each(capsys, tmp_path):
    """By the names of their tables as well; the list says what they are about."""
    for name in ("layers", "macrospin", "longitudinal", "texture"):
        assert main(["new", name, "--output", str(tmp_path / f"{name}.toml")]) == 0
    capsys.readouterr()
    assert main(["new"]) == 0
    shown = capsys.readouterr().out
    assert all(x in shown for x in templates()) and "Domain wall in a wire" in shown


def test_nothing_is_overwritten(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pillar.toml").write_text("mine")
    refused(capsys, ["new", "pillar"], ["pillar.toml", "exists", "--output"])
    assert (tmp_path / "pillar.toml").read_text() == "mine"
    refused(capsys, ["new", "piller"], ["no case is called 'piller'", "did you mean 'pillar'?"])
    refused(capsys, ["new", "pillar", "--output", "none/case.toml"], ["none/case.toml", "cannot be written"])
    assert [x.name for x in tmp_path.iterdir()] == ["pillar.toml"]


def test_keys_that_nothing_would_use_are_left_out():
    """Those of other shapes, sources and models; and a comment that is too long stands above its key."""
    wall, device, valve = new_case("domain-wall"), new_case("write-error"), new_case("spin-valve")
    assert "damping = 0.1  # Gilbert's alpha (1)" in wall and "# mesh = ...  # a .msh or .geo file" in wall
    assert "length_unit" not in wall and "# radius" not in wall
    assert "# pumping = true" in device and "# polarizer" not in device
    assert "seebeck" not in valve and "# seebeck" not in new_case("s-d")
    text = swap(
        'title = "x"\n[geometry]\nshape = "line"\n[[layer]]\n'
        'material = "Cu"\nthickness = 1e-8\n[transport]\nvoltage = 1.0\n',
        ('"Cu"', '"' + "Cu" * 40 + '"'),
    )
    lines = annotated(text).splitlines()
    i = lines.index("# name of a material of the library, or of [material.NAME]")
    assert lines[i + 1].startswith('material = "Cu')


# ---- fespin docs
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("damping", ["Gilbert's alpha", "unit 1", "required", "allowed > 0, < 100", "in [macrospin]", "in [texture]"]),
        ("task.switching.pulse", ["length of the pulse", "unit s", 'in [[task]] kind = "switching"']),
        ("switching", ['[[task]] kind = "switching"', "reduced_time", "samples", "default 41"]),
        ("task.hysteresis", ['[[task]] kind = "hysteresis"', "range", "required"]),
        ("Material.Co.beta".lower(), ["bulk spin asymmetry", "in [material.NAME]"]),
        ("material.seebeck", ["unit V/K", "with transport.model = thermoelectric"]),
        ('interface."Co|Cu".gamma', ["spin asymmetry", "in [interface.NAME]"]),
        ("interface", ["[interface.NAME]", "area_resistance_star", "(ohm m2)"]),
        ("[torque]", ["[torque]", "critical_ratio", "with source = given"]),
        ("macrospin.anisotropy.uniaxial", ["stability", "(kT)"]),
        ("geometry.separation", ["centre to centre", "with shape = lateral", "in [geometry]"]),
        ("width", ["of the strip", "in [geometry]", "in [longitudinal.start]", "in [texture.wall]"]),
        ("title", ["of pictures", "in (top level)"]),
    ],
)
def test_keys_are_explained(query, words, capsys):
    assert main(["docs", query]) == 0
    shown = capsys.readouterr().out
    for word in words:
        assert word in shown, shown


def test_all_tables_are_listed(capsys):
    assert main(["docs"]) == 0
    shown = capsys.readouterr().out
    for kind in kinds():
        assert kind.title in shown
        assert all(name in shown for name, _ in tables(kind.table) if name)


def test_unknown_keys_have_near_names(capsys):
    refused(capsys, ["docs", "dampin"], ["no key or table is called 'dampin'", "did you mean 'damping'?"])
    refused(capsys, ["docs", "task.spectrum.pulse"], ["there is no 'task.spectrum.pulse'", "task.switching"])
    refused(capsys, ["docs", "zzzzzz"], ["fespin docs lists the tables"])
    refused(capsys, ["docs", ""], ["give the name"])


@pytest.mark.slow
def test_every_key_of_every_table_is_found():
    """By its own name, and by its name with that of its table."""
    for kind in kinds():
        for name, table in tables(kind.table):
            for key in table.model_fields:
                path = f"{name.strip('[]').replace('.NAME', '.x')}.{key}".strip(".")
                assert explained(key) and explained(path), path


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("layer.free.thickness", "thickness"),
        ("task.1.pulse", "pulse"),
        ("macrospin.anisotropy.2.constant", "constant"),
        ("sphere.mesh_size=0.1", "mesh_size"),
        ('interface."Co|Cu".gamma', "gamma"),
    ],
)
def test_docs_take_what_overrides_say(query, word, capsys):
    assert main(["docs", query]) == 0
    assert capsys.readouterr().out.startswith(word)


def test_docs_of_a_wrong_table_name_the_right_ones(capsys):
    assert main(["docs", "macrospin.task"]) == 2
    assert "'task' is in the top level" in capsys.readouterr().err


def test_a_name_without_a_kind_is_refused(tmp_path, capsys):
    assert main(["new", "--output", str(tmp_path / "x.toml")]) == 2
    assert "the kind of case is missing" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_new_and_docs_on_two_ranks(tmp_path):
    """One file, and one text."""
    for command in (["new", "macrospin", "--output", tmp_path / "m.toml"], ["schema"]):
        done = python(2, "-m", "fespin", *command)
        assert done.returncode == 0, done.stderr
        if command[0] == "schema":
            assert json.loads(done.stdout)["title"] == "Case file of fespin"
        else:
            assert done.stdout.count("written to") == 1
