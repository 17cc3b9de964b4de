"""Normals of contacts: any length, and no other vector than three finite numbers."""

import math

import pytest

import fespin as fs
from fespin.errors import InputError
from fespin.onsager import ContactLaw


@pytest.mark.parametrize("normal", [(1, 2), ("a", 0, 0), (0, 0, 0), 5, (math.nan, 0, 1)])
def test_what_is_refused(normal):
    with pytest.raises(InputError, match="contact: normal is"):
        fs.Contact("lead", normal)
    with pytest.raises(InputError, match="contact law: normal is"):
        ContactLaw({"c": 1.0}, normal=normal)


def test_length_does_not_matter():
    assert fs.Contact("lead", (0, 3, -4)).normal == pytest.approx((0, 0.6, -0.8), rel=1e-15)
    assert ContactLaw({"c": 1.0}, normal=(0, 3, -4)).normal == pytest.approx((0, 0.6, -0.8), rel=1e-15)
