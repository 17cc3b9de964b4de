"""Films that a field in their plane drives, from case files: currents, torques, write errors, and what is refused."""

import csv

import numpy as np
import pytest
from casefiles import refused, run, swap

from fespin.cases.casefile import read
from fespin.cli import main
from fespin.constants import ELEMENTARY_CHARGE, HBAR
from references import film as exact

HALF = HBAR / (2 * ELEMENTARY_CHARGE)
E = (1.1e5, -0.3e5)
FILM = """
[geometry]
shape = "line"
mesh_size = 0.25e-9
[[layer]]
name = "hm"
material = "Heavy"
thickness = 5e-9
[[layer]]
name = "free"
material = "Ferro"
thickness = 2e-9
magnetization = [0.3, -0.5, 0.8]
[material.Heavy]
resistivity = 2.5e-7
spin_diffusion_length = 1.5e-9
spin_hall_angle = -0.1
[material.Ferro]
resistivity = 1.3e-6
beta = 0.5
spin_diffusion_length = 5e-9
anisotropic_magnetoresistance = 0.2
[interface."Ferro|Heavy"]
conductance = [6e14, 3e14]
mixing_conductance = [5e14, 0.8e14]
spin_memory_loss = [1e14, 4e14]
[transport]
model = "vector"
degree = 3
in_plane_field = [1.1e5, -0.3e5]
"""
# No anisotropic resistance: the angle to z x E tells all.
PLAIN = swap(FILM, ("anisotropic_magnetoresistance = 0.2\n", ""), ("[1.1e5, -0.3e5]", "[6e5, 0]"))
MAGNET = """
[macrospin]
layer = "free"
saturation_magnetization = 9e5
damping = 0.03
[[macrospin.anisotropy]]
kind = "uniaxial"
stability = 12
axis = [0, 1, 0]
[torque]
source = "transport"
"""
CELL = swap(PLAIN, ('shape = "line"', 'shape = "line"\ncross_section = 1.2e-15')) + MAGNET
WRITE = """
[[task]]
kind = "switching"
name = "write"
start = {0}
pulse = {1}
samples = 5
[[task]]
kind = "langevin"
name = "ensemble"
start = {0}
pulse = {1}
samples = 5
ensemble = {2}
seed = 7
"""


def reference(m, *, anisotropy=0.2, field=E, theta=-0.1, flipped=False):
    hm = exact.normal(5e-9, 2.5e-7, 1.5e-9, theta, field)
    f = exact.magnet(
        2e-9, 1.3e-6, 0.5, 5e-9, m, anisotropy=anisotropy, electric_field=field, dephasing=5e-9, absorbing=True
    )
    layers = [f, hm] if flipped else [hm, f]
    face = exact.mixing(*layers, 6e14, 3e14, 5e14 + 0.8e14j, loss=(4e14, 1e14))
    x = exact.solve(layers, [face], exact.blocked(layers[0], 0.0), exact.blocked(layers[1]))
    i = layers.index(f)
    return x.in_plane(1 - i)[:2], x.in_plane(i)[:2], x.torque(i, {1 - i: (6e14, 3e14, 5e14 + 0.8e14j)})


@pytest.mark.parametrize("flipped", [False, True])
def test_states_against_the_exact_film(tmp_path, flipped):
    text = FILM
    if flipped:
        start, end = FILM.index("[[layer]]"), FILM.index("[material.Heavy]")
        first, second = (f"[[layer]]{x}" for x in FILM[start:end].split("[[layer]]")[1:])
        text = FILM[:start] + second + first + FILM[end:]
    summary, _ = run(tmp_path, text)
    state = summary["states"]["default"]
    hm, f, torque = reference((0.3, -0.5, 0.8), flipped=flipped)
    assert state["in_plane_current"]["hm"] == pytest.approx(hm / 5e-9, rel=1e-8)
    assert state["in_plane_current"]["free"] == pytest.approx(f / 2e-9, rel=1e-8)
    assert state["sheet_resistance"] == pytest.approx(np.dot(E, E) / np.dot(E, hm + f), rel=1e-8)
    assert state["torque"]["free"] == pytest.approx(torque, rel=0, abs=1e-7 * np.abs(torque).max())
    assert state["in_plane_field"] == list(E)
    assert abs(state["power_balance"]) < 1e-12
    assert state["current"] == 0
    assert state["resistance_area"] is None
    assert summary["contacts"] == {"bottom": "blocked", "top": "blocked"}
    assert summary["materials"]["Heavy"]["spin_hall_angle"] == -0.1
    assert summary["materials"]["Ferro"]["anisotropic_magnetoresistance"] == 0.2
    losses = summary["interfaces"]["free|hm" if flipped else "hm|free"]["spin_memory_loss"]
    assert losses == ([1e14, 4e14] if flipped else [4e14, 1e14])
    assert summary["units"]["states"]["sheet_resistance"] == "ohm"


