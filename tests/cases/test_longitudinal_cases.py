"""Case files of longitudinal dynamics: what is refused, what comes out, ranks."""

import csv
import functools
import json
import os
import re
import subprocess
import sys

import casefiles
import numpy as np
import pytest
from case_texts.longitudinal import (
    BOX,
    CHI,
    DISC,
    DISPERSION,
    FILE,
    HOLD,
    INJECT,
    LINE,
    MAGNET,
    RELAX,
    RESPONSE,
    SPOT,
    START,
    STEP,
    TAU,
    TAU_ML,
    XI,
    D,
    TAU_mL,
)
from casefiles import run, swap, task
from dolfinx import mesh
from launch import python
from mpi4py import MPI
from scipy.linalg import expm
from scipy.special import jv

from fespin.cases.json_schema import schema
from fespin.cases.layered.case import Case
from fespin.cases.longitudinal.case import LongitudinalCase
from fespin.cases.texture.case import TextureCase
from fespin.cli import main
from fespin.longitudinal import AppliedField, Contact, LongitudinalMagnet, LongitudinalProblem, respond
from fespin.normal_metal import NormalMetal

refused = functools.partial(casefiles.refused, progress="mesh|note")

MU0 = 4e-7 * np.pi
SAMPLE = LongitudinalMagnet(XI, TAU, D, TAU_ML, TAU_mL, CHI)


def magnet(old, new):
    return swap(MAGNET + LINE + DISPERSION, (old, new))


def body(*lines):
    return MAGNET + "\n".join(["[longitudinal.geometry]", *lines, ""]) + DISPERSION


def driven(*pairs):
    return MAGNET + LINE + swap(INJECT + HOLD + RESPONSE, *pairs)


def started(*pairs, of=STEP, where=LINE):
    return MAGNET + where + swap(of, *pairs) + RELAX


def asked(text, *pairs, where=LINE):
    return MAGNET + where + swap(text, *pairs)


