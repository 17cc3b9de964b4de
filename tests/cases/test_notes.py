"""Notes: units that look wrong, what is assumed in silence, and no alarm about anything ordinary."""

import json
import re
import tomllib

import numpy as np
import pytest
from case_texts import coupled, layers, longitudinal, macrospins, models, surveys, textures, valves
from casefiles import run, swap, task
from launch import ROOT, python

import fespin as fs
from fespin.cases import unit_notes
from fespin.cases.casefile import read
from fespin.cases.notes import Notes, notes_of
from fespin.cli import main
from fespin.errors import InputError

BIT = """
[macrospin]
volume = 3.1e-24
saturation_magnetization = 9.3e5
damping = 0.013
[[macrospin.anisotropy]]
kind = "uniaxial"
constant = 7.7e4
"""
ESCAPE = task("escape")
STABLE = swap(BIT, ("constant = 7.7e4", "stability = 55")) + ESCAPE
SWEEP = task("hysteresis", "direction = [0, 0, 1]", "range = [0.2, -0.2]", "rate = 1e6")
STACK = """
[geometry]
shape = "pillar"
diameter = 47e-9
mesh_size = 20e-9
[[layer]]
name = "lead"
material = "Cu"
thickness = 9e-9
[[layer]]
name = "hard"
material = "Co"
thickness = 8e-9
magnetization = [0, 0.6, 0.8]
[[layer]]
material = "Cu"
thickness = 5e-9
[[layer]]
name = "free"
material = "Co"
thickness = 2e-9
magnetization = [0, 0, 1]
[material.Cu]
resistivity = 7e-9
spin_diffusion_length = 400e-9
[material.Co]
resistivity = 60e-9
beta = 0.4
spin_diffusion_length = 45e-9
[interface."Co|Cu"]
area_resistance_star = 0.4e-15
gamma = 0.7
mixing_conductance = [5e14, 1e14]
[transport]
model = "vector"
current_density = 2e11
"""
COLLINEAR = swap(
    STACK,
    ("[0, 0.6, 0.8]", "[0, 0, 1]"),
    ("mixing_conductance = [5e14, 1e14]\n", ""),
    ('model = "vector"', 'model = "two-channel"'),
)
FREE = swap(BIT, ("volume = 3.1e-24", 'layer = "free"'))
WIRE = """
[texture]
saturation_magnetization = 8.3e5
exchange = 1.1e-11
damping = 0.05
conductivity = 4e6
polarization = 0.6
easy_constant = 7e4
[texture.geometry]
shape = "line"
length = 400e-9
[texture.wall]
position = 150e-9
[[task]]
kind = "electromotive_force"
"""
UNIFORM = swap(
    WIRE, ("[texture.wall]\nposition = 150e-9\n", ""), ("damping", "magnetization = [1, 0, 0]\ndamping")
).replace("electromotive_force", 'dynamics"\nduration = 1e-9\nname = "go')
LINE = """
[geometry]
shape = "line"
mesh_size = 2e-9
[[layer]]
name = "F"
material = "X"
thickness = 11e-9
magnetization = [0, 0, 1]
[[layer]]
name = "N"
material = "Y"
thickness = 17e-9
[material.X]
resistivity = 2.1e-7
beta = 0.37
spin_diffusion_length = 13e-9
[material.Y]
resistivity = 3.3e-8
spin_diffusion_length = 90e-9
[interface."X|Y"]
area_resistance_star = 0.8e-15
[transport]
current_density = 3e10
"""


def told(tmp_path, text, *assignments):
    """Return the notes of a case that is not run."""
    path = tmp_path / "case.toml"
    path.write_text(text)
    return notes_of(read(path, assignments)[0], assignments)


