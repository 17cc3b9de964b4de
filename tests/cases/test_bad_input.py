"""Malformed cases: status 2, one line that says where, what was found and what is allowed, nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
from case_texts.layers import LAST, LATERAL, LEADS, LINE, MESH, PILLAR, STRIP
from casefiles import refused, swap
from launch import python

from fespin.cli import main

GROUPS = ("fixed", "Cu2", "free")


def geo(groups=GROUPS, ends=("bottom", "top"), extra="", gap=0.0, inside=False, tilt=False):
    """Return a .geo file: squares one above the other."""
    tops, lines = [0, 6, 16, 19], ['SetFactory("OpenCASCADE");', "Mesh.MeshSizeMax = 10;"]
    for i in range(3):
        lines.append(f"Rectangle({i + 1}) = {{0, {tops[i] + (gap if i == 2 else 0)}, 0, 20, {tops[i + 1] - tops[i]}}};")
    lines.append("" if gap else "Coherence;")
    if tilt:
        lines.append("Rotate {{1, 0, 0}, {0, 0, 0}, Pi/2} { Surface{:}; }")
    lines += [f'Physical Surface("{n}") = {{{i + 1}}};' for i, n in enumerate(groups) if n]
    for name, y in zip(ends, (6 if inside else 0, 19 + gap), strict=False):
        low, high = ((-1, y - 0.1), (21, y + 0.1))
        box = [*low, -1, *high, 1] if not tilt else [low[0], -1, low[1], high[0], 1, high[1]]
        lines.append(f'Physical Curve("{name}") = Curve In BoundingBox {{{str(box)[1:-1]}}};')
    return "\n".join([*lines, extra, ""])


def add(text, more):
    return f"{text}{more}\n"


def free_thickness(value):
    return swap(LINE, ("thickness = 3e-9", f"thickness = {value}"))


def material(lines, name="Co"):
    return add(LINE, f"[material.{name}]\n{lines}")


def layer_material(name, more=""):
    return add(swap(LINE, ('"Cu"', f'"{name}"')), more)


# id: (the case, words of the line); the case may be bytes.
TEXTS = {
    # ---- the file
    "empty file": ("", ["empty", "[geometry]"]),
    "comments only": ("# nothing yet\n", ["empty"]),
    "invalid toml": (swap(LINE, ('material = "Cu"', "material = Cu")), ["TOML", "line 10", "material = Cu"]),
    "unquoted interface": (add(LINE, "[interface.Co|Cu]"), ["TOML", "[interface.Co|Cu]"]),
    "key given twice": (swap(LINE, ("degree = 2", "degree = 2\ndegree = 3")), ["TOML", "degree = 3"]),
    "not utf-8": (LINE.encode() + b"# \xff\n", ["0xff", "line 22", "UTF-8"]),
    "nested too deeply": ("x = " + "[" * 100_000, ["TOML"]),
    "endless number": ("x = " + "1" * 10_000, ["TOML"]),
    "a mesh as the case": ("$MeshFormat\n4.1 0 8\n", ["TOML", "$MeshFormat"]),
    # ---- tables and keys
    "no geometry": (swap(LINE, ('[geometry]\nshape = "line"\n', "")), ["[geometry]", "missing"]),
    "no transport": (LINE.partition("[transport]")[0], ["[transport]", "missing"]),
    "no layers": ('[geometry]\nshape = "line"\n[transport]\nvoltage = 1\n', ["[[layer]]", "missing"]),
    "empty stack": (
        'layer = []\n[geometry]\nshape = "line"\n[transport]\nvoltage = 1\n',
        ["layer", "[]", "at least 1"],
    ),
    "unknown table": (swap(LINE, ("[geometry]", "[geometri]")), ["geometri", "unknown table", "'geometry'"]),
    "unknown key": (swap(LINE, ("thickness = 6e-9", "thicknes = 6e-9")), ["layer 1 ('fixed').thicknes", "'thickness'"]),
    "misspelt required key": (swap(LINE, ('material = "Cu"', 'materail = "Cu"')), ["layer 2.materail", "'material'"]),
    "unknown solver key": (add(LINE, "[transport.solver]\nkin = 'amg'"), ["transport.solver.kin", "'kind'"]),
    "unknown material key": (material("betta = 0.3"), ["material.Co.betta", "'beta'"]),
    "unknown interface key": (add(LINE, "[interface.'Co|Cu']\ngama = 0.3"), ["interface.'Co|Cu'.gama", "'gamma'"]),
    "one bracket": (LINE.replace("[[layer]]", "[layer]", 1).partition("[[layer]]")[0], ["[[layer]]", "two brackets"]),
    "two brackets": (swap(LINE, ("[geometry]", "[[geometry]]")), ["[geometry]", "one bracket"]),
    "state without a name": (
        swap(LINE, ("[state.antiparallel]", "[state]")),
        ["state.free", "[0, 0, -1]", "[state.NAME]"],
    ),
    "solver is text": (swap(LINE, ("degree = 2", 'solver = "direct"')), ["transport.solver", '"direct"', "a table"]),
    # ---- types and ranges
    "thickness is text": (free_thickness('"3 nm"'), ["layer 3 ('free').thickness", '"3 nm"', "a number"]),
    "thickness is a date": (free_thickness("1979-05-27"), ["layer 3 ('free').thickness", "1979-05-27", "a number"]),
    "thickness is true": (free_thickness("true"), ["layer 3 ('free').thickness", "true", "a number"]),
    "zero thickness": (free_thickness("0"), ["layer 3 ('free').thickness", "found 0", "1e-12 and 0.01"]),
    "negative thickness": (free_thickness("-3e-9"), ["layer 3 ('free').thickness", "-3e-09", "1e-12 and 0.01"]),
    "nan thickness": (free_thickness("nan"), ["layer 3 ('free').thickness", "nan", "finite"]),
    "inf thickness": (free_thickness("inf"), ["layer 3 ('free').thickness", "inf", "finite"]),
    "thickness in nm": (free_thickness("3"), ["layer 3 ('free').thickness", "found 3", "0.01"]),
    "huge integer": (free_thickness("1" * 400), ["layer 3 ('free').thickness"]),
    "no thickness": (swap(LINE, ("thickness = 3e-9\n", "")), ["layer 3", "free", "thickness", "missing"]),
    "no material": (swap(LINE, ('material = "Cu"\n', "")), ["layer 2.material", "missing"]),
    "empty name": (swap(LINE, ('"free"', '""')), ["layer 3.name", "empty"]),
    "beta of one": (material("beta = 1"), ["material.Co.beta", "found 1", "-1 and 1"]),
    "beta below": (material("beta = -1.5"), ["material.Co.beta", "-1.5", "-1 and 1"]),
    "beta nan": (material("beta = nan"), ["material.Co.beta", "nan", "finite"]),
    "gamma of one": (
        add(LINE, "[interface.'Co|Cu']\narea_resistance_star = 1e-15\ngamma = 1.0"),
        ["gamma", "-1 and 1"],
    ),
    "gamma below": (
        add(LINE, "[interface.'Co|Cu']\narea_resistance_star = 1e-15\ngamma = -2"),
        ["gamma", "-2", "-1 and 1"],
    ),
    "negative AR*": (
        add(LINE, "[interface.'Co|Cu']\narea_resistance_star = -1e-15"),
        ["interface.'Co|Cu'.area_resistance_star", "-1e-15", "at least 0"],
    ),
    "no AR*": (
        layer_material("Pd", "[interface.'Co|Pd']\ngamma = 0.3"),
        ["interface.'Co|Pd'.area_resistance_star", "missing", "the library has no Co|Pd"],
    ),
    "degree 0": (swap(LINE, ("degree = 2", "degree = 0")), ["transport.degree", "found 0", "at least 1"]),
    "degree 2.5": (swap(LINE, ("degree = 2", "degree = 2.5")), ["transport.degree", "2.5", "an integer"]),
    "degree true": (swap(LINE, ("degree = 2", "degree = true")), ["transport.degree", "true", "an integer"]),
    "temperature": (swap(LINE, ("degree = 2", "temperature = 77")), ["transport.temperature", "77", "4.2, 300"]),
    "model": (swap(LINE, ("degree = 2", 'model = "two-chanel"')), ["transport.model", "two-chanel", "two-channel"]),
    "solver kind": (swap(LINE, ("degree = 2", 'solver = {kind = "dirct"}')), ["solver.kind", "dirct", "'direct'"]),
    "petsc option": (
        swap(LINE, ("degree = 2", "solver = {petsc = {ksp_rtol = [1]}}")),
        ["transport.solver.petsc.ksp_rtol", "[1]", "a number"],
    ),
    "contact spin": (add(LINE, "[contact.top]\nspin = 'leed'"), ["contact.top.spin", "leed", "'lead'"]),
    "huge AR*": (
        add(LINE, "[interface.'Co|Cu']\narea_resistance_star = 1e300"),
        ["area_resistance_star", "at least 0 and less than 1"],
    ),
    "resistivity in nohm m": (
        material("resistivity = 1e12"),
        ["material.Co.resistivity", "1000000000000", "1e-15 and 1e+09"],
    ),
    "tiny l_sf": (material("spin_diffusion_length = 1e-20"), ["Co.spin_diffusion_length", "1e-20", "1e-11"]),
    "huge drive": (swap(LINE, ("1e11", "1e300")), ["transport.current_density", "1e+300", "1e+30"]),
    # ---- materials
    "material": (layer_material("Cuu"), ["layer 2", "'Cuu'", "'Cu'"]),
    "both resistivities": (material("resistivity = 1e-8\nresistivity_star = 1e-8"), ["material.Co", "both"]),
    "neither resistivity": (
        layer_material("X", "[material.X]\nspin_diffusion_length = 1e-8"),
        ["material.X", "resistivity or resistivity_star"],
    ),
    "no l_sf": (layer_material("X", "[material.X]\nresistivity = 1e-8"), ["material.X", "spin_diffusion_length"]),
    "ruthenium": (layer_material("Ru"), ["material.Ru", "library", "4.2 K", "resistivity"]),
    "iron": (layer_material("Fe"), ["material.Fe", "library", "resistivity", "beta"]),
    "iron without beta": (layer_material("Fe", "[material.Fe]\nresistivity = 1e-7"), ["material.Fe", "needs beta"]),
    "cobalt at 300 K": (swap(LINE, ("degree = 2", "temperature = 300")), ["material.Co", "300 K", "beta"]),
    "misspelt override": (material("resistivity = 2e-9", "Cuu"), ["material.Cuu", "'Cu'"]),
    # ---- layers, states, magnetizations
    "layer twice": (swap(LINE, ('"fixed"', '"free"')), ["layers 1 and 3", "'free'"]),
    "layer twice by default": (swap(LINE, ('"fixed"', '"Cu2"')), ["layers 1 and 2", "'Cu2'"]),
    "layer with a bar": (swap(LINE, ('"fixed"', '"a|b"')), ["'a|b'", "'|'"]),
    "magnet without a moment": (swap(LINE, ("[0, 0, 1]", "[0, 0, 0]")), ["'free'", "zero", "direction"]),
    "magnetized copper": (
        swap(LINE, ("thickness = 10e-9", "thickness = 10e-9\nmagnetization = [0, 0, 1]")),
        ["'Cu2'", "no ferromagnet"],
    ),
    "two components": (swap(LINE, ("[0, 0, 1]", "[0, 1]")), ["layer 3 ('free').magnetization", "[0, 1]", "3 entries"]),
    "four components": (swap(LINE, ("[0, 0, -1]", "[0, 0, 0, 1]")), ["state.antiparallel.free", "3 entries"]),
    "component is text": (
        swap(LINE, ("[0, 0, -1]", '[0, 0, "up"]')),
        ["state.antiparallel.free 3", '"up"', "a number"],
    ),
    "magnetization is text": (swap(LINE, ("[0, 0, 1]", '"up"')), ["layer 3 ('free').magnetization", '"up"', "a list"]),
    "nan component": (swap(LINE, ("[0, 0, -1]", "[0, 0, nan]")), ["state.antiparallel.free 3", "nan", "finite"]),
    "absent layer": (swap(LINE, ("free = [0", "fre = [0")), ["state.antiparallel", "'fre'", "'free'"]),
    "state of a normal metal": (swap(LINE, ("free = [0", "Cu2 = [0")), ["state.antiparallel.Cu2", "no ferromagnet"]),
    "state of zero": (swap(LINE, ("[0, 0, -1]", "[0, 0, 0.0]")), ["state.antiparallel.free", "zero"]),
    "non-collinear": (
        swap(LINE, ("[0, 0, -1]", "[1, 0, 0]")),
        ["state.antiparallel", "'fixed'", "'free'", "collinear"],
    ),
    "state with a slash": (swap(LINE, ("[state.antiparallel]", '[state."../x"]')), ["state", "../x", "slash"]),
    # ---- interfaces
    "gamma between opposite magnets": (
        swap(LINE, ('[[layer]]\nmaterial = "Cu"\nthickness = 10e-9\n', ""))
        + "[interface.'Co|Co']\narea_resistance_star = 1e-15\ngamma = 0.5\n",
        ["state.antiparallel", "gamma = 0.5", "opposite"],
    ),
    "gamma between normal metals": (
        layer_material("Pt", "[interface.'Pt|Pt']\narea_resistance_star = 1e-15\ngamma = 0.5"),
        ["interface 'Pt|Pt'", "0.5", "ferromagnet"],
    ),
    "interface twice": (
        add(LINE, "[interface.'Co|Cu']\narea_resistance_star = 0\n[interface.'Cu|Co']\narea_resistance_star = 0"),
        ["interface.'Cu|Co'", "twice", "'Co|Cu'"],
    ),
    "interface of nobody": (add(LINE, "[interface.'Co|Cuu']\narea_resistance_star = 0"), ["'Cuu'", "'Cu'"]),
    "interface of one": (add(LINE, "[interface.Co]\narea_resistance_star = 0"), ["interface.'Co'", "'Co|Cu'"]),
    "interface of strangers": (
        add(LINE, "[interface.'fixed|free']\narea_resistance_star = 0"),
        ["interface.'fixed|free'", "do not touch", "fixed, Cu2, free"],
    ),
    # ---- geometry
    "shape": (swap(LINE, ('"line"', '"lin"')), ["geometry.shape", '"lin"', "'line'", "pillar"]),
    "no shape": (swap(LINE, ('shape = "line"', "")), ["geometry", "shape", "mesh", "neither"]),
    "shape and mesh": (swap(LINE, ('shape = "line"', 'shape = "line"\nmesh = "a.msh"')), ["geometry", "both"]),
    "keys of another shape": (
        swap(STRIP, ("width = 60e-9", "diameter = 60e-9")),
        ["geometry.diameter", "pillar", "strip"],
    ),
    "measure of two contacts": (
        swap(LINE, ("degree = 2", 'measure = ["bottom", "top"]')),
        ["transport.measure", "one by one"],
    ),
    "measure of one contact": (swap(LINE, ("degree = 2", 'measure = ["top"]')), ["transport.measure", "2 entries"]),
    "strip without width": (swap(STRIP, ("width = 60e-9", "")), ["geometry.width", "missing", "strip"]),
    "pillar without size": (swap(PILLAR, ("diameter = 60e-9", "")), ["diameter", "semi_axes", "neither"]),
    "diameter and semi_axes": (
        swap(PILLAR, ("diameter", "semi_axes = [3e-8, 2e-8]\ndiameter")),
        ["diameter", "semi_axes", "both"],
    ),
    "three semi_axes": (
        swap(PILLAR, ("diameter = 60e-9", "semi_axes = [1e-8, 2e-8, 3e-8]")),
        ["semi_axes", "2 entries"],
    ),
    "negative semi-axis": (
        swap(PILLAR, ("diameter = 60e-9", "semi_axes = [1e-8, -2e-8]")),
        ["semi_axes 2", "-2e-08", "1e-12 and 0.01"],
    ),
    "mesh_size 0": (swap(STRIP, ("mesh_size = 10e-9", "mesh_size = 0")), ["geometry.mesh_size", "found 0", "than 0"]),
    "mesh_size below": (swap(STRIP, ("= 10e-9", "= -1e-9")), ["geometry.mesh_size", "-1e-09", "than 0"]),
    "mesh_size too fine": (swap(STRIP, ("mesh_size = 10e-9", "mesh_size = 10e-18")), ["mesh_size", "cells", "in m"]),
    "lead_width alone": (swap(LEADS, ("lead_thickness = 20e-9", "")), ["geometry.lead_thickness", "missing"]),
    "lead_thickness alone": (swap(LEADS, ("lead_width = 200e-9", "")), ["geometry.lead_width", "missing"]),
    "lead_material alone": (
        swap(PILLAR, ("diameter", 'lead_material = "Cu"\ndiameter')),
        ["lead_material", "lead_width"],
    ),
    "narrow lead": (swap(LEADS, ("200e-9", "50e-9")), ["geometry.lead_width", "5e-08", "6e-08"]),
    "lead on a magnet": (swap(LEADS, ('lead_material = "Cu"', "")), ["geometry.lead_material", "missing", "magnet"]),
    "lead of a magnet": (swap(LEADS, ('lead_material = "Cu"', 'lead_material = "Co"')), ["lead_material", "magnet"]),
    "lead material": (
        swap(LEADS, ('lead_material = "Cu"', 'lead_material = "Cuu"')),
        ["lead_material", "'Cuu'", "'Cu'"],
    ),
    "layer called as a lead": (swap(LEADS, ('"fixed"', '"top-lead"')), ["layer 1.name", "'top-lead'"]),
    "lateral of two layers": (
        swap(LATERAL, ('[[layer]]\nname = "wire2"\nmaterial = "Co"\nthickness = 20e-9\n', "")),
        ["layer", "three", "found 2"],
    ),
    "overlapping wires": (
        swap(LATERAL, ("separation = 300e-9", "separation = 90e-9")),
        ["geometry.separation", "overlap"],
    ),
    "short channel": (
        swap(LATERAL, ("dimension", "channel_length = 40e-9\ndimension")),
        ["channel_length", "4e-08", "5e-08"],
    ),
    "overhang in 2D": (
        swap(LATERAL, ("dimension", "wire_overhang = 40e-9\ndimension")),
        ["wire_overhang", "dimension"],
    ),
    "dimension": (swap(LATERAL, ("dimension = 2", "dimension = 1")), ["geometry.dimension", "found 1", "2, 3"]),
    "wire_width below": (
        swap(LATERAL, ("wire_width = 100e-9", "wire_width = -1")),
        ["geometry.wire_width:", "-1", "between"],
    ),
    "wire_width of one": (
        swap(LATERAL, ("wire_width = 100e-9", "wire_width = [1e-7]")),
        ["geometry.wire_width:", "2 ent"],
    ),
    "one wire_width below": (
        swap(LATERAL, ("wire_width = 100e-9", "wire_width = [1e-7, -1e-7]")),
        ["wire_width 2", "-1e-07"],
    ),
    "wire_width is text": (
        swap(LATERAL, ("wire_width = 100e-9", 'wire_width = "a"')),
        ["geometry.wire_width:", '"a"', "a number", "a list"],
    ),
    # ---- drive
    "no drive": (swap(LINE, ("current_density = 1e11", "")), ["transport", "current_density", "found none"]),
    "two drives": (swap(LINE, ("degree = 2", "voltage = 1")), ["transport", "current_density and voltage"]),
    "zero drive": (swap(LINE, ("= 1e11", "= 0")), ["transport.current_density", "found 0"]),
    "current on a line": (
        swap(LINE, ("current_density = 1e11", "current = 1")),
        ["transport.current", "cross-section"],
    ),
    "contact": (add(LINE, "[contact.botom]\nspin = 'lead'"), ["contact.botom", "'bottom'"]),
    "voltage and current": (
        swap(LATERAL, ("current = -1e-6", "current = -1e-6\nvoltage = 0")),
        ["contact.left", "exactly one", "both"],
    ),
    "undriven contact": (swap(LATERAL, ("voltage = 0.0", "")), ["contact.right", "neither"]),
    "forgotten contact": (swap(LATERAL, ("[contact.detector]\ncurrent = 0.0", "")), ["contact.detector", "missing"]),
    "all currents": (swap(LATERAL, ("voltage", "current")), ["contact", "float", "voltage"]),
    "no drive at contacts": (
        swap(LATERAL, ("-1e-6", "0"), ("1e-6", "0")),
        ["contact", "currents 0", "drive"],
    ),
    "drive given twice": (add(LATERAL, "current = 1"), ["transport.current", "one by one"]),
    "lateral driven as a pillar": (
        LATERAL.partition("[contact.left]")[0] + "[transport]\ncurrent = 1\n",
        ["transport.current", "[contact.injector]", "voltage or a current"],
    ),
}

# id: (the case, the mesh file's name and text, words)
MESHES = {
    "mesh missing": (MESH, "devise.geo", geo(), ["device.geo", "not exist", "'devise.geo'"]),
    "mesh suffix": (swap(MESH, (".geo", ".vtk")), "device.vtk", "", ["device.vtk", ".msh", ".geo"]),
    "garbage mesh": (swap(MESH, (".geo", ".msh")), "device.msh", "no mesh\n\x00\x01", ["device.msh", "$MeshFormat"]),
    "truncated mesh": (
        swap(MESH, (".geo", ".msh")),
        "device.msh",
        "$MeshFormat\n4.1 0 8\n$EndMeshFormat\n$Nodes\n1 9",
        ["device.msh"],
    ),
    "no groups": (MESH, "device.geo", geo(groups=(), ends=()), ["device.geo", "physical group", "name"]),
    "layer absent": (MESH, "device.geo", geo(groups=("fixed", "Cu2", "fre")), ["'free'", "'fre'"]),
    "group of no layer": (
        swap(
            MESH,
            ('name = "fixed"\n', ""),
            ('[[layer]]\nmaterial = "Co"\nthickness = 6e-9\nmagnetization = [0, 0, 2]\n', ""),
        ),
        "device.geo",
        geo(groups=("fixed", "Cu1", "free")),
        ["'fixed'", "no layer"],
    ),
    "no contacts": (MESH, "device.geo", geo(ends=()), ["contact", "boundary"]),
    "contact absent": (
        add(swap(MESH, ("current_density = 1e11", "")), "[contact.bottom]\nvoltage = 1\n[contact.tap]\nvoltage = 0"),
        "device.geo",
        geo(),
        ["'tap'", "'top'"],
    ),
    "spin of an absent contact": (
        add(MESH, "[contact.botom]\nspin = 'lead'"),
        "device.geo",
        geo(),
        ["'botom'", "'bottom'"],
    ),
    "contacts of other names": (
        MESH,
        "device.geo",
        geo(ends=("left", "right")),
        ["left, right", "voltage or a current"],
    ),
    "quadrilaterals": (MESH, "device.geo", geo(extra="Recombine Surface{:};"), ["Quadrilateral", "triangles"]),
    "second order": (MESH, "device.geo", geo(extra="Mesh.ElementOrder = 2;"), ["Triangle 6", "first-order"]),
    "two parts": (MESH, "device.geo", geo(gap=5), ["3 parts", "'fixed'", "'Cu2'"]),
    "parts that only touch": (MESH, "device.geo", geo(gap=1e-9), ["3 parts", "'fixed'", "'Cu2'"]),
    "contact inside": (MESH, "device.geo", geo(inside=True), ["'bottom'", "inside"]),
    "overlapping groups": (
        MESH,
        "device.geo",
        geo(extra='Physical Curve("tap") = {1};'),
        ["'tap'", "'bottom'", "overlap"],
    ),
    "a part without a group": (
        swap(MESH, (LAST, ""), ("[state.antiparallel]\nfree = [0, 0, -1]\n", "")),
        "device.geo",
        geo(groups=("fixed", "Cu2", "")),
        ["contact 'top'", "no layer"],
    ),
    "dimensions of layers": (
        MESH,
        "device.geo",
        geo(groups=("fixed", "Cu2", ""), ends=("free", "top")),
        ["dimensions [1, 2]", "share one"],
    ),
    "petsc type": (
        swap(MESH, ("degree = 2", 'solver = {petsc = {ksp_type = "foo"}}')),
        "device.geo",
        geo(),
        ["transport.solver.petsc", "foo"],
    ),
    "forgotten unit": (
        swap(MESH, ("length_unit = 1e-9", "")),
        "device.geo",
        geo(),
        ["is", "m large", "geometry.length_unit", "1e-9"],
    ),
    "standing section": (MESH, "device.geo", geo(tilt=True), ["2D", "x, y"]),
    "depth of a line": (
        swap(MESH, ("length_unit", "depth = 2.0\nlength_unit")),
        "device.geo",
        "Point(1) = {0, 0, 0};\nPoint(2) = {1, 0, 0};\nPoint(3) = {2, 0, 0};\nPoint(4) = {3, 0, 0};\n"
        'Line(1) = {1, 2};\nLine(2) = {2, 3};\nLine(3) = {3, 4};\nPhysical Curve("fixed") = {1};\n'
        'Physical Curve("Cu2") = {2};\nPhysical Curve("free") = {3};\nPhysical Point("bottom") = {1};\n'
        'Physical Point("top") = {4};\n',
        ["geometry.depth", "2D"],
    ),
}

SETS = {
    "no equals sign": ("free", ["--set free", "table.key=value"]),
    "no key": ("=3", ["--set =3", "table.key=value"]),
    "empty key": ("layer..thickness=1", ["table.key=value"]),
    "no such layer": ("layer.fre.thickness=1e-9", ["'fre'", "'free'"]),
    "no such number": ("layer.4.thickness=1e-9", ["'4'", "among 3"]),
    "inside a value": ("geometry.shape.x=1", ["'x'", "inside a value"]),
    "unknown key": ("geometry.widht=1e-9", ["geometry.widht", "'width'"]),
    "with a unit": ("layer.free.thickness=4nm", ["layer 3 ('free').thickness", '"4nm"', "a number"]),
    "no value": ("layer.Cu2.thickness=", ["layer 2.thickness", "a number"]),
    "a layer": ("layer.free=3", ["layer 3", "found 3", "a table"]),
}


@pytest.mark.parametrize("name", TEXTS)
def test_case(name, tmp_path, capsys):
    text, words = TEXTS[name]
    path = tmp_path / "case.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    refused(capsys, ["run", path, "--output", tmp_path / "new" / "out"], [str(path), *words])
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.parametrize("name", MESHES)
def test_mesh_file(name, tmp_path, capsys):
    text, file, content, words = MESHES[name]
    (tmp_path / "case.toml").write_text(text)
    (tmp_path / file).write_text(content)
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], ["case.toml", *words])
    assert sorted(os.listdir(tmp_path)) == sorted(["case.toml", file])


@pytest.mark.parametrize("name", SETS)
def test_assignment(name, tmp_path, capsys):
    text, words = SETS[name]
    (tmp_path / "case.toml").write_text(LINE)
    refused(capsys, ["run", tmp_path / "case.toml", "--set", text], words)
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cse.toml"], ["cse.toml", "No such file", "'case.toml'"]),
        (["."], ["cannot be read", "Is a directory"]),
        (["case.toml", "--output", "full"], ["full", "exists", "--output", "--force"]),
        (["case.toml", "--output", "full", "--force"], ["full", "summary.json"]),
        (["case.toml", "--output", "case.toml", "--force"], ["case.toml", "not a folder"]),
        (["case.toml", "--output", "case.toml/out"], ["case.toml/out", "cannot be written", "Not a directory"]),
        (["case.toml", "--output", "/proc/out"], ["/proc/out", "cannot be written"]),
        (["case.toml", "--output", "x" * 300], ["cannot be written", "name too long"]),
        (["case.toml", "--outptu", "x"], ["--outptu", "--help"]),
        ([], ["CASE.toml", "--help"]),
    ],
    ids=lambda x: " ".join(x)[:40] or "none",
)
def test_files_and_options(arguments, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "case.toml").write_text(LINE)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").write_text("precious")
    refused(capsys, ["run", *arguments], words)
    assert sorted(os.listdir()) == ["case.toml", "full"]
    assert os.listdir("full") == ["thesis.tex"]


def test_a_line_stays_one(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(swap(LINE, ('"free"', '"fr\\nee\\u0007"'), ("free = [0", "fre = [0")))
    refused(capsys, ["run", path], ["'fre'", "\\x07"])


def test_the_good_cases_are_good(tmp_path, capsys):
    for i, text in enumerate((LINE, STRIP, PILLAR, LEADS, LATERAL, MESH)):
        path = tmp_path / f"{i}.toml"
        path.write_text("\ufeff" + text)  # as some editors write it
        assert main(["run", str(path), "--dry-run", "--set", "layer.1.thickness=5e-9"]) == 0
    (tmp_path / "device.geo").write_text(geo())
    assert main(["run", str(path), "--output", str(tmp_path / "out"), "--no-pictures"]) == 0
    assert capsys.readouterr().err.count("fespin: error") == 0


# ---- whole processes
@pytest.mark.slow
def test_two_processes(tmp_path):
    """Every rank ends, with one line between them, whether rank 0 alone sees the error or all do."""
    garbage = "Rectangle(1) = {0, oops, 0, 1, 1};\n"
    some = {
        "not utf-8": (TEXTS["not utf-8"][0], ["UTF-8"], {}),
        "misspelt": (TEXTS["unknown key"][0].encode(), ["layer 1 ('fixed').thicknes", "'thickness'"], {}),
        "missing": (MESH.encode(), ["device.geo", "not exist"], {}),
        "script": (MESH.encode(), ["device.geo", "cannot read"], {"device.geo": garbage}),
        "parts": (MESH.encode(), ["3 parts"], {"device.geo": geo(gap=5)}),
        "inside": (MESH.encode(), ["'bottom'", "inside"], {"device.geo": geo(inside=True)}),
        "other": (add(MESH, "[contact.botom]").encode(), ["'botom'", "'bottom'"], {"device.geo": geo()}),
    }
    for name, (text, words, files) in some.items():
        folder = tmp_path / name
        folder.mkdir()
        for file, content in {"case.toml": text, **files}.items():
            (folder / file).write_bytes(content if isinstance(content, bytes) else content.encode())
        run = ("-m", "fespin", "run", folder / "case.toml", "--output", folder / "out")
        done = python(2, *run, timeout=60, cwd=tmp_path)
        said = [x for x in done.stderr.splitlines() if x.startswith("fespin: error: ")]
        assert done.returncode == 2, done.stderr
        assert len(said) == 1, done.stderr
        assert "Traceback" not in done.stderr
        for word in ["case.toml", *words]:
            assert word in said[0]
        assert sorted(os.listdir(folder)) == sorted(["case.toml", *files])


def wait_for(condition, process):
    for _ in range(3000):
        if condition():
            return
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    raise AssertionError("the run did not get there")


def started(path, out, log):
    """A run that can be interrupted, even from a shell's background, where interrupts are ignored."""
    return subprocess.Popen(
        [sys.executable, "-m", "fespin", "run", str(path), "--output", str(out)],
        stderr=log,
        stdout=log,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT], ids=lambda x: x.name)
