"""Case file about a textured magnet."""

from __future__ import annotations

import math

from pydantic import Field

from ..schema import Table
from ..tasks import names_of
from . import TextureTask
from .tables import TextureTable, default_cell, make_magnet, resolved_wall


class TextureCase(Table):
    """A case file about a textured magnet."""

    title: str = Field("", description="of pictures")
    texture: TextureTable = Field(description="the magnet")
    task: list[TextureTask] = Field(default_factory=list, description="what is asked of it")


def describe(case: TextureCase) -> str:
    """Return what would be run, as text."""
    table, magnet = case.texture, make_magnet(case.texture)
    lines = [
        case.title or "untitled",
        f"  texture: Ms {magnet.saturation_magnetization:g} A/m, damping {magnet.damping:g}, "
        f"nonadiabaticity {magnet.nonadiabaticity:g}, polarization {magnet.polarization:g}",
        f"  {table.geometry.describe(default_cell(table))}",
    ]
    if table.wall is not None:
        wall = resolved_wall(table)
        lines.append(
            f"  wall at {wall.position * 1e9:.4g} nm, tilt {wall.angle:.4g} rad, width {wall.width * 1e9:.4g} nm"
        )
        current = magnet.breakdown_current()
        alone = f"or {current:.4g} A/m2 in no field" if math.isfinite(current) else "whatever the current"
        limits = f"{magnet.walker_field:.4g} T, {alone}"
        lines += [] if table.dipolar else [f"  it turns above {limits}"]
    if table.vortex is not None:
        lines.append(f"  vortex, core {table.vortex.core * 1e9:.4g} nm{', relaxed' if table.relaxed else ''}")
    drive = "open circuit"
    if table.current_density is not None:
        drive = f"{table.current_density:.4g} A/m2"
    elif table.voltage is not None:
        drive = f"{table.voltage:.4g} V between the ends"
    lines.append(f"  field {table.field} T{' and the dipolar field' if table.dipolar else ''}, {drive}")
    if table.carriers is not None:
        ends = []
        for name, lead in table.lead.items():
            kelvins = f" {lead.temperature:g} K" if lead.temperature is not None else ""
            ends.append(f"{name}{kelvins}{' metal' if lead.metal is not None else ''}")
        lines.append(f"  carriers: {', '.join([table.carriers.model, *ends])}")
    tasks = zip(names_of(case.task), case.task, strict=True)
    lines.append(f"  tasks: {', '.join(f'{n} ({t.kind})' for n, t in tasks)}")
    return "\n".join(lines)
