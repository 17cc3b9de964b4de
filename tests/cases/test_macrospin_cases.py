"""Case files of a macrospin: what is refused, what comes out, checkpoints, ranks."""

import functools
import json
import os
import re
import signal
import subprocess
import sys

import casefiles
import numpy as np
import pytest
from case_texts.macrospins import (
    ALONG,
    BAND,
    BASE,
    COARSE,
    GOOD,
    MAGNET,
    NOISE,
    OBLIQUE,
    OF_LAYER,
    PASSAGE,
    PILLAR,
    QUESTIONS,
    SPECTRUM,
    SPHERE,
    SWEEP,
    SWITCHING,
    TORQUE,
    UNIAXIAL,
    WRITE,
)
from casefiles import columns, run, swap, task
from launch import python

from fespin.cases import task_loop as results
from fespin.cases.json_schema import schema
from fespin.cases.macrospin import TASKS
from fespin.cli import main
from fespin.errors import SolverError
from fespin.sigma import FokkerPlanck

refused = functools.partial(casefiles.refused, progress="mesh|state|sphere|task|note")


def magnet(old, new):
    return swap(BASE + SPECTRUM, (old, new))


def energy(*lines):
    return "\n".join([MAGNET + "[[macrospin.anisotropy]]", *lines, ""]) + SPECTRUM


def torque(*lines):
    return "\n".join([BASE + "[torque]", *lines, ""]) + SPECTRUM


def sphere(*lines):
    return "\n".join([BASE + "[sphere]", *lines, ""]) + SPECTRUM


def asked(text, *pairs, before=BASE):
    return before + swap(text, *pairs)


