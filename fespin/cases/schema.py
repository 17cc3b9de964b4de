"""Types that the tables of a case file share, with the bounds between which each quantity lies.

A number beyond its bounds is a slip of the pen, or in other units. Squares and products of numbers inside them neither
overflow nor vanish.

Every key has a description, which ends with the unit of its numbers in parentheses; docs/case-keys.md is made of them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function


@dataclass(frozen=True)
class Size:
    """Bounds of the size of a number, beside those of the field itself.

    Attributes
    ----------
    least, most
        Bounds of the size.
    zero
        True if zero is allowed, and negative numbers where the field allows them.
    """

    least: float
    most: float = math.inf
    zero: bool = False

    def check(self, x: float) -> float:
        """Return a number inside the bounds."""
        if abs(x) < self.least and not (self.zero and x == 0):
            least = f"be {'0, or ' * self.zero}at least {self.least:g}{' in size' * self.zero}"
            raise PydanticCustomError("size", least)
        if abs(x) > self.most:
            raise PydanticCustomError("size", f"be at most {self.most:g}")
        return x

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the field with a check after it."""
        return no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Return the JSON schema of the field with the bounds under a key of their own."""
        return handler(schema) | {SIZE: {"least": self.least, "most": self.most, "zero": self.zero}}


SIZE = "x-size"
"""Key of JSON schemas that holds the bounds of a size until ``json_schema`` writes them in its words."""


def within(least: float, most: float = math.inf, *, zero: bool = False) -> Size:
    """Return bounds of the size of numbers; parameters as the attributes of :class:`Size`."""
    return Size(least, most, zero)


def at_least(least: float) -> Size:
    """Return a bound that refuses numbers smaller in size than this, except zero."""
    return within(least, zero=True)


# Numbers of any sign, or zero. Components of computed vectors may be as small as rounding.
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


@dataclass(frozen=True)
class Belonging:
    """Keys of a table that belong to some words of another key only; with other words they are refused.

    Attributes
    ----------
    selector
        Key that chooses: of the same table, or "table.key" of another one.
    keys
        Keys of each word. Keys that no word has belong to all.
    needed
        Keys of each word that must be given.
    """

    selector: str
    keys: Mapping[str, Collection[str]]
    needed: Mapping[str, Collection[str]] = field(default_factory=dict)

    def words(self, key: str) -> list[str]:
        """Return the words that a key belongs to; none if it belongs to all."""
        return [word for word, keys in self.keys.items() if key in keys]


class Table(BaseModel):
    """Table of a case file: no unknown keys, no converted types, no NaN.

    Attributes
    ----------
    belonging
        Keys that belong to some words of another key; None if every key may be given with every other.
    exactly_one
        Groups of keys of which exactly one must be given.
    at_most_one
        Groups of keys of which at most one may be given.
    rules
        Further conditions in the words of JSON schemas. The checks of a case refuse the same, with their own messages.
    """

    # Validators are built once, with that of the case that holds the table: reading a case stays quick.
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, defer_build=True)
    belonging: ClassVar[Belonging | None] = None
    exactly_one: ClassVar[tuple[tuple[str, ...], ...]] = ()
    at_most_one: ClassVar[tuple[tuple[str, ...], ...]] = ()
    rules: ClassVar[tuple[dict[str, Any], ...]] = ()

    def unused(self) -> Collection[str]:
        """Return the keys that nothing uses beside those that are given."""
        rule = self.belonging
        if rule is None or rule.selector not in type(self).model_fields:
            return ()
        # A table without a shape has a mesh file.
        word = getattr(self, rule.selector) or "mesh"
        return [k for k in type(self).model_fields if rule.words(k) and word not in rule.words(k)]

    def used(self) -> dict[str, Any]:
        """Return the keys that are used, given or by default, with those of the tables inside."""
        unused = self.unused()
        values = {k: getattr(self, k) for k in type(self).model_fields if k not in unused}
        return {k: _plain(v) for k, v in values.items() if v is not None}


def _plain(value: Any) -> Any:
    """Return a value of a table as JSON holds it."""
    if isinstance(value, Table):
        return value.used()
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(x) for x in value] if isinstance(value, list) else value


def known[T](value: T | None) -> T:
    """Return the value of a key that the checks require, or that has a default."""
    assert value is not None
    return value
