"""The built-in library: complete, sane, sourced; and how it is asked."""

import pytest
from launch import ROOT

from fespin import InputError, Interface, Material, interfaces, material
from fespin.cli import main
from fespin.materials import UNITS, entry, is_unchecked, library, markdown, table

PAGE = ROOT / "docs" / "materials.md"

NEEDED = ("Co", "Cu", "Py", "Ni", "Fe", "CoFe", "Ag", "Au", "Al", "Pt", "Ru", "Ta", "W", "CoFeB")
RANGES = {
    "resistivity": (1e-9, 3e-6),  # amorphous films of Ta and W
    "resistivity_star": (1e-9, 1e-6),
    "spin_diffusion_length": (3e-10, 2e-6),
    "spin_hall_angle": (-0.5, 0.5),
    "beta": (-0.99, 0.99),
    "area_resistance_star": (1e-17, 1e-13),
    "gamma": (-0.99, 0.99),
    "bulk_resistivity": (1e-9, 1e-6),
    "transverse_penetration_depth": (1e-10, 1e-7),
    "seebeck": (-1e-4, 1e-4),
    "seebeck_difference": (-1e-4, 1e-4),
}
FERROMAGNETS_ONLY = {"beta", "transverse_penetration_depth", "seebeck_difference"}


def numbers():
    book = library()
    for kind in ("material", "interface"):
        for name, tables in book[kind].items():
            for tag, values in tables.items():
                yield kind, name, tag, values


def test_what_is_needed_is_there():
    assert set(NEEDED) <= library()["material"].keys()
    pairs = {frozenset(p) for p in interfaces()}
    assert {frozenset(p) for p in (("Co", "Cu"), ("Py", "Cu"), ("Co", "Ag"))} <= pairs


def test_every_number_has_a_source_and_is_sane():
    sources = library()["source"]
    used = set()
    for kind, name, tag, values in numbers():
        assert tag in ("4K", "300K")
        for key, v in values.items():
            if isinstance(v, dict):
                low, high = RANGES[key]
                assert low <= v["value"] <= high, (name, tag, key)
                assert v["source"] in sources, (name, tag, key)
                used.add(v["source"])
                assert v.get("uncertainty", 1) > 0
        if kind == "material":
            have = {k for k, v in values.items() if isinstance(v, dict)}
            assert not {"resistivity", "resistivity_star"} <= have
            known = have | set(values["unknown"])
            assert {"spin_diffusion_length"} <= known
            assert known & {"resistivity", "resistivity_star"}
            assert ("beta" in known) == values["ferromagnet"]
            assert not have & set(values["unknown"])
            assert values["ferromagnet"] or not have & FERROMAGNETS_ONLY
            # An angle means something beside the resistivity and the length of the same film only.
            if "spin_hall_angle" in have:
                assert not values["ferromagnet"]
                together = {values[k]["source"] for k in ("resistivity", "spin_diffusion_length", "spin_hall_angle")}
                assert len(together) == 1, (name, tag)
    assert used == set(sources)


def test_spin_hall_metals():
    """Signs: Pt positive, Ta and W negative; at 4.2 K, and in a magnet, there is no angle."""
    pt, ta, w = (material(x, 300.0) for x in ("Pt", "Ta", "W"))
    assert pt.spin_hall_angle > 0
    assert max(ta.spin_hall_angle, w.spin_hall_angle) < 0
    assert material("Pt").spin_hall_angle == 0
    assert material("Pt", 300.0, beta=0.01).spin_hall_angle == 0


def test_cobalt():
    co = material("Co")
    assert co.resistivity_star == pytest.approx(75e-9)
    assert co.resistivity == pytest.approx(75e-9 * (1 - 0.46**2))
    assert co.ferromagnetic
    assert interfaces()["Co", "Cu"] == Interface(0.51e-15, 0.77)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: material("Cobalt"), "'Cobalt' is not in the library"),
        (lambda: material("CoFee"), "did you mean 'CoFe'"),
        (lambda: material("Ru"), "resistivity is unknown"),
        (lambda: material("Co", 77.0), "4.2, 300"),
        (lambda: material("Nb", 300.0), "only at 4K"),
        (lambda: material("Ni", 300.0), "resistivity is unknown"),
        (lambda: material("Ni", 300.0, resistivity=1e-7, beta=0.1), "spin_diffusion_length is unknown"),
        (lambda: Material("X", -1.0, 1e-9), "resistivity"),
        (lambda: Material("X", 1e-8, 1e-9, 1.0), "beta"),
        (lambda: Material("X", 1e-8, float("nan")), "spin_diffusion_length"),
        (lambda: Interface(-1e-15), "area_resistance_star"),
        (lambda: Interface(1e-15, -1.0), "gamma"),
    ],
)
def test_refused(call, words):
    with pytest.raises(InputError, match=words):
        call()