def test_field_and_current_together(tmp_path):
    """Linear: the currents in the plane are those of both drives, and the power that both put in balances."""
    resolved = swap(
        FILM, ("beta = 0.5", "beta = 0.5\ndephasing_length = 1e-9"), ('"vector"', '"vector"\ntransverse = "resolved"')
    )
    up = '\ncurrent_density = 2e11\n[contact.top]\nspin = "reservoir"\n'
    cases = {
        "both": resolved + up,
        "alone": resolved + swap(up, ("2e11", "0")),
        "upwards": swap(resolved, ("in_plane_field = [1.1e5, -0.3e5]", "in_plane_field = [0, 0]")) + up,
    }
    both, alone, upwards = (run(tmp_path, x, name=k)[0]["states"]["default"] for k, x in cases.items())
    for k in ("hm", "free"):
        total = np.add(alone["in_plane_current"][k], upwards["in_plane_current"][k])
        assert both["in_plane_current"][k] == pytest.approx(total, rel=1e-8, abs=1e-3)
    assert both["torque"]["free"] == pytest.approx(np.add(alone["torque"]["free"], upwards["torque"]["free"]), rel=1e-8)
    assert abs(both["power_balance"]) < 1e-10
    assert both["current_density"] == pytest.approx(2e11)
    assert upwards["sheet_resistance"] is None


