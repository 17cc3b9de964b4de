"""Case files of a macrospin: what is refused, what comes out, checkpoints, ranks."""

import json
import os
import re

import pytest

from fespin.cli import main

MAGNET = """\
[macrospin]
volume = 1.4e-24
saturation_magnetization = 8e5
damping = 0.1
temperature = 300
"""
UNIAXIAL = '[[macrospin.anisotropy]]\nkind = "uniaxial"\nstability = 40\n'
BIAXIAL = '[[macrospin.anisotropy]]\nkind = "biaxial"\nstability = 10\nhard_stability = 15\n'
TORQUE = "[torque]\ncritical_ratio = 2.0\npolarizer = [0, 0, -1]\n"
SPHERE = "[sphere]\nmesh_size = 0.3\ngraded = false\ndegree = 2\naxisymmetric = false\n"
PILLAR = """\
[geometry]
shape = "pillar"
diameter = 20e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 6e-9
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "free"
material = "Co"
thickness = 3e-9
"""


def task(kind, *lines):
    return "\n".join(["[[task]]", f'kind = "{kind}"', *lines, ""])


SPECTRUM = task("spectrum", "count = 3")
SWITCHING = task("switching", "reduced_time = 10", "samples = 6")
SWEEP = task("hysteresis", "direction = [0, 0, 1]", "range = [0.3, -0.3]", "rate = 1e7")
BAND = task("susceptibility", "direction = [0, 0, 1]", "frequencies = [1e6, 1e12]")
NOISE = task("noise", "observable = [0, 0, 1]", "frequencies = [1e6, 1e12]")
PASSAGE = task("first-passage", "start = [0, 0, 1]")
BASE = MAGNET + UNIAXIAL
GOOD = BASE + TORQUE + SWITCHING
OF_LAYER = MAGNET.replace("volume = 1.4e-24", 'layer = "free"') + UNIAXIAL + SPECTRUM


def swap(text, *pairs):
    """Return a text with parts replaced; each must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


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
    "named as the number of another": (asked(task("steady", 'name = "1"') + SPECTRUM), ["'1'", "twice"]),
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


def refused(capsys, arguments, words, status=2):
    """Assert that the command line says one line with these words; return the line."""
    assert main([str(a) for a in arguments]) == status
    out, err = capsys.readouterr()
    lines = [x for x in err.splitlines() if not re.match("fespin: (mesh|state|sphere|task|note)", x)]
    assert len(lines) == 1 and lines[0].startswith("fespin: error: "), err
    assert not out
    for word in words:
        assert word in lines[0]
    return lines[0]


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