UNITS = {
    "Ms in emu/cm3": (BIT + ESCAPE, ("9.3e5", "930"), ["saturation_magnetization: 930 A/m", "emu/cm3", "9.3e+05 A/m"]),
    "Ms in T": (BIT + ESCAPE, ("9.3e5", "1.17"), ["saturation_magnetization: 1.17 A/m", "T (mu0 Ms)", "9.311e+05 A/m"]),
    "Ms in G": (BIT + ESCAPE, ("9.3e5", "1.1e4"), ["11000 A/m looks like G (4 pi Ms)", "8.754e+05 A/m"]),
    "no magnet": (BIT + ESCAPE, ("9.3e5", "9.3e6"), ["saturation_magnetization", "more than any magnet"]),
    "wire's Ms in emu/cm3": (WIRE, ("8.3e5", "830"), ["texture.saturation_magnetization", "emu/cm3", "8.3e+05 A/m"]),
    "volume in cm3": (STABLE, ("3.1e-24", "3.1e-18"), ["macrospin.volume", "in cm3 it would be 3.1e-24 m3"]),
    "volume of an atom": (STABLE, ("3.1e-24", "3.1e-29"), ["macrospin.volume", "ten atoms"]),
    "layer's volume": (
        STACK + swap(FREE, ("constant = 7.7e4", "stability = 55")) + "[torque]\nsource = 'transport'\n" + ESCAPE,
        ("diameter = 47e-9\nmesh_size = 20e-9", "diameter = 47e-6\nmesh_size = 1e-6"),
        ["macrospin.layer", "does not turn as one"],
    ),
    "Celsius": (BIT + ESCAPE, ("damping", "temperature = 25\ndamping"), ["temperature: 25 K", "Celsius", "298.15 K"]),
    "hot chip": (BIT + ESCAPE, ("damping", "temperature = 85\ndamping"), ["temperature: 85 K", "358.15 K"]),
    "no magnet so hot": (BIT + ESCAPE, ("damping", "temperature = 2e3\ndamping"), ["temperature: 2000 K", "Curie"]),
    "field in Oe": (
        swap(BIT, ("3.1e-24", "3.1e-26")) + task("steady"),
        ("damping", "field = [0, -500, 3]\ndamping"),
        ["macrospin.field: 500 T", "0.05 T"],
    ),
    "sweep in mT": (BIT + SWEEP, ("0.2, -0.2", "80, -80"), ["task 1.range: 80 T", "in mT it would be 0.08 T"]),
    "erg/cm3": (BIT + ESCAPE, ("7.7e4", "1.2e7"), ["anisotropy 1.constant", "in erg/cm3 it would be 1.2e+06 J/m3"]),
    "wire's erg/cm3": (WIRE, ("7e4", "9e6"), ["texture.easy_constant", "9e+05 J/m3"]),
    "exchange in erg/cm": (UNIFORM, ("1.1e-11", "9e-7"), ["texture.exchange", "in erg/cm it would be 9e-12 J/m"]),
    "wire in um": (WIRE, ("400e-9", "4e-3\nmesh_size = 4e-9"), ["geometry.length: 0.004 m", "4e-09 m"]),
    "current of the wire": (WIRE, ("damping", "current_density = -2e14\ndamping"), ["current_density", "1e14 A/m2"]),
    "voltage of the wire": (WIRE, ("damping", "voltage = 2e3\ndamping"), ["voltage: 2e+16 A/m2", "beyond 1e14"]),
    "current": (LINE, ("3e10", "-3e14"), ["transport.current_density: -3e+14 A/m2", "beyond 1e14 A/m2"]),
    "drives": (
        STACK + FREE + "[torque]\nsource = 'transport'\n" + task("resonance", "drives = [-3e10, 1e11]"),
        ("-3e10", "-3e14"),
        ["task 1.drives: -3e+14 A/m2"],
    ),
    "micrometres": (LINE, ("11e-9", "0.003"), ["layer 1.thickness: 0.003 m is over 1 mm", "in um it would be 3e-09 m"]),
    "thinner than an atom": (LINE, ("17e-9", "5e-12"), ["layer 2.thickness: 5e-12 m", "atom"]),
    "thin device": (LINE, ("11e-9", "4e-10"), ["the device", "7e-10 m across, under 1 nm"]),
    "spin-diffusion length in nm": (LINE, ("= 13e-9", "= 13"), ["material.X.spin_diffusion_length: 13 m", "1.3e-08 m"]),
    "resistivity in uohm cm": (
        LINE,
        ("2.1e-7", "21"),
        ["material.X.resistivity: 21 ohm m", "uohm cm", "2.1e-07 ohm m"],
    ),
    "AR in fohm m2": (
        LINE,
        ("0.8e-15", "0.8"),
        ["interface.'X|Y'.area_resistance_star: 0.8 ohm m2", "in fohm m2 it would be 8e-16"],
    ),
}


