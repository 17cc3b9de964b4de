"""Types that the tables of a case file share, with the bounds between which each quantity lies.

Beyond its bounds a number is a slip of the pen, or one in other units; and what is computed from numbers inside them
stays far from where squares and products overflow or vanish.

Every key has a description, which ends with the unit of its numbers in parentheses; docs/case-keys.md is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError


def within(least: float, most: float = math.inf, *, zero: bool = False) -> AfterValidator:
    """Return what refuses numbers whose size is beyond bounds, after those of the field itself.

    Parameters
    ----------
    least, most
        Of the size.
    zero
        Whether zero is allowed.
    """

    def check(x: float) -> float:
        if abs(x) < least and not (zero and x == 0):
            raise PydanticCustomError("size", f"be {'0, or ' * zero}at least {least:g}{' in size' * zero}")
        if abs(x) > most:
            raise PydanticCustomError("size", f"be at most {most:g}")
        return x

    return AfterValidator(check)


def at_least(least: float) -> AfterValidator:
    """Return what refuses numbers other than zero that are smaller in size."""
    return within(least, zero=True)


# Of any sign, or zero. Components of computed vectors may be as small as rounding.
_TINY = at_least(1e-30)
type Number = Annotated[float, Field(gt=-1e30, lt=1e30), _TINY]
type Drive = Number
type Direction = Annotated[list[Number], Field(min_length=3, max_length=3)]
type Induction = Annotated[float, Field(gt=-1e4, lt=1e4), _TINY]
type EnergyDensity = Annotated[float, Field(gt=-1e12, lt=1e12), _TINY]
type Stability = Annotated[float, Field(gt=-1e5, lt=1e5), _TINY]
type Place = Annotated[float, Field(gt=-0.01, lt=0.01), _TINY]
type Angle = Annotated[float, Field(gt=-1e3, lt=1e3), _TINY]

# Zero, or positive.
type Wavenumber = Annotated[float, Field(ge=0, lt=1e12), at_least(1e-12)]
type FrequencyOrZero = Annotated[float, Field(ge=0, lt=1e18), at_least(1e-12)]

# Positive.
type Positive = Annotated[float, Field(gt=0)]
type Length = Annotated[float, Field(gt=1e-12, lt=0.01, description="m; 10e-9 is 10 nm")]
type Unit = Annotated[float, Field(gt=0), within(1e-13, 1e4)]
type Extent = Annotated[float, Field(gt=0), within(1e-12, 1e6)]
type Area = Annotated[float, Field(gt=0), within(1e-24, 1e12)]
type Time = Annotated[float, Field(gt=0, lt=1e18), within(1e-20)]
type Rate = Annotated[float, Field(gt=0), within(1e-20, 1e30)]
type Frequency = Annotated[float, Field(gt=0), within(1e-12, 1e18)]
type Magnetization = Annotated[float, Field(gt=0, lt=1e8), within(1e-3)]
type Damping = Annotated[float, Field(gt=0, lt=100), within(1e-9)]
type Diffusion = Annotated[float, Field(gt=0, lt=1e3), within(1e-12)]


class Table(BaseModel):
    """A table of a case file: no unknown keys, no converted types, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


def with_defaults[T: Table](table: T, defaults: Mapping[str, object]) -> T:
    """Return a table in which keys that were left out have their defaults, so that results can tell what was used."""
    return table.model_copy(update={k: v for k, v in defaults.items() if getattr(table, k) is None})


def known[T](value: T | None) -> T:
    """Return the value of a key that the checks require, or that has a default."""
    assert value is not None
    return value