def test_writing_without_a_field(tmp_path):
    """Type y: the critical field in closed form, write errors against Langevin, and the other sense does nothing."""
    summary, out = run(
        tmp_path, CELL + WRITE.format([0, -1, 0], "4e-9", 2000), "--set", "transport.in_plane_field=[5e5, 0]"
    )
    found, tasks = summary["torque_map"], summary["tasks"]
    assert found["polarizer"] == [0, 1, 0]
    assert (found["heavy_metal"], found["current_density"]) == ("hm", pytest.approx(5e5 / 2.5e-7))
    b_k = 2 * 12 * 1.380649e-23 * 300 / (1.2e-15 * 2e-9) / 9e5
    alpha = 0.03 + found["pumped_damping"]["perpendicular"][0]
    # W and Ta drive to +y where Pt drives to -y.
    assert found["damping_like"]["perpendicular"] > 0
    a = found["damping_like"]["antiparallel"] / 5e5
    well = [w["direction"][1] for w in summary["macrospin"]["wells"]]
    critical = dict(zip(np.sign(well), found["critical_field"], strict=True))
    # Second orders in damping and what is pumped across the motion are 1e-3 of it.
    assert critical[-1.0] == pytest.approx(alpha * b_k / a, rel=5e-3)
    assert critical[1.0] == pytest.approx(-critical[-1.0], rel=1e-6)
    assert critical[-1.0] < 3e5
    exact_, sampled = tasks["write"]["not_switched"], tasks["ensemble"]["not_switched"]
    assert exact_[-1] < 0.2
    for p, n in zip(exact_, sampled, strict=True):
        assert abs(p - n) < 4.5 * np.sqrt(max(p * (1 - p), 1e-4) / 2000) + 2e-3
    against, _ = run(
        tmp_path, CELL + WRITE.format([0, -1, 0], "2e-9", 10), "--set", "transport.in_plane_field=[-5e5, 0]"
    )
    assert against["tasks"]["write"]["not_switched"][-1] > 0.999
    with (out / "torque_map.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert float(rows[0]["sheet_resistance_ohm"]) == pytest.approx(found["sheet_resistance"]["parallel"])
    assert summary["units"]["torque_map"]["critical_field"] == "V/m"


@pytest.mark.slow
def test_phase_diagram_of_drive_and_field(tmp_path):
    """Stability is lost on straight lines, E = E_c (1 -+ B/B_K), with drives in V/m."""
    task = """
[[task]]
kind = "phase-diagram"
name = "states"
drives = [-7e5, 7e5]
fields = [-0.04, 0.04]
direction = [0, 1, 0]
samples = 2
"""
    still = ("--set", "torque.pumping=false")
    summary, out = run(tmp_path, swap(CELL, ("stability = 12", "stability = 40")) + task, *still)
    found = summary["tasks"]["states"]
    b_k = 2 * 40 * 1.380649e-23 * 300 / (1.2e-15 * 2e-9) / 9e5
    for (low, first), (high, second) in found["critical"]:
        sign = np.sign(first)
        assert first / second == pytest.approx((1 - sign * low / b_k) / (1 - sign * high / b_k), rel=2e-3)
    # A drive along x writes +y, whatever field of these; the last row has the field along +y.
    regions, ends = np.array(found["regions"]), [s[1] for s in found["states"]]
    assert set(regions[:, 1]) == {str(int(np.argmax(ends)))}
    assert set(regions[:, 0]) == {str(int(np.argmin(ends)))}
    assert summary["units"]["tasks"]["states"]["drives"] == "V/m"
    assert "in_plane_field_V_per_m" in (out / "phase_diagram.states.csv").read_text().splitlines()[0]


@pytest.mark.slow
def test_writing_across_the_plane_with_a_field(tmp_path):
    """Type z with a field along the current: above the closed threshold it is written, in the sense of -E B_x."""
    cell = swap(CELL, ("axis = [0, 1, 0]", "axis = [0, 0, 1]"), ("damping = 0.03", "damping = 0.3"))
    cell = swap(cell, ("[5e14, 0.8e14]", "5e14"), ("stability = 12", "stability = 15"))
    b_k = 2 * 15 * 1.380649e-23 * 300 / (1.2e-15 * 2e-9) / 9e5
    share = 0.3
    cell = swap(cell, ("[torque]", "[sphere]\nmesh_size = 0.2\nverify = false\n[torque]\npumping = false"))
    cell = swap(cell, ("damping = 0.3", f"damping = 0.3\nfield = [{share * b_k}, 0, 0]"))
    closed = b_k * np.sqrt((8 + 20 * share**2 - share**4 - share * (8 + share**2) ** 1.5) / 32)
    probe = summary_of_map(tmp_path, cell)
    threshold = closed / abs(probe["damping_like"]["perpendicular"]) * 6e5
    assert probe["critical_field"] == [None, None]  # the trace does not see a torque across
    ends = {}
    for factor in (1.4, -1.4):
        drive = f"transport.in_plane_field=[{factor * threshold}, 0]"
        summary, _ = run(tmp_path, cell + WRITE.format([share, 0, 1], "3e-9", 1000), "--set", drive)
        tasks = summary["tasks"]
        ends[factor] = tasks["write"]["not_switched"]
        for p, n in zip(ends[factor], tasks["ensemble"]["not_switched"], strict=True):
            assert abs(p - n) < 4.5 * np.sqrt(max(p * (1 - p), 1e-3) / 1000) + 4e-3
    # The heavy metal lies below, with a negative angle: p is +y for E along x, and where u leans to +x the field of the
    # torque, along u x p, points up.
    assert ends[-1.4][-1] < 0.1
    assert ends[1.4][-1] > 0.95


def summary_of_map(tmp_path, cell):
    return run(tmp_path, cell + '[[task]]\nkind = "steady"\n', name="probe")[0]["torque_map"]


def test_anisotropic_resistance_takes_all_directions(tmp_path, capsys):
    text = swap(CELL, ("beta = 0.5", "beta = 0.5\nanisotropic_magnetoresistance = 0.05"))
    text = swap(text, ('source = "transport"', 'source = "transport"\npumping = false\ntolerance = 1e-3'))
    summary, out = run(
        tmp_path, text + '[[task]]\nkind = "langevin"\nstart = [0, -1, 0]\npulse = 1e-10\nensemble = 10\n'
    )
    found = summary["torque_map"]
    assert found["polarizer"] is None
    assert found["fit"] == "solves"
    assert "over the sphere" in capsys.readouterr().out
    with (out / "torque_map.csv").open() as file:
        rows = list(csv.DictReader(file))
    theta, phi = (np.radians(float(rows[200][k])) for k in ("polar_deg", "azimuth_deg"))
    u = (np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta))
    _, _, torque = reference(u, anisotropy=0.05, field=(6e5, 0))
    field = -torque / (9e5 * 2e-9)
    got = [float(rows[200][f"torque_{x}_T"]) for x in "xyz"]
    assert got == pytest.approx(field, rel=0, abs=2e-3 * np.abs(field).max())