@pytest.mark.parametrize("name", UNITS)
def test_numbers_in_other_units(tmp_path, name):
    """One note names the key, the likely unit and what the number would be; the ordinary number has none."""
    text, change, words = UNITS[name]
    if name == "thin device":
        text = swap(text, ("17e-9", "3e-10"))
    ordinary = told(tmp_path, UNITS[name][0])
    found = [x for x in told(tmp_path, swap(text, change)) if x not in ordinary]
    assert len(found) == 1, found
    for word in words:
        assert word in found[0], found[0]


def test_what_a_note_proposes_is_ordinary():
    """Written as proposed, a number has no note: over all sizes that a slip of the unit makes."""
    kinds = {
        unit_notes.magnetization: [(480, 1700), (0.6, 2.1), (6.1e3, 1.15e4)],
        unit_notes.volume: [(1e-19, 1e-17)],
        unit_notes.temperature: [(20.5, 29.5)],
        unit_notes.resistivity: [(1.0, 300.0)],
        unit_notes.area_resistance: [(0.05, 50.0)],
        unit_notes.length: [(0.0011, 0.0099), (2.0, 300.0)],
    }
    for judge, ranges in kinds.items():
        for low, high in ranges:
            for value in np.geomspace(low, high, 7):
                (text,) = judge("key", float(value))
                proposed = float(re.search(r"would be ([-+.e\d]+)", text)[1])
                assert judge("key", proposed) == [], text


# ---- no false alarms
# What is said of ordinary cases, too: where numbers come from, and what was left open.
ASSUMED = (
    r"the library's .* unchecked", r"no magnetization, taken as", r"^no (interface|mixing_conductance|seebeck)",
    r"is not used", r"are not used", r"the library's resistivity of",
    r"far from transport.reference_temperature",
)  # fmt: skip
MODULES = (coupled, layers, longitudinal, macrospins, models, surveys, textures, valves)


def alarms(tmp_path, text):
    """Return notes on wrong units or forgotten couplings; None of a text that is no case."""
    try:
        found = told(tmp_path, text)
    except InputError:
        return None
    return [x for x in found if not any(re.search(p, x) for p in ASSUMED)]


def test_demos_have_no_alarm(tmp_path):
    demos = sorted((ROOT / "demos").glob("*.toml"))
    assert len(demos) >= 6
    for path in demos:
        assert alarms(tmp_path, path.read_text()) == [], path


def test_cases_of_tests_have_no_alarm(tmp_path):
    """Every whole case of the tests."""
    texts = list[str]()
    for module in MODULES:
        parts = vars(module)
        texts += [x for x in parts.values() if isinstance(x, str)]
        # Magnets, bodies and tasks stand apart in some.
        texts += [
            parts[a] + parts[b]
            for a, b in (("BASE", "MOVE"), ("STACK", "THREE"), ("WARM", "HEAT"))
            if {a, b} <= parts.keys()
        ]
    found = [x for x in (alarms(tmp_path, text) for text in texts) if x is not None]
    assert len(found) >= 12
    assert [x for x in found if x] == []


