"""What the tables of a case file have in common."""

from __future__ import annotations

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
