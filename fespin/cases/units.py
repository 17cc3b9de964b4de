"""Units of the numbers in ``summary.json``, by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from .kind import Kind
from .schema import Table

type Units = dict[str, str]


def unit_of(description: str) -> tuple[str, str]:
    """Return a key's description without its unit, and the unit: what its last parentheses hold, or nothing."""
    parts = re.fullmatch(r"(?:(.*) )?\(((?:[^()]|\([^()]*\))+)\)", description)
    return (parts[1] or "", parts[2]) if parts else (description, "")


def units_of(kind: Kind, summary: dict[str, Any]) -> dict[str, Any]:
    """Return the units of a summary.

    Parameters
    ----------
    kind
        Kind of the case.
    summary
        Entries of ``summary.json``.

    Returns
    -------
    dict
        Units by key: those of the top level, and a table for each section and each task. All states share one table,
        as do other tables by name. Keys inside of lists and tables stand beside the others.
    """
    known = kind.units(summary) | {"wall_time": "s", "seconds": {"": "s"}}
    out: dict[str, Any] = {}
    for section, units in known.items():
        if section not in summary:
            continue
        if isinstance(units, str):
            out[section] = units
        elif "" in units:  # every number of the section has it
            out[section] = units[""]
        elif there := occurring(units, summary[section]):
            out[section] = there
    tasks = {}
    for name, results in summary.get("tasks", {}).items():
        task = kind.tasks[results["kind"]]
        tasks[name] = occurring(_of_inputs(task) | dict(task.units_of(results, summary)), results)
    return out | ({"tasks": tasks} if tasks else {})


def _of_inputs(table: type[Table]) -> Units:
    """Return the units that the descriptions of a table's keys give."""
    units = {k: unit_of(f.description or "")[1] for k, f in table.model_fields.items()}
    return {k: unit for k, unit in units.items() if unit}


def occurring(units: Mapping[str, str], results: Any) -> Units:
    """Return the units of the keys that occur in results, those of inner tables and of tables in lists among them."""
    out: Units = {}
    if isinstance(results, Mapping):
        for key, value in results.items():
            if key in units:
                out[key] = units[key]
            else:
                out |= occurring(units, value)
    elif isinstance(results, list):
        for value in results:
            if not isinstance(value, Mapping | list):
                break
            out |= occurring(units, value)
    return out