def test_ordinary_devices_have_no_alarm(tmp_path):
    """From dilute magnets at 1.5 K to iron-cobalt at 400 K, from clusters to ellipses of 200 nm."""
    rng, seen = np.random.default_rng(11), 0
    for _ in range(60):
        ms, volume = 10 ** rng.uniform(np.log10(1.3e4), np.log10(2.4e6)), 10 ** rng.uniform(-26.5, -20.6)
        temperature = rng.choice([1.5, 4.2, 10.0, 20.0, 30.0, 77.0, 100.0, 150.0, 200.0, 250.0, 293.15, 300.0, 400.0])
        text = swap(
            BIT,
            ("3.1e-24", f"{volume:.3g}"),
            ("9.3e5", f"{ms:.3g}"),
            ("7.7e4", f"{10 ** rng.uniform(2, 6.8):.3g}"),
            ("damping", f"temperature = {temperature}\nfield = [{rng.uniform(-14, 14):.3g}, 0, 0]\ndamping"),
        )
        found = alarms(tmp_path, text + task("steady"))
        seen += found is not None  # some barriers are beyond 1e5 kT
        assert not found, text
    assert seen > 20
    for _ in range(60):
        thick, length, rho = (10 ** rng.uniform(*x) for x in ((-9.5, -4.5), (-9.3, -4.3), (-10, -2)))
        text = swap(LINE, ("17e-9", f"{thick:.3g}"), ("= 90e-9", f"= {length:.3g}"), ("3.3e-8", f"{rho:.3g}"))
        current = f"{10 ** rng.uniform(3, 13.5):.3g}"
        assert alarms(tmp_path, swap(text, ("3e10", current), ("mesh_size = 2e-9\n", ""))) == [], text


# ---- what is assumed in silence
def test_stability_grows_with_temperature(tmp_path):
    """At another temperature than 300 K, or where it is swept: K there and at 300 K."""
    text = swap(BIT, ("constant = 7.7e4", "stability = 51")) + ESCAPE
    assert told(tmp_path, text) == []
    assert told(tmp_path, swap(text, ("damping", "temperature = 295\ndamping"))) == []
    (note,) = told(tmp_path, swap(text, ("damping", "temperature = 390\ndamping")))
    for kelvin in (390, 300):
        assert f"{51 * 1.380649e-23 * kelvin / 3.1e-24:.4g} J/m3 at {kelvin} K" in note
    assert "K grows with T" in note and "give constant" in note
    (note,) = told(tmp_path, text, "macrospin.temperature=300")
    assert "K grows with T" in note and note.count(" K;") == 1
    hard = swap(text, ('kind = "uniaxial"', 'kind = "biaxial"\nhard_stability = 300'))
    notes = told(tmp_path, hard, "macrospin.temperature=350")
    assert len(notes) == 2 and "give hard_constant" in notes[1]
    assert told(tmp_path, swap(BIT, ("damping", "temperature = 390\ndamping")) + ESCAPE) == []


def test_current_that_tasks_ignore(tmp_path):
    """A current through the macrospin's own layer, with no torque or a given one."""
    (note,) = told(tmp_path, STACK + FREE + ESCAPE)
    assert "layer 'free' acts on none of its tasks" in note and "transport.model" not in note
    (note,) = told(tmp_path, STACK + FREE + "[torque]\ndamping_like = 0.01\n" + ESCAPE)
    assert "layer 'free' does not change the torque, which is given" in note
    (note,) = told(tmp_path, COLLINEAR + FREE + ESCAPE)
    assert 'with transport.model = "vector"' in note
    assert told(tmp_path, STACK + FREE + "[torque]\nsource = 'transport'\n" + ESCAPE) == []
    assert told(tmp_path, STACK + BIT + ESCAPE) == []  # a magnet elsewhere
    assert told(tmp_path, STACK.partition("[material.Cu]")[0] + FREE + ESCAPE) == []  # layers for the volume alone


def test_swept_fields_add(tmp_path):
    """To the macrospin's own; the task is called by its number or its name."""
    biased = swap(BIT, ("damping", "field = [0.02, 0, 0]\ndamping"))
    assert told(tmp_path, BIT + SWEEP) == []
    (note,) = told(tmp_path, biased + ESCAPE + SWEEP)
    assert note == "task 2.range: the swept field adds to macrospin.field = [0.02, 0.0, 0.0] T"
    (note,) = told(tmp_path, biased + swap(SWEEP, ("direction", 'name = "loop"\ndirection')))
    assert note.startswith("task 1 ('loop').range")
    drive = "[torque]\ndamping_like = 0.01\n"
    torque = task("hysteresis", 'sweep = "torque"', "range = [-1, 1]", "rate = 1e6")
    assert told(tmp_path, biased + drive + torque) == []
    diagram = task("phase-diagram", "fields = [-0.01, 0.01]", "drives = [-1, 1]", "direction = [0, 0, 1]")
    assert "task 1.fields: the swept field adds" in told(tmp_path, biased + drive + diagram)[0]