METAL = """\
current_density = 1e11
area_resistance_star = 0.51e-15
gamma = 0.77
metal = { resistivity = 6e-9, spin_diffusion_length = 450e-9, relaxation_time = 3e-12 }"""
FIELD = '[longitudinal.field]\namplitude = 2e4\nshape = "uniform"\npoints = [[0, 0], [1e-12, 1]]\n'
LAYERS = '[geometry]\nshape = "line"\n[[layer]]\nmaterial = "Cu"\nthickness = 1e-8\n[transport]\nvoltage = 1.0\n'
MACROSPIN = "[macrospin]\nvolume = 1e-24\nsaturation_magnetization = 8e5\ndamping = 0.1\n"
# id: (the case, words of the line)
BAD = {
    # ---- [longitudinal]
    "xi 1": (magnet("xi = 0.23", "xi = 1.0"), ["longitudinal.xi", "found 1", "between 0 and 1", "stable"]),
    "xi above": (magnet("xi = 0.23", "xi = 1.7"), ["longitudinal.xi", "found 1.7", "between 0 and 1", "stable"]),
    "xi below": (magnet("xi = 0.23", "xi = -0.2"), ["longitudinal.xi", "-0.2", "greater than 0"]),
    "xi is text": (magnet("xi = 0.23", 'xi = "a third"'), ["longitudinal.xi", '"a third"', "a number"]),
    "no xi": (magnet("xi = 0.23\n", ""), ["longitudinal.xi", "missing"]),
    "misspelt": (magnet("diffusion", "difusion"), ["longitudinal.difusion", "unknown key", "'diffusion'"]),
    "tau 0": (magnet(f"tau_mM = {TAU}", "tau_mM = 0"), ["longitudinal.tau_mM", "found 0", "0 and 1e+18"]),
    "tau_mL below": (magnet(f"tau_mL = {TAU_mL}", "tau_mL = -1"), ["longitudinal.tau_mL", "-1"]),
    "diffusion in nm2/s": (magnet(f"diffusion = {D}", "diffusion = 1.7e15"), ["longitudinal.diffusion", "1000"]),
    "susceptibility nan": (magnet(f"= {CHI}", "= nan"), ["longitudinal.susceptibility", "nan", "finite"]),
    "degree of text": (magnet(f"= {CHI}", f"= {CHI}\ndegree = 2.5"), ["longitudinal.degree", "2.5", "an integer"]),
    "misspelt table": (magnet("[longitudinal]", "[longitudnal]"), ["longitudnal", "unknown table", "'longitudinal'"]),
    "two brackets": (magnet("[longitudinal]", "[[longitudinal]]"), ["longitudinal", "one bracket"]),
    "no geometry": (MAGNET + DISPERSION, ["longitudinal.geometry", "missing"]),
    # ---- mixtures
    "with layers": (LAYERS + MAGNET + LINE + DISPERSION, ["[geometry]", "nothing uses it", "[longitudinal]"]),
    "with a macrospin": (MACROSPIN + MAGNET + LINE + DISPERSION, ["[macrospin]", "nothing uses it"]),
    "with a texture": (MAGNET + LINE + "[texture]\n", ["[texture]", "one magnet", "[longitudinal]", "two cases"]),
    # ---- [longitudinal.geometry]
    "no shape": (body("length = 1e-7"), ["longitudinal.geometry", "exactly one", '"line"', "neither"]),
    "shape and mesh": (body('shape = "line"', "length = 1e-7", 'mesh = "m.msh"'), ["longitudinal.geometry", "both"]),
    "unknown shape": (body('shape = "circle"', "radius = 1e-7"), ["longitudinal.geometry.shape", '"circle"', "disc"]),
    "no length": (body('shape = "line"'), ["longitudinal.geometry.length", "missing"]),
    "negative length": (
        body('shape = "line"', "length = -1e-7"),
        ["longitudinal.geometry.length", "-1e-07", "between 1e-12 and 0.01"],
    ),
    "nm as m": (body('shape = "line"', "length = 200"), ["longitudinal.geometry.length", "200", "0.01", "in m"]),
    "a hair of mm": (
        body('shape = "line"', "length = 9e-3", "mesh_size = 1e-9"),
        ["longitudinal.geometry.length", "cells", "10 nm"],
    ),
    "radius of a line": (body('shape = "line"', "length = 1e-7", "radius = 1e-8"), ["geometry.radius", '"disc"']),
    "size of one": (body('shape = "rectangle"', "size = [1e-7]"), ["longitudinal.geometry.size", "2 entries"]),
    "flat box": (body('shape = "box"', "size = [1e-7, 1e-7]"), ["longitudinal.geometry.size", "3 lengths"]),
    "cells beyond the body": (
        body('shape = "line"', "length = 1e-8", "mesh_size = 2e-8"),
        ["longitudinal.geometry.mesh_size", "2e-08", "1e-08"],
    ),
    "unit of a shape": (body('shape = "line"', "length = 1e-7", "length_unit = 1e-9"), ["length_unit", '"mesh"']),
    "size of the cells of a msh": (
        MAGNET + swap(FILE, ("m.geo", "m.msh")) + task("dispersion", "wavenumbers = [1e7]"),
        ["longitudinal.geometry.mesh_size", ".msh"],
    ),
    "no file": (MAGNET + FILE + task("dispersion", "wavenumbers = [1e7]"), ["m.geo", "does not exist"]),
    # ---- [longitudinal.boundary]
    "no such boundary": (driven(("left", "lfet")), ["longitudinal.boundary.lfet", '"line"', "'left'"]),
    "edge of a line": (driven(("left", "edge")), ["longitudinal.boundary.edge", "known: left, right"]),
    "flux and accumulation": (
        driven(("flux = -3e6", "flux = -3e6\naccumulation = 0.0")),
        ["longitudinal.boundary.left", "exactly one", "flux", "accumulation", "both"],
    ),
    "neither": (driven(("flux = -3e6", "")), ["longitudinal.boundary.left", "exactly one", "neither"]),
    "misspelt flux": (driven(("flux = -3e6", "fluks = -3e6")), ["longitudinal.boundary.left.fluks", "'flux'"]),
    "boundary is a number": (
        magnet("susceptibility", "boundary = 3\nsusceptibility"),
        ["longitudinal.boundary", "found 3", "a table"],
    ),
    "unused boundary": (MAGNET + LINE + INJECT + DISPERSION, ["longitudinal.boundary", "nothing uses it"]),
    "flux and current": (
        driven(("flux = -3e6", "flux = -3e6\ncurrent_density = 1e11")),
        ["longitudinal.boundary.left", "exactly one", "current_density", "both"],
    ),
    "current out of nothing": (
        driven(("flux = -3e6", "current_density = 1e11")),
        ["longitudinal.boundary.left.metal", "missing", "resistivity"],
    ),
    "flux out of a metal": (
        driven(("flux = -3e6", "flux = -3e6\ngamma = 0.5")),
        ["longitudinal.boundary.left.gamma", "current_density"],
    ),
    "metal without a resistivity": (
        driven(("flux = -3e6", "current_density = 1e11\nmetal = { spin_diffusion_length = 1e-7 }")),
        ["longitudinal.boundary.left.metal.resistivity", "missing"],
    ),
    "gamma 1": (driven(("flux = -3e6", swap(METAL, ("0.77", "1.0")))), ["boundary.left.gamma", "1.0"]),
    "unused beta": (magnet("susceptibility", "beta = 0.3\nsusceptibility"), ["longitudinal.beta", "nothing uses it"]),
    # ---- [longitudinal.field]
    "unused field": (MAGNET + LINE + FIELD + DISPERSION, ["longitudinal.field", "nothing uses it", "relaxation"]),
    "no field": (asked(FIELD + RELAX, ("2e4", "0.0")), ["longitudinal.field.amplitude", "found 0"]),
    "field in T": (asked(FIELD + RELAX, ("amplitude", "induction")), ["longitudinal.field.induction", "unknown key"]),
    "wave of no length": (asked(FIELD + RELAX, ('"uniform"', '"wave"')), ["longitudinal.field.wavenumber", "1/m"]),
    "width of a wave": (asked(FIELD + RELAX, ("points", "width = 1e-8\npoints")), ["field.width", '"gaussian"']),
    "points back": (asked(FIELD + RELAX, ("[1e-12", "[-1e-12")), ["longitudinal.field.points", "not decrease"]),
    "points of a response": (asked(FIELD + RESPONSE), ["longitudinal.field.points", "relaxation"]),
    # ---- [longitudinal.start]
    "unused start": (MAGNET + LINE + START + DISPERSION, ["longitudinal.start", "nothing uses it", '"relaxation"']),
    "start of nothing": (started(("M = 2e3", "M = 0.0"), of=START), ["longitudinal.start", "M and m are 0"]),
    "start in B": (started(("M = 2e3", "B = 0.1"), of=START), ["longitudinal.start.B", "unknown key", "M"]),
    "unknown start": (started(("step", "stpe")), ["longitudinal.start.shape", '"stpe"', "'step'"]),
    "step nowhere": (started(("position = 80e-9\n", "")), ["longitudinal.start.position", "missing"]),
    "step outside": (started(("80e-9", "280e-9")), ["longitudinal.start.position", "2.8e-07", "0 to 2e-07"]),
    "step in nm": (started(("80e-9", "80")), ["longitudinal.start.position", "80 m"]),
    "width of a step": (started(("80e-9", "80e-9\nwidth = 1e-8")), ["longitudinal.start.width", '"gaussian"']),
    "spot outside": (
        started(("width", "centre = [0.0, 2e-7]\nwidth"), of=SPOT, where=DISC),
        ["longitudinal.start.centre", "y is 2e-07", "-1e-07 to 1e-07"],
    ),
    "spot of one number": (
        started(("width", "centre = [0.0]\nwidth"), of=SPOT, where=DISC),
        ["longitudinal.start.centre", "2 numbers"],
    ),
    # ---- [[task]]
    "no task": (MAGNET + LINE, ["[[task]]", "missing"]),
    "task of a macrospin": (
        asked(task("switching", "pulse = 1e-9")),
        ["task 1.kind", '"switching"', "[macrospin]", "dispersion, response, relaxation"],
    ),
    "task of a texture": (asked(task("dynamics", "duration = 1e-9")), ["task 1.kind", '"dynamics"', "[texture]"]),
    "task of this for a macrospin": (MACROSPIN + RELAX, ["task 1.kind", '"relaxation"', "[longitudinal]", "escape"]),
    "task without a table": (RELAX, ["task 1.kind", '"relaxation"', "[longitudinal] is missing"]),
    "unknown kind": (asked(task("relaxtion")), ["task 1.kind", '"relaxtion"', "'relaxation'"]),
    "duration missing": (asked(START + task("relaxation")), ["task 1.duration", "missing"]),
    "duration below": (asked(START + RELAX, ("2e-12", "-2e-12")), ["task 1.duration", "-2e-12"]),
    "misspelt duration": (asked(START + RELAX, ("duration", "duraton")), ["task 1.duraton", "'duration'"]),
    "relaxation of nothing": (asked(RELAX), ["[longitudinal.start]", "missing", "no boundary drives"]),
    "tolerance 0": (asked(START + RELAX + "tolerance = 0.0\n"), ["task 1.tolerance", "0.0", "1e-12"]),
    "key of another kind": (asked(DISPERSION + "duration = 1e-9\n"), ["task 1.duration", '"relaxation"']),
    "same names": (asked(DISPERSION + 'name = "a"\n' + DISPERSION + 'name = "a"\n'), ["task 1", "'a'", "twice"]),
    "name of a path": (asked(DISPERSION + 'name = "a/b"\n'), ["task 1.name", "slash"]),
    "response of nothing": (asked(RESPONSE), ["task 1", "nothing drives", "[longitudinal.boundary.NAME]"]),
    "response of no drive": (driven(("-3e6", "0.0")), ["task 1", "nothing drives"]),
    "no frequency": (driven(("frequency = 5e10", "")), ["task 1", "exactly one", "frequency", "neither"]),
    "frequencies of one": (driven(("frequency = 5e10", "frequencies = [1e9]")), ["task 1.frequencies", "2 entries"]),
    "frequencies backwards": (
        driven(("frequency = 5e10", "frequencies = [1e9, 1e8]")),
        ["task 1.frequencies", "less than the second"],
    ),
    "steady injection": (
        swap(MAGNET + LINE + INJECT + RESPONSE, (f"tau_ML = {TAU_ML}\ntau_mL = {TAU_mL}\n", ""), ("5e10", "0")),
        ["task 1.frequency", "found 0", "tau_mL"],
    ),
    "range and count": (asked(DISPERSION + "range = [1e6, 1e7]\n"), ["task 1", "range and count"]),
    "range backwards": (asked(task("dispersion", "range = [1e7, 1e6]")), ["task 1.range", "less than the second"]),
    "count in a disc": (asked(DISPERSION, where=DISC), ["task 1.count", "line", "wavenumbers"]),
    "nothing in a disc": (asked(task("dispersion"), where=DISC), ["task 1.wavenumbers", "missing"]),
    "wavenumber below": (asked(task("dispersion", "wavenumbers = [-1e7]")), ["task 1.wavenumbers", "at least 0"]),
    "shorter than cells": (
        asked(task("dispersion", "wavenumbers = [1e9]")),
        ["task 1.wavenumbers", "1e+09", "smaller cells", "mesh_size"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name, tmp_path, capsys):
    text, words = BAD[name]
    path = tmp_path / "case.toml"
    path.write_text(text)
    refused(capsys, ["run", path, "--output", tmp_path / "new" / "out"], [str(path), *words])
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("longitudinal.xi=1.5", ["longitudinal.xi", "1.5", "stable"]),
        ("longitudinal.x=0.1", ["longitudinal.x", "unknown key"]),
        ("longitudinal.boundary.top.flux=1.0", ["longitudinal.boundary.top", "left, right"]),
        ("task.1.kind=steady", ["task 1.kind", '"steady"', "[macrospin]"]),
        ("texture.damping=0.1", ["[texture]", "one magnet"]),
    ],
)
def test_assignment_refused(text, words, tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(MAGNET + LINE + INJECT + RESPONSE)
    refused(capsys, ["run", path, "--set", text], words)


GEO = """\
SetFactory("OpenCASCADE");
Mesh.MeshSizeMax = 10;
Rectangle(1) = {0, 0, 0, 80, 30};
Physical Surface("magnet") = {1};
Physical Curve("left") = {4};
Physical Curve("right") = {2};
"""
# id: (mesh file, words)
MESHES = {
    "other names": (swap(GEO, ('"left"', '"west"')), ["longitudinal.boundary.left", "no group", "known: right, west"]),
    "nothing": ("Point(1) = {0, 0, 0};\n", ["m.geo", "no cells"]),
    "in m": (swap(GEO, ("80, 30", "8e8, 3e8"), ("= 10", "= 1e8")), ["large", "longitudinal.geometry.length_unit"]),
    "apart": (
        swap(GEO, ("Physical Surface", "Rectangle(2) = {100, 0, 0, 9, 9};\nPhysical Surface"), ("{1}", "{1, 2}")),
        ["m.geo", "2 parts", "Coherence"],
    ),
    "overlapping": (GEO + 'Physical Curve("west") = {4};\n', ["m.geo", "'left'", "'west'", "overlap"]),
    "upright": (GEO + "Rotate {{1, 0, 0}, {0, 0, 0}, Pi/2} { Surface{:}; }\n", ["m.geo", "must lie in x, y"]),
}  # fmt: skip


@pytest.mark.parametrize("name", MESHES)
def test_mesh_file_refused(name, tmp_path, capsys):
    content, words = MESHES[name]
    (tmp_path / "case.toml").write_text(swap(MAGNET + FILE + INJECT + HOLD + RESPONSE, ("mesh_size = 10e-9\n", "")))
    (tmp_path / "m.geo").write_text(content)
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], words)
    assert sorted(os.listdir(tmp_path)) == ["case.toml", "m.geo"]