# id: (the case, words of the line)
BAD = {
    # ---- [macrospin]
    "damping 0": (magnet("damping = 0.1", "damping = 0"), ["macrospin.damping", "found 0", "0 and 100"]),
    "damping below": (magnet("damping = 0.1", "damping = -0.1"), ["macrospin.damping", "-0.1", "0 and 100"]),
    "damping nan": (magnet("damping = 0.1", "damping = nan"), ["macrospin.damping", "nan", "finite"]),
    "damping is text": (magnet("damping = 0.1", 'damping = "low"'), ["macrospin.damping", '"low"', "a number"]),
    "no damping": (magnet("damping = 0.1\n", ""), ["macrospin.damping", "missing"]),
    "misspelt damping": (magnet("damping", "dampnig"), ["macrospin.dampnig", "unknown key", "'damping'"]),
    "temperature 0": (magnet("= 300", "= 0"), ["macrospin.temperature", "found 0", "0 and 100000"]),
    "temperature below": (magnet("= 300", "= -300"), ["macrospin.temperature", "-300", "0 and 100000"]),
    "volume 0": (magnet("1.4e-24", "0"), ["macrospin.volume", "found 0", "0 and 1e-15"]),
    "volume below": (magnet("1.4e-24", "-1e-24"), ["macrospin.volume", "-1e-24", "0 and 1e-15"]),
    "volume in nm3": (magnet("1.4e-24", "1400"), ["macrospin.volume", "1400", "0 and 1e-15", "in m3"]),
    "Ms 0": (magnet("8e5", "0.0"), ["macrospin.saturation_magnetization", "0.0", "0 and 1e+08"]),
    "Ms below": (magnet("8e5", "-8e5"), ["macrospin.saturation_magnetization", "-800000", "0 and 1e+08"]),
    "Ms inf": (magnet("8e5", "inf"), ["macrospin.saturation_magnetization", "inf", "finite"]),
    "no Ms": (magnet("saturation_magnetization = 8e5\n", ""), ["macrospin.saturation_magnetization", "missing"]),
    "no volume": (magnet("volume = 1.4e-24\n", ""), ["macrospin", "exactly one", "layer", "volume", "neither"]),
    "volume and layer": (
        PILLAR + magnet("volume = 1.4e-24", 'volume = 1.4e-24\nlayer = "free"'),
        ["macrospin", "exactly one", "both"],
    ),
    "field of two": (magnet("= 300", "= 300\nfield = [0, 1]"), ["macrospin.field", "[0, 1]", "3 entries"]),
    "field in A/m": (magnet("= 300", "= 300\nfield = [0, 0, 8e5]"), ["macrospin.field 3", "800000", "10000", "in T"]),
    "field is a number": (magnet("= 300", "= 300\nfield = 0.1"), ["macrospin.field", "0.1", "a list"]),
    "two brackets": (magnet("[macrospin]", "[[macrospin]]"), ["macrospin", "[macrospin]", "one bracket"]),
    "misspelt table": (magnet("[macrospin]", "[macropsin]"), ["macropsin", "unknown table", "'macrospin'"]),
    "frozen": (
        magnet("temperature = 300", "temperature = 1e-300").replace("stability = 40", "constant = 1e5"),
        ["macrospin", "energy", "kT"],
    ),
    "energy of a larger magnet": (
        magnet("stability = 40", "constant = 1e11"),
        ["macrospin", "energy", "kT", "J/m3"],
    ),
    # ---- [[macrospin.anisotropy]]
    "anisotropy of one bracket": (
        magnet("[[macrospin.anisotropy]]", "[macrospin.anisotropy]"),
        ["macrospin.anisotropy", "[[macrospin.anisotropy]]", "two brackets"],
    ),
    "unknown anisotropy": (
        energy('kind = "uniaxal"', "stability = 40"),
        ["macrospin.anisotropy 1.kind", '"uniaxal"', "biaxial", "'uniaxial'"],
    ),
    "no kind": (energy("stability = 40"), ["macrospin.anisotropy 1.kind", "missing"]),
    "misspelt stability": (
        energy('kind = "uniaxial"', "stabilty = 40"),
        ["macrospin.anisotropy 1.stabilty", "'stability'"],
    ),
    "constant and stability": (
        energy('kind = "uniaxial"', "stability = 40", "constant = 1e5"),
        ["macrospin.anisotropy 1", "exactly one", "constant", "stability", "both"],
    ),
    "neither constant nor stability": (
        energy('kind = "uniaxial"'),
        ["macrospin.anisotropy 1", "exactly one", "neither"],
    ),
    "zero axis": (
        energy('kind = "uniaxial"', "stability = 40", "axis = [0, 0, 0]"),
        ["macrospin.anisotropy 1", "axis", "zero"],
    ),
    "axis of two": (
        energy('kind = "uniaxial"', "stability = 40", "axis = [0, 1]"),
        ["macrospin.anisotropy 1.axis", "[0, 1]", "3 entries"],
    ),
    "key of another anisotropy": (
        energy('kind = "uniaxial"', "stability = 40", "hard_axis = [1, 0, 0]"),
        ["macrospin.anisotropy 1.hard_axis", '"biaxial"', '"uniaxial"'],
    ),
    "biaxial without a hard constant": (
        energy('kind = "biaxial"', "stability = 40"),
        ["macrospin.anisotropy 1", "hard_constant", "hard_stability", "neither"],
    ),
    "axes not perpendicular": (
        energy('kind = "biaxial"', "stability = 40", "hard_stability = 10", "axis = [0, 0, 1]"),
        ["macrospin.anisotropy 1", "perpendicular", "[0.0, 0.0, 1.0]"],
    ),
    "cubic axes alike": (
        energy('kind = "cubic"', "stability = 40", "second_axis = [0, 0, 2]"),
        ["macrospin.anisotropy 1", "perpendicular"],
    ),
    "shape of nothing": (energy('kind = "shape"'), ["macrospin.anisotropy 1", "factors", "body"]),
    "factors and body": (
        energy('kind = "shape"', "factors = [0, 0, 1]", 'body = "prism"', "size = [1e-8, 1e-8, 1e-8]"),
        ["macrospin.anisotropy 1", "factors", "body", "both"],
    ),
    "factors of two": (
        energy('kind = "shape"', "factors = [0, 0, 2]"),
        ["macrospin.anisotropy 1", "factors", "add up to 1"],
    ),
    "body without a size": (
        energy('kind = "shape"', 'body = "prism"'),
        ["macrospin.anisotropy 1", "size", "missing"],
    ),
    "size without a body": (
        energy('kind = "shape"', "factors = [0, 0, 1]", "size = [1e-8, 1e-8, 1e-8]"),
        ["macrospin.anisotropy 1", "size", "body"],
    ),
    "size in nm": (
        energy('kind = "shape"', 'body = "prism"', "size = [10, 10, 10]"),
        ["macrospin.anisotropy 1.size 1", "found 10", "in m"],
    ),
    "unknown body": (
        energy('kind = "shape"', 'body = "prysm"', "size = [1e-8, 1e-8, 1e-8]"),
        ["macrospin.anisotropy 1.body", '"prysm"', "'prism'"],
    ),
    "second of two": (
        MAGNET + UNIAXIAL + UNIAXIAL.replace("40", "nan") + SPECTRUM,
        ["macrospin.anisotropy 2.stability", "nan", "finite"],
    ),
    # ---- layers
    "layer without a geometry": (
        PILLAR.partition("[[layer]]")[1] + PILLAR.partition("[[layer]]")[2] + OF_LAYER,
        ["macrospin.layer", "[geometry]", "macrospin.volume"],
    ),
    "layer without layers": (
        PILLAR.partition("[[layer]]")[0] + OF_LAYER,
        ["macrospin.layer", "[[layer]]", "macrospin.volume"],
    ),
    "layer of a line": (
        swap(PILLAR, ('"pillar"\ndiameter = 20e-9', '"line"')) + OF_LAYER,
        ["macrospin.layer", '"pillar"', "macrospin.volume"],
    ),
    "layer of a strip without depth": (
        swap(PILLAR, ('"pillar"\ndiameter = 20e-9', '"strip"\nwidth = 20e-9')) + OF_LAYER,
        ["macrospin.layer", "depth", "macrospin.volume"],
    ),
    "layer of a pillar without size": (
        swap(PILLAR, ("diameter = 20e-9\n", "")) + OF_LAYER,
        ["geometry", "diameter", "semi_axes", "neither"],
    ),
    "layer of a pillar of two sizes": (
        swap(PILLAR, ("diameter", "semi_axes = [1e-8, 2e-8]\ndiameter")) + OF_LAYER,
        ["geometry", "diameter", "semi_axes", "both"],
    ),
    "unknown layer": (
        PILLAR + swap(OF_LAYER, ('"free"', '"fre"')),
        ["macrospin.layer", "'fre'", "'free'"],
    ),
    "unknown layer under transport": (
        PILLAR + "[transport]\nvoltage = 1e-3\n" + swap(OF_LAYER, ('"free"', '"fre"')),
        ["macrospin.layer", "'fre'", "'free'"],
    ),
    "layer without a thickness": (
        swap(PILLAR, ("thickness = 3e-9\n", "")) + OF_LAYER,
        ["layer 3", "free", "thickness", "missing"],
    ),
    "states without transport": (
        PILLAR + "[state.antiparallel]\nfree = [0, 0, -1]\n" + OF_LAYER,
        ["[state]", "[transport]", "missing"],
    ),
    "contacts without transport": (
        PILLAR + "[contact.bottom]\nspin = 'lead'\n" + OF_LAYER,
        ["[contact]", "[transport]", "missing"],
    ),
    # ---- [torque]
    "torque without a drive": (torque("polarizer = [0, 0, 1]"), ["torque", "missing", "damping_like", "critical"]),
    "two drives": (torque("damping_like = 0.01", "critical_ratio = 2"), ["torque", "damping_like", "both"]),
    "zero polarizer": (torque("damping_like = 0.01", "polarizer = [0, 0, 0]"), ["torque", "polarizer", "zero"]),
    "polarizer of four": (
        torque("damping_like = 0.01", "polarizer = [0, 0, 0, 1]"),
        ["torque.polarizer", "[0, 0, 0, 1]", "3 entries"],
    ),
    "torque in A/m": (torque("damping_like = 8e5"), ["torque.damping_like", "800000", "10000"]),
    "misspelt drive": (torque("damping_lik = 0.01"), ["torque.damping_lik", "'damping_like'"]),
    "no critical current": (
        torque("critical_ratio = 2", "polarizer = [1, 0, 0]"),
        ["torque.critical_ratio", "polarizer", "damping_like"],
    ),
    "critical current without an energy": (
        MAGNET + TORQUE + SPECTRUM,
        ["torque.critical_ratio", "damping_like"],
    ),
    "asymmetry of one": (torque("damping_like = 0.01", "asymmetry = 1"), ["torque.asymmetry", "found 1", "-1 and 1"]),
    "asymmetry nearly one": (torque("damping_like = 0.01", "asymmetry = -0.99999"), ["torque", "smooth"]),
    "unknown source": (torque('source = "transprot"'), ["torque.source", '"transprot"', "given"]),
    "torque twice": (
        swap(torque("damping_like = 0.01"), ("[torque]", "[[torque]]")),
        ["torque", "[torque]", "one bracket"],
    ),
    # ---- [sphere]
    "mesh_size 0": (sphere("mesh_size = 0"), ["sphere.mesh_size", "found 0", "0.005"]),
    "mesh_size in nm": (sphere("mesh_size = 10"), ["sphere.mesh_size", "found 10", "at most 1"]),
    "degree 9": (sphere("degree = 9"), ["sphere.degree", "found 9", "at most 8"]),
    "degree 2.5": (sphere("degree = 2.5"), ["sphere.degree", "2.5", "an integer"]),
    "graded is a number": (sphere("graded = 1"), ["sphere.graded", "found 1", "true or false"]),
    "unknown sphere key": (sphere("meshsize = 0.1"), ["sphere.meshsize", "'mesh_size'"]),
    "mesh and mesh_size": (sphere('mesh = "s.msh"', "mesh_size = 0.1"), ["sphere", "mesh", "mesh_size", "both"]),
    "coarse mesh": (
        sphere("mesh_size = 1", "axisymmetric = false"),
        ["sphere.mesh_size", "found 1", "too coarse", "would do"],
    ),
    # ---- [[task]]
    "no task": (BASE, ["[[task]]", "missing"]),
    "empty list of tasks": ("task = []\n" + BASE, ["task", "missing"]),
    "task of one bracket": (swap(BASE + SPECTRUM, ("[[task]]", "[task]")), ["task", "[[task]]", "two brackets"]),
    "layers of no use": (PILLAR + BASE + SPECTRUM, ["[geometry]", "macrospin.layer", "[transport]"]),
    "tasks beside transport": (
        PILLAR + "[transport]\nvoltage = 1\n" + SPECTRUM,
        ["[[task]]", "[macrospin]", "missing"],
    ),
    "sphere beside transport": (
        PILLAR + "[transport]\nvoltage = 1\n" + SPHERE,
        ["[sphere]", "[macrospin]", "missing"],
    ),
    "unknown kind": (asked(task("swithcing")), ["task 1.kind", '"swithcing"', "'switching'", "hysteresis"]),
    "kind is a number": (asked("[[task]]\nkind = 1\n"), ["task 1.kind", "found 1", "spectrum"]),
    "no kind of task": (asked("[[task]]\ncount = 6\n"), ["task 1.kind", "missing"]),
    "unknown key": (asked(task("spectrum", "cuont = 6")), ["task 1.cuont", "'count'"]),
    "unknown key of a named task": (
        asked(task("spectrum", 'name = "slow"', "cuont = 6")),
        ["task 1 ('slow').cuont", "'count'"],
    ),
    "key of another kind": (asked(task("spectrum", "rate = 1e7")), ["task 1.rate", '"hysteresis"', '"spectrum"']),
    "key of another kind, named": (
        asked(task("steady", 'name = "rest"', "count = 7")),
        ["task 1 ('rest').count", '"spectrum"', '"steady"'],
    ),
    "count 0": (asked(task("spectrum", "count = 0")), ["task 1.count", "found 0", "at least 1"]),
    "count is half": (asked(task("spectrum", "count = 2.5")), ["task 1.count", "2.5", "an integer"]),
    "near 0": (asked(task("spectrum", "near = 0")), ["task 1.near", "found 0", "greater than 0"]),
    "pulse of zero length": (asked(task("switching", "pulse = 0")), ["task 1.pulse", "found 0", "0 and 1e+18"]),
    "pulse below": (asked(task("langevin", "pulse = -1e-9")), ["task 1.pulse", "-1e-09", "0 and 1e+18"]),
    "reduced_time 0": (asked(task("switching", "reduced_time = 0")), ["task 1.reduced_time", "found 0"]),
    "two pulses": (
        asked(task("switching", "pulse = 1e-9", "reduced_time = 10")),
        ["task 1", "pulse", "reduced_time", "both"],
    ),
    "no pulse": (asked(task("langevin")), ["task 1", "pulse", "reduced_time", "neither"]),
    "reduced time without anisotropy": (
        asked(SWITCHING, before=MAGNET),
        ["task 1.reduced_time", "anisotropy", "pulse"],
    ),
    "samples 0": (asked(task("switching", "pulse = 1e-9", "samples = 0")), ["task 1.samples", "found 0"]),
    "start of zero": (asked(task("switching", "pulse = 1e-9", "start = [0, 0, 0]")), ["task 1", "start", "zero"]),
    "start of two": (asked(task("switching", "pulse = 1e-9", "start = [0, 1]")), ["task 1.start", "3 entries"]),
    "ensemble of none": (asked(task("langevin", "pulse = 1e-9", "ensemble = 0")), ["task 1.ensemble", "found 0"]),
    "seed below": (asked(task("langevin", "pulse = 1e-9", "seed = -1")), ["task 1.seed", "-1", "at least 0"]),
    "step 0": (asked(task("langevin", "pulse = 1e-9", "step = 0.0")), ["task 1.step", "0.0", "greater than 0"]),
    "escape of one well": (
        asked(task("escape"), before=magnet("= 300", "= 300\nfield = [0, 0, 3]").replace(SPECTRUM, "")),
        ["task 1", "1 well", "two"],
    ),
    "escape of no energy": (asked(task("escape"), before=MAGNET), ["task 1", "no well", "two"]),
    "hysteresis of nothing": (asked(task("hysteresis")), ["task 1.range", "missing", "rate"]),
    "hysteresis without a rate": (asked(SWEEP, ("rate = 1e7", "")), ["task 1.rate", "missing"]),
    "hysteresis without a direction": (asked(SWEEP, ("direction = [0, 0, 1]", "")), ["task 1.direction", "missing"]),
    "hysteresis of no torque": (
        asked(SWEEP, ("direction = [0, 0, 1]", 'sweep = "torque"')),
        ["task 1.sweep", '"torque"', "[torque]"],
    ),
    "direction of a torque": (
        asked(SWEEP, ("direction", 'sweep = "torque"\ndirection'), before=BASE + TORQUE),
        ["task 1.direction", "field", '"torque"'],
    ),
    "sweep of what": (asked(SWEEP, ("range", 'sweep = "current"\nrange')), ["task 1.sweep", '"current"', "torque"]),
    "range of a point": (asked(SWEEP, ("-0.3", "0.3")), ["task 1.range", "[0.3, 0.3]", "differ"]),
    "range of one": (asked(SWEEP, ("[0.3, -0.3]", "[0.3]")), ["task 1.range", "[0.3]", "2 entries"]),
    "range in A/m": (asked(SWEEP, ("[0.3, -0.3]", "[3e5, -3e5]")), ["task 1.range", "300000", "T"]),
    "rate below": (asked(SWEEP, ("1e7", "-1e7")), ["task 1.rate", "-10000000", "greater than 0"]),
    "loop is text": (asked(SWEEP, ("rate", 'loop = "yes"\nrate')), ["task 1.loop", '"yes"', "true or false"]),
    "tolerance of one": (asked(SWEEP, ("rate", "tolerance = 1\nrate")), ["task 1.tolerance", "found 1", "0 and 0.1"]),
    "frequencies of one": (asked(BAND, ("[1e6, 1e12]", "[1e6]")), ["task 1.frequencies", "2 entries"]),
    "frequencies downwards": (asked(BAND, ("[1e6, 1e12]", "[1e9, 1e6]")), ["task 1.frequencies", "first", "less"]),
    "frequency 0": (asked(NOISE, ("[1e6, 1e12]", "[0, 1e6]")), ["task 1.frequencies 1", "found 0"]),
    "no frequencies": (asked(NOISE, ("frequencies = [1e6, 1e12]", "")), ["task 1.frequencies", "missing"]),
    "noise of nothing": (asked(NOISE, ("observable = [0, 0, 1]", "")), ["task 1.observable", "missing"]),
    "noise of a zero": (asked(NOISE, ("[0, 0, 1]", "[0, 0, 0]")), ["task 1", "observable", "zero"]),
    "response to nothing": (asked(BAND, ("direction = [0, 0, 1]", "")), ["task 1.direction", "missing"]),
    "passage from nowhere": (asked(PASSAGE, ("start = [0, 0, 1]", "")), ["task 1.start", "missing"]),
    "passage from within": (
        asked(PASSAGE, ("start", "target = [0, 0.1, 1]\nstart")),
        ["task 1.start", "target"],
    ),
    "passage to a point": (asked(PASSAGE, ("start", "cosine = 1\nstart")), ["task 1.cosine", "found 1", "-1 and 1"]),
    "two of one name": (
        asked(swap(SPECTRUM, ("count", 'name = "a"\ncount')) + task("steady", 'name = "a"')),
        ["task 1 ('a')", "'a'", "twice"],
    ),
    "named as the number of another": (asked(task("steady", 'name = "2"') + SPECTRUM), ["'2'", "twice"]),
    "name with a slash": (asked(task("steady", 'name = "a/b"')), ["task 1.name", "a/b", "slash"]),
    "name that climbs": (asked(task("steady", 'name = "..\\\\x"')), ["task 1.name", "slash"]),
    "name of nothing": (asked(task("steady", 'name = ""')), ["task 1.name", "empty"]),
    "endless name": (asked(task("steady", f'name = "{"a" * 101}"')), ["task 1.name", "100"]),
    "second task": (asked(SPECTRUM + task("steady", "samples = 3")), ["task 2.samples", '"switching"', '"steady"']),
}