def test_magnets_without_a_direction(tmp_path):
    """Taken along +z, unless every state says where they point; normal metals have none."""
    plain = swap(STACK, ("magnetization = [0, 0.6, 0.8]\n", ""), ("magnetization = [0, 0, 1]\n", ""))
    assert told(tmp_path, plain) == ["layers 'hard', 'free': no magnetization, taken as magnets along +z"]
    up, down = "[state.up]\nfree = [0, 0, 1]\nhard = [0, 1, 0]\n", "[state.down]\nfree = [0, 0, -1]\n"
    assert told(tmp_path, plain + up) == []
    assert told(tmp_path, plain + up + down) == ["layer 'hard': no magnetization, taken as a magnet along +z"]
    bands = swap(
        LINE,
        (
            "resistivity = 2.1e-7\nbeta = 0.37",
            "conductivity = { s_up = 5e6, s_down = 3e6, d_down = 1e6 }\nsd_length = 1e-9",
        ),
        ("magnetization = [0, 0, 1]\n", ""),
        ("current_density", 'model = "three-channel"\ncurrent_density'),
    )
    assert "layer 'F': no magnetization, taken as a magnet along +z" in told(tmp_path, bands)


def library(kind):
    """Return the keys of every entry of materials.toml whose remark begins with "unchecked", by name and table."""
    book = tomllib.loads((ROOT / "fespin" / "materials.toml").read_text())[kind]
    return {
        (name, tag): {
            k for k, v in table.items() if isinstance(v, dict) and v.get("remark", "").startswith("unchecked")
        }
        for name, tables in book.items()
        for tag, table in tables.items()
    }


def test_unchecked_numbers_are_named(tmp_path):
    """Each material and interface of the library once, with just those of its numbers that are used and unchecked."""
    magnets = {"Co", "Py", "Ni", "Fe", "CoFe"}
    for (name, tag), keys in library("material").items():
        kelvin = {"4K": 4.2, "300K": 300.0}[tag]
        for own in ({}, {"resistivity": 5e-8}, {"spin_diffusion_length": 2e-8, "resistivity": 4e-8, "beta": 0.2}):
            numbers = {k: v for k, v in own.items() if k != "beta" or name in magnets}
            head = swap(
                LINE,
                ('material = "Y"', f'material = "{name}"'),
                ("[transport]", f"[transport]\ntemperature = {kelvin}"),
            )
            given = f"[material.{name}]\n" + "".join(f"{k} = {v}\n" for k, v in numbers.items()) if numbers else ""
            try:
                found = [
                    x for x in told(tmp_path, head + given) if x.startswith(f"{name} at {kelvin:g} K: the library's")
                ]
            except InputError:
                continue  # the library lacks what the case does not give
            used = keys & {"resistivity", "resistivity_star", "beta", "spin_diffusion_length"} - numbers.keys()
            used -= {"resistivity_star"} if "resistivity" in numbers else set()
            assert len(found) == bool(used)
            words = re.search(r"the library's (.*) (?:is|are) unchecked", found[0])[1] if used else ""
            assert set(re.split(r", | and ", words)) - {""} == used


def test_unchecked_interfaces_are_named(tmp_path):
    """Those of layers that touch, unless the case gives their numbers; by layers or materials, either way round."""
    both = {name: keys for (name, tag), keys in library("interface").items() if tag == "4K" and len(keys) == 2}
    if "Co|Cu" not in both:
        pytest.skip("both numbers of Co|Cu are checked")
    open_face = swap(COLLINEAR, ("area_resistance_star = 0.4e-15\ngamma = 0.7\n", ""), ('[interface."Co|Cu"]\n', ""))
    expected = "Co|Cu at 4.2 K: the library's area_resistance_star and gamma are unchecked"
    assert [x.partition(",")[0] for x in told(tmp_path, open_face)] == [expected]
    faces = "".join(f"[interface.'{x}']\ngamma = 0.5\n" for x in ("lead|hard", "hard|Cu3", "Co|Cu"))
    assert "the library's area_resistance_star is unchecked" in told(tmp_path, open_face + faces)[0]
    one = "[interface.'free|Cu3']\narea_resistance_star = 1e-15\ngamma = 0.5\n"
    assert [x.partition(",")[0] for x in told(tmp_path, open_face + one)] == [expected]
    assert told(tmp_path, open_face + "[interface.'Cu|Co']\narea_resistance_star = 0\n") == []