# ---- good cases
def columns(path):
    with path.open() as f:
        names, *rows = csv.reader(f)
    return {n: [r[i] for r in rows] for i, n in enumerate(names)}


def test_dispersion(tmp_path, capsys):
    """Both branches of a line, with unequal rates to the lattice."""
    tasks = DISPERSION + task("dispersion", 'name = "band"', "range = [1e7, 2e8]", "samples = 4")
    summary, out = run(tmp_path, MAGNET + LINE + tasks)
    found = summary["tasks"]["1"]
    k = np.arange(1, 4) * np.pi / 200e-9
    exact = SAMPLE.decay_rates(k)
    for branch, rates in zip(("slow", "fast"), exact, strict=True):
        b = found["branches"][branch]
        assert b["wavenumbers"] == pytest.approx(k, rel=1e-6, abs=0)
        assert b["rates"] == pytest.approx(rates, rel=1e-5, abs=0)
        assert b["rates"] == pytest.approx(b["closed_form"], rel=1e-10, abs=0)
    assert found["largest_deviation"] < 1e-10
    band = summary["tasks"]["band"]["branches"]["slow"]["wavenumbers"]
    # The nearest modes of the line.
    asked_for = np.linspace(1e7, 2e8, 4)
    assert band == pytest.approx(np.round(asked_for * 200e-9 / np.pi) * np.pi / 200e-9, rel=1e-3, abs=0)
    c = columns(out / "dispersion.1.csv")
    assert c["branch"] == ["slow"] * 3 + ["fast"] * 3
    assert list(map(float, c["rate_1_per_s"][3:])) == found["branches"]["fast"]["rates"]
    told = summary["longitudinal"]
    assert told["exchange_rate"] == pytest.approx((1 - XI) / TAU, rel=1e-12, abs=0)
    assert told["natural_length"] == pytest.approx(np.sqrt(D * TAU / (1 - XI)), rel=1e-12, abs=0)
    assert told["uniform_decay_rates"] == pytest.approx([float(x) for x in SAMPLE.decay_rates(0)], rel=1e-12, abs=0)
    assert (told["dimension"], told["cells"], told["dofs"]) == (1, 50, 101)
    assert told["volume"] == pytest.approx(200e-9, rel=1e-12, abs=0)
    assert "6 rates of decay" in capsys.readouterr().out