def test_pictures_and_the_dry_run(tmp_path, capsys):
    path = tmp_path / "film.toml"
    steady = '[[task]]\nkind = "steady"\n'
    path.write_text(CELL + steady)
    assert main(["run", str(path), "--output", str(tmp_path / "out")]) == 0
    assert (tmp_path / "out" / "torque_map.png").stat().st_size > 10_000
    told = capsys.readouterr().out
    assert "A/m2 in the heavy metal" in told
    assert "sheet resistance" in told
    assert main(["run", str(path), "--dry-run"]) == 0
    told = capsys.readouterr().out
    assert "E (600000, 0) V/m" in told
    assert "spin Hall angle -0.1" in told
    assert "spin-memory loss 4e+14 and 1e+14 S/m2" in told
    assert "contact bottom: blocked (default)" in told


def test_the_library_has_heavy_metals(tmp_path):
    text = swap(
        PLAIN,
        ('material = "Heavy"', 'material = "Pt"'),
        ("Ferro|Heavy", "Ferro|Pt"),
        ('"vector"', '"vector"\ntemperature = 300'),
    )
    case = read(write(tmp_path, text))[0]
    assert case.make_stack()["hm"].material.spin_hall_angle == 0.051


def write(tmp_path, text):
    path = tmp_path / "case.toml"
    path.write_text(text)
    return path


STEADY = '[[task]]\nkind = "steady"\n'
NOISE = '[[task]]\nkind = "noise"\nobservable = "resistance"\nfrequencies = [1e6, 1e9]\n'
PERFECT = ("conductance = [6e14, 3e14]\nmixing_conductance = [5e14, 0.8e14]", "area_resistance_star = 0")
WITH_VOLTAGE = ("in_plane_field = [6e5, 0]", "in_plane_field = [6e5, 0]\nvoltage = 1e-3")
BAD = [
    (FILM, ("beta = 0.5", "beta = 0.5\nspin_hall_angle = 0.1"), ["Ferro.spin_hall_angle", "for normal metals"]),
    (
        FILM,
        ("spin_hall_angle = -0.1", "anisotropic_magnetoresistance = 0.1"),
        ["material.Heavy.anisotropic_magnetoresistance", "for ferromagnets"],
    ),
    (FILM, ("[1e14, 4e14]", "-1e14"), ["spin_memory_loss", "at least 0"]),
    (FILM, PERFECT, ["spin_memory_loss", "a perfect contact"]),
    (FILM, ('model = "vector"', 'model = "two-channel"'), ["belongs to transport.model", '"vector"']),
    (FILM, ("[1.1e5, -0.3e5]", "[0, 0]"), ["transport.in_plane_field", "[0, 0]"]),
    (FILM, ("[1.1e5, -0.3e5]", "[1e5]"), ["transport.in_plane_field"]),
    (FILM, ('shape = "line"', 'shape = "strip"\nwidth = 20e-9'), ["transport.in_plane_field", '"line"', "strip"]),
    (FILM, ('shape = "line"', 'shape = "line"\ncross_section = 1e-15'), ["geometry.cross_section", "macrospin.layer"]),
    (CELL + STEADY, WITH_VOLTAGE, ["transport.voltage", "in_plane_field"]),
    (CELL + STEADY, ("spin_hall_angle = -0.1", "spin_hall_angle = 0"), ["the only magnet"]),
    (CELL + STEADY, ('"transport"', '"relaxation"\ncross = { "hm|free" = 1e27 }'), ["in_plane_field"]),
    (CELL + STEADY, ("cross_section = 1.2e-15", ""), ["macrospin.layer", "cross_section"]),
    (CELL + NOISE, ("", ""), ["observable", "film"]),
]


@pytest.mark.parametrize(("text", "change", "words"), BAD)
def test_bad_input(tmp_path, capsys, text, change, words):
    refused(capsys, ["run", write(tmp_path, swap(text, change)), "--output", tmp_path / "out"], words)
    assert not (tmp_path / "out").exists()
