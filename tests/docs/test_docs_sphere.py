"""The conventions name every key of a macrospin's case and summary, every file and every column."""

import json
import re
from typing import get_args

import pytest
from launch import ROOT

from fespin.cases.macrospin import TASKS as CLASSES
from fespin.cases.macrospin.anisotropies import AnisotropyTable
from fespin.cases.macrospin.tables import MacrospinTable, SphereTable, TorqueTable
from fespin.cases.messages import told_apart
from fespin.cli import main

PAGE = (ROOT / "docs" / "conventions.md").read_text().partition("## Directions")[2]
# A magnet without symmetry, and a task of each kind.
CASE = """\
[macrospin]
volume = 1.4e-24
saturation_magnetization = 8e5
damping = 0.3
field = [0.001, 0, 0]
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 3
[torque]
critical_ratio = 0.2
polarizer = [0.2, 0, -1]
[sphere]
mesh_size = 0.5
"""
SWEEP = "rate = 1e9\nsamples = 2\nloop = false\ntolerance = 1e-2"
TASKS = {
    "spectrum": "count = 3",
    "steady": "",
    "escape": "",
    "switching": "pulse = 1e-10\nsamples = 3",
    "langevin": "pulse = 1e-11\nsamples = 2\nensemble = 8",
    "hysteresis": "direction = [0, 0, 1]\nrange = [0.01, -0.01]\n" + SWEEP,
    "susceptibility": "direction = [0, 0, 1]\nfrequencies = [1e9, 2e9]\nsamples = 2",
    "noise": "observable = [0, 0, 1]\nfrequencies = [1e9, 2e9]\nsamples = 2",
    "first-passage": "start = [0, 0, 1]",
    "dwell-times": "drives = [0.0, 0.5]\nsamples = 2",
    "resonance": "drives = [0.0, 0.5]\nsamples = 2\nstart = [0, 0, 1]",
    "phase-diagram": "drives = [0.0, 0.5]\nfields = [0.0, 0.001]\ndirection = [0, 0, 1]\nsamples = 2",
    "loops": "direction = [0, 0, 1]\nrange = [0.01, -0.01]\ndrives = [0.5]\n" + SWEEP,
    "of-torque": 'sweep = "torque"\nrange = [1, 0.5]\n' + SWEEP,
}


def body(title):
    """Return what stands under a bold title."""
    match = re.search(rf"^\*\*{re.escape(title)}\*\*.*?(?=^\*\*|\Z)", PAGE, re.S | re.M)
    assert match, title
    return match[0]


def part(title):
    """Return the names in backquotes under a bold title."""
    return set(re.findall(r"`([^`]+)`", body(title)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("sphere")
    text = CASE
    for name, keys in TASKS.items():
        kind = "hysteresis" if name in ("of-torque", "loops") else name
        text += f'[[task]]\nkind = "{kind}"\nname = "{name}"\n{keys}\n'
    (path / "case.toml").write_text(text)
    assert main(["run", str(path / "case.toml"), "--output", str(path / "out"), "--no-pictures"]) == 0
    return path / "out"


@pytest.mark.slow
def test_keys_of_the_summary(folder):
    summary = json.loads((folder / "summary.json").read_text())
    assert summary["macrospin"].keys() | summary["macrospin"]["wells"][0].keys() <= part("`macrospin`")
    task_keys = part("`[[task]]`")
    for name, results in summary["tasks"].items():
        assert results.keys() <= part("`tasks.<name>`") | task_keys, name
    # And nothing that is not there.
    named = "".join(re.findall(r"^\| (`.*?) \|", body("`tasks.<name>`"), re.M))
    of_others = {"resistance_area", "electrical_power", "error", "missing"}  # of devices and of what fails
    of_others |= {"cells", "orders"}  # of rings, which this case does not ask for
    there = set().union(*summary["tasks"].values(), summary["tasks"]["loops"]["loops"][0])
    assert set(re.findall(r"`(\w+)`", named)) - of_others <= there


@pytest.mark.parametrize(
    ("tables", "title"),
    [
        ([MacrospinTable], "`[macrospin]`"),
        (told_apart(AnisotropyTable)[1].values(), "`[[macrospin.anisotropy]]`"),
        ([TorqueTable], "`[torque]`"),
        ([SphereTable], "`[sphere]`"),
        (CLASSES.values(), "`[[task]]`"),
    ],
    ids=lambda x: x if isinstance(x, str) else "",
)
def test_keys_of_a_case(tables, title):
    for table in tables:
        words = get_args(table.model_fields["kind"].annotation) if "kind" in table.model_fields else ()
        assert {*table.model_fields, *words} <= part(title)


def test_files_and_columns(folder):
    files = part("Files")
    names = {
        p.name.replace("of-torque", "hysteresis").replace("loops.0", "loops.<number>") for p in folder.iterdir()
    } - {"summary.json", "case.toml"}
    assert {re.sub(r"\.[a-z-]+\.", ".<name>.", x) for x in names} <= files
    for path in folder.glob("*.csv"):
        assert set(path.read_text().splitlines()[0].split(",")) <= files, path.name