def test_response_of_a_line(tmp_path):
    """Injection at one end, a reservoir at the other: tanh, the wave's k and the power."""
    text = MAGNET + LINE + INJECT + HOLD + task("response", "frequencies = [1e9, 1e12]", "samples = 7")
    summary, out = run(tmp_path, text + task("response", "frequency = 0.0"))
    found, steady = summary["tasks"].values()
    f = np.geomspace(1e9, 1e12, 7)
    assert found["frequencies"] == pytest.approx(f, rel=1e-12, abs=0)
    k = SAMPLE.wavenumber(2 * np.pi * f)
    exact = np.tan(k * 200e-9) / (D * k)
    z = np.array(found["impedance"]["left"]) @ [1, 1j]
    assert z == pytest.approx(exact, rel=1e-5, abs=0)
    assert found["impedance"].keys() == {"left"}  # the reservoir at zero drives nothing
    assert np.array(found["wavenumber"]) @ [1, 1j] == pytest.approx(k, rel=1e-12, abs=0)
    assert np.array(found["fitted_wavenumber"]) @ [1, 1j] == pytest.approx(k, rel=1e-4, abs=0)
    assert np.array(found["inward_flux"]["left"]) == pytest.approx(np.array([[3e6, 0]] * 7), rel=1e-12, abs=0)
    assert np.array(found["mean_accumulation"]["right"]) == pytest.approx(0, abs=1e-9)
    heat = np.sum(list(found["dissipation"].values()), axis=0)
    # The power is mu0/2 Re(b* flux), b the accumulation over chi_m.
    assert heat == pytest.approx(MU0 / 2 * 9e12 * exact.real / (XI * CHI), rel=1e-5, abs=0)
    assert found["work"] == pytest.approx(heat, rel=1e-9, abs=0)
    assert found["power_balance"] < 1e-9
    assert all(min(v) > 0 for v in found["dissipation"].values())
    still = SAMPLE.wavenumber(0.0)
    assert steady["impedance"]["left"] == [
        [pytest.approx((np.tan(still * 200e-9) / (D * still)).real, rel=1e-6, abs=0), pytest.approx(0, abs=1e-20)]
    ]
    c = columns(out / "response.1.csv")
    assert list(map(float, c["impedance_left_real_A_per_m_per_flux"])) == list(z.real)
    assert (out / "fields.1.bp").exists()


