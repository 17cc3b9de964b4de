"""The task that the documentation adds is one: it is read, checked, run and described as the others."""

import re
from typing import Annotated

import numpy as np
import pytest
from launch import ROOT
from mpi4py import MPI
from pydantic import Field

import fespin as fs
from fespin.cases.json_schema import schema
from fespin.cases.macrospin.about import About
from fespin.cases.macrospin.shared import Shared
from fespin.cases.macrospin.spectrum import Spectrum
from fespin.cases.task_loop import run_each
from fespin.cases.tasks import Outlet, Task, classes_of
from fespin.cases.units import occurring
from fespin.coupling import DrivenMagnet
from fespin.errors import InputError

PAGE = (ROOT / "docs" / "adding-a-task.md").read_text()
SPIN = fs.Macrospin(1.3e-24, 7.1e5, 0.2, 310.0, fs.Uniaxial(stability=17.0, axis=(1, 2, 2)))


@pytest.fixture(scope="module")
def wells():
    names = {}
    exec(compile(re.findall(r"```python\n(.*?)```", PAGE, re.S)[0], "adding-a-task.md", "exec"), names)
    task_class = names["Wells"]
    task_class.model_rebuild(_types_namespace=names)
    yield task_class
    # Other tests count the classes of tables.
    task_class.__module__ = "docs"


def test_it_is_checked(wells):
    """Its own bounds, and what depends on the magnet: one line that names the key."""
    about = About(SPIN, None, "")
    wells.model_validate({"kind": "wells", "depth": 16.9}).check("task 1", about)
    with pytest.raises(InputError, match=r"task 1\.depth: found 18; the deepest well has a barrier of 17"):
        wells.model_validate({"kind": "wells", "depth": 18.0}).check("task 1", about)
    with pytest.raises(ValueError, match="greater than or equal to 0"):
        wells.model_validate({"kind": "wells", "depth": -1.0})


def test_it_runs(wells, tmp_path):
    """The wells of a uniaxial magnet are its axis and the opposite, with barriers K v/kT."""
    comm = MPI.COMM_SELF
    shared = Shared(comm, "", SPIN, None, fs.FokkerPlanck(comm, SPIN), None, None, [], DrivenMagnet(SPIN))
    said = []
    out = Outlet(tmp_path, lambda name, draw: None, said.append)
    tasks = [wells.model_validate({"kind": "wells"})]
    results = run_each(comm, tasks, lambda task, name: task.run(shared, name, out), said.append)["1"]
    assert (results["kind"], results["depth"]) == ("wells", 1.0)
    assert results["barriers"] == pytest.approx([17.0, 17.0], rel=1e-9)
    directions = np.array(results["directions"])
    assert np.abs(directions @ np.array([1, 2, 2]) / 3) == pytest.approx(1, abs=1e-9)
    assert (tmp_path / "wells.1.csv").read_text().splitlines()[0] == "barrier_kT"
    assert wells.line(results, {}) == "2 wells" and said[0].startswith("task 1: wells")
    assert occurring(wells.units_of(results, {}), results) == {"directions": "1", "barriers": "kT"}


def test_one_word_in_the_union_is_enough(wells):
    assert classes_of(Annotated[Spectrum | wells, Field(discriminator="kind")]) == {
        "spectrum": Spectrum,
        "wells": wells,
    }
    assert wells.word() == "wells" and issubclass(wells, Task)
    assert "Wells" not in schema()["$defs"]
