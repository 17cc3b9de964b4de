"""Words about a macrospin and its tasks, for a dry run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..tasks import Task, names_of

if TYPE_CHECKING:
    from ...macrospin import Macrospin, SpinTorque


def describe(spin: Macrospin, torque: SpinTorque | None, tasks: Sequence[Task], *, from_transport: bool) -> str:
    """Return what would be asked of a macrospin, as text.

    Parameters
    ----------
    torque
        Torque that the case gives; None without one.
    from_transport
        True if the device makes the torque.
    """
    from ...macrospin import survey

    lines = [
        f"  macrospin: {spin.volume * 1e27:.4g} nm3, Ms {spin.saturation_magnetization:g} A/m, "
        f"damping {spin.damping:g}, {spin.temperature:g} K"
    ]
    for w in survey(spin).wells[:8]:
        to = ", ".join(f"{x:.3f}" for x in w.direction)
        lines.append(
            f"  well at ({to}): E = {w.energy:.4g} kT" + (f", barrier {w.height:.4g} kT" if w.height < 1e9 else "")
        )
    if from_transport:
        lines.append("  torque: from the transport through the device")
    elif torque is not None:
        lines.append(f"  torque: damping-like {torque.damping_like:.4g} T, field-like {torque.field_like:.4g} T")
    lines.append(f"  tasks: {', '.join(f'{n} ({t.kind})' for n, t in zip(names_of(tasks), tasks, strict=True))}")
    return "\n".join(lines)
