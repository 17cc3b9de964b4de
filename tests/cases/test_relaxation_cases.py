"""Cases in which what relaxes at the faces of a magnet acts on it: chi, signs, sums and what is refused."""

import json
from dataclasses import replace

import numpy as np
import pytest
from case_texts import coupled
from case_texts.relaxation import ALONE, CROSS, VALVE
from casefiles import refused, swap
from casefiles import run as run_case
from launch import python
from mpi4py import MPI
from numpy.polynomial import Chebyshev

import fespin as fs
from fespin.cases.casefile import read
from fespin.cases.checkpoints import Checkpoints
from fespin.cases.layered.run import run_transport
from fespin.cases.macrospin.potentials import potentials_against, write_potentials
from fespin.cli import main
from fespin.coupling import DirectionMap, face_differences, largest_cross
from fespin.energy.on_sphere import tangent_frame
from fespin.errors import InputError, SolverError

COMM = MPI.COMM_SELF
RELATIVE = 'relative_cross = { "below|free" = 0.1, "free|above" = 0.05 }'


def device(tmp_path, text):
    """Return the device of a case with its torque and macrospin."""
    case, _ = read_text(tmp_path, text)
    driven = run_transport(COMM, case, tmp_path, lambda line: None)[1]
    spin = driven.magnet(case.about().spin)
    return driven, spin, driven.torque(spin)


def read_text(tmp_path, text):
    """Return a case, and its own text."""
    path = tmp_path / "case.toml"
    path.write_text(text, "utf-8")
    return read(path)


def slopes(tmp_path, text):
    """Return chi'(c) in 1/s at some c."""
    _, spin, torque = device(tmp_path, text)
    return spin.gyromagnetic_ratio * torque.damping_like(np.linspace(-1, 1, 5))


@pytest.mark.parametrize("text", [swap(ALONE, ("= 1e11", "= 3e10")), VALVE], ids=["alone", "valve"])
def test_the_steady_state_on_the_sphere(text, tmp_path):
    """ln rho = -E/kT + chi/D up to a constant, with the potentials of the summary's own function."""
    _, spin, torque = device(tmp_path, text)
    steady = fs.FokkerPlanck(COMM, spin, torque, axisymmetric=False).steady()
    u = steady.surface.points
    chi, phi = potentials_against(torque, spin, u @ np.asarray(torque.polarizer))
    rest = np.log(steady.points) + spin.energy(u) / spin.thermal_energy - chi / spin.diffusion
    assert np.ptp(chi) > 2 * spin.diffusion and np.abs(phi).max() <= 1e-12 * np.abs(chi).max()
    assert np.ptp(rest) < 1e-6


def test_the_summary(tmp_path):
    """Against the differences at faces of the Python interface, their signs and units; and a picture."""
    (tmp_path / "case.toml").write_text(ALONE, "utf-8")
    assert main(["run", str(tmp_path / "case.toml"), "--output", str(tmp_path / "out")]) == 0
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    found, potentials = told["relaxation_map"], told["potentials"]
    assert found["alone"] and found["axis"] == [0, 0, 1] and "torque_map" not in told
    assert found["relative_cross"] == pytest.approx([0.1, 0.05], rel=1e-12, abs=0)
    case, _ = read(tmp_path / "case.toml")
    stack, spin = case.make_stack(), case.about().spin
    problem = fs.TransportProblem(fs.line(COMM, stack), contacts={"bottom": "lead", "top": "lead"})
    d = face_differences(problem, problem.solve(current_density=1e11), "free")
    most = largest_cross(spin, stack["free"].material)
    slope = -60e-9 * 60e-9 * most * (0.1 * d.below + 0.05 * d.above)  # times c
    assert list(found["slope"].values()) == pytest.approx([slope, 0.0, -slope], rel=1e-4, abs=1e-9 * abs(slope))
    c = np.array(potentials["cosine"])
    assert c == pytest.approx(np.linspace(-1, 1, 41)) and potentials["axis"] == [0, 0, 1]
    assert potentials["chi"] == pytest.approx(slope * (c**2 / 2 - 1 / 6), rel=1e-4, abs=1e-4 * abs(slope))
    assert potentials["phi"] == [0.0] * 41
    assert told["units"]["potentials"] == {"axis": "1", "cosine": "1", "chi": "1/s", "phi": "1/s"}
    assert told["units"]["relaxation_map"]["cross"] == "1/(V s m2)"
    # The same in both wells: chi adds chi' to the half width at n, and -chi' at -n.
    shifts = told["shifts"]
    for well in shifts["wells"]:
        before, after = well["half_widths"]
        assert after - before == pytest.approx(slope, rel=1e-4, abs=0)
        assert np.diff(well["angular_frequencies"]) == pytest.approx(0.0, abs=1e-6 * well["angular_frequencies"][0])
    gyration = spin.gyromagnetic_ratio * spin.damping / (1 + spin.damping**2)
    assert shifts["loop_widening"] == pytest.approx(slope / gyration, rel=1e-4, abs=0)
    assert abs(shifts["loop_shift"]) < 1e-9 * abs(shifts["loop_widening"])
    without, driven = shifts["wells"][0]["dwell_times"]
    assert (driven > without) == (slope > 0) and shifts["dwell_time_ratios"] == pytest.approx([1, 1], rel=1e-6)
    assert told["units"]["shifts"]["half_widths"] == "1/s" and told["units"]["shifts"]["dwell_times"] == "s"
    for name in ("potentials.png", "potentials.csv", "relaxation_map.csv"):
        assert (tmp_path / "out" / name).stat().st_size > 1000


