"""The s-d, thermoelectric and vector models: the same numbers on 1, 2 and 3 ranks."""

import pytest
from launch import numbers, require_equal

SCRIPT = "models.py"


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, SCRIPT, tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    """Resistances, torques, heat currents, potentials and powers to 1e-9 of the device's scale of each."""
    found = numbers(ranks, SCRIPT, tmp_path)
    groups = require_equal(found, serial)
    for quantity in ("resistance_area", "torque", "heat_currents", "parts", "d_accumulation", "torque_density"):
        assert any(g.endswith(f"/{quantity}") for g in groups)