SETS = {
    "no such term": ("macrospin.anisotropy.2.stability=40", ["'2'", "among 1"]),
    "key of a term": ("macrospin.anisotropy.1.stabilty=40", ["macrospin.anisotropy 1.stabilty", "'stability'"]),
    "value of a term": ("macrospin.anisotropy.1.axis=[0,0,0]", ["macrospin.anisotropy 1", "axis", "zero"]),
    "kind of a term": ("macrospin.anisotropy.1.kind=cubik", ["macrospin.anisotropy 1.kind", '"cubik"', "'cubic'"]),
    "term by name": ("macrospin.anisotropy.uniaxial.stability=40", ["'uniaxial'", "among 1"]),
    "no such task": ("task.3.pulse=1e-9", ["'3'", "among 2"]),
    "no such name": ("task.slwo.count=3", ["'slwo'", "'slow'"]),
    "key of a task": ("task.1.plse=1e-9", ["task 1.plse", "'pulse'"]),
    "second pulse": ("task.1.pulse=1e-9", ["task 1", "reduced_time", "both"]),
    "kind of a task": ("task.1.kind=swiching", ["task 1.kind", '"swiching"', "'switching'"]),
    "key of another kind": ("task.slow.samples=9", ["task 2 ('slow').samples", '"switching"', '"spectrum"']),
    "a task": ("task.1=7", ["task 1", "found 7", "a table"]),
    "damping": ("macrospin.damping=none", ["macrospin.damping", '"none"', "a number"]),
    "unknown key": ("macrospin.tempreature=4", ["macrospin.tempreature", "'temperature'"]),
}


