"""The same numbers on 1, 2 and 3 ranks."""

import pytest
from launch import numbers, python, require_equal

SCRIPT = "compute.py"


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, SCRIPT, tmp_path_factory.mktemp("serial"))


def test_ranks_without_cells(tmp_path):
    """A mesh of two cells on three ranks."""
    script = tmp_path / "tiny.py"
    script.write_text(
        "from mpi4py import MPI\n"
        "import fespin as fs\n"
        "from fespin.geometry.session import mesh_with_gmsh\n"
        "stack = fs.Stack(fs.Layer(fs.Material('a', 1e-8, 1e-8), 1e-8), fs.Layer(fs.Material('b', 2e-8, 1e-8), 1e-8))\n"
        "def build(gmsh):\n"
        "    geo, model = gmsh.model.geo, gmsh.model\n"
        "    p = [geo.addPoint(10 * i, 0, 0) for i in range(3)]\n"
        "    c = [geo.addLine(p[i], p[i + 1]) for i in range(2)]\n"
        "    geo.synchronize()\n"
        "    for i in range(2):\n"
        "        model.mesh.setTransfiniteCurve(c[i], 2)\n"
        "        model.addPhysicalGroup(1, [c[i]], i + 1, stack.names[i])\n"
        "    model.addPhysicalGroup(0, [p[0]], 1, 'bottom')\n"
        "    model.addPhysicalGroup(0, [p[2]], 2, 'top')\n"
        "    model.mesh.generate(1)\n"
        "    return {'cross_section': 1.0}\n"
        "domain = mesh_with_gmsh(MPI.COMM_WORLD, 1, build, stack)\n"
        "x = fs.TransportProblem(domain).solve(current_density=1.0)\n"
        "assert abs(x.resistance_area / 3e-16 - 1) < 1e-9, x.resistance_area\n"
        "assert len(x.profile(3).position) == 6\n"
    )
    done = python(3, script, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    """Resistances, drops, accumulations, currents and powers to 1e-9 of the device's scale of each."""
    found = numbers(ranks, SCRIPT, tmp_path)
    groups = require_equal(found, serial)
    assert len(groups) > 65
