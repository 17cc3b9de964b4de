"""The JSON schema: whatever it can say is refused as `fespin run` refuses it, and every good case passes."""

import copy
import tomllib

import pytest
from case_texts import coupled, layers, longitudinal, macrospins, models, relaxation, surveys, textures, valves
from casefiles import swap, task
from json_schema import valid
from launch import ROOT

from fespin.cases.casefile import read
from fespin.cases.json_schema import schema
from fespin.cases.registry import kinds
from fespin.cases.schema import SIZE
from fespin.errors import InputError

SCHEMA = schema()
LONG, TEXT, SPIN = longitudinal, textures, macrospins
GOOD = {
    "valve": valves.CASE,
    **{k: getattr(layers, k) for k in ("LINE", "STRIP", "PILLAR", "LEADS", "LATERAL", "MESH")},
    "three": models.STACK + models.THREE + models.STATES,
    "four": models.STACK + models.FOUR + models.STATES,
    "heat": models.WARM + models.HEAT,
    "vector": models.STACK + models.VECTOR + models.TILTED,
    "coupled": coupled.CASE,
    "faces": relaxation.VALVE,
    "both torques": swap(relaxation.VALVE, ('"relaxation"', '"both"\npumping = false\nsubtract_own = true')),
    "faces of a magnet alone": swap(relaxation.ALONE, ("[[task]]", "axis = [0, 0, 2]\n[[task]]")),
    "surveys": surveys.DEVICE + "".join(task(k, surveys.TASKS[k]) for k in surveys.TASKS),
    "spin": SPIN.MAGNET + SPIN.BIAXIAL + SPIN.SPECTRUM + SPIN.SWEEP + SPIN.BAND + SPIN.NOISE + SPIN.PASSAGE,
    "field-like": swap(SPIN.GOOD, ("critical_ratio = 2.0", "field_like = 1e-3")),
    "torque": SPIN.GOOD + task("steady") + task("escape") + task("langevin", "pulse = 1e-9"),
    "line": LONG.MAGNET + LONG.LINE + LONG.INJECT + LONG.HOLD + LONG.STEP + LONG.RELAX + LONG.RESPONSE,
    "box": LONG.MAGNET + LONG.BOX + LONG.SPOT + LONG.RELAX + task("dispersion", "range = [1e6, 2e7]"),
    "wall": TEXT.BASE + TEXT.PROBE + TEXT.EMF + TEXT.MOVE,
    "uniform": TEXT.MAGNET + "dipolar = true\nmagnetization = [1, 2, 0.5]\n" + TEXT.BOX + TEXT.MOVE,
    **{p.name: p.read_text("utf-8") for p in sorted([*ROOT.glob("demos/*.toml"), *ROOT.glob("meshes/*.toml")])},
}


def asked(kind, *lines):
    return SPIN.GOOD + task(kind, *lines)


