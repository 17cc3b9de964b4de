"""Case files of textured magnets: what is refused, what comes out, ranks."""

import functools
import json
import math
import os
import subprocess
import sys

import casefiles
import numpy as np
import pytest
from case_texts.textures import (
    ALPHA,
    BANDS,
    BASE,
    BETA,
    BOX,
    CARRIERS,
    COPPER,
    EMF,
    FILE,
    HEAT,
    KH,
    MAGNET,
    MOVE,
    MS,
    PROBE,
    SIGMA,
    STRIP,
    WALL,
    WARM,
    WIRE,
    A,
    K,
    P,
)
from casefiles import columns, run, swap, task
from launch import python
from scipy.special import ellipk

from fespin.cases.texture.motion import means
from fespin.cli import main

refused = functools.partial(casefiles.refused, progress="mesh|note")

HBAR, E, MU_B = 1.054571817e-34, 1.602176634e-19, 9.2740100783e-24
GAMMA = 2 * MU_B / HBAR
WIDTH = math.sqrt(A / K)
WALKER = ALPHA * KH / MS


def magnet(*pairs):
    return swap(BASE + MOVE, *pairs)


def add(*lines):
    """Return a case with more keys of the magnet."""
    return magnet(("[texture.geometry]", "\n".join([*lines, "[texture.geometry]"])))


def wall(*lines):
    return MAGNET + WIRE + "\n".join(["[texture.wall]", *lines, ""]) + MOVE


def carried(*pairs):
    return BASE + MOVE + swap(CARRIERS, *pairs)


def probe(positions):
    return BASE + f"[texture.probe]\npositions = {positions}\n" + MOVE