@pytest.mark.parametrize("name", BAD)
def test_refused(name, tmp_path, capsys):
    text, words = BAD[name]
    path = tmp_path / "case.toml"
    path.write_text(text)
    refused(capsys, ["run", path, "--output", tmp_path / "new" / "out"], [str(path), *words])
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.parametrize("name", SETS)
def test_assignment(name, tmp_path, capsys):
    text, words = SETS[name]
    (tmp_path / "case.toml").write_text(GOOD + swap(SPECTRUM, ("count", 'name = "slow"\ncount')))
    refused(capsys, ["run", tmp_path / "case.toml", "--set", text], words)
    assert os.listdir(tmp_path) == ["case.toml"]


# ---- meshes of the sphere
ROUND = MAGNET + UNIAXIAL.replace("40", "2") + '[sphere]\nmesh = "s.geo"\ndegree = 2\naxisymmetric = false\n' + SPECTRUM
SHELL = """\
Mesh.MeshSizeMin = 0.5;
Mesh.MeshSizeMax = 0.5;
SetFactory("OpenCASCADE");
Sphere(1) = {0.1, 0, 0, 2};
Delete { Volume{1}; }
Physical Surface("sphere") = {1};
"""
DISC = 'SetFactory("OpenCASCADE");\nDisk(1) = {0, 0, 1, 1};\nPhysical Surface("sphere") = {1};\n'
# id: (the case, the mesh file's name and text, words)
MESHES = {
    "missing": (ROUND, "t.geo", SHELL, ["sphere.mesh", "no file", "s.geo"]),
    "missing, not needed": (
        swap(ROUND, ("axisymmetric = false\n", "")),
        "t.geo",
        SHELL,
        ["sphere.mesh", "no file", "s.geo"],
    ),
    "not closed": (ROUND, "s.geo", DISC, ["s.geo", "not closed", "two triangles"]),
    "beside the origin": (ROUND, "s.geo", swap(SHELL, ("{0.1,", "{3,")), ["s.geo", "round the origin"]),
    "through the origin": (ROUND, "s.geo", swap(SHELL, ("{0.1,", "{2,")), ["s.geo", "origin"]),
    "quadrilaterals": (ROUND, "s.geo", SHELL + "Recombine Surface{:};\n", ["s.geo", "plane triangles"]),
    "second order": (ROUND, "s.geo", SHELL + "Mesh.ElementOrder = 2;\n", ["s.geo", "ElementOrder = 1"]),
    "script": (ROUND, "s.geo", "Sphere(1) = {oops};\n", ["s.geo", "gmsh"]),
    "garbage": (swap(ROUND, ("s.geo", "s.msh")), "s.msh", "no mesh\n", ["s.msh"]),
    "truncated": (
        swap(ROUND, ("s.geo", "s.msh")),
        "s.msh",
        "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 9",
        ["gmsh", "nodes"],
    ),
    "empty": (swap(ROUND, ("s.geo", "s.msh")), "s.msh", "", ["s.msh", "does not begin with $MeshFormat"]),
}


@pytest.mark.parametrize("name", MESHES)
def test_sphere_mesh_file(name, tmp_path, capsys):
    text, file, content, words = MESHES[name]
    (tmp_path / "case.toml").write_text(text)
    (tmp_path / file).write_text(content)
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], ["case.toml", *words])
    assert sorted(os.listdir(tmp_path)) == sorted(["case.toml", file])


def test_too_coarse_for_the_result(tmp_path, capsys):
    """The estimate of the error refuses a result, and names a size that does."""
    path = tmp_path / "case.toml"
    path.write_text(COARSE)
    arguments = ["run", path, "--output", tmp_path / "out", "--no-pictures"]
    line = refused(capsys, arguments, [str(path), "task 1 (escape)", "sphere.mesh_size", "too coarse", "would do"])
    assert os.listdir(tmp_path) == ["case.toml"]
    size = re.search(r"([\d.]+) would do", line)[1]
    assert 0.05 < float(size) < 0.8
    assert main([str(a) for a in [*arguments, "--set", f"sphere.mesh_size={size}"]]) == 0
    found = json.loads((tmp_path / "out" / "summary.json").read_text())["tasks"]["1"]
    assert 0 < found["error_estimate"] < 0.2


def test_what_is_not_finite_is_refused():
    """JSON has no infinity: a line, not a traceback."""
    results.require_numbers("task 1", {"methods": ["m"], "a": None, "b": [[1.0, 2.0]]})
    with pytest.raises(SolverError, match=r"^task 1 .switching.: not_switched is not finite"):
        results.require_numbers("task 1 (switching)", {"times": [1.0], "not_switched": [1.0, float("nan")]})


# ---- good cases
MOMENT = 1.4e-24 * 8e5
THERMAL = 1.380649e-23 * 300
GAMMA = 1.76085963e11
TAU = (1 + 0.1**2) * MOMENT / (2 * 0.1 * GAMMA * THERMAL)  # of free diffusion


def average(potential, power=1):
    """Return the mean of cos(theta)^power of an axial density exp(-potential(cos(theta)))."""
    c, w = np.polynomial.legendre.leggauss(400)
    rho = w * np.exp(-(potential(c) - potential(c).min()))
    return float(rho @ c**power / rho.sum())


