"""The page of all keys of case files: complete, described, and what the tables are."""

import re

import pytest
from launch import ROOT

from fespin.cases.casefile import read
from fespin.cases.json_schema import schema
from fespin.cases.registry import kinds
from fespin.cases.schema import Table
from fespin.cases.units import unit_of
from fespin.cli import main
from fespin.errors import InputError

PAGE = ROOT / "docs" / "case-keys.md"
UNITS = {
    "1", "m", "m2", "m3", "s", "K", "T", "V", "A", "Hz", "kT", "rad", "A/m", "A/m2", "A/s", "J/m", "J/m3", "J/(m3 K)",
    "S/m", "S/m2", "S/m3", "ohm m", "ohm m2", "V/K", "W/(m K)", "W/(m2 K)", "W/m2", "1/K", "1/m", "1/s", "T/s", "m2/s",
    "1/(J m3)", "rad/(s T)", "1/(V s m2)", "K m4/A2", "J/m2", "J/(m2 V)", "J/(m2 V2)", "J/(V m)", "V/m",
}  # fmt: skip


def declared():
    """Return every class of a table that the package declares."""
    found, todo = [], [Table]
    while todo:
        todo += (more := [x for x in todo.pop().__subclasses__() if x.__module__.startswith("fespin.")])
        found += more
    return found


def numeric(node, definitions):
    """Return whether a value of the JSON schema may be a number."""
    if "$ref" in node:
        return numeric(definitions[node["$ref"].rpartition("/")[2]], definitions)
    if "properties" in node:
        return False
    inner = [*node.get("anyOf", []), *[x for x in (node.get("items"), node.get("additionalProperties")) if x]]
    choices = [*node.get("enum", []), *([node["const"]] if "const" in node else [])]
    return (
        node.get("type") in ("number", "integer")
        or any(isinstance(x, (int, float)) for x in choices)
        or any(numeric(x, definitions) for x in inner if isinstance(x, dict))
    )


def sections():
    """Return the rows of the page by heading: one list of cells for each key, in every section of that heading."""
    out, here = {}, None
    for line in PAGE.read_text().splitlines():
        if line.startswith("### "):
            out.setdefault(line[4:].strip("`"), []).append(here := {})
        elif line.startswith("| `"):
            cells = [x.strip() for x in re.split(r"(?<!\\)\|", line)[1:-1]]
            here[cells[0].strip("`")] = cells
    return out


def test_the_page_is_what_the_tables_are(capsys):
    assert main(["schema", "--markdown"]) == 0
    assert capsys.readouterr().out == PAGE.read_text(), "run fespin schema --markdown > docs/case-keys.md"


def test_every_table_is_there():
    """Every declared class has its keys in one section at least; the three kinds of case have one each."""
    classes = declared()
    assert len(classes) > 20
    parts = [set(x) for many in sections().values() for x in many]
    for table in classes:
        if table.__subclasses__():
            continue  # keys that several tables share
        assert set(table.model_fields) in parts, table
    assert len(sections()["The file"]) == len(list(kinds()))
    headings = {x for x in sections() if x.startswith("[[task]]")}
    assert headings == {f'[[task]] kind = "{word}"' for kind in kinds() for word in kind.tasks}


@pytest.mark.parametrize("table", declared(), ids=lambda x: x.__name__)
def test_every_key_is_described_with_its_unit(table):
    """A key that takes numbers has a unit; one that takes none has no unit; all say what they are."""
    found = table.model_json_schema()
    for key, field in table.model_fields.items():
        assert field.description, key
        words, unit = unit_of(field.description)
        assert words, key
        if key == "petsc":
            continue  # options of many kinds
        if numeric(found["properties"][key], found.get("$defs", {})):
            assert unit and set(re.split(r", | or ", unit)) <= UNITS, (key, unit)
        else:
            assert not unit, (key, unit)


def test_the_schema_has_the_descriptions():
    found = schema()
    assert found["$defs"]["Geometry"]["properties"]["separation"]["description"].endswith("(m)")
    assert all("description" in x for x in found["properties"].values())


def test_what_rows_say():
    """Types, units, defaults, limits and owners, against what validation does."""
    rows = sections()
    geometry = rows["[geometry]"][0]
    lateral = {k for k, cells in geometry.items() if "lateral" in cells[5]}
    assert lateral == {
        "separation", "wire_width", "channel_width", "wire_overhang", "channel_length", "dimension",
    }  # fmt: skip
    assert geometry["separation"][1:6] == ["number", "m", "", "> 1e-12, < 0.01", "lateral (required)"]
    assert geometry["wire_width"][1] == "number or list of 2 numbers"
    switching, loop = (rows[f'[[task]] kind = "{word}"'][0] for word in ("switching", "hysteresis"))
    assert (switching["samples"][3], loop["samples"][3]) == ("`41`", "`101`")
    assert switching["pulse"][1:5] == ["number or table", "s", "", "> 0, < 1e+18"]
    assert "pulse" not in loop and loop["range"][1:4] == ["list of 2 numbers", "T or 1", "required"]
    assert switching["kind"][3:5] == ["required", '`"switching"`']
    assert rows["[macrospin]"][0]["temperature"][1:5] == ["number", "K", "`300.0`", "> 0, < 100000"]
    assert rows["[torque]"][0]["pumping"][5] == "transport, both"
    assert rows["[transport.solver]"][0]["kind"][4] == '`"auto"`, `"amg"`, `"direct"`'
    assert rows["[material.NAME.conductivity]"][0]["s_up"][2:4] == ["S/m", "required"]


def test_what_is_said_to_belong_to_others_is_refused(tmp_path):
    """The column "with": keys of the lateral valve in a pillar, each by name."""
    text = (
        '[geometry]\nshape = "pillar"\ndiameter = 40e-9\n{}\n[[layer]]\nmaterial = "Cu"\nthickness = 9e-9\n'
        "[transport]\ncurrent_density = 1e10\n"
    )
    values = {"wire_overhang": "1e-9", "dimension": "2"}
    for key, cells in sections()["[geometry]"][0].items():
        if cells[5] and "pillar" not in cells[5]:
            path = tmp_path / "case.toml"
            path.write_text(text.format(f"{key} = {values.get(key, '3e-8')}"))
            with pytest.raises(InputError, match=rf"geometry\.{key}: belongs to"):
                read(path)


def test_units_are_found():
    assert unit_of("kappa without a current (W/(m K))") == ("kappa without a current", "W/(m K)")
    assert unit_of("direction (of any length), a vector") == ("direction (of any length), a vector", "")
    assert unit_of("rho* = rho/(1 - beta^2); of both (ohm m)") == ("rho* = rho/(1 - beta^2); of both", "ohm m")
