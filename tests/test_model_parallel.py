"""The s-d, thermoelectric and vector models: the same numbers on 1, 2 and 3 ranks."""

import json
from pathlib import Path

import pytest
from launch import python

SCRIPT = Path(__file__).parent / "parallel" / "models.py"


def numbers(ranks, folder):
    done = python(ranks, SCRIPT, folder / "out.json")
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "out.json").read_text())


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, tmp_path_factory.mktemp("serial"))


@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    """Resistances, torques, heat currents, potentials and powers to 1e-9 of the device's scale of each."""
    found = numbers(ranks, tmp_path)
    assert found.keys() == serial.keys()
    groups = {}
    for name in serial:
        groups.setdefault("/".join(name.split("/")[:2]), []).append(name)
    for quantity in ("resistance_area", "torque", "heat_currents", "parts", "d_accumulation", "torque_density"):
        assert any(g.endswith(f"/{quantity}") for g in groups)
    for names in groups.values():
        scale = max(abs(serial[n]) for n in names)
        for n in names:
            assert found[n] == pytest.approx(serial[n], rel=0, abs=1e-9 * scale), n