def test_wave_from_the_right(tmp_path):
    """A wave that has died out before it comes to the left end is looked at where it begins."""
    text = MAGNET + swap(LINE, ("4e-9", "1e-9")) + INJECT.replace("left", "right")
    found = run(tmp_path, text + task("response", "frequency = 3e13"))[0]["tasks"]["1"]
    k = complex(SAMPLE.wavenumber(2 * np.pi * 3e13))
    assert np.exp(k.imag * 200e-9) < 1e-20
    assert complex(*found["fitted_wavenumber"][0]) == pytest.approx(k, rel=1e-3)
    assert complex(*found["impedance"]["right"][0]) == pytest.approx(1 / (1j * D * k), rel=1e-3, abs=0)


def test_response_of_a_disc(tmp_path):
    """The edge of a disc: Bessel functions of complex k."""
    text = MAGNET + swap(DISC, ("mesh_size = 12e-9\n", "")) + "[longitudinal.boundary.edge]\naccumulation = 50.0\n"
    found = run(tmp_path, text + RESPONSE)[0]["tasks"]["1"]
    k, r = complex(SAMPLE.wavenumber(2 * np.pi * 5e10)), 100e-9
    exact = -jv(0, k * r) / (D * k * jv(1, k * r) * 2 * np.pi * r)
    assert complex(*found["impedance"]["edge"][0]) == pytest.approx(exact, rel=1e-4, abs=0)
    assert found["mean_accumulation"]["edge"][0] == pytest.approx([50, 0], rel=1e-9, abs=0)
    assert found["fitted_wavenumber"] is None


def test_uniform_relaxation(tmp_path):
    """Two exponentials, at times that are asked for."""
    text = MAGNET + LINE + START + "m = -500.0\n" + swap(RELAX, ("samples = 3", "samples = 5\ntolerance = 1e-8"))
    found = run(tmp_path, text)[0]["tasks"]["1"]
    t = np.linspace(0, 2e-12, 5)
    assert found["times"] == pytest.approx(t, rel=1e-12, abs=0)
    total = np.array([found["total_M"], found["total_m"]]).T / 200e-9
    exact = np.array([expm(SAMPLE.generator(0.0) * x) @ [2e3, -500.0] for x in t])
    assert total == pytest.approx(exact, rel=0, abs=1e-6 * 2e3)
    energy = [MU0 / 2 * 200e-9 * (M**2 / CHI + 2 * M * m / CHI + m**2 / (XI * CHI)) for M, m in exact]
    assert found["free_energy"] == pytest.approx(energy, rel=1e-5, abs=0)
    assert found["dissipation"]["diffusion"] == pytest.approx([0] * 5, abs=1e-6 * found["dissipation"]["exchange"][0])
    assert found["conservation"] < 1e-12 and found["power_balance"] < 1e-9


