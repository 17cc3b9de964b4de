"""What a case's torque does to the wells: switching fields, resonance and dwell times beside no torque."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from mpi4py import MPI

from ...errors import FespinError, one_line
from ...macrospin import Macrospin
from ...macrospin.torque import Torque
from ...sigma.results import finite_or_none
from ...sigma.shifts import TorqueShifts, torque_shifts
from ...sigma.states import Maker
from ..tasks import Results


def shifts_of(
    comm: MPI.Intracomm, spin: Macrospin, torque: Torque, make: Maker, say: Callable[[str], None], *, dwell: bool
) -> Results:
    """Return what a torque does to the wells of a case's macrospin, for its summary. Collective.

    Parameters
    ----------
    make
        Makes the solver of a macrospin and a torque.
    say
        Function that prints progress.
    dwell
        True for dwell times, too.

    Returns
    -------
    dict
        "wells", each with "direction", "stable", and pairs without and with the torque; of two wells on either side of
        the torque's axis "loop_shift" and "loop_widening"; of two wells "dwell_time_ratios".
    """
    try:
        found = torque_shifts(comm, spin, torque, make=make, dwell=dwell)
    except FespinError as error:
        # The case's own tasks tell more; the rest needs no rates.
        say(f"note: shifts: no dwell times: {one_line(str(error))}")
        found = torque_shifts(comm, spin, torque, make=make, dwell=False)
    wells = [
        {
            "direction": u.tolist(),
            "stable": bool(found.stable[k]),
            "half_widths": finite_or_none(found.half_widths[k].tolist()),
            "angular_frequencies": finite_or_none(found.angular_frequencies[k].tolist()),
            "switching_field": finite_or_none(float(found.switching_fields[k])),
            "dwell_times": finite_or_none(found.dwell_times[k].tolist()),
        }
        for k, u in enumerate(found.wells)
    ]
    return {"wells": wells, **_of_two(found, torque)}


def _of_two(found: TorqueShifts, torque: Torque) -> Results:
    """Return what two wells have together."""
    if len(found.wells) != 2:
        return {}
    first, second = found.dwell_times
    out: Results = {"dwell_time_ratios": finite_or_none([_ratio(a, b) for a, b in zip(first, second, strict=True)])}
    if torque.axis is not None:
        along = found.wells @ np.asarray(torque.axis, dtype=float)
        if along[0] * along[1] < 0 and np.isfinite(found.switching_fields).all():
            # The well along the axis is lost at a negative field, the other one at a positive one.
            low, high = found.switching_fields[np.argsort(-along)]
            out |= {"loop_shift": float(low + high) / 2, "loop_widening": float(high - low) / 2}
    return out


def _ratio(a: float, b: float) -> float:
    return float(a / b) if np.isfinite([a, b]).all() and b else float("nan")


def shift_lines(numbers: dict[str, Any]) -> list[str]:
    """Return the numbers of a summary as lines for a terminal, one a well."""
    out: list[str] = []
    for well in numbers["wells"]:
        parts = []
        before, after = well["half_widths"]
        if before is not None:
            parts.append(f"half width {before:.4g} -> " + ("unstable" if after is None else f"{after:.4g} 1/s"))
        if well["switching_field"] is not None:
            parts.append(f"switching field shifted by {1e3 * well['switching_field']:.4g} mT")
        if None not in well["dwell_times"]:
            parts.append("dwells {:.4g} -> {:.4g} s".format(*well["dwell_times"]))
        if parts:
            at = ", ".join(f"{round(x, 3) + 0.0:g}" for x in well["direction"])
            out.append(f"{'by the torque' if not out else '':<14} at ({at}): {'; '.join(parts)}")
    return out