def test_wells_and_rates(tmp_path, capsys):
    """A barrier of 40 kT: escape, first passage and spectrum, in the polar angle."""
    summary, out = run(tmp_path, BASE + task("escape") + PASSAGE + SPECTRUM)
    assert list(summary["tasks"]) == ["1", "2", "3"]
    escape, passage, spectrum = summary["tasks"].values()
    slowest = 2.363611333e-15 / (2 * TAU)
    m = summary["macrospin"]
    assert m["volume"] == 1.4e-24
    assert m["thermal_energy"] == pytest.approx(THERMAL, rel=1e-9, abs=0)
    assert m["free_relaxation_time"] == pytest.approx(TAU, rel=1e-6, abs=0)
    assert m["reduced_time_per_second"] == pytest.approx(2 * 40 / (2 * TAU), rel=1e-6, abs=0)
    assert m["axisymmetric"] is True
    assert (m["damping_like"], m["field_like"]) == (None, None)
    assert [(w["energy"], w["barrier"]) for w in m["wells"]] == [pytest.approx((-40, 40), rel=1e-9)] * 2
    assert sorted(w["direction"][2] for w in m["wells"]) == pytest.approx([-1, 1], rel=1e-12)

    assert escape["kind"] == "escape"
    assert escape["slowest"] == [pytest.approx(slowest, rel=1e-6, abs=0)]
    assert np.array(escape["states"])[:, 2] == pytest.approx([1, -1], rel=1e-12)
    assert np.array(escape["rates"]) == pytest.approx(slowest / 2 * np.array([[0, 1], [1, 0]]), rel=1e-6, abs=0)
    assert escape["populations"] == pytest.approx([0.5, 0.5], rel=1e-9)
    assert escape["dwell_times"] == pytest.approx([2 / slowest] * 2, rel=1e-6, abs=0)
    assert escape["barriers"] == pytest.approx([40, 40], rel=1e-9)
    assert 0 <= escape["error_estimate"] < 1e-3
    assert escape["method"] == "committor"
    # The top of the barrier is half-way.
    assert passage["mean_first_passage_time"] == pytest.approx(1 / slowest, rel=1e-4, abs=0)

    assert np.array(spectrum["eigenvalues_reduced"])[:2] == pytest.approx(
        np.array([[0, 0], [2.363611333e-15, 0]]), rel=1e-6, abs=0
    )
    assert np.array(spectrum["eigenvalues"]) == pytest.approx(
        np.array(spectrum["eigenvalues_reduced"]) / (2 * TAU), rel=1e-6, abs=0
    )
    assert spectrum["eigenvalues_reduced"][2][0] > 60
    assert spectrum["methods"][:2] == ["stationary", "committor"]
    assert len(spectrum["error_estimate"]) == len(spectrum["residuals"]) == spectrum["count"] == 3
    c = columns(out / "spectrum.3.csv")
    assert c["rate_1_per_s"] == pytest.approx([z[0] for z in spectrum["eigenvalues"]], rel=1e-9, abs=0)
    printed = capsys.readouterr().out
    for words in ("dwell times (s): 1.31", "mean first passage time 6.56", "decay rates (1/s): 0, 1.52"):
        assert words in printed


def test_telegraph_noise(tmp_path, capsys):
    """Random jumps between two wells: a Lorentzian with the rate of escape."""
    noise = task("noise", 'name = "telegraph"', "observable = [0, 0, 2]", "frequencies = [0.1, 10]", "samples = 3")
    summary, out = run(tmp_path, BASE.replace("40", "20") + task("escape") + noise)
    slowest, found, f = summary["tasks"]["1"]["slowest"][0], summary["tasks"]["telegraph"], np.array([0.1, 1, 10])
    assert found["frequencies"] == pytest.approx(f, rel=1e-12)
    assert found["mean_observable"] == pytest.approx(0, abs=1e-6)
    assert found["variance"] == pytest.approx(4 * average(lambda c: -20 * c**2, 2), rel=1e-6)
    weight = 4 * average(lambda c: np.where(c > 0, -20 * c**2, 0.0)) ** 2
    lorentzian = 4 * weight * slowest / (slowest**2 + (2 * np.pi * f) ** 2)
    assert found["density"] == pytest.approx(lorentzian, rel=1e-3)
    assert max(found["error_estimate"]) < 1e-5
    assert columns(out / "noise.telegraph.csv")["density_1_per_Hz"] == pytest.approx(found["density"], rel=1e-12)
    assert "telegraph      mean" in capsys.readouterr().out


def test_free_spins(tmp_path):
    """No energy: Debye's susceptibility, a Lorentzian noise, eigenvalues l(l + 1); all directions alike."""
    band = ["frequencies = [1e5, 1e9]", "samples = 5"]
    summary, out = run(
        tmp_path,
        MAGNET
        + task("steady")
        + task("spectrum", "count = 5")
        + task("susceptibility", "direction = [0, 0, 3]", *band)
        + task("noise", "observable = [0, 0, 1]", *band),
    )
    steady, spectrum, response, noise = summary["tasks"].values()
    assert steady["mean_direction"] == pytest.approx([0, 0, 0], abs=1e-12)
    assert steady["minimum_density"] == pytest.approx(1 / (4 * np.pi), rel=1e-9)
    assert np.array(spectrum["eigenvalues_reduced"]) == pytest.approx(
        np.array([[0, 0], [2, 0], [2, 0], [2, 0], [6, 0]]), abs=1e-9
    )
    f = np.geomspace(1e5, 1e9, 5)
    omega_tau = 2 * np.pi * f * TAU
    still = 4e-7 * np.pi * 8e5 * MOMENT / (3 * THERMAL)
    chi = np.array(response["susceptibility"]) @ [1, 1j]
    assert response["frequencies"] == pytest.approx(f, rel=1e-12, abs=0)
    assert chi[:, 2] == pytest.approx(still / (1 + 1j * omega_tau), rel=1e-6, abs=0)
    assert abs(chi[:, :2]).max() < 1e-9 * still
    assert max(response["error_estimate"]) < 1e-5
    c = columns(out / "susceptibility.3.csv")
    assert c["chi_z_real"] == pytest.approx(chi[:, 2].real, rel=1e-12, abs=0)
    assert c["chi_z_imag"] == pytest.approx(chi[:, 2].imag, rel=1e-12, abs=0)
    assert noise["density"] == pytest.approx(4 / 3 * TAU / (1 + omega_tau**2), rel=1e-6, abs=0)
    assert noise["variance"] == pytest.approx(1 / 3, rel=1e-9)


def test_langevin_function(tmp_path):
    """A field in any direction, in the polar angle about it and on the whole sphere."""
    field = np.array([0.006, 0.008, -0.024])
    text = swap(MAGNET, ("= 300", "= 300\nfield = [0.006, 0.008, -0.024]")) + task("steady")
    x = MOMENT * np.linalg.norm(field) / THERMAL
    expected = (1 / np.tanh(x) - 1 / x) * field / np.linalg.norm(field)
    for name, table in (("meridian", ""), ("sphere", SPHERE)):
        summary, out = run(tmp_path, text + table, name=name)
        found = summary["tasks"]["1"]
        assert found["solved_on"] == name
        assert found["mean_direction"] == pytest.approx(expected, rel=1e-5 if table else 1e-9)
        assert found["mass_error"] == pytest.approx(0, abs=1e-9)
        assert found["minimum_density"] > 0
        assert found["negative_mass"] == 0
        assert found["method"] == "Boltzmann"
        assert found["dissipated_power"] < 1e-20
        assert abs(found["power_balance"]) < 1e-6
        assert isinstance(found["dofs"], int)
        assert {"summary.json", "density.1.bp"} == set(os.listdir(out))


