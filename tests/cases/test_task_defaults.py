"""What results tell of tasks: the defaults that were used, and tasks without names by their numbers from 1."""

import pytest
from casefiles import refused, run, swap, task

from fespin.cases.macrospin import TASKS
from fespin.cases.registry import kinds

BIT = """
[macrospin]
volume = 1.1e-24
saturation_magnetization = 7e5
damping = 0.3
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 3
[torque]
critical_ratio = 0.2
polarizer = [0, 0, -1]
"""
BARE = {
    "spectrum": task("spectrum"),
    "switching": task("switching", "reduced_time = 3"),
    "langevin": task("langevin", "reduced_time = 0.01"),
    "hysteresis": task("hysteresis", "direction = [0, 0, 1]", "range = [0.05, -0.05]", "rate = 1e9"),
    "susceptibility": task("susceptibility", "direction = [0, 0, 1]", "frequencies = [1e8, 1e9]"),
    "noise": task("noise", "observable = [0, 0, 1]", "frequencies = [1e8, 1e9]"),
    "first-passage": task("first-passage", "start = [0, 0, 1]"),
    "dwell-times": task("dwell-times", "drives = [-0.1, 0.1]"),
}


@pytest.mark.slow
def test_defaults_of_macrospins(tmp_path):
    """Each is there, and is what was used: as many times, frequencies, drives and eigenvalues."""
    found = run(tmp_path, BIT + "".join(BARE.values()))[0]["tasks"]
    by_kind = dict(zip(BARE, found.values(), strict=True))
    for kind, r in by_kind.items():
        for key, field in TASKS[kind].model_fields.items():
            if not field.is_required() and field.default is not None:
                assert r[key] == field.default, (kind, key)
    used = {
        ("switching", "not_switched"): 41, ("langevin", "not_switched"): 41, ("hysteresis", "mean_along"): 201,
        ("spectrum", "eigenvalues"): 6, ("noise", "density"): 200, ("susceptibility", "frequencies"): 200,
        ("dwell-times", "dwell_times"): 21,
    }  # fmt: skip
    for (kind, key), count in used.items():
        assert len(by_kind[kind][key]) == count
    assert by_kind["hysteresis"]["field"][-1] == by_kind["hysteresis"]["field"][0]
    # Computed ones: the longest step, the cap opposite to the start, the cells of the polar angle.
    assert 0 < by_kind["langevin"]["step"] < 1e-10
    assert by_kind["first-passage"]["target"] == [0, 0, -1]
    for kind in ("switching", "hysteresis"):
        assert by_kind[kind]["degree"] == 4 and 0 < by_kind[kind]["mesh_size"] < 0.2
    given = swap(BARE["switching"], ("reduced_time", "samples = 3\nstart = [0, 0, -1]\nreduced_time"))
    r = run(tmp_path, BIT + given)[0]["tasks"]["1"]
    assert (r["samples"], r["start"], len(r["times"])) == (3, [0, 0, -1], 3)


def test_the_mesh_size_used(tmp_path):
    """On the sphere that of the case, or the one that fits."""
    sphere = swap(BIT, ("[torque]", "[sphere]\naxisymmetric = false\ndegree = 2\nmesh_size = 0.31\n[torque]"))
    summary = run(tmp_path, sphere + task("steady"))[0]
    assert summary["macrospin"]["mesh_size"] == 0.31
    r = summary["tasks"]["1"]
    assert (r["mesh_size"], r["degree"], r["solved_on"]) == (0.31, 2, "sphere")
    r = run(tmp_path, swap(sphere, ("mesh_size = 0.31\n", "")) + task("steady"))[0]["tasks"]["1"]
    assert 0.05 < r["mesh_size"] <= 1 and r["mesh_size"] != 0.31


def test_defaults_are_allowed():
    """Every default passes the checks of its own key."""
    for kind in kinds():
        for word, made in kind.tasks.items():
            defaults = {
                key: field.get_default(call_default_factory=True)
                for key, field in made.model_fields.items()
                if not field.is_required()
            }
            given = {key: value for key, value in defaults.items() if value is not None}
            for key, value in given.items():
                made.__pydantic_validator__.validate_assignment(made.model_construct(), key, value)
            assert made.word() == word


@pytest.mark.slow
def test_defaults_of_bodies(tmp_path):
    """Those that something uses: samples of a range, modes of a line, neither for given wavenumbers."""
    magnet = "[longitudinal]\nxi = 0.3\ntau_mM = 1e-12\ndiffusion = 2e-3\n[longitudinal.geometry]\n"
    line = 'shape = "line"\nlength = 100e-9\nmesh_size = 5e-9\n[longitudinal.boundary.left]\nflux = 1e6\n'
    tasks = [
        task("dispersion"),
        task("dispersion", "range = [2e7, 9e7]"),
        task("dispersion", "wavenumbers = [4e7]"),
        task("response", "frequencies = [1e10, 1e11]"),
        task("response", "frequency = 1e10"),
        task("relaxation", "duration = 1e-13"),
    ]
    found = list(run(tmp_path, magnet + line + "".join(tasks))[0]["tasks"].values())
    shown = [{k: r[k] for k in ("count", "samples", "tolerance") if k in r} for r in found]
    assert shown == [{"count": 8}, {"samples": 12}, {}, {"samples": 25}, {}, {"samples": 21, "tolerance": 1e-5}]
    assert len(found[0]["branches"]["slow"]["rates"]) == 8
    assert (len(found[3]["frequencies"]), len(found[5]["times"])) == (25, 21)


def test_defaults_of_textures(tmp_path):
    """The range of fields of an electromotive force is computed: four times Walker's field."""
    wire = (
        "[texture]\nsaturation_magnetization = 8e5\nexchange = 1.2e-11\ndamping = 0.07\nconductivity = 4e6\n"
        "polarization = 0.5\neasy_constant = 9e4\nhard_constant = 5e4\n[texture.geometry]\nshape = 'line'\n"
        "length = 200e-9\n[texture.wall]\nposition = 100e-9\n"
    )
    tasks = task("electromotive_force") + task("dynamics", "duration = 1e-13")
    summary = run(tmp_path, wire + tasks)[0]
    emf, motion = summary["tasks"].values()
    assert emf["samples"] == 201
    assert emf["fields"] == pytest.approx([0, 4 * summary["texture"]["walker_field"]], rel=1e-12)
    assert (motion["samples"], motion["tolerance"], motion["animation"]) == (41, 1e-4, False)


def test_tasks_are_called_by_one_number(tmp_path, capsys):
    """In --set, the terminal, results, files and messages alike; a name may not be the number of another."""
    text = BIT + task("escape") + BARE["noise"] + task("spectrum", 'name = "slow"')
    summary, out = run(tmp_path, text, "--set", "task.2.samples=3", "--set", "task.3.count=2")
    assert list(summary["tasks"]) == ["1", "2", "slow"]
    assert len(summary["tasks"]["2"]["density"]) == 3
    assert {"noise.2.csv", "spectrum.slow.csv"} <= {x.name for x in out.iterdir()}
    printed = capsys.readouterr()
    assert "task 2: noise" in printed.err and "\n2  " in printed.out
    path = tmp_path / "case.toml"
    refused(capsys, ["run", path, "--set", "task.2.frequencies=[2.0, 1.0]"], ["task 2.frequencies"])
    refused(capsys, ["run", path, "--set", "task.4.samples=1"], ["there is no '4' among 3"])
    refused(capsys, ["run", path, "--set", "task.slow.name=2"], ["task 3.name", "found 2"])
    refused(capsys, ["run", path, "--set", "task.slow.name='2'"], ["the name '2' is given twice"])
