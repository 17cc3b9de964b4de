"""Vortices in films: where their cores are, how they move, and their case files."""

import json
import re

import numpy as np
import pytest
from casefiles import refused, swap
from dolfinx import mesh
from launch import python

from fespin.errors import InputError
from fespin.texture import Dynamics, Grid, TexturedMagnet, VortexWatch, vortex

SIDE = 90e-9
FILM = TexturedMagnet(8.3e5, 1.4e-11, 0.12, 4e6, 0.5, 0.4, hard_constant=3.5e5)


def film(comm, cells):
    corners = [[0.0, 0.0], [SIDE, SIDE]]
    return Grid(mesh.create_rectangle(comm, corners, [cells, cells], diagonal=mesh.DiagonalType.crossed))


def test_no_vortex(comm):
    """Without one there is no core, in a plane and in a body."""
    corners = [[0.0, 0.0, 0.0], [SIDE, SIDE, 1e-8]]
    for grid in (film(comm, 8), Grid(mesh.create_box(comm, corners, [8, 8, 1]))):
        watch = VortexWatch(grid)
        assert np.isnan(watch.core(grid.directions((0.1, 0, 1)))).all()
        assert np.isnan(watch.core(grid.directions(lambda x: np.stack([x[:, 0], 0 * x[:, 0], x[:, 0] + 1], 1)))).all()
        assert np.isfinite(watch.core(grid.directions(vortex((SIDE / 2, SIDE / 2), 2e-8, -1)))).all()


@pytest.mark.parametrize(("polarity", "chirality"), [(1, 1), (1, -1), (-1, 1)])
def test_core(comm, polarity, chirality):
    """It is where it was put, with an error of the mesh and of the film's edge; m turns and points as asked."""
    place = np.array([0.53, 0.46]) * SIDE
    errors = []
    for cells in (20, 40):
        grid = film(comm, cells)
        m = grid.directions(vortex(place, 5e-9, polarity, chirality))
        errors.append(np.abs(VortexWatch(grid).core(m) - place).max())
    assert errors[1] < 3e-10
    x = np.array([[place[0], place[1], 0.0], [place[0] + 5e-9, place[1], 0.0]])
    core, aside = vortex(place, 5e-9, polarity, chirality)(x)
    assert core == pytest.approx([0, 0, polarity], abs=1e-12)
    assert aside == pytest.approx(np.array([0, chirality, polarity]) / np.sqrt(2), abs=1e-12)


def test_polarity_mirrors_the_motion(comm):
    """Turned over, a vortex in a current is the mirror image of itself: it is deflected to the other side."""
    ways = {}
    for polarity in (1, -1):
        grid = film(comm, 24)
        start = vortex((SIDE / 2, SIDE / 2), 7e-9, polarity, polarity)
        motion = Dynamics(grid, FILM, start, current=(3e12, 0, 0))
        watch = VortexWatch(grid)
        seen = motion.run(3e-11, {"core": lambda s, w=watch: w.core(s.directions)}, step=3e-12)
        ways[polarity] = seen.seen["core"] - SIDE / 2
    assert np.abs(ways[1]).max() > 2e-9
    assert np.abs(ways[1][-1, 1]) > 4e-10
    assert ways[-1][:, 0] == pytest.approx(ways[1][:, 0], rel=0, abs=1e-14)
    assert ways[-1][:, 1] == pytest.approx(-ways[1][:, 1], rel=0, abs=1e-14)
    # Electrons drift against the current, and take the core along.
    assert ways[1][-1, 0] < 0


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"core": 0.0}, r"core is 0.0; it must be finite and positive"),
        ({"centre": (1e-9,)}, r"centre is \(1e-09,\); it must be two finite numbers"),
        ({"polarity": 0}, r"polarity is 0; it must be 1 or -1"),
        ({"chirality": 2}, r"chirality is 2; it must be 1 or -1"),
    ],
)
def test_impossible_vortices(given, words):
    with pytest.raises(InputError, match=words):
        vortex(**given)