BLOCKED = '[contact.bottom]\nspin = "blocked"\n'


def test_superconducting_leads(tmp_path):
    """A blocked contact that carries the current at 4.2 K, and a lead of Nb."""
    (note,) = told(tmp_path, LINE + BLOCKED)
    assert note.startswith("contact bottom:") and 'use "reservoir"' in note and "Nb" in note
    (note,) = told(tmp_path, LINE + BLOCKED + BLOCKED.replace("bottom", "top"))
    assert note.startswith("contact bottom and top:")
    assert told(tmp_path, swap(LINE, ("[transport]", "[transport]\ntemperature = 300")) + BLOCKED) == []
    bit = swap(FREE, ('"free"', '"F"')) + "[torque]\ndamping_like = 0.01\n" + task("steady")
    warm = swap(LINE, ('"line"', '"strip"\nwidth = 30e-9\ndepth = 40e-9')) + BLOCKED + bit
    assert not any("blocked" in x for x in told(tmp_path, warm))
    assert any("blocked" in x for x in told(tmp_path, swap(warm, ("damping", "temperature = 4.2\ndamping"))))
    driven = swap(LINE, ("current_density = 3e10", "")) + "[contact.top]\nvoltage = 0\n"
    assert told(tmp_path, driven + BLOCKED + "current = 1e9\n") != []
    assert told(tmp_path, driven + '[contact.bottom]\ncurrent = 1e9\nspin = "lead"\n') == []
    niobium = "[material.Nb]\nresistivity = 6e-8\nspin_diffusion_length = 25e-9\n"
    text = swap(LINE, ('"Y"', '"Nb"'), ("17e-9", "120e-9")) + niobium
    assert 'contact.top.spin = "reservoir"' in "".join(told(tmp_path, text))
    thin = told(tmp_path, swap(text, ("120e-9", "8e-9")))
    assert not any("superconducts" in x for x in thin)


def test_reservoirs_are_the_series_resistor_model():
    """What the note says of leads: without spin flips two channels in parallel; "blocked" has no magnetoresistance."""
    rho, beta, thick, star, gamma = 5.1e-8, 0.41, (7e-9, 4e-9), 0.6e-15, 0.66
    co = fs.Material("Co", rho, 1.0, beta)
    cu = fs.Material("Cu", 8e-9, 1.0)

    def resistance(end, sign):
        layers = [fs.Layer(co, thick[0], "a", (0, 0, 1)), fs.Layer(cu, 9e-9), fs.Layer(co, thick[1], "b", (0, 0, sign))]
        stack = fs.Stack(*layers, interfaces={("Co", "Cu"): fs.Interface(star, gamma)})
        return fs.solve_multilayer(stack, fs.Contact(end), fs.Contact(end), 1e9).resistance_area

    def channel(s, sign):
        """A R of one spin: rho* and AR* twice, less for the majority."""
        magnets = 2 * rho / (1 - beta**2) * (thick[0] * (1 - s * beta) + thick[1] * (1 - s * sign * beta))
        return magnets + 2 * 8e-9 * 9e-9 + 2 * star * ((1 - s * gamma) + (1 - s * sign * gamma))

    for sign in (1, -1):
        expected = 1 / (1 / channel(1, sign) + 1 / channel(-1, sign))
        assert resistance("reservoir", sign) == pytest.approx(expected, rel=1e-9, abs=0)
    assert resistance("blocked", 1) == pytest.approx(resistance("blocked", -1), rel=1e-9, abs=0)
    assert resistance("reservoir", -1) > 1.1 * resistance("reservoir", 1)


