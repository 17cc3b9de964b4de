"""The table of a normal metal at the surface of a magnet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from .schema import Length, Table, Time, within

if TYPE_CHECKING:
    from ..normal_metal import NormalMetal


class MetalTable(Table):
    """Normal metal with two spin channels."""

    resistivity: Annotated[float, Field(gt=0, lt=1e9), within(1e-12)] = Field(description="rho (ohm m)")
    spin_diffusion_length: Length = Field(description="of its accumulation (m)")
    thickness: Length | None = Field(
        None, description="distance to a far end without accumulation; default: infinite (m)"
    )
    relaxation_time: Time | None = Field(
        None, description="of its accumulation, in responses; default: it follows at once (s)"
    )


def make_metal(table: MetalTable) -> NormalMetal:
    """Return the metal that a table declares."""
    from ..normal_metal import NormalMetal

    return NormalMetal(**table.used())