@pytest.mark.parametrize("moment", ["solving", "writing"])
def test_killed(moment, number, tmp_path):
    """A killed run leaves nothing under the final name, and nothing in the way of the next one."""
    path, out, log, part = (tmp_path / x for x in ("case.toml", "out", "log", ".out.part"))
    path.write_text(swap(PILLAR, ("degree = 2", "degree = 4")) if moment == "solving" else STRIP)
    for _ in range(3):
        with log.open("w") as f, started(path, out, f) as process:
            if moment == "solving":
                wait_for(lambda: "fespin: mesh:" in log.read_text(), process)
            else:
                wait_for(lambda: len(os.listdir(part)) > 1 if part.exists() else False, process)  # beside the lock
            process.send_signal(number)
            status = process.wait(60)
        if status != 0:
            break
        # It was done before the signal came, on a busy machine: once more.
        shutil.rmtree(out)
    # Before anything is written, SIGTERM ends a run at once.
    assert status in ({130} if number == signal.SIGINT else {-number, 143})
    assert not out.exists()
    assert "Traceback" not in log.read_text()
    left = set(os.listdir(tmp_path)) - {"case.toml", "log"}
    assert left <= ({".out.part"} if number == signal.SIGKILL else set())
    assert main(["run", str(path), "--output", str(out), "--no-pictures", "--set", "transport.degree=1"]) == 0
    assert set(os.listdir(tmp_path)) == {"case.toml", "log", "out"}
    assert (out / "summary.json").is_file()


def test_no_convergence(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(swap(STRIP, ("degree = 2", 'solver = { kind = "amg", max_iterations = 1 }')))
    refused(
        capsys,
        ["run", path, "--output", tmp_path / "out"],
        ["no convergence", "1 iteration", "direct", "try"],
        status=1,
    )
    assert os.listdir(tmp_path) == ["case.toml"]
