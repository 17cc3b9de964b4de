"""Tunnel junctions from case files: resistance, torque and statistics against the voltage, and what is refused."""

import json

import numpy as np
import pytest
from casefiles import refused, run, swap
from launch import ROOT
from mpi4py import MPI

import fespin as fs
from fespin.cases.casefile import read
from fespin.cases.layered.driven import make_driven
from fespin.cases.layered.run import run_transport
from fespin.cli import main
from fespin.transport.spins import SPIN_PER_CHARGE

JUNCTION = """
[geometry]
shape = "strip"
width = 40e-9
depth = 40e-9
mesh_size = 20e-9
[[layer]]
material = "Ta"
thickness = 4e-9
[[layer]]
name = "fixed"
material = "CoFeB"
thickness = 3e-9
magnetization = [0, 0, 1]
[[layer]]
name = "free"
material = "CoFeB"
thickness = 1.5e-9
magnetization = [0.6, 0, 0.8]
[[layer]]
material = "Ta"
thickness = 5e-9
[material.CoFeB]
resistivity = 1.2e-6
beta = 0.5
spin_diffusion_length = 4e-9
[material.Ta]
resistivity = 1.9e-6
spin_diffusion_length = 1.5e-9
[interface."Ta|CoFeB"]
area_resistance_star = 0.5e-15
gamma = 0.3
mixing_conductance = 4e14
[interface."fixed|free"]
tunnel = { resistance_area = 8e-12, polarization = [0.62, 0.5], half_voltage = 0.5 }
[transport]
model = "vector"
voltage = -0.4
degree = 1
"""
MAGNET = """
[macrospin]
layer = "free"
saturation_magnetization = 1.1e6
damping = 0.03
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 40
[torque]
source = "transport"
pumping = false
tolerance = 1e-3
[[task]]
kind = "switching"
name = "write"
start = [0, 0, -1]
pulse = 6e-9
samples = 3
"""


def test_states_report_the_barrier(tmp_path):
    told, _ = run(tmp_path, JUNCTION)
    state = told["states"]["default"]
    v = state["barrier_voltage"]["fixed|free"]
    assert -0.4 < v < -0.39
    scale = np.sqrt((2 + 2 * 0.31 / 0.69) / (2 * (1 + (v / 0.5) ** 2) + 2 * 0.31 / 0.69))
    a, b = 0.62 * scale, 0.5 * scale
    assert state["tmr"]["fixed|free"] == pytest.approx(2 * a * b / (1 - a * b), rel=1e-6)
    g0 = 1 / (8e-12 * (1 + a * b))
    assert state["current_density"] == pytest.approx(g0 * (1 + a * b * 0.8) * v, rel=2e-3)
    assert np.linalg.norm(state["torque"]["free"]) == pytest.approx(-SPIN_PER_CHARGE * g0 * v * a * 0.6, rel=1e-3)
    assert told["interfaces"]["fixed|free"]["tunnel"]["polarization"] == [0.62, 0.5]
    assert told["units"]["states"]["barrier_voltage"] == "V"


def test_write_errors_follow_the_voltage(tmp_path):
    told, out = run(tmp_path, JUNCTION + MAGNET)
    numbers = told["torque_map"]
    # At a critical voltage the damping-like field is alpha times the anisotropy field.
    spin = fs.Macrospin(40e-9 * 40e-9 * 1.5e-9, 1.1e6, 0.03, 300, [fs.Uniaxial(stability=40)])
    k = 40 * spin.thermal_energy / spin.volume
    critical = numbers["critical_voltage"]
    assert {np.sign(v) for v in critical} == {-1.0, 1.0}
    for well, v in zip(told["macrospin"]["wells"], critical, strict=True):
        c = well["direction"][2]
        scale = np.sqrt((2 + 2 * 0.31 / 0.69) / (2 * (1 + (v / 0.5) ** 2) + 2 * 0.31 / 0.69))
        a, b = 0.62 * scale, 0.5 * scale
        field = SPIN_PER_CHARGE * v * a / (8e-12 * (1 + a * b)) / (1.1e6 * 1.5e-9)
        assert field * c == pytest.approx(0.03 * 2 * k / 1.1e6, rel=0.03)
    assert told["tasks"]["write"]["not_switched"][-1] < told["tasks"]["write"]["not_switched"][0]
    table = np.genfromtxt(out / "voltage_map.csv", delimiter=",", names=True)
    assert np.ptp(table["voltage_V"]) == pytest.approx(0.8)
    less, _ = run(tmp_path, JUNCTION + MAGNET, "--set", "transport.voltage=-0.3", name="less")
    assert less["tasks"]["write"]["not_switched"][-1] > told["tasks"]["write"]["not_switched"][-1]
    # The same device driven by the current that the voltage makes in that direction of the well.
    r = numbers["resistance_area"]["antiparallel"]
    by_current, _ = run(
        tmp_path,
        swap(JUNCTION + MAGNET, ("voltage = -0.4", f"current_density = {-0.4 / r}")),
        name="current",
    )
    assert by_current["torque_map"]["resistance_area"]["antiparallel"] == pytest.approx(r, rel=1e-4)
    assert by_current["torque_map"]["resistance_area"]["parallel"] != pytest.approx(r, rel=0.1)


