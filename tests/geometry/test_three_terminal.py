"""A bar with a pillar on it: its mesh, the torque on the pillar's magnet against a film, powers, ranks, cases."""

import numpy as np
import pytest
from casefiles import refused, run, swap
from launch import numbers, require_equal
from mpi4py import MPI

import fespin as fs
from fespin.domain import sample
from fespin.errors import InputError
from fespin.solvers import SolverOptions

COMM = MPI.COMM_SELF
M = (0.3, -0.5, 0.8)
FACE = fs.Interface.from_conductances(6e14, 3e14, 5e14 + 0.8e14j, spin_memory_loss=(4e14, 1e14))
ENDS = {"top": "blocked"}


def layers(theta=0.1):
    metal = fs.Material("Pt", 2.5e-7, 1.5e-9, spin_hall_angle=theta)
    magnet = fs.Material("F", 1.3e-6, 5e-9, 0.5)
    return [fs.Layer(metal, 4e-9, "bar"), fs.Layer(magnet, 1.5e-9, "free", M)]


def stack(**options):
    return fs.Stack(*layers(**options), interfaces={("Pt", "F"): FACE}, library={})


def device(mesh_size=7e-9, diameter=24e-9, **options):
    sizes = {"bar_length": 80e-9, "bar_width": 40e-9, "diameter": diameter, "mesh_size": mesh_size}
    return fs.three_terminal(COMM, stack(), **{"bar_layers": 1, **sizes, **options})


def drive(voltage, top=0.0):
    return {"left": fs.Terminal(voltage=voltage), "right": fs.Terminal(voltage=0.0), "top": fs.Terminal(current=top)}


def test_mesh():
    two = fs.Layer(fs.Material("Ta", 1.9e-6, 1.2e-9), 2e-9, "seed")
    whole = fs.Stack(two, *layers(), interfaces={("Pt", "F"): FACE}, library={})
    sizes = {"bar_length": 80e-9, "bar_width": 50e-9, "semi_axes": (18e-9, 10e-9), "mesh_size": 8e-9}
    domain = fs.three_terminal(COMM, whole, bar_layers=2, **sizes)
    foot = np.pi * 18e-9 * 10e-9
    assert domain.area == pytest.approx(foot)
    assert domain.interface_area(("bar", "free")) == pytest.approx(foot)
    assert domain.interface_area(("seed", "bar")) == pytest.approx(80e-9 * 50e-9)
    assert list(domain.contacts) == ["left", "right", "top"]
    for name, area, normal in (
        ("left", 50e-9 * 6e-9, (-1, 0, 0)),
        ("right", 50e-9 * 6e-9, (1, 0, 0)),
        ("top", foot, (0, 0, 1)),
    ):
        assert domain.contact_area(name) == pytest.approx(area)
        assert domain.contact_normal(name) == pytest.approx(normal, abs=1e-9)
    assert domain.contact_regions("left") == ["seed", "bar"]
    assert domain.contact_regions("top") == ["free"]


def test_power_and_reversal():
    """With a current through the pillar, too, the power balances; all drives reversed reverse the torque."""
    p = fs.TransportProblem(
        device(mesh_size=10e-9), fs.Vector(), contacts=ENDS, degree=1, solver=SolverOptions(rtol=1e-12)
    )
    a = p.solve(terminals=drive(2e-3, 1e-6), between=("left", "right"))
    assert abs(a.power_balance) < 1e-10
    assert sum(a.currents.values()) == pytest.approx(0, abs=1e-10 * abs(a.currents["left"]))
    b = p.solve(terminals=drive(-2e-3, -1e-6), between=("left", "right"))
    torque = np.array(a.report["torque"]["free"])
    assert b.report["torque"]["free"] == pytest.approx(-torque, rel=1e-7)
    # Without the pillar's current, which it polarizes itself, and turned by half a turn about z: the same device.
    one = np.array(p.solve(terminals=drive(2e-3), between=("left", "right")).report["torque"]["free"])
    p.magnetize({"free": (-M[0], -M[1], M[2])})
    turned = np.array(p.solve(terminals=drive(-2e-3), between=("left", "right")).report["torque"]["free"])
    assert turned == pytest.approx(one * [-1, -1, 1], rel=0, abs=5e-3 * np.linalg.norm(one))