SWEEP = ("direction = [0, 0, 1]", "range = [0.3, -0.3]", "rate = 1e7")
BAD = {
    # ---- tasks: kinds, keys of others, required keys, exactly one
    "unknown kind": asked("spectre"),
    "kind missing": SPIN.GOOD + "[[task]]\ncount = 3\n",
    "kind of another magnet": asked("relaxation", "duration = 1e-9"),
    "key of another kind": asked("spectrum", "pulse = 1e-9"),
    "misspelt key": asked("spectrum", "cout = 3"),
    "loop without a range": asked("hysteresis", SWEEP[0], SWEEP[2]),
    "loop without a rate": asked("hysteresis", SWEEP[0], SWEEP[1]),
    "range of three": asked("hysteresis", SWEEP[0], "range = [0.3, 0.0, -0.3]", SWEEP[2]),
    "pulse and reduced time": asked("switching", "pulse = 1e-9", "reduced_time = 3"),
    "neither": asked("switching"),
    "band missing": asked("susceptibility", "direction = [0, 0, 1]"),
    "observable of text": asked("noise", 'observable = "direction"', "frequencies = [1e6, 1e9]"),
    "start missing": asked("first-passage"),
    "drives missing": asked("dwell-times"),
    "one sample": asked("resonance", "drives = [0.0, 1.0]", "samples = 1"),
    "fields missing": asked("phase-diagram", "drives = [0.0, 1.0]", "direction = [0, 0, 1]"),
    "duration missing": LONG.MAGNET + LONG.LINE + LONG.START + task("relaxation"),
    "two ways to ask": LONG.MAGNET + LONG.LINE + task("dispersion", "count = 3", "range = [1e6, 2e7]"),
    "two frequencies": LONG.MAGNET + LONG.LINE + LONG.INJECT + LONG.RESPONSE + "frequencies = [1, 2]\n",
    "motion without end": TEXT.BASE + task("dynamics"),
    "no tasks": SPIN.MAGNET + SPIN.UNIAXIAL,
    "no tasks of a body": LONG.MAGNET + LONG.LINE,
    # ---- bounds
    "no eigenvalues": asked("spectrum", "count = 0"),
    "half an eigenvalue": asked("spectrum", "count = 2.5"),
    "number as text": asked("switching", 'pulse = "1e-9"'),
    "endless pulse": asked("switching", "pulse = 1e19"),
    "no pulse": asked("switching", "pulse = 1e-21"),
    "tiny component": asked("switching", "pulse = 1e-9", "start = [0, 1e-200, 1]"),
    "tolerance of zero": asked("hysteresis", *SWEEP, "tolerance = 0.0"),
    "temperature below": swap(SPIN.GOOD, ("temperature = 300", "temperature = -3")),
    "thickness in nm": swap(layers.LINE, ("thickness = 6e-9", "thickness = 6")),
    "beta above": layers.LINE + "[material.Co]\nbeta = 1.5\n",
    "polarization in percent": swap(TEXT.BASE + TEXT.MOVE, (f"= {TEXT.P}", "= 43")),
    "degree": swap(layers.LINE, ("degree = 2", "degree = 9")),
    "temperature of the library": swap(layers.LINE, ("degree = 2", "temperature = 77.0")),
    # ---- tables
    "unknown table": layers.LINE + "[geometri]\nshape = 'line'\n",
    "one bracket": swap(layers.LINE, ("[geometry]", "[[geometry]]")),
    "no layers": '[geometry]\nshape = "line"\n[transport]\nvoltage = 1\n',
    "no geometry": swap(layers.LINE, ('[geometry]\nshape = "line"\n', "")),
    "two magnets": SPIN.GOOD + LONG.MAGNET + LONG.LINE,
    "layers of a wall": TEXT.BASE + TEXT.MOVE + layers.LAST,
    "torque on nothing": layers.LINE + "[torque]\ndamping_like = 1e-3\n",
    "width of a line": swap(layers.LINE, ('shape = "line"', 'shape = "line"\nwidth = 6e-8')),
    "lateral without wires": swap(layers.LATERAL, ("wire_width = 100e-9\n", "")),
    "shape and mesh": swap(layers.LINE, ('shape = "line"', 'shape = "line"\nmesh = "a.msh"')),
    "radius of a line": LONG.MAGNET + swap(LONG.LINE, ("200e-9", "2e-7\nradius = 1e-8")) + LONG.DISPERSION,
    "line without a length": swap(LONG.MAGNET + LONG.LINE + LONG.DISPERSION, ("length = 200e-9\n", "")),
    "step without a place": LONG.MAGNET + LONG.LINE + swap(LONG.STEP, ("position = 80e-9\n", "")) + LONG.RELAX,
    "flux and reservoir": LONG.MAGNET + LONG.LINE + LONG.INJECT + "accumulation = 1.0\n" + LONG.RESPONSE,
    "wall and vortex": TEXT.BASE + "[texture.vortex]\n" + TEXT.MOVE,
    "no texture": swap(TEXT.BASE + TEXT.MOVE, (TEXT.WALL, "")),
    "layer and volume": swap(SPIN.GOOD, ("volume = 1.4e-24", 'volume = 1.4e-24\nlayer = "free"')),
    "key of another anisotropy": SPIN.MAGNET + SPIN.UNIAXIAL + "factors = [1, 0, 0]\n" + SPIN.SPECTRUM,
    "hard axis missing": SPIN.MAGNET + swap(SPIN.BIAXIAL, ("hard_stability = 15", "")) + SPIN.SPECTRUM,
    "pumping of a given torque": swap(SPIN.GOOD, ("[torque]\n", "[torque]\npumping = false\n")),
    "faces without a coefficient": swap(relaxation.VALVE, (relaxation.CROSS, "")),
    "two coefficients": swap(relaxation.VALVE, ("[[task]]", 'relative_cross = { "free|cap" = 0.1 }\n[[task]]')),
    "a coefficient of no face": swap(relaxation.VALVE, (relaxation.CROSS, "cross = {}")),
    "a coefficient above the largest": swap(relaxation.ALONE, ("= 0.05 }", "= 1.5 }")),
    "faces of a given torque": swap(relaxation.VALVE, ('source = "relaxation"', "damping_like = 1e-3")),
    "faces of transverse spins": swap(relaxation.VALVE, ('"relaxation"', '"transport"')),
    "pumping of faces": swap(relaxation.VALVE, ("[[task]]", "pumping = true\n[[task]]")),
    "another process": swap(relaxation.VALVE, ("[[task]]", 'process = "flip"\n[[task]]')),
    "two torques": swap(SPIN.GOOD, ("[torque]\n", "[torque]\ndamping_like = 1e-3\n")),
    "two drives": swap(layers.LINE, ("degree = 2", "voltage = 1.0")),
    "field of two channels": swap(layers.LINE, ("degree = 2", "field = [0, 0, 1]")),
    "heat of two channels": layers.LINE + "[material.Cu]\nseebeck = 1e-6\n",
    "heat of vectors": models.STACK + models.VECTOR + "[contact.middle]\ntemperature = 300\n",
    "pillar of no width": swap(layers.PILLAR, ("diameter = 60e-9\n", "")),
    "pillar of two shapes": swap(layers.PILLAR, ("diameter = 60e-9", "diameter = 60e-9\nsemi_axes = [3e-8, 2e-8]")),
    "wide leads without a thickness": swap(layers.LEADS, ("lead_thickness = 20e-9\n", "")),
    "layer without a thickness": layers.LINE + '[[layer]]\nmaterial = "Cu"\n',
    "frequency with samples": LONG.MAGNET + LONG.LINE + LONG.INJECT + LONG.RESPONSE + "samples = 5\n",
    "sweep of a field without a direction": asked("hysteresis", *SWEEP[1:]),
    "sweep of the torque with a direction": asked("hysteresis", *SWEEP, 'sweep = "torque"'),
    "torque without a drive": swap(SPIN.GOOD, ("critical_ratio = 2.0\n", "")),
    "drives without a torque": SPIN.BASE + task("dwell-times", "drives = [0.1, 0.4]", "samples = 2"),
    "stack that nothing drives": swap(layers.LINE, ("current_density = 1e11\n", "")),
    "stack without transport": layers.LINE.split("[transport]")[0],
    "ends and contacts driven": layers.LINE + "[contact.top]\nvoltage = 1.0\n[contact.bottom]\nvoltage = 0.0\n",
    "valve with a contact missing": swap(layers.LATERAL, ("[contact.detector]\ncurrent = 0.0\n", "")),
    "valve driven between ends": layers.LATERAL.split("[contact.")[0] + "[transport]\nvoltage = 1.0\n",
    "contact driven twice": swap(layers.LATERAL, ("voltage = 0.0", "voltage = 0.0\ncurrent = 1e-6")),
    "two resistivities": layers.LINE + "[material.Cu]\nresistivity = 1e-8\nresistivity_star = 1e-8\n",
}  # fmt: skip


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_good_cases_pass(text, tmp_path):
    """By the schema and by validation."""
    (tmp_path / "case.toml").write_text(text, "utf-8")
    read(tmp_path / "case.toml")
    assert valid(tomllib.loads(text), SCHEMA, SCHEMA)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_bad_cases_are_refused(text, tmp_path):
    """By the schema, and by validation in one line."""
    raw = tomllib.loads(text)
    (tmp_path / "case.toml").write_text(text, "utf-8")
    with pytest.raises(InputError):
        read(tmp_path / "case.toml")
    assert not valid(raw, SCHEMA, SCHEMA)