def test_a_symmetric_layer_has_no_chi(tmp_path):
    symmetric = swap(
        ALONE,
        ('name = "above"\nmaterial = "Ru"\nthickness = 30e-9', 'name = "above"\nmaterial = "Cu"\nthickness = 20e-9'),
        ('"free|above" = 0.05', '"free|above" = 0.1'),
    )
    one_sided = swap(symmetric, ('"free|above" = 0.1', '"free|above" = 0.0'))
    assert np.abs(slopes(tmp_path, symmetric)).max() < 1e-12 * np.abs(slopes(tmp_path, one_sided)).max()


def test_either_end_first_and_the_sense_of_the_current(tmp_path):
    """Layers listed from the other end with a current of the other sign are the same; the sign alone turns chi over."""
    down = [
        ('name = "below"\nmaterial = "Cu"\nthickness = 20e-9', 'name = "above"\nmaterial = "Ru"\nthickness = 30e-9'),
        ("current_density = 1e11", "current_density = -1e11"),
        ('name = "above"\nmaterial = "Ru"\nthickness = 30e-9\n[material', 'name = "below"\nmaterial = "Cu"\n'
         "thickness = 20e-9\n[material"),
    ]  # fmt: skip
    there, back = slopes(tmp_path, ALONE), slopes(tmp_path, swap(ALONE, *down))
    scale = np.abs(there).max()
    assert back == pytest.approx(there, rel=0, abs=1e-12 * scale)
    assert slopes(tmp_path, swap(ALONE, down[1])) == pytest.approx(-there, rel=0, abs=1e-12 * scale)


LINE = (
    ('shape = "strip"\nwidth = 60e-9\ndepth = 60e-9\nmesh_size = 60e-9', 'shape = "line"'),
    ('layer = "free"', 'layer = "free"\nvolume = 3.6e-23'),
)


@pytest.mark.parametrize("source", ["relaxation", "both"])
def test_a_line_with_the_volume_of_the_layer(tmp_path, source):
    """The same torque as that of the section whose layer has this volume, whose planes are coarser."""
    wide = swap(VALVE, ('source = "relaxation"', f'source = "{source}"'))
    c = np.linspace(-1, 1, 5)
    (_, _, there), (_, _, back) = (device(tmp_path, x) for x in (wide, swap(wide, *LINE)))
    for key in ("damping_like", "field_like"):
        a, b = (getattr(x, key)(c) for x in (there, back))
        assert b == pytest.approx(a, rel=0, abs=1e-4 * np.abs(a).max())


def test_a_mesh_file(tmp_path):
    """Thicknesses and neighbours are the mesh's; what is no stack of flat layers from bottom to top is refused."""
    case, _ = read_text(tmp_path, swap(ALONE, *LINE))
    fs.line(COMM, case.make_stack(), save=str(tmp_path / "line.msh"))
    meshed = swap(
        ALONE,
        ('shape = "strip"\nwidth = 60e-9\ndepth = 60e-9\nmesh_size = 60e-9', 'mesh = "line.msh"\nlength_unit = 1e-9'),
        LINE[1], *((x, "") for x in ("thickness = 20e-9\n", "thickness = 10e-9\n", "thickness = 30e-9\n")),
    )  # fmt: skip
    expected = slopes(tmp_path, swap(ALONE, *LINE))
    assert slopes(tmp_path, meshed) == pytest.approx(expected, rel=0, abs=1e-9 * np.abs(expected).max())
    case, _ = read_text(tmp_path, ALONE)
    fs.strip(COMM, case.make_stack(), width=60e-9, depth=60e-9, mesh_size=60e-9, save=str(tmp_path / "strip.msh"))
    section = swap(meshed, ('mesh = "line.msh"\nlength', 'mesh = "strip.msh"\ndepth = 60e-9\nlength'))
    assert slopes(tmp_path, section) == pytest.approx(slopes(tmp_path, ALONE), rel=0, abs=1e-9 * np.abs(expected).max())
    down, up = ('name = "below"\nmaterial = "Cu"', 'name = "above"\nmaterial = "Ru"')
    wrong = swap(meshed, (down, "#"), (up, down), ("#", up))
    with pytest.raises(InputError, match="flat layers on each other, listed from bottom to top; they are listed as"):
        slopes(tmp_path, wrong)