# ---- where notes go
def test_notes_are_kept_once():
    lines = []
    notes = Notes(lines.append)
    notes.add(["one", "two"])
    for text in ("mesh: 3 cells", "note: two", "note: three", "note: three"):
        notes(text)
    assert notes.texts == ["one", "two", "three"]
    assert lines == ["note: one", "note: two", "mesh: 3 cells", "note: three"]


def test_terminal_and_summary(tmp_path, capsys):
    """Once on the terminal, before the mesh, in a dry run too; all of them in summary.json, also those of solutions."""
    text = swap(LINE, ("magnetization = [0, 0, 1]\n", ""), ("current_density = 3e10", "voltage = 3.1"))
    summary, _ = run(tmp_path, text)
    error = capsys.readouterr().err
    assert len(summary["notes"]) == 2
    assert summary["notes"][0] == "layer 'F': no magnetization, taken as a magnet along +z"
    density = summary["states"]["default"]["current_density"]
    assert summary["notes"][1].startswith(f"state default: {density:.4g} A/m2 is beyond 1e14")
    for note in summary["notes"]:
        assert error.count(f"fespin: note: {note}\n") == 1
    assert error.index("note: layer 'F'") < error.index("mesh:") < error.index("note: state")
    assert main(["run", str(tmp_path / "case.toml"), "--dry-run", "--set", "layer.N.thickness=2"]) == 2
    capsys.readouterr()
    assert main(["run", str(tmp_path / "case.toml"), "--dry-run", "--set", "layer.N.thickness=3e-3"]) == 0
    error = capsys.readouterr().err
    assert error.count("note: ") == 2 and "note: layer 2.thickness: 0.003 m is over 1 mm" in error


@pytest.mark.slow
def test_ranks_say_notes_once(tmp_path):
    """Those of tables, on two ranks as on one; and what a mesh file holds is known when it is read."""
    (tmp_path / "rod.geo").write_text(
        "Point(1) = {0, 0, 0}; Point(2) = {3, 0, 0}; Point(3) = {9, 0, 0};\nLine(1) = {1, 2}; Line(2) = {2, 3};\n"
        "Transfinite Curve {1, 2} = 9;\n"
        'Physical Curve("F") = {1}; Physical Curve("N") = {2};\n'
        'Physical Point("bottom") = {1}; Physical Point("top") = {3};\n'
    )
    text = swap(
        LINE, ('shape = "line"\nmesh_size = 2e-9', 'mesh = "rod.geo"\nlength_unit = 5e-4'), ("3e10", "3e14"),
        ("thickness = 11e-9\n", ""), ("thickness = 17e-9\n", ""),
    )  # fmt: skip
    path, out = tmp_path / "rod.toml", tmp_path / "out"
    path.write_text(text)
    done = python(2, "-m", "fespin", "run", path, "--output", out, "--no-pictures", timeout=120)
    assert done.returncode == 0, done.stderr
    notes = json.loads((out / "summary.json").read_text())["notes"]
    assert len(notes) == 2 and "0.0045 m across, over 1 mm" in notes[1] and "geometry.length_unit" in notes[1]
    for note in notes:
        assert done.stderr.count(f"note: {note}") == 1


def test_every_kind_of_case_has_notes(tmp_path):
    """In summary.json, also where there are none; notes of tasks are among them."""
    assert run(tmp_path, BIT + task("steady"), name="bit")[0]["notes"] == []
    assert run(tmp_path, WIRE, name="wire")[0]["notes"] == []
    longitudinal = (
        "[longitudinal]\nxi = 0.3\ntau_mM = 1e-12\ndiffusion = 2e-3\n[longitudinal.geometry]\nshape = 'line'\n"
        "length = 200e-9\nmesh_size = 4e-9\n[longitudinal.boundary.left]\nflux = 1e6\n"
    )
    (note,) = run(tmp_path, longitudinal + task("response", "frequency = 2e14"), name="body")[0]["notes"]
    assert note.startswith("task 1: cells of 4e-09 m are coarse")