def test_a_step_between_boundaries(tmp_path, capsys):
    """What comes in, what is lost, and energy: all of it adds up."""
    summary, out = run(tmp_path, MAGNET + LINE + INJECT + HOLD + STEP + RELAX)
    found = summary["tasks"]["1"]
    assert found["total_M"][0] == pytest.approx(2e3 * 80e-9, rel=1e-12, abs=0)  # a node on the step has the mean
    assert found["injected"]["left"] == pytest.approx(3e6 * np.array(found["times"]), rel=1e-12, abs=0)
    total = np.array(found["total_M"]) + found["total_m"]
    came = np.sum(list(found["injected"].values()), axis=0)
    assert total - total[0] - came + found["lost"] == pytest.approx(0, abs=1e-11 * abs(total).max())
    assert abs(found["injected"]["right"][-1]) > 1e-3 * abs(total).max()
    assert found["conservation"] < 1e-11 and found["power_balance"] < 1e-9
    energy = np.array(found["free_energy"])
    balance = energy - energy[0] + found["heat"] - np.array(found["put_in"])
    assert balance == pytest.approx(0, abs=1e-4 * energy[0])
    c = columns(out / "relaxation.1.csv")
    assert len(c["time_s"]) == found["steps"] + 1
    assert float(c["came_in_right"][-1]) == found["injected"]["right"][-1]
    assert float(c["lost_to_lattice"][-1]) == found["lost"][-1]
    assert "M + m kept to" in capsys.readouterr().out


def test_bodies(tmp_path):
    """Of three dimensions, with parts of every kind; nothing is lost."""
    held = "[longitudinal.boundary.{}]\naccumulation = 0.0\n"
    cylinder = swap(BOX, ('"box"\nsize = [60e-9, 40e-9, 30e-9]', '"cylinder"\nradius = 30e-9\nlength = 40e-9'))
    lossless = swap(MAGNET, (f"tau_ML = {TAU_ML}\ntau_mL = {TAU_mL}\n", ""))
    for shape, text, names, volume in (
        ("box", BOX, ("front", "top"), 60e-9 * 40e-9 * 30e-9),
        ("cylinder", cylinder, ("side", "top"), np.pi * 30e-9**2 * 40e-9),
    ):
        boundary = held.format(names[0]) + f"[longitudinal.boundary.{names[1]}]\nflux = -1e6\n"
        summary, _ = run(tmp_path, lossless + text + boundary + SPOT + RELAX, name=shape)
        found = summary["tasks"]["1"]
        assert summary["longitudinal"]["volume"] == pytest.approx(volume, rel=0.02, abs=0)
        assert found["conservation"] < 1e-11 and found["power_balance"] < 1e-8
        area = {"box": 60e-9 * 40e-9, "cylinder": np.pi * 30e-9**2}[shape]
        assert found["injected"]["top"][-1] == pytest.approx(1e6 * area * 2e-12, rel=0.02, abs=0)
        assert found["injected"][names[0]][-1] < 0
        assert max(np.abs(found["lost"])) == 0


def test_mesh_file(tmp_path):
    """A mesh of one's own gives what a shape gives; a second group of cells belongs to the body."""
    (tmp_path / "m.geo").write_text(GEO)
    shape = '[longitudinal.geometry]\nshape = "rectangle"\nsize = [80e-9, 30e-9]\nmesh_size = 10e-9\n'
    rest = INJECT + HOLD + task("response", "frequency = 2e11")
    own = run(tmp_path, MAGNET + FILE + rest, name="own")[0]
    built = run(tmp_path, MAGNET + shape + rest, name="built")[0]
    z, w = (np.array(x["tasks"]["1"]["impedance"]["left"][0]) for x in (own, built))
    assert z == pytest.approx(w, rel=1e-3, abs=0)
    assert own["longitudinal"]["volume"] == pytest.approx(80e-9 * 30e-9, rel=1e-9, abs=0)
    two = swap(
        GEO,
        ("80, 30};", "50, 30};\nRectangle(2) = {50, 0, 0, 30, 30};\nCoherence;"),
        ("{4}", "{Curve In BoundingBox {-1, -1, -1, 1, 31, 1}}"),
        ("{2}", "{Curve In BoundingBox {79, -1, -1, 81, 31, 1}}"),
    )
    (tmp_path / "m.geo").write_text(two + 'Physical Surface("other") = {2};\n')
    again = run(tmp_path, MAGNET + FILE + rest, name="two")[0]
    assert np.array(again["tasks"]["1"]["impedance"]["left"][0]) == pytest.approx(w, rel=1e-3, abs=0)