def test_write_error(tmp_path, capsys):
    """Delta = 60, twice the critical current: the write-error rate down to 1e-7, and by stochastic dynamics."""
    summary, out = run(tmp_path, WRITE)
    found, dice = summary["tasks"].values()
    reduced = np.arange(0, 11, 2)
    unit = summary["macrospin"]["reduced_time_per_second"]
    assert unit == pytest.approx(60 / TAU, rel=1e-6, abs=0)
    assert summary["macrospin"]["damping_like"] == pytest.approx(0.1 * 2 * 2 * 60 * THERMAL / MOMENT, rel=1e-6, abs=0)
    assert found["reduced_times"] == pytest.approx(reduced, rel=1e-12)
    assert found["times"] == pytest.approx(reduced / unit, rel=1e-9, abs=0)
    expected = [1.52695e-2, 2.72580e-4, 4.83683e-6, 8.58196e-8]
    assert found["not_switched"][0] == pytest.approx(1, rel=1e-9)
    assert found["not_switched"][2:] == pytest.approx(expected, rel=1e-5, abs=0)
    assert np.array(found["mean_direction"])[[0, -1], 2] == pytest.approx(
        [average(lambda c: np.where(c > 0, -60 * c**2, 0.0)), -average(lambda c: -60 * (c**2 + 4 * c))], abs=2e-6
    )
    assert 0 <= found["stationary"] < 1e-30
    assert len(found["error_estimate"]) == 6
    assert max(found["error_estimate"]) < 1e-4
    assert abs(found["mass_error"]) < 1e-9
    assert found["negative_mass"] < 1e-9
    assert found["minimum_density"] > -1e-9
    assert "Krylov" in found["method"]
    assert found["solved_on"] == "meridian"
    c = columns(out / "switching.1.csv")
    assert c["not_switched"] == pytest.approx(found["not_switched"], rel=1e-12, abs=0)
    assert c["time_s"] == pytest.approx(found["times"], rel=1e-12, abs=0)

    assert (dice["ensemble"], dice["seed"]) == (2000, 7)
    assert dice["reduced_times"] == pytest.approx([0, 3], rel=1e-12)
    assert 0 < dice["step"] < dice["times"][1] / 10
    assert dice["not_switched"][0] == 1
    text = swap(WRITE, ("reduced_time = 10\nsamples = 6", "reduced_time = 3\nsamples = 1"))
    then = run(tmp_path, text, name="then")[0]["tasks"]
    exact = then["1"]["not_switched"][0]
    assert abs(dice["not_switched"][1] - exact) < 4 * dice["not_switched_error"][1]
    assert dice["not_switched_error"][1] == pytest.approx(np.sqrt(exact * (1 - exact) / 2000), rel=0.3)
    assert abs(dice["mean_direction"][1][2] - then["1"]["mean_direction"][0][2]) < 0.05
    assert then["dice"]["not_switched"] == dice["not_switched"]
    printed = capsys.readouterr().out
    for words in ("not switched after", "8.58", "dice", "+-"):
        assert words in printed


def test_means_across_the_axis_cancel(tmp_path):
    """Symmetry about z leaves no mean, and no response, along x."""
    sweep = task(
        "hysteresis", "direction = [0, 0, 1]", "range = [0.1, 0.2]", "rate = 1e8", "samples = 2", "loop = false"
    )
    biased = swap(BASE, ("= 300", "= 300\nfield = [0, 0, 0.1]"))
    summary, _ = run(tmp_path, biased + SWITCHING + sweep + swap(BAND, ("frequencies", "samples = 2\nfrequencies")))
    switching, hysteresis, response = summary["tasks"].values()
    for found in (switching, hysteresis):
        assert np.array(found["mean_direction"])[:, :2] == pytest.approx(0, abs=1e-9)
    assert np.array(response["susceptibility"])[:, :2] == pytest.approx(0, abs=1e-9)


@pytest.mark.slow
def test_hysteresis(tmp_path):
    """Slow sweeps are in equilibrium, with torque in its effective energy; fast ones lag behind."""
    low = MAGNET + UNIAXIAL.replace("40", "3")
    slow = ["loop = false", "samples = 5"]
    tasks = task(
        "hysteresis", 'name = "slow"', "direction = [0, 0, 2]", "range = [0.05, -0.03]", "rate = 1e3", *slow
    ) + task("hysteresis", 'name = "current"', 'sweep = "torque"', "range = [-1, 1]", "rate = 1e4", *slow)
    drive = "[torque]\ncritical_ratio = 1\npolarizer = [0, 0, -1]\n"
    summary, out = run(tmp_path, low + drive + tasks)
    tasks = summary["tasks"]
    field, x = np.linspace(0.05, -0.03, 5), MOMENT / THERMAL
    found = tasks["slow"]
    assert found["field"] == pytest.approx(field, rel=1e-9)
    assert found["times"] == pytest.approx(np.linspace(0, 8e-5, 5), rel=1e-9)
    # The torque stays on; a damping-like field acts as one of 1/alpha times its size.
    expected = [average(lambda c, b=b: -3 * c**2 + 6 * c - x * b * c) for b in field]
    assert found["mean_along"][1:] == pytest.approx(expected[1:], abs=2e-3)
    found = tasks["current"]
    assert found["factor"] == pytest.approx(np.linspace(-1, 1, 5), abs=1e-12)
    expected = [average(lambda c, i=i: -3 * (c**2 + 2 * i * c)) for i in found["factor"]]
    assert found["mean_along"][1:] == pytest.approx(expected[1:], abs=2e-3)
    assert np.array(found["mean_direction"])[:, 2] == pytest.approx(-np.array(found["mean_along"]), rel=1e-9)
    assert found["reversals"] == [pytest.approx(0, abs=1e-2)]
    for found in tasks.values():
        assert abs(found["mass_error"]) < 1e-9
        assert found["minimum_density"] > -1e-3
        assert found["steps"] >= 5
        assert (found["solved_on"], found["dofs"] > 50) == ("meridian", True)
    c = columns(out / "hysteresis.current.csv")
    assert list(c)[:3] == ["time_s", "factor", "mean_along"]
    assert "field_T" in columns(out / "hysteresis.slow.csv")

    loop = ["direction = [0, 0, 1]", "range = [0.1, -0.1]", "rate = 1e7", "samples = 21", "tolerance = 1e-3"]
    summary, _ = run(tmp_path, low + task("hysteresis", *loop), name="loop")
    found = summary["tasks"]["1"]
    down, up = found["reversals"]
    assert -0.1 < down < -0.005
    assert up == pytest.approx(-down, rel=1e-2)
    assert found["field"][20] == pytest.approx(-0.1)
    assert found["field"][-1] == pytest.approx(0.1)
    m = np.array(found["mean_along"])
    assert m[30:] == pytest.approx(-m[10:21], abs=1e-3)  # the way back mirrors the way there