def test_the_map_goes_on_from_its_checkpoint(tmp_path, monkeypatch):
    """Directions that are done are not solved again; another process or device begins afresh."""
    (tmp_path / "case.toml").write_text(VALVE, "utf-8")
    case, _ = read(tmp_path / "case.toml")
    kept, said = Checkpoints(tmp_path / "kept"), []
    kept.make(COMM)
    first = run_transport(COMM, case, tmp_path, said.append, kept)[1].faces.map
    assert not any("are done" in x for x in said)

    def refused(*arguments):
        raise AssertionError("a direction was solved again")

    monkeypatch.setattr("fespin.coupling.relaxation._solve", refused)
    again = run_transport(COMM, case, tmp_path, said.append, kept)[1].faces.map
    assert f"checkpoint: {first.solves} directions of the relaxation map are done" in said
    assert (again.below.coef == first.below.coef).all() and again.resistance_area == first.resistance_area
    (tmp_path / "case.toml").write_text(swap(VALVE, ("thickness = 6e-9", "thickness = 7e-9")), "utf-8")
    with pytest.raises(SolverError, match="solved again"):
        run_transport(COMM, read(tmp_path / "case.toml")[0], tmp_path, said.append, kept)


def test_the_names_of_a_face_in_either_order(tmp_path):
    other = 'cross = { "spacer|free" = 3e25, "cap | free" = 5e25 }'
    assert (slopes(tmp_path, swap(VALVE, (CROSS, other))) == slopes(tmp_path, VALVE)).all()


def test_both_is_the_sum(tmp_path):
    c = np.linspace(-1, 1, 7)
    still = "pumping = false\n"
    parts = {}
    for source in ("transport", "relaxation", "both"):
        text = swap(VALVE, ('source = "relaxation"', f'source = "{source}"'))
        text = swap(text, (CROSS, still)) if source == "transport" else text
        text = swap(text, (CROSS, CROSS + "\n" + still)) if source == "both" else text
        torque = device(tmp_path, text)[2]
        parts[source] = np.array([torque.damping_like(c), torque.field_like(c)])
    assert np.abs(parts["relaxation"]).max() > 1e-3 * np.abs(parts["transport"]).max()
    sum_of_parts = parts["transport"] + parts["relaxation"]
    assert parts["both"] == pytest.approx(sum_of_parts, rel=0, abs=1e-12 * np.abs(sum_of_parts).max())


def test_without_the_own_part_nothing_remains_without_coupling(tmp_path):
    """Far from the other magnet d_f is the layer's own."""
    far = swap(
        VALVE,
        (CROSS, CROSS + "\nsubtract_own = true"),
        ('name = "spacer"\nmaterial = "Cu"\nthickness = 6e-9', 'name = "spacer"\nmaterial = "Ru"\nthickness = 100e-9'),
        ("[contact.bottom]", '[material.Ru]\nresistivity = 95e-9\nspin_diffusion_length = 6e-9\n[interface."Co|Ru"]\n'
         "area_resistance_star = 0.6e-15\ngamma = -0.2\nmixing_conductance = [5e14, 0.1e14]\n[contact.bottom]"),
    )  # fmt: skip
    whole = np.abs(slopes(tmp_path, swap(far, ("\nsubtract_own = true", "")))).max()
    assert np.abs(slopes(tmp_path, far)).max() < 1e-4 * whole
    assert np.abs(slopes(tmp_path, swap(VALVE, (CROSS, CROSS + "\nsubtract_own = true")))).max() > 1e-2 * whole


