"""What the tables of a case file have in common.

Every key has a description, which ends with the unit of its numbers in parentheses; docs/case-keys.md is made of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

type Positive = Annotated[float, Field(gt=0)]
# Beyond these bounds it is a slip of the pen, or a number in other units.
type Length = Annotated[float, Field(gt=1e-12, lt=0.01, description="m; 10e-9 is 10 nm")]
type Drive = Annotated[float, Field(gt=-1e30, lt=1e30)]
type Direction = Annotated[list[float], Field(min_length=3, max_length=3)]


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