def test_layer_of_a_pillar(tmp_path, capsys):
    """The volume is the layer's; transport is solved if it is asked for."""
    text = OF_LAYER.replace("stability = 40", "constant = 1e5")
    volume = np.pi * 1e-16 * 3e-9
    alone, out = run(tmp_path, PILLAR + text, name="alone")
    assert alone["macrospin"]["volume"] == pytest.approx(volume, rel=1e-12, abs=0)
    assert alone["macrospin"]["wells"][0]["energy"] == pytest.approx(-1e5 * volume / THERMAL, rel=1e-6)
    assert "states" not in alone
    assert set(os.listdir(out)) == {"summary.json", "spectrum.1.csv"}
    driven = swap(PILLAR, ("diameter", "mesh_size = 1e-8\ndiameter"))
    driven += "[transport]\ncurrent_density = 1e11\n[state.parallel]\n[state.antiparallel]\nfree = [0, 0, -1]\n"
    capsys.readouterr()
    both, out = run(tmp_path, driven + text, name="both")
    assert both["macrospin"] == alone["macrospin"]
    assert both["tasks"] == alone["tasks"]
    assert list(both["states"]) == ["parallel", "antiparallel"]
    assert both["magnetoresistance"] > 0
    assert {"summary.json", "spectrum.1.csv", "fields.parallel.bp", "profile.antiparallel.csv"} <= set(os.listdir(out))
    printed = capsys.readouterr().out
    assert "decay rates" in printed
    assert "dR/R" in printed
    strip = swap(PILLAR, ('"pillar"\ndiameter = 20e-9', '"strip"\nwidth = 20e-9\ndepth = 30e-9'))
    assert run(tmp_path, strip + text, name="strip")[0]["macrospin"]["volume"] == pytest.approx(1.8e-24, rel=1e-12)