def test_the_potentials_of_a_given_torque(tmp_path):
    """In closed form."""
    given = VALVE.split("[torque]")[0] + "[torque]\ndamping_like = 2e-4\nfield_like = 1e-4\npolarizer = [0, 3, 4]\n"
    text = swap(given, ('layer = "free"', "volume = 3e-24")).partition("[macrospin]")[2]
    task = '[[task]]\nkind = "spectrum"\ncount = 1\n'
    told = run_case(tmp_path, "[macrospin]" + text + task)[0]["potentials"]
    gamma, c = fs.Macrospin(3e-24, 8e5, 0.02).gyromagnetic_ratio / (1 + 0.02**2), np.array(told["cosine"])
    assert told["axis"] == pytest.approx([0, 0.6, 0.8])
    assert told["chi"] == pytest.approx(gamma * (2e-4 - 0.02 * 1e-4) * c, rel=1e-12, abs=1e-6)
    assert told["phi"] == pytest.approx(gamma * (1e-4 + 0.02 * 2e-4) * c, rel=1e-12, abs=1e-6)


def test_the_potentials_of_a_torque_without_an_axis(tmp_path):
    """With pumping: their slopes, by differences, are the velocity."""
    rng = np.random.default_rng(3)
    chi, phi = (np.concatenate([[0.0], 1e-17 * rng.standard_normal(8)]) for _ in range(2))
    area = np.concatenate([[4e-15 * np.sqrt(4 * np.pi)], np.zeros(8)])
    found = DirectionMap("free", 3e-9, chi, phi, area, 0.0, 9)
    pumping = fs.AngularDamping(*(Chebyshev(x) for x in ([0.01, 0.004], [0.003], [0.002, 0.001])), (0, 0.6, 0.8))
    spin = replace(fs.Macrospin(3e-24, 8e5, 0.02), pumping=pumping)
    torque, drawn = found.torque(spin, current_density=1e11), []
    told = write_potentials(COMM, spin, torque, tmp_path, lambda name, draw: drawn.append((name, draw)))
    u = np.array(told["directions"])
    assert told.keys() == {"directions", "chi", "phi"} and (tmp_path / "potentials.csv").exists()
    assert np.array(told["chi"]) == pytest.approx(torque.potentials(u, spin)[0])
    u, h = u[:5], 1e-5
    first, second = np.moveaxis(tangent_frame(u), 1, 0)
    (a, b), (c, d) = (
        (np.array(torque.potentials(_to(u + h * e), spin)) - torque.potentials(_to(u - h * e), spin)) / (2 * h)
        for e in (first, second)
    )
    x = torque.velocity(u, spin)
    sense = np.sum(np.cross(u, first) * second, axis=1)  # u x first is second, or its opposite
    assert np.sum(x * first, axis=1) == pytest.approx(a - sense * d, rel=1e-4, abs=1e-6 * np.abs(x).max())
    assert np.sum(x * second, axis=1) == pytest.approx(c + sense * b, rel=1e-4, abs=1e-6 * np.abs(x).max())
    drawn[0][1](tmp_path / drawn[0][0])
    assert (tmp_path / "potentials.png").stat().st_size > 5000


def _to(u):
    return u / np.linalg.norm(u, axis=1)[:, None]


def test_the_same_torque_drives_other_tasks(tmp_path):
    """Dwell times of a magnet alone are longer for one sign of the current, in both wells alike; trajectories too."""
    tasks = '[[task]]\nkind = "dwell-times"\nname = "dwell"\ndrives = [-1e10, 1e10]\nsamples = 3\n'
    tasks += '[[task]]\nkind = "langevin"\nname = "sde"\nstart = [0, 0, 1]\npulse = 1e-10\nsamples = 2\nensemble = 50\n'
    told, _ = run_case(tmp_path, swap(ALONE, ('[[task]]\nkind = "steady"\n', tasks)))
    times = np.array(told["tasks"]["dwell"]["dwell_times"], dtype=float)
    assert times[:, 0] == pytest.approx(times[:, 1], rel=1e-6, abs=0)
    assert times[2, 0] > 1.05 * times[1, 0] > 1.1 * times[0, 0]
    assert "error" not in told["tasks"]["sde"]