def without_defaults(task_class):
    """Return the schema of one task."""
    return SCHEMA["$defs"][task_class.__name__]


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda k: k.title)
def test_tasks_require_their_keys(kind):
    """The keys that have no default, and the kind; the word is the only one."""
    for word, task_class in kind.tasks.items():
        node = without_defaults(task_class)
        needed = {k for k, f in task_class.model_fields.items() if f.is_required()}
        assert set(node["required"]) == needed and "kind" in needed
        assert node["properties"]["kind"]["const"] == word and node["additionalProperties"] is False
        assert SCHEMA["properties"]["task"]["items"]["discriminator"]["mapping"][word].endswith(task_class.__name__)


def test_nothing_is_left_of_the_way_it_is_made():
    """References lead to definitions, sizes are bounds, and no definition is unused."""
    named, todo = set(), [SCHEMA]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            assert SIZE not in node
            named |= {node["$ref"].rpartition("/")[2]} if "$ref" in node else set()
            todo += node.values()
        elif isinstance(node, list):
            todo += node
    assert named == SCHEMA["$defs"].keys()


def test_bounds_of_sizes():
    """A number of any sign is zero or large enough; a positive one is between its bounds."""
    number, time = ({"$ref": f"#/$defs/{k}"} for k in ("Number", "Time"))
    for x, expected in ((0, True), (0.0, True), (-1e-3, True), (1e-31, False), (-1e-31, False), (1e31, False)):
        assert valid(x, number, SCHEMA) == expected, x
    for x, expected in ((0, False), (1e-21, False), (1e-20, True), (1e17, True), (1e18, False), (-1.0, False)):
        assert valid(x, time, SCHEMA) == expected, x


def test_the_validator_of_these_tests():
    """Words that it does not know are errors; true is no number."""
    assert not valid(True, {"type": "number"}, {}) and not valid(True, {"const": 1}, {})
    assert valid({"a": 1}, {"if": {"required": ["b"]}, "then": False}, {})
    assert not valid([1, 2], {"oneOf": [{"minItems": 1}, {"items": {"type": "integer"}}]}, {})
    with pytest.raises(NotImplementedError):
        valid({}, {"patternProperties": {}}, {})
    assert copy.deepcopy(SCHEMA) == schema()
