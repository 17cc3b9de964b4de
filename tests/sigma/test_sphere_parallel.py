"""The sphere's numbers on 1, 2 and 3 ranks, and a checkpoint that changes ranks."""

import json

import pytest
from launch import TESTS, numbers, python

HERE = TESTS / "parallel"
SCRIPT = "sphere.py"


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, SCRIPT, tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    """Spectra, states, noise, responses, passages, rates, write errors and evolutions to 1e-9 of each one's scale."""
    found = numbers(ranks, SCRIPT, tmp_path)
    assert found.keys() == serial.keys()
    for name, value in serial.items():
        one, other = (x if isinstance(x, list) else [x] for x in (value, found[name]))
        scale = max(abs(x) for x in one)
        assert other == pytest.approx(one, rel=0, abs=1e-9 * scale), name


@pytest.mark.slow
def test_checkpoints_change_ranks(tmp_path):
    """Saved on two ranks, gone on with on three: the numbers of one rank."""
    ends = []
    for ranks, mode in ((1, "whole"), (2, "save"), (3, "resume")):
        done = python(ranks, HERE / "checkpoint.py", mode, tmp_path / "state", tmp_path / "out.json")
        assert done.returncode == 0, done.stderr
        if mode != "save":
            ends.append(json.loads((tmp_path / "out.json").read_text()))
    assert ends[1]["begins"] > 0.4
    assert ends[1]["mean"] == pytest.approx(ends[0]["mean"], rel=0, abs=1e-11)