def test_metal_and_field(tmp_path):
    """A current out of a metal and a field, at a frequency and in time, as Python's own objects give them."""
    sample, f = swap(MAGNET, ("susceptibility", "beta = 0.46\nsusceptibility")), 5e10
    text = sample + LINE + "[longitudinal.boundary.left]\n" + METAL + "\n" + FIELD + RELAX + RESPONSE
    summary, out = run(tmp_path, text)
    problem = LongitudinalProblem(
        mesh.create_interval(MPI.COMM_WORLD, 50, [0.0, 200e-9]), SAMPLE, parts={"left": lambda x: x[0] < 1e-12}
    )
    contact = Contact(NormalMetal(6e-9, 450e-9, relaxation_time=3e-12), 1e11, 0.51e-15, 0.77, 0.46)
    found, own = summary["tasks"]["2"], respond(problem, f, {"left": contact}, AppliedField(2e4))
    assert found["contacts"]["left"]["spin_current"][0] == pytest.approx(
        [own.contacts["left"].spin_current.real, own.contacts["left"].spin_current.imag], rel=1e-9
    )
    assert found["susceptibility"][0] == pytest.approx([own.susceptibility.real, own.susceptibility.imag], rel=1e-9)
    assert found["susceptibility_closed_form"] is None and found["power_balance"] < 1e-10
    moved = summary["tasks"]["1"]
    assert moved["field"] == pytest.approx([0.0, 2e4, 2e4], rel=1e-9)
    assert moved["conservation"] < 1e-11 and moved["power_balance"] < 1e-9
    gained = moved["internal_energy"][-1] - moved["internal_energy"][0]
    assert gained == pytest.approx(moved["put_in"][-1] + moved["field_work"][-1] - moved["heat"][-1], rel=1e-3)
    table = {k: np.array(v, dtype=float) for k, v in columns(out / "profile.1.csv").items()}
    assert table["x_m"].shape == table["2_ps_j_m_A_per_s"].shape == (101,)
    # What diffuses in, beside what drifts: at a node the mean of two cells', at the end one value.
    current, drift = moved["spin_current"]["left"][-1], 0.46 * 1e11
    moment = 9.2740100783e-24 / 1.602176634e-19
    assert table["2_ps_j_m_A_per_s"][0] == pytest.approx(moment * (drift - current), rel=2e-3)


def test_susceptibility_of_a_wave(tmp_path):
    """A closed line in a field that fits it: the closed form; in the plane there is none."""
    wave = f'[longitudinal.field]\namplitude = 5.0\nshape = "wave"\nwavenumber = {3 * np.pi / 200e-9}\n'
    summary, _ = run(tmp_path, MAGNET + LINE + wave + task("response", "frequencies = [1e10, 1e12]", "samples = 3"))
    found = summary["tasks"]["1"]
    exact = np.array(found["susceptibility_closed_form"])
    assert np.array(found["susceptibility"]) == pytest.approx(exact, rel=1e-4)
    assert np.abs(np.diff(exact, axis=0)).max() > 0.3 * np.abs(exact).max()
    assert summary["units"]["tasks"]["1"]["susceptibility"] == "1"


def test_coarse_cells_are_noted(tmp_path, capsys):
    run(tmp_path, MAGNET + LINE + INJECT + task("response", "frequency = 1e13"), name="fine")
    assert "note:" not in capsys.readouterr().err
    run(tmp_path, MAGNET + LINE + INJECT + task("response", "frequency = 1e14"), name="coarse")
    assert "note: task 1: cells of 4e-09 m are coarse for waves of |k|" in capsys.readouterr().err


def test_assignments(tmp_path):
    arguments = ("--set", "longitudinal.xi=0.4", "--set", "task.relax.samples=2", "--set", "longitudinal.degree=1")
    text = MAGNET + LINE + START + swap(RELAX, ("samples", 'name = "relax"\nsamples'))
    summary, _ = run(tmp_path, text, *arguments)
    assert summary["longitudinal"]["susceptibility_m"] == pytest.approx(0.4 * CHI, rel=1e-12, abs=0)
    assert summary["longitudinal"]["dofs"] == 51
    assert len(summary["tasks"]["relax"]["times"]) == 2
    assert summary["case"]["longitudinal"]["xi"] == 0.4