CASE = """\
title = "Vortex"
[texture]
saturation_magnetization = 8.3e5
exchange = 1.4e-11
damping = 0.3
conductivity = 4e6
polarization = 0.6
nonadiabaticity = 0.2
dipolar = true
relaxed = true
current_density = 2e12
[texture.geometry]
shape = "box"
size = [60e-9, 60e-9, 10e-9]
mesh_size = 10e-9
[texture.vortex]
core = 8e-9
[[task]]
name = "push"
kind = "dynamics"
duration = 2e-11
samples = 3
tolerance = 1e-3
"""
BAD = {
    "two starts": (
        ("[texture.geometry]", "magnetization = [1, 0, 0]\n[texture.geometry]"),
        ["exactly one of", "[texture.vortex] and magnetization"],
    ),
    "outside": (("core = 8e-9", "centre = [70e-9, 1e-9]"), ["texture.vortex.centre", "x is 7e-08 m", "0 to 6e-08"]),
    "polarity": (("core = 8e-9", "polarity = 3"), ["texture.vortex.polarity", "found 3", "1, -1"]),
    "misspelt": (("core = 8e-9", "cor = 8e-9"), ["texture.vortex.cor", "unknown key", "'core'"]),
    "nm": (("core = 8e-9", "core = 8"), ["texture.vortex.core", "found 8", "4 nm is 4e-9"]),
    "narrow": (("= 0.2\n", "= 200.0\n"), ["texture.vortex", "|grad m| is 1.25e+08", "wider vortex"]),
    "memory": (
        (
            '[texture.geometry]\nshape = "box"\nsize = [60e-9, 60e-9, 10e-9]\nmesh_size = 10e-9',
            'dipolar_method = "boundary"\n[texture.geometry]\nshape = "box"\nsize = [1e-6, 1e-6, 2e-9]\n'
            "mesh_size = 2e-9",
        ),
        ["texture.geometry.mesh_size", "nodes on the surface", "8 GB"],
    ),
    "method": (("dipolar = true", 'dipolar_method = "bricks"'), ["texture.dipolar_method", "nothing uses it"]),
    "no method": (
        ("dipolar = true", 'dipolar = true\ndipolar_method = "fft"'),
        ["texture.dipolar_method", 'found "fft"', "bricks"],
    ),
    "unused": (
        ('kind = "dynamics"\nduration = 2e-11\nsamples = 3\ntolerance = 1e-3', 'kind = "electromotive_force"'),
        ["texture.relaxed", "nothing uses it"],
    ),
    "line": (
        ('shape = "box"\nsize = [60e-9, 60e-9, 10e-9]', 'shape = "line"\nlength = 60e-9'),
        ["texture.dipolar", "three dimensions"],
    ),
    "a line": (
        (
            'dipolar = true\nrelaxed = true\ncurrent_density = 2e12\n[texture.geometry]\nshape = "box"\n'
            "size = [60e-9, 60e-9, 10e-9]",
            '[texture.geometry]\nshape = "line"\nlength = 60e-9',
        ),
        ["texture.vortex", "a line has none"],
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_cases(name, tmp_path, capsys):
    change, words = BAD[name]
    path = tmp_path / "case.toml"
    path.write_text(swap(CASE, change))
    refused(capsys, ["run", path, "--output", tmp_path / "out"], words)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_case(tmp_path):
    """A vortex relaxes to the middle, is pushed out of it, and every balance holds; the same on two ranks."""
    path = tmp_path / "case.toml"
    path.write_text(CASE.replace("tolerance", "animation = true\ntolerance"))
    found = {}
    for ranks in (1, 2):
        out = tmp_path / f"out{ranks}"
        done = python(ranks, "-m", "fespin", "run", path, "--output", out)
        assert done.returncode == 0, done.stderr
        assert re.search(r"the start is relaxed", done.stderr)
        summary = json.loads((out / "summary.json").read_text())
        assert any("1.8 exchange lengths" in x and "a vortex is slow" in x for x in summary["notes"])
        found[ranks] = summary["tasks"]["push"]
        assert (out / "dynamics.push.png").stat().st_size > 20_000
        assert (out / "dynamics.push.gif").stat().st_size > 5_000
    r = found[1]
    assert [r["start"]["core_x"], r["start"]["core_y"]] == pytest.approx([30e-9, 30e-9], rel=0, abs=1e-13)
    assert r["core_x"][0] == r["start"]["core_x"] and r["core_x"][-1] == r["final"]["core_x"]
    assert r["final"]["core_x"] < 29.8e-9
    assert abs(r["energy_balance"]) < 1e-9
    assert r["closed_form"] is None and r["stopped"] is None
    for key in ("core_x", "core_y"):
        assert found[2][key] == pytest.approx(r[key], rel=1e-6, abs=0)