BAD = {
    "neither": (VALVE, [(CROSS, "")], "torque: give one of cross (l_f by face, 1/(V s m2)) and relative_cross; found"),
    "both": (VALVE, [(CROSS, CROSS + '\nrelative_cross = { "free|cap" = 0.1 }')], "relative_cross; found both"),
    "unknown face": (VALVE, [('"free|cap"', '"free|cip"')], "has no such face; did you mean 'free|cap'?"),
    "not of the magnet": (VALVE, [('"free|cap"', '"base|fixed"')], "layer 'free' has no such face; "),
    "twice": (VALVE, [('"free|cap"', '"spacer|free"')], "torque.cross.'spacer|free': this face is given twice"),
    "too large": (VALVE, [("3e25", "3e29")], "torque.cross.'free|spacer': found 3e+29; power would be gained"),
    "two channels": (
        VALVE,
        [('model = "vector"', 'model = "two-channel"'), ("mixing_conductance = [5.5e14, 0.5e14]", "gamma = 0.5")],
        "transport.model = \"two-channel\" serves one magnet only, because d_f depends on the angle to 'fixed'",
    ),
    "no d electrons": (VALVE, [(CROSS, CROSS + '\nprocess = "s-d"')], 'torque.process: "s-d" needs d electrons'),
    "axis with others": (VALVE, [(CROSS, CROSS + "\naxis = [0, 0, 1]")], "torque.axis: it is of a magnet without"),
    "own alone": (ALONE, [(RELATIVE, RELATIVE + "\nsubtract_own = true")], "torque.subtract_own: 'free' is the only"),
    "zero axis": (ALONE, [(RELATIVE, RELATIVE + "\naxis = [0, 0, 0]")], "axis"),
    "no easy axis": (ALONE, [("stability = 5", "stability = -5")], "torque.axis: missing; the energy does not"),
    "heat": (ALONE, [('model = "two-channel"', 'model = "thermoelectric"')], "d_f must be linear in the current"),
    "volume given twice": (ALONE, [LINE[1]], "macrospin: give exactly one of layer and volume (m3); found both"),
    "a line without a volume": (ALONE, [LINE[0]], "give macrospin.volume (m3)"),
    "normal metal": (ALONE, [('layer = "free"', 'layer = "below"')], "'below'"),
    "pumping": (ALONE, [(RELATIVE, RELATIVE + "\npumping = false")], 'belongs to source = "transport" or "both"'),
    "process of a given torque": (
        VALVE, [('source = "relaxation"', "damping_like = 1e-3"), (CROSS, 'process = "s-d"')],
        'torque.process: belongs to source = "relaxation" or "both", found with "given"',
    ),
    "both of two channels": (ALONE, [('"relaxation"', '"both"')], 'needs transport.model = "vector", found'),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, tmp_path, capsys):
    text, changes, message = BAD[name]
    (tmp_path / "case.toml").write_text(swap(text, *changes), "utf-8")
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], [message])
    assert not (tmp_path / "out").exists()


def test_the_easy_axis_and_checks_without_a_mesh(tmp_path):
    """Exactly the axis of the energy, in an oblique field too; and nothing that ranks do together is imported."""
    text = swap(
        ALONE, ("axis = [0, 0, 1]", "axis = [2, -1, 2]"), ("damping = 0.02", "damping = 0.02\nfield = [0.01, 0, 0]")
    )
    (tmp_path / "case.toml").write_text(text, "utf-8")
    script = (
        "import sys\nfrom pathlib import Path\nfrom fespin.cases.casefile import read\n"
        "from fespin.cases.layered.relaxation import axis_of\n"
        f"case, _ = read(Path({str(tmp_path / 'case.toml')!r}))\n"
        "print(*axis_of(case, case.about().spin), 'petsc4py.PETSc' in sys.modules)\n"
    )
    run = python(1, "-c", script)
    assert run.returncode == 0, run.stderr
    *axis, loaded = run.stdout.split()
    assert [float(x) for x in axis] == pytest.approx([2 / 3, -1 / 3, 2 / 3], rel=1e-15) and loaded == "False"


@pytest.mark.slow
def test_two_ranks(tmp_path):
    one, _ = run_case(tmp_path, VALVE)
    run = python(
        2, "-m", "fespin", "run", str(tmp_path / "case.toml"), "--output", str(tmp_path / "two"), "--no-pictures"
    )
    assert run.returncode == 0, run.stderr
    two = json.loads((tmp_path / "two" / "summary.json").read_text())
    assert two["potentials"]["chi"] == pytest.approx(one["potentials"]["chi"], rel=1e-9, abs=1e-3)
    mean = [x["tasks"]["1"]["mean_direction"][2] for x in (one, two)]
    assert mean[1] == pytest.approx(mean[0], rel=1e-9, abs=0)


def test_cases_of_devices_are_unchanged(tmp_path):
    """The keys of relaxation are not echoed where nothing uses them."""
    (tmp_path / "case.toml").write_text(coupled.CASE, "utf-8")
    used = read(tmp_path / "case.toml")[0].used()["torque"]
    assert set(used) == {"source", "tolerance", "pumping", "series_resistance_area"}