PULSE = "pulse = { voltage = -0.4, length = 4e-9, rise = 0.5e-9, fall = 1e-9 }"
WARM = """
[macrospin.heating]
heat_capacity = 5e7
conductance = 5e7
curie_temperature = 1100
"""
CONTROL = """
[macrospin.vcma]
interface = "free|fixed"
coefficient = 40e-15
"""


def with_pulse(pulse=PULSE, *more):
    text = swap(JUNCTION + MAGNET, ("pulse = 6e-9\nsamples = 3", f"{pulse}\nsamples = 5"))
    return swap(text, ("[torque]", "\n".join([*more, "[torque]"])))


def test_pulses_of_several_lengths_are_samples_of_one(tmp_path):
    several, _ = run(tmp_path, with_pulse("pulse = { voltage = -0.45, lengths = [2e-9, 3e-9, 6e-9] }"))
    one, _ = run(tmp_path, with_pulse("pulse = { voltage = -0.45, length = 6e-9 }"), name="one")
    write = several["tasks"]["write"]
    assert write["times"] == [2e-9, 3e-9, 6e-9]
    assert write["not_switched"][-1] == pytest.approx(one["tasks"]["write"]["not_switched"][-1], rel=1e-4)
    assert write["not_switched"][0] > write["not_switched"][1] > write["not_switched"][2]
    # The map reaches as far as the pulse, beyond transport's own voltage.
    assert several["torque_map"]["largest_voltage"] == 0.45


def test_edges_count_and_trajectories_follow_them(tmp_path):
    text = with_pulse() + swap(
        MAGNET[MAGNET.index("[[task]]") :],
        ('"switching"', '"langevin"'), ('"write"', '"check"'), ("pulse = 6e-9\nsamples = 3", f"{PULSE}\nsamples = 5"),
        ("[0, 0, -1]", "[0, 0, -1]\nensemble = 3000"),
    )  # fmt: skip
    told, _ = run(tmp_path, text)
    write, check = told["tasks"]["write"], told["tasks"]["check"]
    assert write["times"][-1] == pytest.approx(5.5e-9)
    for density, share, error in zip(
        write["not_switched"], check["not_switched"], check["not_switched_error"], strict=True
    ):
        assert abs(density - share) < 4.5 * error
    sharp, _ = run(tmp_path, with_pulse("pulse = { voltage = -0.4, length = 4e-9 }"), name="sharp")
    assert sharp["tasks"]["write"]["not_switched"][-1] > write["not_switched"][-1]


def test_points_are_a_pulse(tmp_path):
    points = "pulse = { points = [[0, 0], [0.5e-9, -0.4], [4.5e-9, -0.4], [5.5e-9, 0]] }"
    one, _ = run(tmp_path, with_pulse(points))
    two, _ = run(tmp_path, with_pulse(), name="edges")
    assert np.allclose(one["tasks"]["write"]["not_switched"], two["tasks"]["write"]["not_switched"], rtol=1e-9)