def test_table_names_everything():
    text = table()
    for _, name, _, values in numbers():
        assert name in text
        for key in values.get("unknown", []):
            assert key in text
    assert "unknown" in text
    assert all(s in text for s in library()["source"])
    assert entry("Cu")["resistivity"] == pytest.approx(6e-9)


def test_numbers_for_the_reader_are_taken_by_no_model():
    """A bulk metal's resistivity never stands in for a film's; the reader's numbers leave no trace in a material."""
    for kind, name, tag, values in numbers():
        if kind == "material":
            given = entry(name, 4.2 if tag == "4K" else 300.0)
            two_channels = {"resistivity", "resistivity_star", "beta", "spin_diffusion_length"}
            assert given.keys() <= two_channels | {"spin_hall_angle"}
            assert all(given[k] == values[k]["value"] for k in given)
    assert "bulk_resistivity" in library()["material"]["Co"]["300K"]
    with pytest.raises(InputError, match="resistivity is unknown"):
        material("Co", 300.0, beta=0.4)


def test_permalloy_at_room_temperature():
    py = material("Py", 300.0, resistivity=300e-9)
    assert (py.beta, py.spin_diffusion_length) == (0.75, 2.8e-9)
    known = library()["material"]["Py"]["300K"]
    assert not any(map(is_unchecked, (v for v in known.values() if isinstance(v, dict))))
    assert is_unchecked(library()["material"]["Co"]["4K"]["beta"])


def test_seebeck_coefficients_have_the_published_ratios():
    """S_up - S_dn over S of the charge is 0.08 in Co and 0.25 in Py."""
    for name, ratio in (("Co", 0.08), ("Py", 0.25)):
        values = library()["material"][name]["300K"]
        assert values["seebeck_difference"]["value"] / values["seebeck"]["value"] == pytest.approx(ratio, rel=1e-12)


def test_the_page_is_the_library():
    """docs/materials.md holds what `fespin materials --markdown` prints, number by number."""
    begin, end = "<!-- fespin materials --markdown -->\n", "<!-- end -->"
    text = PAGE.read_text("utf-8")
    assert text.count(begin) == text.count(end) == 1
    assert text[text.index(begin) + len(begin) : text.index(end)] == markdown() + "\n", (
        "docs/materials.md is not what `fespin materials --markdown` prints; put that text between its two marks"
    )


def test_markdown_names_everything():
    text = markdown()
    rows = [line.replace(r"\|", "/") for line in text.splitlines() if line.startswith("|")]
    assert all(row.count("|") == 6 for row in rows)
    every = [(k, v) for _, _, _, values in numbers() for k, v in values.items() if isinstance(v, dict)]
    unknown = sum(len(values.get("unknown", [])) for _, _, _, values in numbers())
    assert len(rows) == 4 + len(every) + unknown
    unchecked = sum(is_unchecked(v) for _, v in every)
    assert sum("| **unchecked**" in row for row in rows) == unchecked
    assert f"Unchecked are {unchecked} of {len(every)} numbers." in text
    assert all(k in UNITS or k in ("beta", "gamma", "spin_hall_angle") for k, _ in every)
    assert "| Co, 4.2 K | `resistivity_star` | 75 ± 5 nΩ m | Bass1999 |" in text
    assert r"| Co\|Cu, 4.2 K | `area_resistance_star` | 0.51 ± 0.02 fΩ m² | Bass1999 |" in text


def test_command_prints_the_page_or_some_materials(capsys):
    assert main(["materials", "--markdown"]) == 0
    assert capsys.readouterr().out == markdown() + "\n"
    assert main(["materials", "Co", "--markdown"]) == 2
    assert "leave the names out" in capsys.readouterr().err