BAD = {
    # ---- [texture]
    "misspelt": (magnet(("polarization", "polarisation")), ["texture.polarisation", "unknown key", "'polarization'"]),
    "no Ms": (magnet((f"saturation_magnetization = {MS}\n", "")), ["texture.saturation_magnetization", "missing"]),
    "damping below": (magnet((f"= {ALPHA}", "= -0.1")), ["texture.damping", "-0.1", "0 and 100"]),
    "damping is text": (magnet((f"= {ALPHA}", '= "low"')), ["texture.damping", '"low"', "a number"]),
    "polarization in percent": (magnet((f"= {P}", "= 43")), ["texture.polarization", "found 43", "at most 1"]),
    "exchange in pJ/m": (magnet((f"= {A}", "= 17.0")), ["texture.exchange", "17.0", "1e-06"]),
    "field of a number": (add("field = 0.1"), ["texture.field", "0.1", "a list"]),
    "field of two": (add("field = [0.1, 0.0]"), ["texture.field", "3 entries"]),
    "field in A/m": (add("field = [8e4, 0, 0]"), ["texture.field 1", "80000", "in T"]),
    "dipolar field of a line": (add("dipolar = true"), ["texture.dipolar", "three dimensions", '"line"']),
    "axis zero": (add("easy_axis = [0, 0, 0]"), ["texture: easy_axis is zero"]),
    "oblique axes": (add("easy_axis = [1, 0, 1]"), ["texture: hard_axis", "not perpendicular"]),
    "hardly a conductor": (magnet((f"= {SIGMA}", "= 1e-300")), ["texture.conductivity", "1e-300", "at least 1e-06"]),
    "hardly exchange": (magnet((f"= {A}", "= 5e-324")), ["texture.exchange", "5e-324", "at least 1e-20"]),
    "hardly a gyrator": (add("gyromagnetic_ratio = 1e-200"), ["texture.gyromagnetic_ratio", "at least 1e+06"]),
    "anisotropy of a star": (magnet((f"= {KH}", "= 1e11")), ["texture.hard_constant", "1000000000"]),
    "faster than light": (add("current_density = -1e20"), ["texture.current_density", "-1e+20 A/m2", "than light"]),
    "volts of a cloud": (add("voltage = 1e7"), ["texture.voltage", "1e+07 V", "faster than light"]),
    "endless": (BASE + swap(MOVE, ("1e-9", "1e3")), ["task 1.duration", "found 1000.0", "0.001"]),
    "endless steps": (BASE + MOVE + "max_step = 1e-19\n", ["task 1.max_step", "1e+10 steps", "1e-17 s on"]),
    "current and voltage": (add("current_density = 1e11", "voltage = 1e-3"), ["texture", "voltage", "both"]),
    "misspelt table": (magnet(("[texture]", "[textrue]")), ["textrue", "unknown table", "'texture'"]),
    "no geometry": (MAGNET + WALL + MOVE, ["texture.geometry", "missing"]),
    "with a macrospin": (
        "[macrospin]\nvolume = 1e-24\nsaturation_magnetization = 8e5\ndamping = 0.1\n" + BASE + MOVE,
        ["[macrospin]", "nothing uses it", "[texture]"],
    ),
    "with contacts": ("[contact.bottom]\n" + BASE + MOVE, ["[contact]", "nothing uses it"]),
    # ---- [texture.geometry]
    "disc": (magnet(('"line"\nlength', '"disc"\nradius')), ["texture.wall", '"disc"', "vortex"]),
    "length below": (magnet(("240e-9", "-240e-9")), ["texture.geometry.length", "-2.4e-07", "1e-12 and 0.01"]),
    "length in nm": (magnet(("240e-9", "240")), ["texture.geometry.length", "240", "in m"]),
    "length in um": (magnet(("240e-9", "5e-3")), ["texture.geometry.length", "cells", "10 nm"]),
    "cells wider than the wall": (
        magnet(("240e-9", "240e-9\nmesh_size = 15e-9")),
        ["texture.geometry.mesh_size", "1.5e-08", "0.6 widths, 6.6e-09 m; 2.1e-09 m would do"],
    ),
    # ---- [texture.wall], magnetization, [texture.probe]
    "neither": (MAGNET + WIRE + MOVE, ["texture", "exactly one", "[texture.wall]", "magnetization", "neither"]),
    "both": (add("magnetization = [1, 0, 0]"), ["texture", "exactly one", "both"]),
    "magnetization zero": (
        swap(add("magnetization = [0, 0, 0]"), (WALL, "")), ["texture", "magnetization is zero"]
    ),
    "wall nowhere": (wall("angle = 0.1"), ["texture.wall.position", "missing"]),
    "wall outside": (wall("position = 300e-9"), ["texture.wall.position", "3e-07", "outside the wire"]),
    "wall in nm": (wall("position = 60"), ["texture.wall.position", "found 60", "0.01", "in m"]),
    "wall at an end": (wall("position = 20e-9"), ["texture.wall.position", "too near", "4.408e-08 to 1.959e-07"]),
    "wire too short": (magnet(("240e-9", "80e-9")), ["texture.wall", "too short", "4 widths"]),
    "nothing holds the wall": (
        magnet((f"easy_constant = {K}\n", "dipolar = true\n"), (WIRE, BOX)),
        ["texture.easy_constant", "its own dipolar field (texture.dipolar) and a texture.wall.width"],
    ),
    "steady in a dipolar field": (
        magnet(("[texture.geometry]", "dipolar = true\n[texture.geometry]"), (WIRE, BOX)).replace(
            "position", 'angle = "steady"\nposition'
        ),
        ["texture.wall.angle", "closed form", "texture.dipolar"],
    ),
    "no easy axis": (magnet((f"easy_constant = {K}\n", "")), ["texture.easy_constant", "wall needs an easy axis"]),
    "too steep": (
        magnet(("= 60e-9", "= 60e-9\nwidth = 2.5e-9"), (f"= {BETA}", "= 0.9"), (f"= {SIGMA}", "= 5e8")),
        ["texture.wall", "|grad m|", "4e+08", "entropy", "nonadiabaticity"],
    ),
    "no steady wall": (
        add("field = [0.1, 0, 0]").replace("position", 'angle = "steady"\nposition'),
        ["texture.wall.angle", "no steady wall", "0.1 T"],
    ),
    "steady in an oblique field": (
        add("field = [1e-3, 1e-3, 0]").replace("position", 'angle = "steady"\nposition'),
        ["texture.wall.angle", "along the easy axis"],
    ),
    "angle of text": (wall("position = 60e-9", 'angle = "stedy"'), ["texture.wall.angle", '"stedy"']),
    "one probe": (probe([20e-9]), ["texture.probe.positions", "2 entries"]),
    "probe outside": (probe([20e-9, 250e-9]), ["texture.probe.positions", "2.5e-07", "0 to 2.4e-07"]),
    "point on a line": (probe([[20e-9, 0.0], [90e-9, 0.0]]), ["texture.probe.positions", "1 coordinates"]),
    "places and points": (probe([20e-9, [90e-9, 0.0]]), ["texture.probe.positions", "places and points"]),
    # ---- [texture.carriers], [texture.lead.NAME]
    "no such model": (carried(('"generic"', '"s-d"')), ["texture.carriers.model", '"s-d"', "two-band"]),
    "bands without a length": (carried(('"generic"', '"two-band"')), ["carriers.spin_diffusion_length", "missing"]),
    "length of one band": (
        carried(('"generic"', '"generic"\nspin_diffusion_length = 1e-8')),
        ["texture.carriers.spin_diffusion_length", "belongs to", "two-band"],
    ),
    "no such coefficient": (
        carried(('"generic"', '"generic"\ncoefficients = { L_sM = 1.0 }')),
        ["texture.carriers.coefficients.L_sM", "unknown", "L_sM2"],
    ),
    "coefficient with a key": (
        carried(('"generic"', '"generic"\ncoefficients = { A_perp = 1.0 }')),
        ["texture.carriers.coefficients.A_perp", "unknown"],
    ),
    "seebeck without heat": (carried(('"generic"', '"generic"\nseebeck = 1e-5')), ["seebeck", "thermal_conductivity"]),
    "two seebecks": (
        carried(('"generic"', '"generic"\nthermal_conductivity = 4.0\nseebeck = [1e-5, 2e-5]')) + WARM,
        ["texture.carriers.seebeck", "found two"],
    ),
    "heat of nothing": (BASE + MOVE + CARRIERS + HEAT, ["texture.lead", "no end has a temperature"]),
    "lead of a coefficient alone": (
        carried(('"generic"', '"generic"\ncoefficients = { L_sM1 = 1e-7 }')),
        ["texture.carriers", "L_sM1", "thermal_conductivity"],
    ),
    "hole of a hole": (
        MAGNET + '[texture.geometry]\nshape = "ring"\nradius = 5e-8\ninner_radius = 6e-8\n[texture.vortex]\n' + MOVE,
        ["texture.geometry.inner_radius", "less than the radius"],
    ),
    "contacts of a wire": (add("contact_angle = 1.0"), ["texture.contact_angle", "discs"]),
    "lead without carriers": (BASE + MOVE + WARM, ["texture.lead.left", "nothing uses it", "[texture.carriers]"]),
    "lead in the middle": (
        BASE + MOVE + CARRIERS + HEAT + swap(WARM, ("left", "middle")),
        ["texture.lead.middle", "left, right"],
    ),
    "warm without heat": (BASE + MOVE + CARRIERS + WARM, ["texture.lead.left.temperature", "thermal_conductivity"]),
    "metal of one band": (BASE + MOVE + CARRIERS + COPPER, ["texture.lead.left.metal", "two bands"]),
    "voltage of carriers": (
        add("voltage = 1e-3") + CARRIERS,
        ["texture.voltage", "[texture.carriers]", "current_density"],
    ),
    "probes backwards": (probe([90e-9, 20e-9]), ["texture.probe.positions", "increase"]),
    # ---- [[task]]
    "no task": (BASE, ["[[task]]", "missing"]),
    "duration missing": (BASE + task("dynamics"), ["task 1.duration", "missing"]),
    "duration 0": (BASE + swap(MOVE, ("1e-9", "0")), ["task 1.duration", "found 0", "0 and 0.001"]),
    "samples of one": (BASE + MOVE + "samples = 1\n", ["task 1.samples", "at least 2"]),
    "animation of text": (BASE + MOVE + 'animation = "gif"\n', ["task 1.animation", "true or false"]),
    "fields of a motion": (BASE + MOVE + "fields = [0.0, 1.0]\n", ["task 1.fields", '"electromotive_force"']),
    "fields backwards": (BASE + EMF + "fields = [1.0, 0.0]\n", ["task 1.fields", "less than the second"]),
    "emf without a wall": (
        MAGNET + "magnetization = [1, 0, 0]\n" + WIRE + EMF,
        ["task 1", "that of a wall", "[texture.wall] is missing"],
    ),
    "task of longitudinal": (BASE + task("relaxation"), ["task 1.kind", "[longitudinal]", "dynamics"]),
    "task of a macrospin": (BASE + task("steady"), ["task 1.kind", "[macrospin]", "electromotive_force"]),
    "unknown kind": (BASE + task("dynamcs"), ["task 1.kind", '"dynamcs"', "'dynamics'"]),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_refused(name, tmp_path, capsys):
    text, words = BAD[name]
    path = tmp_path / "case.toml"
    path.write_text(text)
    refused(capsys, ["run", path, "--output", tmp_path / "new" / "out"], [str(path), *words])
    assert os.listdir(tmp_path) == ["case.toml"]


GEO = """\
SetFactory("OpenCASCADE");
Mesh.MeshSizeMax = 5;
Rectangle(1) = {-10, 0, 0, 160, 10};
"""


def test_refused_on_two_ranks(tmp_path):
    """Numbers beyond what products can hold: one line and the status of bad input, nobody waits."""
    path = tmp_path / "case.toml"
    path.write_text(magnet((f"= {SIGMA}", "= 1e-300")))
    done = python(2, "-m", "fespin", "run", path, timeout=60)
    assert done.returncode == 2
    assert [x for x in done.stderr.splitlines() if x.startswith("fespin: ")] == [
        "fespin: error: " + x.partition("fespin: error: ")[2] for x in done.stderr.splitlines() if "1e-300" in x
    ]


def test_mesh_file_refused(tmp_path, capsys):
    """What only the mesh tells: where the wire ends."""
    path = tmp_path / "case.toml"
    path.write_text(MAGNET + FILE + swap(WALL, ("60e-9", "155e-9")) + MOVE)
    (tmp_path / "m.geo").write_text(GEO)
    refused(capsys, ["run", path, "--output", tmp_path / "out"], ["texture.wall.position", "outside the wire"])
    (tmp_path / "m.geo").write_text(
        GEO + "Disk(2) = {150, 5, 0, 5, 5};\nBooleanUnion{ Surface{1}; Delete; }{ Surface{2}; Delete; }\n"
    )
    path.write_text(MAGNET + FILE + WALL + MOVE)
    refused(capsys, ["run", path, "--output", tmp_path / "out"], ["texture.geometry.mesh", "ends must be flat"])
    assert sorted(os.listdir(tmp_path)) == ["case.toml", "m.geo"]


# ---- good cases
def test_electromotive_force(tmp_path, capsys):
    """A wall at rest: 2 P mu_B B/e but for the damping, between all leads together too; Walker's limits."""
    text = swap(
        BASE,
        ("60e-9", "120e-9\nangle = 0.7\nwidth = 9e-9"),
        ("[texture.geometry]", "field = [5e-3, 0, 0]\n[texture.geometry]"),
    )
    summary, out = run(tmp_path, text + swap(PROBE, ("20e-9, 100e-9, 220e-9", "10e-9, 120e-9, 230e-9")) + EMF)
    assert summary["notes"] == []
    found, told = summary["tasks"]["1"], summary["texture"]
    per_field = 2 * P * MU_B / E * (1 + ALPHA * BETA) / (1 + ALPHA**2)
    assert told["voltage_per_field"] == pytest.approx(per_field, rel=1e-9, abs=0)
    static = found["static"]
    assert static["electromotive_force"] == pytest.approx(-per_field * 5e-3, rel=1e-6, abs=0)
    assert static["electromotive_forces"] == pytest.approx(-per_field * np.array(static["fields"]), rel=1e-6, abs=0)
    assert static["largest_deviation"] < 1e-6
    assert sum(static["between_probes"]) == pytest.approx(-per_field * 5e-3, rel=1e-6, abs=0)
    assert static["between_probes"][0] == pytest.approx(static["between_probes"][1], rel=1e-9, abs=0)
    assert found["walker_field"] == pytest.approx(WALKER, rel=1e-12, abs=0)
    assert told["width_at_rest"] == pytest.approx(WIDTH, rel=1e-12, abs=0)
    assert told["wall_width"] == 9e-9
    # Steady below: (beta/alpha) 2 P mu_B B/e.
    assert found["steady_wall"]["electromotive_force"] == pytest.approx(
        -BETA / ALPHA * 2 * P * MU_B / E * 5e-3, rel=1e-9, abs=0
    )
    assert math.sin(2 * found["steady_wall"]["angle"]) == pytest.approx(5e-3 / WALKER, rel=1e-9, abs=0)
    middle = math.sqrt(A / (K + KH / 2))
    drift = P * MU_B / (E * MS)
    assert found["breakdown_current"] == pytest.approx(
        GAMMA * WALKER * middle / ((BETA - ALPHA) * drift), rel=1e-9, abs=0
    )
    c = columns(out / "electromotive_force.1.csv")
    assert c["static_closed_form_V"] == pytest.approx(-per_field * c["field_T"], rel=1e-9, abs=0)
    far = c["field_T"] == c["field_T"].max()
    b = c["field_T"][far][0]
    assert b == pytest.approx(4 * WALKER, rel=1e-12, abs=0)
    turning = GAMMA * math.sqrt(b**2 - WALKER**2) / (1 + ALPHA**2)
    assert c["mean_turning_rate_1_per_s"][far] == pytest.approx(turning, rel=1e-9, abs=0)
    said = capsys.readouterr()
    assert "closed form to" in said.out
    assert "note:" not in said.err
    run(tmp_path, text + EMF, "--set", "texture.geometry.mesh_size=5e-9", name="coarse")
    assert "note: cells of 5e-09 m are coarse for a wall of width 9e-09 m" in capsys.readouterr().err
    above = run(tmp_path, text + EMF, "--set", "texture.field=[0.1,0,0]", name="above")[0]["tasks"]["1"]
    assert above["steady_wall"] is None and above["mean"]["turning_rate"] > 0


def test_a_steady_wall(tmp_path, capsys):
    """Driven by a field against a current: velocity, tilt, emf, voltages; energy to rounding."""
    current = 3e11
    text = swap(
        BASE, ("[texture.geometry]", f"field = [8e-3, 0, 0]\ncurrent_density = {current}\n[texture.geometry]"),
        ("60e-9", '60e-9\nangle = "steady"'),
    )  # fmt: skip
    summary, out = run(tmp_path, text + PROBE + task("dynamics", "duration = 0.4e-9", "samples = 5"))
    found = summary["tasks"]["1"]
    tilt = summary["texture"]["wall_angle"]
    delta, u = math.sqrt(A / (K + KH * math.sin(tilt) ** 2)), -P * MU_B / (E * MS) * current
    velocity = (GAMMA * delta * 8e-3 + BETA * u) / ALPHA
    assert math.sin(2 * tilt) == pytest.approx(2 * (velocity - u) / (GAMMA * delta * 2 * KH / MS), rel=1e-9, abs=0)
    mean, exact = found["mean"], found["closed_form"]
    assert mean["regime"] == "steady"
    assert exact["velocity"] == pytest.approx(velocity, rel=1e-9, abs=0)
    assert mean["velocity"] == pytest.approx(velocity, rel=0.01, abs=0)
    emf = -HBAR * P / E * BETA * velocity / delta
    assert exact["electromotive_force"] == pytest.approx(emf, rel=1e-9, abs=0)
    assert mean["electromotive_force"] == pytest.approx(emf, rel=0.02, abs=0)
    assert mean["current_density"] == pytest.approx(current, rel=1e-12, abs=0)
    assert found["final"]["angle"] == pytest.approx(tilt, rel=0.02, abs=0)
    assert found["final"]["position"] == pytest.approx(60e-9 + velocity * 0.4e-9, rel=0.01, abs=0)
    assert abs(found["energy_balance"]) < 1e-10
    assert found["stopped"] is None and found["end_time"] == 0.4e-9
    assert found["times"][0] == 0 and found["times"][-1] == 0.4e-9 and len(found["times"]) == 5
    assert np.diff(found["times"]) == pytest.approx(0.1e-9, rel=0.3, abs=0)  # the steps that come next
    assert found["position"][0] == found["start"]["position"] and found["position"][-1] == found["final"]["position"]
    assert found["electromotive_force"][0] is None and len(found["probe_electromotive_force_1"]) == 5
    c = columns(out / "dynamics.1.csv")
    assert c["voltage_V"] == pytest.approx(current * 240e-9 / SIGMA - c["electromotive_force_V"], rel=1e-12, abs=0)
    parts = c["probe_electromotive_force_0_V"] + c["probe_electromotive_force_1_V"]
    assert parts[-1] == pytest.approx(c["electromotive_force_V"][-1], rel=1e-3, abs=0)
    # The wall passes the lead at 100 nm: what was right of it is then left of it.
    assert abs(c["probe_electromotive_force_0_V"][0]) > 0.9 * abs(parts[0])
    joule = current**2 / SIGMA * 240e-9 * 0.4e-9
    assert found["dissipated"]["joule"] == pytest.approx(joule, rel=1e-9, abs=0)
    assert found["dissipated"]["damping"] > 0 > found["dissipated"]["beta"] * np.sign(u * velocity)
    assert "closed form" in capsys.readouterr().out


def test_a_turning_wall(tmp_path):
    """Above Walker's field, in an open circuit: means over whole turns; the end of the wire ends it."""
    text = swap(BASE, ("240e-9", "180e-9"), ("[texture.geometry]", f"field = [{4 * WALKER}, 0, 0]\n[texture.geometry]"))
    summary, out = run(tmp_path, text + task("dynamics", "duration = 20e-9", "tolerance = 5e-4", "samples = 100"))
    found = summary["tasks"]["1"]
    mean, exact = found["mean"], found["closed_form"]
    assert mean["regime"] == "turning"
    assert mean["turning_rate"] * (mean["end"] - mean["begin"]) / math.pi == pytest.approx(
        round(mean["turning_rate"] * (mean["end"] - mean["begin"]) / math.pi), abs=1e-6
    )
    turning = GAMMA * WALKER * math.sqrt(15) / (1 + ALPHA**2)
    assert exact["turning_rate"] == pytest.approx(turning, rel=1e-9, abs=0)
    assert mean["turning_rate"] == pytest.approx(turning, rel=0.02, abs=0)
    assert mean["velocity"] == pytest.approx(exact["velocity"], rel=0.1, abs=0)
    assert mean["electromotive_force"] == pytest.approx(exact["electromotive_force"], rel=0.04, abs=0)
    assert mean["current_density"] == pytest.approx(0, abs=1e-3)
    assert found["stopped"] == "the wall left the wire at its right end"
    assert found["end_time"] < 20e-9
    assert found["final"]["position"] > 180e-9 - 2.5 * WIDTH
    assert abs(found["energy_balance"]) < 1e-10
    assert found["put_in_by_leads"] == pytest.approx(0, abs=1e-12)
    c = columns(out / "dynamics.1.csv")
    assert c["time_s"][-1] == found["end_time"] and len(c["time_s"]) == found["steps"]
    assert np.diff(np.unwrap(c["angle_rad"])) == pytest.approx(np.diff(c["angle_rad"]), abs=1e-12)  # no jumps


def test_a_voltage(tmp_path):
    """Held between the ends, the wall's emf drives a current on top of it; electrons push the wall."""
    volt = -2.5e-2
    text = swap(
        BASE, ("[texture.geometry]", f"voltage = {volt}\n[texture.geometry]"), ("60e-9", '60e-9\nangle = "steady"')
    )
    found = run(tmp_path, text + task("dynamics", "duration = 0.3e-9", "max_step = 2e-12"))[0]["tasks"]["1"]
    mean = found["mean"]
    assert found["steps"] >= 150
    assert mean["current_density"] == pytest.approx(
        SIGMA * (volt + mean["electromotive_force"]) / 240e-9, rel=1e-9, abs=0
    )
    u = -P * MU_B / (E * MS) * mean["current_density"]
    assert u > 0
    assert mean["velocity"] == pytest.approx(BETA / ALPHA * u, rel=0.02, abs=0)
    assert found["closed_form"]["velocity"] == pytest.approx(BETA / ALPHA * u, rel=1e-9, abs=0)


def test_a_uniform_magnet(tmp_path):
    """Without walls: tan(theta/2) falls as exp(-alpha gamma B t/(1 + alpha^2))."""
    plain = swap(
        MAGNET, (f"easy_constant = {K}\nhard_constant = {KH}\n", "field = [0, 0, 0.3]\nmagnetization = [0, 2, 1]\n")
    )
    text = plain + swap(WIRE, ("240e-9", "40e-9")) + task("dynamics", "duration = 0.2e-9", "tolerance = 1e-7")
    summary, out = run(tmp_path, text)
    found = summary["tasks"]["1"]
    start = math.acos(1 / math.sqrt(5))
    later = 2 * math.atan(math.tan(start / 2) * math.exp(-ALPHA * GAMMA * 0.3 * 0.2e-9 / (1 + ALPHA**2)))
    assert found["final"]["mean_direction"][2] == pytest.approx(math.cos(later), abs=2e-5)
    assert found["mean"] is None and found["closed_form"] is None
    assert "wall_width" not in summary["texture"]
    assert "position_m" not in columns(out / "dynamics.1.csv")


def test_a_dipolar_field(tmp_path):
    """A cube has the factors 1/3: the energy at the start is mu0 Ms^2/6 per volume, and the field turns m."""
    plain = swap(
        MAGNET, (f"easy_constant = {K}\nhard_constant = {KH}\n", "dipolar = true\nmagnetization = [0, 0, 1]\n")
    )
    found, gaps = {}, []
    for cell, method in ((3e-9, "boundary"), (1.5e-9, "boundary"), (3e-9, "bricks")):
        cube = swap(BOX, ("[120e-9, 8e-9, 6e-9]", "[12e-9, 12e-9, 12e-9]"), ("6e-9", f"{cell}"))
        text = plain + cube + task("dynamics", "duration = 1e-12", "tolerance = 1e-2")
        chosen = ("--set", "texture.dipolar_method=boundary") if method == "boundary" else ()
        summary = run(tmp_path, text, *chosen)[0]
        found = summary["tasks"]["1"]
        assert summary["texture"]["dipolar_method"] == method
        gaps.append(1 - found["energy"][0] / (4e-7 * math.pi * MS**2 / 6 * 12e-9**3))
    assert 0 < gaps[1] < 0.05 and gaps[0] / gaps[1] > 2.5  # edges and corners
    assert abs(gaps[2]) < 1e-8
    assert found["closed_form"] is None
    assert abs(found["energy_balance"]) < 1e-6


def test_a_wall_held_by_its_own_field(tmp_path):
    """Head to head in a soft strip: it goes with the field, as far either way; a little anisotropy changes little."""
    strip = '[texture.geometry]\nshape = "box"\nsize = [84e-9, 12e-9, 6e-9]\nmesh_size = 4e-9\n'
    soft = swap(MAGNET, (f"easy_constant = {K}\nhard_constant = {KH}\n", "dipolar = true\nfield = [15e-3, 0, 0]\n"))
    text = soft + strip + "[texture.wall]\nposition = 42e-9\nwidth = 10e-9\n"
    text += EMF + task("dynamics", "duration = 8e-12", "tolerance = 2e-3", "samples = 3")
    went = []
    for change in ("field=[15e-3,0,0]", "field=[-15e-3,0,0]", "easy_constant=100.0"):
        summary, _ = run(tmp_path, text, "--set", f"texture.{change}")
        emf, moved = summary["tasks"].values()
        assert moved["stopped"] is None and moved["closed_form"] is None
        assert moved["start"]["position"] == pytest.approx(42e-9, rel=1e-6, abs=0)
        assert abs(moved["energy_balance"]) < 1e-6
        went.append(moved["final"]["position"] - 42e-9)
        assert emf["mean"] is None and emf["steady_wall"] is None and emf["walker_field"] is None
        assert emf["static"]["electromotive_force"] == pytest.approx(emf["static"]["closed_form"], rel=0.02, abs=0)
        (note,) = summary["notes"]
        assert "cells of 3.82e-09 m are 0.61 exchange lengths" in note
    assert went[0] > 3e-11 and went[1] == pytest.approx(-went[0], rel=1e-6, abs=0)
    assert went[2] == pytest.approx(went[0], rel=0.02, abs=0)


def test_strips_bodies_and_mesh_files(tmp_path):
    """Wires of two and three dimensions carry the current that a line does."""
    (tmp_path / "m.geo").write_text(swap(GEO, ("-10", "0")))
    drive = ("[texture.geometry]", "field = [5e-3, 0, 0]\ncurrent_density = 2e11\n[texture.geometry]")
    tasks = EMF + task("dynamics", "duration = 4e-11", "tolerance = 1e-3", "samples = 2")
    found = {}
    for name, body, section in (("strip", STRIP, 10e-9), ("box", BOX, 48e-18), ("file", FILE, 10e-9)):
        summary, _ = run(tmp_path, swap(MAGNET + body + WALL + tasks, drive), name=name)
        assert summary["texture"]["section"] == pytest.approx(section, rel=1e-9, abs=0)
        emf, moved = summary["tasks"].values()
        per_field = 2 * P * MU_B / E
        assert emf["static"]["electromotive_force"] == pytest.approx(-per_field * 5e-3, rel=0.03, abs=0)
        assert moved["mean"]["current_density"] == pytest.approx(2e11, rel=1e-9, abs=0)
        joule = 4e22 / SIGMA * summary["texture"]["volume"] * 4e-11
        assert moved["dissipated"]["joule"] == pytest.approx(joule, rel=1e-3, abs=0)
        assert abs(moved["energy_balance"]) < 1e-9
        found[name] = moved["final"]["position"]
    assert found["strip"] == pytest.approx(found["file"], rel=5e-3, abs=0)


def test_a_notch(tmp_path):
    """Its resistance is no electromotive force: what tilt and position of a wall beside it say, at a strong current."""
    notch = "Disk(2) = {120, 0, 0, 6};\nBooleanDifference{ Surface{1}; Delete; }{ Surface{2}; Delete; }\n"
    (tmp_path / "m.geo").write_text(swap(GEO, ("-10", "0")) + notch)
    drive = ("[texture.geometry]", "field = [5e-3, 0, 0]\ncurrent_density = 6e11\n[texture.geometry]")
    far = swap(PROBE, ("20e-9, 100e-9, 220e-9", "5e-9, 95e-9, 155e-9"))
    tasks = task("dynamics", "duration = 4e-11", "tolerance = 1e-3", "samples = 2")
    summary, out = run(tmp_path, swap(MAGNET + FILE + WALL + far + tasks, drive))
    found, c = summary["tasks"]["1"], columns(out / "dynamics.1.csv")
    assert found["closed_form"] is None
    assert summary["texture"]["volume"] < 0.99 * summary["texture"]["section"] * summary["texture"]["length"]
    t, q, angle = c["time_s"], c["position_m"], c["angle_rad"]
    width = (c["width_m"][1:] + c["width_m"][:-1]) / 2
    told = -HBAR * P / E * (np.diff(angle) + BETA * np.diff(q) / width) / np.diff(t)
    emf, between = c["electromotive_force_V"], c["probe_electromotive_force_0_V"]
    assert emf[5:] == pytest.approx(told[4:], rel=0.06, abs=0)
    assert between[5:] == pytest.approx(emf[5:], rel=0.04, abs=0)  # it comes from the wall, between the first two leads
    assert np.abs(c["probe_electromotive_force_1_V"][5:]).max() < 0.04 * np.abs(emf[5:]).min()
    # What Ohm's law of a straight wire leaves over is the notch.
    ohm = 6e11 * summary["texture"]["length"] / SIGMA - c["voltage_V"]
    assert np.abs(ohm + emf).min() > 100 * np.abs(emf).max()


def test_files_and_pictures(tmp_path):
    text = swap(BASE, ("[texture.geometry]", "field = [8e-3, 0, 0]\n[texture.geometry]")) + PROBE + EMF
    path, out = tmp_path / "case.toml", tmp_path / "out"
    path.write_text(
        'title = "Wall"\n'
        + text
        + task("dynamics", 'name = "go"', "duration = 5e-11", "samples = 4", "animation = true")
    )
    assert main(["run", str(path), "--output", str(out)]) == 0
    names = (
        "dynamics.go.csv",
        "dynamics.go.gif",
        "dynamics.go.png",
        "electromotive_force.1.csv",
        "electromotive_force.1.png",
    )
    assert set(os.listdir(out)) == {*names, "fields.go.bp", "summary.json"}
    assert min((out / x).stat().st_size for x in names if not x.endswith("csv")) > 10_000
    assert (out / "dynamics.go.gif").read_bytes()[:4] == b"GIF8"


@pytest.mark.parametrize(
    ("more", "said"),
    [("", "open circuit"), (CARRIERS + HEAT + WARM, "carriers: generic, left 300 K, right 309 K"),
     (BANDS + COPPER, "carriers: two-band, left metal")],
)  # fmt: skip
def test_dry_run(more, said, tmp_path):
    """It says what would be run, and starts neither MPI nor DOLFINx: on several ranks only the first reads a case."""
    path = tmp_path / "case.toml"
    path.write_text('title = "A wire"\n' + BASE + more + EMF + MOVE)
    script = (
        "import sys; from fespin.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'dolfinx', 'petsc4py.PETSc', 'mpi4py.MPI', 'gmsh', 'pyvista', 'matplotlib'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "run", str(path), "--dry-run", "--set", "texture.wall.angle=0.1"],
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for words in ("A wire", "Ms 830000 A/m", "line, 240 nm", "tilt 0.1 rad", said, "2 (dynamics)"):
        assert words in done.stdout, done.stdout
    assert os.listdir(tmp_path) == ["case.toml"]


# ---- means
def test_means_of_turns():
    """Whole half turns only; a swing with their period drops out."""
    t = np.linspace(0, 1.0, 4001)
    angle = 40 * t + 0.2 * np.sin(80 * t)
    position = 3 * t + 0.1 * np.sin(2 * angle)
    middle = (t[1:] + t[:-1]) / 2
    found = means(t, position, angle, {"emf": 40 + 16 * np.cos(80 * middle)})
    assert found.regime == "turning"
    assert found.turning_rate * (found.end - found.begin) == pytest.approx(11 * np.pi, rel=1e-6, abs=0)
    assert found.velocity == pytest.approx(3, rel=1e-4, abs=0)
    assert found.turning_rate == pytest.approx(40, rel=1e-4, abs=0)
    assert found.integrals["emf"] == pytest.approx(40, rel=1e-3, abs=0)


def test_means_of_what_does_not_turn():
    t = np.linspace(0, 1.0, 101)
    still = means(t, 2 * t, 0.3 + np.exp(-20 * t), {})
    assert (still.regime, still.begin, still.velocity) == ("steady", 0.5, pytest.approx(2, rel=1e-12, abs=0))
    assert means(t, 2 * t, 2 * t, {}).regime == "unsettled"  # it turns, not yet enough
    assert means(t, t**2, 0 * t, {}).regime == "unsettled"  # it still gets faster
    assert means(t[:3], t[:3], t[:3], {}) is None


def numbers(found, where=""):
    """Yield the numbers of a summary with their places."""
    if isinstance(found, dict):
        for k, v in found.items():
            yield from numbers(v, f"{where}.{k}")
    elif isinstance(found, list) and found and all(isinstance(x, (int, float)) for x in found):
        yield where, np.array(found)
    elif isinstance(found, (int, float)) and not isinstance(found, bool):
        yield where, np.array([found])


NOT_COMPARED = ("largest_deviation", "energy_balance", "put_in_by_leads", "linear_solves", "factors", "m_z")


@pytest.mark.slow
def test_ranks(tmp_path):
    """The numbers of one rank, to 1e-7 of the largest of their list: a line on two, a strip on three."""
    drive = ("[texture.geometry]", "field = [8e-3, 0, 0]\ncurrent_density = 3e11\n[texture.geometry]")
    move = task("dynamics", "duration = 4e-11", "samples = 2", "tolerance = 1e-3")
    for ranks, body in ((2, WIRE + PROBE), (3, STRIP)):
        expected = run(tmp_path, swap(MAGNET + body + WALL + EMF + move, drive), name=f"{ranks}")[0]
        out = tmp_path / f"on-{ranks}"
        done = python(ranks, "-m", "fespin", "run", tmp_path / f"{ranks}.toml", "--output", out, timeout=120)
        assert done.returncode == 0, done.stderr
        summary = json.loads((out / "summary.json").read_text())
        assert summary["ranks"] == ranks
        assert "dynamics.2.png" in os.listdir(out)
        for key in ("texture", "tasks"):
            mine, other = dict(numbers(expected[key])), dict(numbers(summary[key]))
            assert mine.keys() == other.keys()
            for where, values in mine.items():
                if where.rpartition(".")[2] not in NOT_COMPARED:
                    scale = abs(values).max()
                    assert other[where] == pytest.approx(values, rel=0, abs=1e-7 * scale + 1e-300), where


# ---- carriers
def test_wall_in_a_temperature_gradient(tmp_path):
    """The generic magnet's torques of grad T at J = 0 move the wall at the closed form's velocity; heat is balanced."""
    coefficients = "coefficients = { L_sM1 = -4e-7, L_sM_prime = 5e-15 }\n"
    text = MAGNET + swap(WIRE, ("240e-9", "240e-9\nmesh_size = 1.2e-9")) + swap(WALL, ("60e-9", "120e-9"))
    go = task("dynamics", "duration = 1.5e-9", "samples = 4")
    summary, out = run(tmp_path, text + CARRIERS + HEAT + coefficients + WARM + go)
    found = summary["tasks"]["1"]
    assert found["mean"]["velocity"] == pytest.approx(found["closed_form"]["velocity"], rel=0.01)
    assert abs(found["closed_form"]["velocity"]) > 1 and found["closed_form"]["electromotive_force"] is None
    assert abs(found["energy_balance"]) < 1e-10 and abs(found["carriers"]["balance"]) < 1e-10
    assert found["carriers"]["temperatures"] == {"left": 300.0, "right": 309.0}
    # An open circuit: the Seebeck voltage, -S times the difference of temperatures, and what the wall pumps.
    assert found["carriers"]["voltages"]["right"] == pytest.approx(9 * 20e-6, rel=1e-3)
    table = columns(out / "carriers.1.csv")
    assert table["temperature_K"][0] == 300.0 and len(table["torque_x_A_per_m_s"]) == 201
    assert summary["units"]["tasks"]["1"]["heats"] == "W/m2"


def test_bands_beside_a_metal(tmp_path):
    """A wall at rest pumps what the static form says; bands that take time and a metal are in the results."""
    text = MAGNET + swap(WIRE, ("240e-9", "480e-9\nmesh_size = 2e-9")) + swap(WALL, ("60e-9", "240e-9"))
    text = swap(text, ("[texture.geometry]", "field = [5e-3, 0, 0]\n[texture.geometry]"))
    slow = BANDS + "spin_relaxation_time = 2e-13\n" + COPPER
    go = task("dynamics", "duration = 2e-12", "samples = 2")
    summary, out = run(tmp_path, text + slow + EMF + go)
    static = summary["tasks"]["1"]["static"]
    assert static["electromotive_force"] == pytest.approx(static["closed_form"], rel=1e-3)
    found = summary["tasks"]["2"]
    assert abs(found["energy_balance"]) < 1e-10
    assert found["carriers"]["spin_currents"]["left"] != 0 and found["carriers"]["stored"] != 0
    table = columns(out / "carriers.2.csv")
    apart = np.array(table["potential_up_V"]) - np.array(table["potential_down_V"])
    assert np.array(table["accumulation_V"]) == pytest.approx(apart, rel=0, abs=1e-9 * np.abs(apart).max())
    conductivities = [SIGMA * (1 + s * P) / 2 for s in (1, -1)]
    flip = 1 / (20e-9**2 * sum(1 / x for x in conductivities))  # S/m3
    assert table["n_up_1_per_m3"] == pytest.approx(-flip * 2e-13 * apart / E, rel=1e-9)


DISC = swap(MAGNET, ("polarization", "current_density = 2e10\npolarization"), ("easy_constant", "# easy_constant"))
ROUND = {
    "disc": ('shape = "disc"\nradius = 50e-9', 1.0),
    "ring": ('shape = "ring"\nradius = 50e-9\ninner_radius = 18e-9', 1.0),
    "cylinder": ('shape = "cylinder"\nradius = 50e-9\nlength = 8e-9', 8e-9),
}


@pytest.mark.parametrize("shape", ROUND)
def test_round_bodies(shape, tmp_path):
    """A vortex between leads on the edge: currents, resistance of a disc between arcs, points as probes, balances."""
    geometry, height = ROUND[shape]
    body = f"[texture.geometry]\n{geometry}\nmesh_size = {3.3 if shape == 'disc' else 6.6}e-9\n[texture.vortex]\n"
    points = ", ".join(str([0.0, y, *([4e-9] if shape == "cylinder" else [])]) for y in (24e-9, 40e-9))
    probes = f"[texture.probe]\npositions = [{points}]\n"
    go = task("dynamics", "duration = 2e-11", "samples = 3")
    summary, out = run(tmp_path, DISC + body + probes + go)
    found, described = summary["tasks"]["1"], summary["texture"]
    hole = 18e-9 if shape == "ring" else 0.0
    assert described["section"] == pytest.approx(2 * (50e-9 - hole) * height, rel=1e-12)
    assert described["volume"] == pytest.approx(np.pi * (50e-9**2 - hole**2) * height, rel=0.03)
    assert abs(found["energy_balance"]) < 1e-9
    table = {k: np.array(v) for k, v in columns(out / "dynamics.1.csv").items()}
    assert table["current_density_A_per_m2"] == pytest.approx(2e10, rel=1e-6)
    # Both probes stand in the middle, which is at one potential but for what is pumped.
    assert np.abs(table["probe_electromotive_force_0_V"]).max() < 1e-2 * np.abs(table["voltage_V"]).max()
    if shape == "disc":
        # Arcs of pi/3: a rectangle of height K'(k) and width 2 K(k), k = tan(pi/12)^2; mapped conformally.
        m = math.tan(math.pi / 12) ** 4
        resistance = ellipk(1 - m) / (2 * ellipk(m)) / SIGMA
        pumped = table["voltage_V"] + table["electromotive_force_V"]
        assert pumped / (2e10 * described["section"]) == pytest.approx(resistance, rel=0.02)
    assert ("core_x" in found) == (shape != "ring")


def test_probes_at_points_of_a_plane(tmp_path):
    """Two points across the strip see no voltage, two along it what places see."""
    half = swap(STRIP, ("160e-9", "200e-9"))
    wall = swap(WALL, ("60e-9", "100e-9"))
    drive = swap(MAGNET, ("hard_constant", "current_density = 1e11\nhard_constant"))
    given = {"points": "[[40e-9, 2e-9], [160e-9, 8e-9], [160e-9, 2e-9]]", "places": "[40e-9, 160e-9]"}
    found = {}
    for name, positions in given.items():
        text = drive + half + wall + f"[texture.probe]\npositions = {positions}\n" + EMF
        found[name] = run(tmp_path, swap(text, ("current", "field = [5e-3, 0, 0]\ncurrent")), name=name)[0]
    along, across = found["points"]["tasks"]["1"]["static"]["between_probes"]
    assert along == pytest.approx(found["places"]["tasks"]["1"]["static"]["between_probes"][0], rel=0.02)
    assert abs(across) < 0.02 * abs(along)