def test_middle_of_a_wide_pillar_is_a_film():
    """Spins at the interface on the axis, which make the torque there, and the whole torque, against the film.

    Under the electrode, which has one potential, lies a layer that insulates, as a barrier does.
    """
    cap = fs.Layer(fs.Material("Oxide", 1e-3, 5e-9), 2e-9, "cap")
    faces = {("Pt", "F"): FACE, ("F", "Oxide"): fs.Interface.from_conductances(1e9, 1e9, 0.0)}
    whole = fs.Stack(*layers(), cap, interfaces=faces, library={})
    sizes = {"bar_length": 100e-9, "bar_width": 50e-9, "diameter": 36e-9, "mesh_size": 8e-9}
    domain = fs.three_terminal(COMM, whole, bar_layers=1, **sizes)
    p = fs.TransportProblem(domain, fs.Vector(), contacts=ENDS, degree=1)
    x = p.solve(terminals=drive(1e-3), between=("left", "right"))
    line = fs.TransportProblem(
        fs.line(COMM, whole, mesh_size=0.1e-9), fs.Vector(), contacts=dict.fromkeys(("bottom", "top"), "blocked")
    )
    fields, h = list(x.fields.values()), 4e-9
    left, right = sample(fields, domain, np.array([[-h, 0, 2e-9], [h, 0, 2e-9]]), "bar")[0]
    film = line.solve(electric_field=((left - right) / (2 * h), 0, 0))
    side = line.means(film.fields)["bar", "free"][0][1:]
    found = np.array([p.on_axis(x, "bar", np.array([4e-9 - 1e-13]), {k: 1.0})[0] for k in ("sx", "sy", "sz")])
    assert found == pytest.approx(side, rel=0, abs=0.01 * np.linalg.norm(side))
    # The edge of the foot, where the current enters and leaves the magnet, adds to the whole torque.
    torque = np.array(film.report["torque"]["free"])
    assert x.report["torque"]["free"] == pytest.approx(torque, rel=0, abs=0.08 * np.linalg.norm(torque))


@pytest.mark.slow
def test_two_and_three_ranks(tmp_path):
    serial = numbers(1, "three_terminal.py", tmp_path)
    assert serial
    for ranks in (2, 3):
        require_equal(numbers(ranks, "three_terminal.py", tmp_path), serial)


CASE = """
[geometry]
shape = "three-terminal"
bar_length = 80e-9
bar_width = 40e-9
diameter = 24e-9
mesh_size = 10e-9
[[layer]]
name = "bar"
material = "Heavy"
thickness = 4e-9
bar = true
[[layer]]
name = "free"
material = "Ferro"
thickness = 1.5e-9
magnetization = [0.3, -0.5, 0.8]
[material.Heavy]
resistivity = 2.5e-7
spin_diffusion_length = 1.5e-9
spin_hall_angle = 0.1
[material.Ferro]
resistivity = 1.3e-6
beta = 0.5
spin_diffusion_length = 5e-9
[interface."bar|free"]
conductance = [6e14, 3e14]
mixing_conductance = [5e14, 0.8e14]
spin_memory_loss = [4e14, 1e14]
[contact.left]
voltage = 2e-3
[contact.right]
voltage = 0
[contact.top]
current = 0
spin = "blocked"
[transport]
model = "vector"
degree = 1
"""


def test_case(tmp_path):
    """The case is what Python makes of the same numbers."""
    summary, _ = run(tmp_path, CASE)
    state = summary["states"]["default"]
    p = fs.TransportProblem(device(mesh_size=10e-9), fs.Vector(), contacts=ENDS, degree=1)
    expected = np.array(p.solve(terminals=drive(2e-3), between=("left", "right")).report["torque"]["free"])
    assert state["torque"]["free"] == pytest.approx(expected, rel=0, abs=1e-6 * np.linalg.norm(expected))
    assert 0 < state["voltages"]["top"] < 2e-3
    assert summary["contacts"] == {"left": "reservoir", "right": "reservoir", "top": "blocked"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("bar = true\n", ""), ["layer: the first layers have bar = true", "[False, False]"]),
        (("thickness = 1.5e-9", "thickness = 1.5e-9\nbar = true"), ["[True, True]"]),
        (("bar_width = 40e-9", "bar_width = 20e-9"), ["geometry.bar_width", "exceed the pillar's, 2.4e-08"]),
        (("bar_width = 40e-9\n", ""), ["geometry.bar_width: missing"]),
        (("diameter = 24e-9\n", ""), ["exactly one of diameter and semi_axes"]),
        (("[contact.top]\ncurrent = 0\n", "[contact.top]\n"), ["contact.top: give exactly one"]),
        (("[contact.left]", "[contact.bottom]"), ["contact.bottom", "no such contact"]),
        (('shape = "three-terminal"', 'shape = "pillar"'), ["bar"]),
    ],
)
def test_bad_cases(tmp_path, capsys, change, words):
    path = tmp_path / "case.toml"
    path.write_text(swap(CASE, change))
    refused(capsys, ["run", path, "--output", tmp_path / "out"], words)


def test_bad_sizes():
    with pytest.raises(InputError, match="bar_layers is 2; of 2 layers the bar and the pillar need one each"):
        device(bar_layers=2)
    with pytest.raises(InputError, match=r"bar_width is 2e-08; it must exceed the pillar's, 2.4e-08"):
        device(bar_width=20e-9)
    with pytest.raises(InputError, match="exactly one of diameter and semi_axes"):
        device(semi_axes=(1e-8, 1e-8))