@pytest.mark.slow
def test_files_and_pictures(tmp_path):
    """In a line and in a plane."""
    boundary = INJECT.replace("left", "edge")
    line = INJECT + START + DISPERSION + task("response", "frequencies = [1e9, 1e12]", "samples = 4") + RESPONSE + RELAX
    cases = {
        "line": (LINE + line, {"dispersion.1", "response.2", "response.3", "relaxation.4", "profile.4"}),
        "disc": (DISC + boundary + SPOT + RESPONSE + RELAX, {"response.1", "relaxation.2", "profile.2"}),
    }
    for name, (text, pictures) in cases.items():
        path, out = tmp_path / f"{name}.toml", tmp_path / name
        path.write_text(MAGNET + text)
        assert main(["run", str(path), "--output", str(out)]) == 0
        files = set(os.listdir(out))
        assert {x for x in files if x.endswith(".png")} == {f"{k}.png" for k in pictures}
        assert min((out / x).stat().st_size for x in files if x.endswith(".png")) > 10_000
        kinds = [k for k in pictures if not k.startswith("profile")]
        profiles = {"profile.3.csv", "profile.4.csv"} if name == "line" else set()
        assert {x for x in files if x.endswith(".csv")} == {f"{k}.csv" for k in kinds} | profiles
        assert {x for x in files if x.endswith(".bp")} == {f"fields.{k[-1]}.bp" for k in kinds if k[0] == "r"}


def test_dry_run(tmp_path):
    """It says what would be run, and starts neither MPI nor DOLFINx."""
    path = tmp_path / "case.toml"
    path.write_text('title = "A line"\n' + MAGNET + LINE + INJECT + HOLD + START + DISPERSION + RELAX)
    script = (
        "import sys; from fespin.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'dolfinx', 'petsc4py.PETSc', 'mpi4py.MPI', 'gmsh', 'pyvista', 'matplotlib'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "run", str(path), "--dry-run"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    for words in ("A line", "xi 0.23", "line, 200 nm", "left flux, right held", "1 (dispersion), 2 (relaxation)"):
        assert words in done.stdout, done.stdout
    assert os.listdir(tmp_path) == ["case.toml"]


def test_schema(capsys):
    assert main(["schema"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == schema()
    assert {"longitudinal", "texture", "macrospin", "layer", "task"} <= found["properties"].keys()
    parts = found["$defs"]
    tasks = [x["$ref"].rpartition("/")[2] for x in found["properties"]["task"]["items"]["oneOf"]]
    own = [x["properties"]["task"]["items"]["oneOf"] for x in found["oneOf"]]
    assert [x["$ref"].rpartition("/")[2] for kind in own for x in kind] == tasks and len(set(tasks)) == 17
    assert [parts[x["$ref"].rpartition("/")[2]]["properties"]["kind"]["const"] for x in own[1]] == [
        "dispersion", "response", "relaxation",
    ]  # fmt: skip
    assert {"xi", "tau_mM", "boundary", "geometry"} <= parts["LongitudinalTable"]["properties"].keys()
    assert parts["LongitudinalTable"]["additionalProperties"] is False
    # The three kinds of cases share names of parts only where they share the parts.
    for kind in (Case, LongitudinalCase, TextureCase):
        own = kind.model_json_schema()["$defs"]
        for name, part in own.items():
            if "properties" in part:
                assert parts[name]["properties"].keys() == part["properties"].keys()
            else:
                assert name in parts or "discriminator" in part
    named = re.findall(r'"#/\$defs/(\w+)"', json.dumps(found))
    assert set(named) <= parts.keys()


def numbers(found, where=""):
    """Yield the numbers of a summary with their places."""
    if isinstance(found, dict):
        for k, v in found.items():
            yield from numbers(v, f"{where}.{k}")
    elif isinstance(found, list) and all(isinstance(x, (int, float)) for x in found):
        yield where, np.array(found)
    elif isinstance(found, list):
        for i, v in enumerate(found):
            yield from numbers(v, f"{where}[{i}]")
    elif isinstance(found, (int, float)):
        yield where, np.array([found])


# Rounding.
NOT_COMPARED = ("largest_deviation", "largest_residual", "conservation", "power_balance", "energy_balance")


@pytest.mark.slow
def test_ranks(tmp_path):
    """The numbers of one rank, to 1e-8 of the largest of their list: a line on two, a disc on three."""
    short = swap(RELAX, ("2e-12", "1e-12"), ("samples", "tolerance = 1e-2\nsamples"))
    line = swap(LINE, ("4e-9", "10e-9")) + INJECT + HOLD + STEP + short + RESPONSE + task("dispersion", "count = 1")
    disc = swap(DISC, ("12e-9", "30e-9")) + INJECT.replace("left", "edge") + SPOT + short
    for ranks, text in ((2, line), (3, disc)):
        expected = run(tmp_path, MAGNET + text, name=f"{ranks}")[0]
        out = tmp_path / f"on-{ranks}"
        done = python(ranks, "-m", "fespin", "run", tmp_path / f"{ranks}.toml", "--output", out, timeout=120)
        assert done.returncode == 0, done.stderr
        summary = json.loads((out / "summary.json").read_text())
        assert summary["ranks"] == ranks
        assert {x.split(".")[0] for x in os.listdir(out) if x.endswith(".png")} >= {"relaxation", "profile"}
        for key in ("longitudinal", "tasks"):
            mine, other = dict(numbers(expected[key])), dict(numbers(summary[key]))
            assert mine.keys() == other.keys()
            for where, values in mine.items():
                if where.rpartition(".")[2] not in NOT_COMPARED:
                    assert other[where] == pytest.approx(values, rel=0, abs=1e-8 * abs(values).max() + 1e-300), where