@pytest.mark.slow
def test_pictures(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(
        'title = "A bit"\n' + WRITE + SPECTRUM + BAND + SWEEP + "samples = 3\ntolerance = 0.05\nloop = false\n"
    )
    out = tmp_path / "out"
    assert main(["run", str(path), "--output", str(out)]) == 0
    drawn = {x for x in os.listdir(out) if x.endswith(".png")}
    kinds = {"density.1", "potentials", "write_error", "spectrum.3", "susceptibility.4", "hysteresis.5"}
    assert drawn == {f"{k}.png" for k in kinds}
    assert min((out / x).stat().st_size for x in drawn) > 10_000


def test_assignments(tmp_path):
    """Tasks by number from 1 or by name, terms of the energy by number."""
    summary, _ = run(
        tmp_path,
        GOOD + swap(SPECTRUM, ("count", 'name = "slow"\ncount')),
        *("--set", "macrospin.anisotropy.1.stability=12", "--set", "task.1.reduced_time=2.5"),
        *("--set", "task.1.samples=1", "--set", "task.slow.count=2", "--set", "sphere.verify=false"),
    )
    assert summary["macrospin"]["wells"][0]["energy"] == pytest.approx(-12, rel=1e-9)
    assert summary["tasks"]["1"]["reduced_times"] == [pytest.approx(2.5, rel=1e-12)]
    assert len(summary["tasks"]["slow"]["eigenvalues"]) == 2
    assert summary["case"]["task"][0]["reduced_time"] == 2.5


def diffusion_of(summary):
    """Return D (1/s) of a case's macrospin."""
    return 1 / (2 * summary["macrospin"]["free_relaxation_time"])


def test_endless_passage(tmp_path, capsys):
    """A barrier of 2000 kT: no number holds the time, which is null; its logarithm is told."""
    summary, _ = run(tmp_path, MAGNET + UNIAXIAL.replace("40", "2000") + PASSAGE)
    found = summary["tasks"]["1"]
    assert found["mean_first_passage_time"] is None
    exponent = found["log10_mean_first_passage_time"]
    # Half of Brown's dwell time.
    brown = 2000 / np.log(10) - np.log10(4 * 2000**1.5 / np.pi**0.5) - np.log10(diffusion_of(summary))
    assert exponent == pytest.approx(brown, abs=1e-3)
    assert f"e+{int(exponent)} s" in capsys.readouterr().out


def test_mesh_file(tmp_path, capsys):
    """A sphere of any radius, a little off the origin; it is said if the polar angle does."""
    (tmp_path / "s.geo").write_text(SHELL)
    found = run(tmp_path, ROUND)[0]["tasks"]["1"]
    assert "is not used" not in capsys.readouterr().err
    exact = run(tmp_path, swap(ROUND, ("axisymmetric = false\n", "")), name="axial")[0]["tasks"]["1"]
    assert "note: sphere.mesh is not used" in capsys.readouterr().err
    assert np.array(found["eigenvalues"])[1] == pytest.approx(np.array(exact["eigenvalues"])[1], rel=1e-2)


def test_dry_run(tmp_path):
    """It says what would be run, and starts neither MPI nor DOLFINx."""
    path = tmp_path / "case.toml"
    path.write_text('title = "A bit"\n' + WRITE)
    script = (
        "import sys; from fespin.cli import main; status = main(sys.argv[1:]);"
        "heavy = {'dolfinx', 'petsc4py.PETSc', 'mpi4py.MPI', 'gmsh', 'pyvista', 'matplotlib'} & set(sys.modules);"
        "sys.exit(f'imported: {heavy}' if heavy else status)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "run", str(path), "--dry-run"], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    for words in (
        "A bit",
        "1400 nm3",
        "Ms 800000 A/m",
        "damping 0.1",
        "300 K",
        "well at (0.000, 0.000, -1.000): E = -60 kT, barrier 60 kT",
        "damping-like 0.08876 T",
        "tasks: 1 (switching), dice (langevin)",
    ):
        assert words in done.stdout, done.stdout
    assert os.listdir(tmp_path) == ["case.toml"]


def test_dry_run_of_a_layer(tmp_path, capsys):
    path = tmp_path / "case.toml"
    for transport in ("", "[transport]\nvoltage = 1e-3\n"):
        path.write_text(PILLAR + transport + OF_LAYER)
        assert main(["run", str(path), "--dry-run"]) == 0
        printed = capsys.readouterr().out
        assert "macrospin: 942.5 nm3" in printed
        assert ("two-channel" in printed) == bool(transport)


def test_schema(capsys):
    assert main(["schema"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == schema()
    assert {"macrospin", "torque", "sphere", "task"} <= found["properties"].keys()
    parts = found["$defs"]
    tasks = found["oneOf"][0]["properties"]["task"]["items"]["oneOf"]
    words = {parts[x["$ref"].rpartition("/")[2]]["properties"]["kind"]["const"] for x in tasks}
    assert words == TASKS.keys() >= {"spectrum", "switching", "langevin", "escape"}
    for part in (parts["Switching"], parts["Langevin"]):
        assert {"kind", "name", "start", "pulse", "reduced_time", "samples"} <= part["properties"].keys()
        assert "frequencies" not in part["properties"] and part["required"] == ["kind"]
    assert set(parts["Hysteresis"]["required"]) == {"kind", "range", "rate"}
    assert {"damping", "temperature", "anisotropy", "layer", "volume"} <= parts["MacrospinTable"]["properties"].keys()
    assert parts["MacrospinTable"]["additionalProperties"] is False
    assert {"mesh_size", "graded", "degree", "mesh"} <= parts["SphereTable"]["properties"].keys()
    assert {"damping_like", "critical_ratio", "polarizer"} <= parts["TorqueTable"]["properties"].keys()
    terms = parts["AnisotropyTable"]["oneOf"]
    assert [x["$ref"].rpartition("/")[2] for x in terms] == [
        "UniaxialTable",
        "BiaxialTable",
        "CubicTable",
        "ShapeTable",
    ]


# ---- checkpoints
# Saves after every step; dies, if asked to, between writing the file of so many steps and moving it into place.
DRIVER = """\
import os, signal, sys
from fespin.cli import main
from fespin import checkpoint
from fespin.sigma import FokkerPlanck
evolve, replace, deadly, saved = FokkerPlanck.evolve, os.replace, int(sys.argv[1]), 0
def often(self, *arguments, **options):
    return evolve(self, *arguments, **{**options, "every": 0.0})
def dying(a, b):
    global saved
    saved += 1
    if saved == deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(a, b)
FokkerPlanck.evolve, checkpoint.os.replace = often, dying
status = main(sys.argv[2:])
# Launchers may lose lines.
open(f"{__file__}.{os.getpid()}", "w").write(str(saved))
sys.exit(status)
"""


@pytest.fixture
def saving(monkeypatch):
    """Save after every step."""
    evolve = FokkerPlanck.evolve
    monkeypatch.setattr(FokkerPlanck, "evolve", lambda self, *a, **k: evolve(self, *a, **{**k, "every": 0.0}))


@pytest.mark.slow
def test_another_case_starts_afresh(tmp_path, saving):
    """One folder for a whole sweep of cases: no state is taken for another's."""
    states = tmp_path / "states" / "of"
    for name, change in (("one", "rate=1e7"), ("other", "rate=2e7"), ("third", "samples=9"), ("one", "rate=1e7")):
        options = ["--set", f"task.1.{change}"]
        found = run(tmp_path, ALONG, *options, "--checkpoint", states, name=name)[0]["tasks"]["1"]
        plain = run(tmp_path, ALONG, *options, name="plain")[0]["tasks"]["1"]
        assert found["mean_direction"] == pytest.approx(np.array(plain["mean_direction"]), rel=1e-12)
        assert found["steps"] == plain["steps"]
    assert len(os.listdir(states)) == 3
    file = states / os.listdir(states)[0]
    before = file.stat().st_size
    hotter = run(tmp_path, ALONG, "--set", "macrospin.temperature=310", "--checkpoint", states)[0]
    assert len(os.listdir(states)) == 4
    assert hotter["tasks"]["1"]["mean_along"] != found["mean_along"]
    assert file.stat().st_size == before


def test_unusable_checkpoints(tmp_path, capsys, saving):
    path, states = tmp_path / "case.toml", tmp_path / "states"
    path.write_text(ALONG)
    arguments = ["run", path, "--output", tmp_path / "out", "--no-pictures", "--checkpoint"]
    states.write_text("precious")
    refused(capsys, [*arguments, states], [str(path), "checkpoint", "states", "cannot be written"])
    refused(capsys, [*arguments, "/proc/states"], ["checkpoint", "/proc/states", "cannot be written"])
    assert states.read_text() == "precious"
    states.unlink()
    assert main([str(a) for a in [*arguments, states]]) == 0
    (file,) = states.iterdir()
    capsys.readouterr()
    file.write_text("no state")
    refused(capsys, [*arguments, states, "--force"], ["task 1 (hysteresis)", str(file), "not one of fespin's"])


def close(found, expected, where=""):
    """Assert that all numbers of two summaries agree to 1e-8 of the largest of their list."""
    if isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for k in expected:
            close(found[k], expected[k], f"{where}.{k}")
    elif isinstance(expected, (list, float)) and where.rpartition(".")[2] not in NOT_COMPARED:
        if None in np.ravel(expected) or np.array(expected).dtype.kind not in "fi":
            assert found == expected, where
        else:
            a, b = np.array(found), np.array(expected)
            assert a == pytest.approx(b, rel=0, abs=1e-8 * abs(b).max(initial=0)), where
    elif not isinstance(expected, (list, float)):
        assert found == expected, where


# Differences of nearly equal numbers, and rounding.
NOT_COMPARED = ("error_estimate", "residuals", "mass_error", "minimum_density", "negative_mass", "power_balance")


# ---- whole processes
@pytest.fixture
def patient(monkeypatch):
    """Ranks that wait leave their core to others."""
    monkeypatch.setenv("OMPI_MCA_mpi_yield_when_idle", "1")


@pytest.mark.slow
def test_errors_of_two_processes(tmp_path, patient):
    """Every rank ends, with one line between them, before and after solving."""
    some = {
        "before": (GOOD.replace("reduced_time", "reduced_tme"), ["task 1.reduced_tme", "'reduced_time'"]),
        "after": (
            COARSE,
            ["task 1 (escape)", "sphere.mesh_size", "would do"],
        ),
    }
    for name, (text, words) in some.items():
        (tmp_path / name).mkdir()
        path = tmp_path / name / "case.toml"
        path.write_text(text)
        done = python(2, "-m", "fespin", "run", path, "--output", tmp_path / name / "out", timeout=120)
        said = [x for x in done.stderr.splitlines() if x.startswith("fespin: error: ")]
        assert done.returncode == 2, done.stderr
        assert len(said) == 1, done.stderr
        assert "Traceback" not in done.stderr
        for word in [str(path), *words]:
            assert word in said[0]
        assert os.listdir(tmp_path / name) == ["case.toml"]


@pytest.mark.slow
def test_killed_and_resumed_on_other_ranks(tmp_path, patient):
    """A run killed on one rank goes on with two, and one killed on two with one: the numbers of an undisturbed one.

    So do all other tasks, on one rank and on two.
    """
    expected = run(tmp_path, OBLIQUE + QUESTIONS)[0]["tasks"]
    steps = expected["sweep"]["steps"]
    assert steps > 6
    driver, half = tmp_path / "driver.py", steps // 2
    driver.write_text(DRIVER)
    for first, second in ((1, 2), (2, 1)):
        folder = tmp_path / f"{first}"
        folder.mkdir()
        path, out, states = folder / "case.toml", folder / "out", folder / "states"
        path.write_text(OBLIQUE + (QUESTIONS if second == 2 else ""))
        arguments = ["run", path, "--output", out, "--no-pictures", "--checkpoint", states]

        def start(ranks, deadly, arguments=arguments):
            if ranks > 1:
                return python(ranks, driver, deadly, *arguments, timeout=300)
            command = [sys.executable, driver, deadly, *arguments]
            return subprocess.run([str(x) for x in command], capture_output=True, text=True, timeout=300)

        done = start(first, half)
        assert done.returncode in ((-signal.SIGKILL,) if first == 1 else (137, 9)), done.stderr
        assert not out.exists()
        (saved,) = [x for x in os.listdir(states) if x.endswith(".checkpoint")]
        assert saved.startswith("sweep.")
        done = start(second, 0)
        assert done.returncode == 0, done.stderr
        counts = list(tmp_path.glob("driver.py.*"))
        assert sum(int(x.read_text()) for x in counts) == steps - half + 1  # it did go on
        for x in counts:
            x.unlink()
        summary = json.loads((out / "summary.json").read_text())
        assert summary["ranks"] == second
        close(summary["tasks"], expected if second == 2 else {"sweep": expected["sweep"]})
        assert sorted(os.listdir(folder)) == ["case.toml", "out", "states"]