def test_heat_makes_writing_easier_and_is_that_of_the_power(tmp_path):
    told, out = run(tmp_path, with_pulse(PULSE, WARM))
    cold, _ = run(tmp_path, with_pulse(), name="cold")
    write = told["tasks"]["write"]
    assert write["not_switched"][-1] < cold["tasks"]["write"]["not_switched"][-1]
    # Exponentials towards what half of the barrier's power and the layer's own make, at antiparallel.
    r = told["torque_map"]["resistance_area"]["antiparallel"]
    current = 0.4 / r
    power = 0.5 * 0.4 * current + 1.2e-6 * 1.5e-9 * current**2
    tau = 5e7 * 1.5e-9 / 5e7
    assert write["largest_temperature"] == pytest.approx(300 + power / 5e7 * (1 - np.exp(-4.2e-9 / tau)), rel=0.05)
    table = np.genfromtxt(out / "temperature.write.csv", delimiter=",", names=True)
    assert table["temperature_K"].max() == pytest.approx(write["largest_temperature"])
    assert told["units"]["tasks"]["write"]["largest_temperature"] == "K"


def test_voltage_control_changes_the_barrier_by_its_closed_form(tmp_path):
    text = swap(with_pulse(PULSE, CONTROL), ("half_voltage = 0.5", "half_voltage = 0.5, thickness = 1e-9"))
    path = tmp_path / "case.toml"
    path.write_text(text)
    case, _ = read(path)
    device = run_transport(MPI.COMM_SELF, case, tmp_path, lambda line: None)[1]
    magnet = make_driven(case, device)
    u = np.array([[0.0, 0.0, 1.0], [0.6, 0.0, 0.8], [1.0, 0.0, 0.0]])
    for v in (0.3, -0.4):
        spin, _ = magnet.at(v)
        added = spin.energy(u) - magnet.spin.energy(u)
        # The free layer is above: the other one is at the voltage.
        expected = 40e-15 * v / 1e-9 * 40e-9**2 * u[:, 2] ** 2
        assert np.allclose(added - added[-1], expected, rtol=5e-3, atol=1e-24)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (with_pulse("pulse = { voltage = -0.4, factor = 2, length = 1e-9 }"), ["exactly one of voltage"]),
        (with_pulse("pulse = { voltage = -0.4 }"), ["exactly one of length and lengths"]),
        (with_pulse("pulse = { current_density = 1e10, length = 1e-9 }"), ["give voltage"]),
        (with_pulse("pulse = { voltage = -0.4, length = 1e-9, rise = -1e-9 }"), ["rise", "-1e-09"]),
        (with_pulse("pulse = { points = [[0, 0], [2e-9, 1], [1e-9, 0]] }"), ["times must begin at 0 and not decrease"]),
        (with_pulse(PULSE, CONTROL), ["tunnel.thickness", "missing"]),
        (with_pulse(PULSE, CONTROL.replace("free|fixed", "free|Ta4")), ["macrospin.vcma.interface", "fixed|free"]),
        (with_pulse(PULSE, WARM.replace("1100", "200")), ["curie_temperature", "300"]),
        (swap(with_pulse(PULSE, WARM), ("voltage = -0.4, ", "factor = 1, "),
              ('source = "transport"\npumping = false\ntolerance = 1e-3', "damping_like = 0.01")),
         ["macrospin.heating", "[torque] source"]),
    ],
)  # fmt: skip
def test_impossible_pulses_are_refused(text, words, tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(text)
    refused(capsys, ["run", path, "--output", tmp_path / "out"], words)


def test_too_much_heat_says_when(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(with_pulse(PULSE, WARM.replace("5e7", "1e6")))
    assert main(["run", str(path), "--output", str(tmp_path / "out"), "--no-pictures"]) == 3
    err = capsys.readouterr().err
    assert "above Curie's temperature" in err and "heating: at" in err


def test_table_of_a_file_is_echoed_as_numbers(tmp_path, capsys):
    rows = ["V, G_P, P_a, P_b", "-1, 1.5e11, 0.4, 0.3", "0, 1.2e11, 0.6, 0.5", "1, 1.6e11, 0.3, 0.3"]
    (tmp_path / "barrier.csv").write_text("\n".join(rows))
    text = swap(JUNCTION, ('{ resistance_area = 8e-12, polarization = [0.62, 0.5], half_voltage = 0.5 }',
                           '{ table = "barrier.csv" }'))  # fmt: skip
    told, _ = run(tmp_path, text)
    table = told["case"]["interface"]["fixed|free"]["tunnel"]["table"]
    assert table == {"V": [-1, 0, 1], "G_P": [1.5e11, 1.2e11, 1.6e11], "P_a": [0.4, 0.6, 0.3], "P_b": [0.3, 0.5, 0.3]}
    assert told["states"]["default"]["tmr"]["fixed|free"] > 0
    capsys.readouterr()
    (tmp_path / "case.toml").write_text(text.replace("barrier.csv", "barier.csv"))
    refused(capsys, ["run", tmp_path / "case.toml", "--dry-run"], ["interface.'fixed|free'.tunnel.table", "barier.csv"])
    (tmp_path / "barrier.csv").write_text("V, G_P, P_a\n0, 1, 1\n")
    (tmp_path / "case.toml").write_text(text)
    refused(capsys, ["run", tmp_path / "case.toml", "--dry-run"], ["column 'P_b' is missing"])


def test_exchange_through_the_barrier_is_an_energy(tmp_path):
    path = tmp_path / "case.toml"
    text = JUNCTION + MAGNET
    path.write_text(swap(text, ("half_voltage = 0.5", "half_voltage = 0.5, exchange_coupling = 2e-5")))
    spin = read(path)[0].make_macrospin()
    path.write_text(text)
    bare = read(path)[0].make_macrospin()
    u = np.array([[0.6, 0, 0.8], [0, 0, -1.0]])
    assert np.allclose(spin.energy(u) - bare.energy(u), -2e-5 * 40e-9**2 * u[:, 2], rtol=1e-12)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("polarization = [0.62, 0.5]", "polarization = [1.2, 0.5]", ["polarization", "1.2"]),
        ("polarization = [0.62, 0.5]", "tmr = -1.5", ["tmr", "-1.5"]),
        ("polarization = [0.62, 0.5]", "tmr = 1, polarization = [0.5, 0.5]", ["exactly one of tmr and polarization"]),
        ("resistance_area = 8e-12, ", "", ["resistance_area is missing"]),
        ("half_voltage", "half_volatge", ["half_volatge", "half_voltage"]),
        ('"fixed|free"', '"Ta|fixed"', ["lies between two magnets", "Ta"]),
        ('tunnel = {', 'gamma = 0.3\ntunnel = {', ["give tunnel or gamma"]),
        ('mixing_conductance = 4e14\n', '', ["mixing_conductance", "missing"]),
        ('tunnel = {', 'tunnel = { resistance_area = 1e-12, tmr = 1 }\n[interface."free|fixed"]\ntunnel = {',
         ["given twice"]),
    ],
)  # fmt: skip
def test_impossible_barriers_are_refused(old, new, words, tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(swap(JUNCTION, (old, new)))
    refused(capsys, ["run", path, "--output", tmp_path / "out"], words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([("[torque]", "[macrospin.modulus]\nrelaxation_time = 1e-10\n[torque]")],
         ["[macrospin.modulus]", "follows the voltage"]),
        ([('source = "transport"', 'source = "both"\ncross = { "fixed|free" = 1e20 }')], ["follows the voltage"]),
        ([('kind = "switching"', 'kind = "hysteresis"\nsweep = "torque"\nrange = [-1, 1]\nrate = 1e9'),
          ('start = [0, 0, -1]\npulse = 6e-9\n', "")], ["follows the voltage", "sweep the field"]),
        ([("magnetization = [0.6, 0, 0.8]", "magnetization = [0.6, 0, 0.8]"),
          ("[transport]", "[transport]\nfield = [0.1, 0, 0]")], ["density_of_states"]),
    ],
)  # fmt: skip
def test_what_a_junction_cannot_have_is_refused(changes, words, tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(swap(JUNCTION + MAGNET, *changes))
    refused(capsys, ["run", path, "--output", tmp_path / "out"], words)


def test_breakdown_makes_a_note(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(swap(JUNCTION, ("voltage = -0.4", "voltage = 2.5")))
    assert main(["run", str(path), "--output", str(tmp_path / "out"), "--no-pictures"]) == 0
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert any("V over the barrier 'fixed|free'" in x for x in told["notes"])
    assert "break down" in capsys.readouterr().err


def test_map_is_that_of_solves(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(JUNCTION)
    case, _ = read(path)
    barrier = fs.TunnelBarrier(8e-12, polarization=(0.62, 0.5), half_voltage=0.5, field_like=(1e-6, -2e-6))
    layers = [(x.material, x.thickness, x.name) for x in case.make_stack()]
    stack = fs.Stack(
        *(fs.Layer(*x, magnetization=(0.1, 0.3, 1)) if x[0].ferromagnetic else fs.Layer(*x) for x in layers),
        interfaces={**case.make_stack().interfaces, ("fixed", "free"): fs.Interface(tunnel=barrier)},
    )
    problem = fs.TransportProblem(fs.line(MPI.COMM_SELF, stack), fs.Vector(), degree=2)
    found = fs.voltage_map(problem, "free", voltage=0.8)
    rng = np.random.default_rng(7)
    for density in (-4e10, -5e9, 1e10, 3e10):
        u = rng.normal(size=3)
        u /= np.linalg.norm(u)
        problem.magnetize({"free": tuple(u)})
        x = problem.solve(current_density=density)
        at = found.at(fs.Circuit(current_density=density))
        largest = SPIN_PER_CHARGE * abs(density)
        assert np.abs(at.torque_per_current(u[None])[0] * density - x.report["torque"]["free"]).max() < 1e-4 * largest
        assert at.resistance_at(u[None])[0] == pytest.approx(x.resistance_area, rel=1e-5)
    with pytest.raises(fs.FespinError, match=r"needs more than 0\.8 V"):
        found.at(fs.Circuit(voltage=1.0))


def test_mesh_files_without_thicknesses(tmp_path, capsys):
    """The exchange through a barrier counts by the layer's thickness, which a mesh file does not give in time."""
    shape = 'shape = "strip"\nwidth = 40e-9\ndepth = 40e-9\nmesh_size = 20e-9'
    on_line = swap(JUNCTION + MAGNET, (shape, 'shape = "line"'), ('layer = "free"', 'layer = "free"\nvolume = 2.4e-24'))
    (tmp_path / "case.toml").write_text(on_line)
    case, _ = read(tmp_path / "case.toml")
    fs.line(MPI.COMM_SELF, case.make_stack(), save=str(tmp_path / "line.msh"))
    meshed = swap(on_line, ('shape = "line"', 'mesh = "line.msh"\nlength_unit = 1e-9'))
    names = swap(meshed, ('material = "Ta"', 'name = "Ta1"\nmaterial = "Ta"'), ("= 5e-9\n", '= 5e-9\nname = "Ta4"\n'))
    (tmp_path / "meshed.toml").write_text(names)
    words = ["geometry.mesh 'line.msh'", "through tunnel barriers needs layers with thicknesses"]
    refused(capsys, ["run", tmp_path / "meshed.toml", "--output", tmp_path / "out"], words)


@pytest.mark.slow
def test_cell_of_the_demo(tmp_path):
    """At a coarse mesh, with shorter pulses: all tasks answer, trajectories agree, and there are pictures."""
    out = tmp_path / "out"
    coarse = ["geometry.mesh_size=30e-9", "torque.tolerance=1e-2", "task.trajectories.ensemble=150",
              "task.write.pulse.lengths=[1e-9, 2e-9]", "task.trajectories.pulse.lengths=[1e-9]",
              "task.read-disturb.pulse.length=2e-9", "task.retention.samples=2"]  # fmt: skip
    sets = [x for part in coarse for x in ("--set", part)]
    assert main(["run", str(ROOT / "demos" / "stt_mram.toml"), "--output", str(out), *sets]) == 0
    told = json.loads((out / "summary.json").read_text())["tasks"]
    write, ensemble = told["write"]["not_switched"], told["trajectories"]
    assert abs(write[0] - ensemble["not_switched"][-1]) < 4.5 * ensemble["not_switched_error"][-1]
    assert write[1] < 0.9 * write[0] and told["read-disturb"]["not_switched"][-1] > 0.99
    assert told["write"]["largest_temperature"] > 320
    assert {"voltage_map.png", "temperature.write.png", "write_error.png"} <= {p.name for p in out.glob("*.png")}
