"""What can be known to fail about longitudinal dynamics before anything is meshed."""

from __future__ import annotations

import math
from collections.abc import Callable

from ...errors import InputError
from ..body.tables import check_body, check_boundary
from ..tasks import check_keys, check_names
from .tables import (
    SHAPES,
    STARTS,
    TASKS,
    LongitudinalCase,
    LongitudinalTable,
    LongitudinalTask,
    default_cell,
    make_magnet,
)

OWNER = "longitudinal.geometry"


def check_longitudinal(case: LongitudinalCase) -> None:
    """Refuse a magnet, a body, boundaries, a start or tasks that cannot be, and what nothing would use.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    table = case.longitudinal
    make_magnet(table)
    check_body(OWNER, table.geometry, SHAPES, default_cell(table))
    for name, part in table.boundary.items():
        owner = f"longitudinal.boundary.{name}"
        check_boundary("longitudinal.boundary", name, table.geometry)
        if (part.flux is None) == (part.accumulation is None):
            found = "neither" if part.flux is None else "both"
            raise InputError(f"{owner}: give exactly one of flux (A/s) and accumulation (A/m); found {found}")
    _check_start(table)
    if not case.task:
        raise InputError("[[task]]: the table is missing; it says what is asked of the magnet")
    kinds = {t.kind for t in case.task}
    if table.boundary and not kinds & {"response", "relaxation"}:
        raise InputError('longitudinal.boundary: nothing uses it; it belongs to "response" and "relaxation"')
    if table.start is not None and "relaxation" not in kinds:
        raise InputError('longitudinal.start: nothing uses it; it belongs to "relaxation"')
    for owner, task in zip(check_names(case.task), case.task, strict=True):
        check_keys(owner, task.kind, task.model_fields_set, TASKS)
        _CHECKS[task.kind](owner, task, table)


def _check_start(table: LongitudinalTable) -> None:
    start, owner = table.start, "longitudinal.start"
    if start is None:
        return
    for key in sorted(start.model_fields_set - {"shape", "M", "m"} - STARTS[start.shape]):
        shapes = " and ".join(f'"{k}"' for k, keys in STARTS.items() if key in keys)
        raise InputError(f'{owner}.{key}: belongs to {shapes}, found with "{start.shape}"')
    if not start.M and not start.m:
        raise InputError(f"{owner}: M and m are 0; give one of them a height (A/m)")
    for key in sorted(STARTS[start.shape] - {"centre"} - start.model_fields_set):
        raise InputError(f'{owner}.{key}: missing; shape = "{start.shape}" needs it (m)')
    body = table.geometry
    if body.shape is None:
        return
    low = -(body.radius or 0.0)
    ends = [(low, low + x) if i < 2 and body.radius else (0.0, x) for i, x in enumerate(body.extents)]
    if start.position is not None and not ends[0][0] < start.position < ends[0][1]:
        raise InputError(
            f"{owner}.position: found {start.position:g} m; the body reaches from {ends[0][0]:g} to {ends[0][1]:g} m"
        )
    if start.centre is None:
        return
    if len(start.centre) != len(ends):
        raise InputError(f'{owner}.centre: found {start.centre}; in a "{body.shape}" it has {len(ends)} numbers (m)')
    for axis, x, (a, b) in zip("xyz", start.centre, ends, strict=False):
        if not a <= x <= b:
            raise InputError(f"{owner}.centre: {axis} is {x:g} m; the body reaches from {a:g} to {b:g} m")


def _dispersion(owner: str, task: LongitudinalTask, table: LongitudinalTable) -> None:
    given = [k for k in ("wavenumbers", "range", "count") if getattr(task, k) is not None]
    body = table.geometry
    line = body.shape == "line"
    if len(given) > 1:
        raise InputError(f"{owner}: give one of wavenumbers, range and count; found {' and '.join(given)}")
    if not given and not line:
        raise InputError(f"{owner}.wavenumbers: missing; give them, or range = [from, to] (1/m)")
    if task.count is not None and not line:
        raise InputError(f"{owner}.count: its modes are those of a line; give wavenumbers or range (1/m)")
    if task.samples is not None and task.range is None:
        raise InputError(f"{owner}.samples: belongs to range; it is missing")
    if task.range is not None and task.range[0] >= task.range[1]:
        raise InputError(f"{owner}.range: found {task.range}; the first must be less than the second (1/m)")
    largest = max(task.wavenumbers or task.range or [0.0])
    if line and not largest:
        largest = (task.count or 8) * math.pi / body.extents[0]
    size = body.cell(default_cell(table))
    if body.shape is not None and largest * size > table.degree * math.pi / 2:
        key = given[0] if given else "count"
        raise InputError(
            f"{owner}.{key}: a wave of k = {largest:.4g} 1/m needs smaller cells than {size:g} m "
            f"({OWNER}.mesh_size); up to {table.degree * math.pi / 2 / size:.4g} 1/m they will do"
        )


def _response(owner: str, task: LongitudinalTask, table: LongitudinalTable) -> None:
    if (task.frequency is None) == (task.frequencies is None):
        found = "neither" if task.frequency is None else "both"
        raise InputError(f"{owner}: give exactly one of frequency and frequencies = [from, to] (Hz); found {found}")
    if task.samples is not None and task.frequencies is None:
        raise InputError(f"{owner}.samples: belongs to frequencies; found with frequency")
    if task.frequencies is not None and task.frequencies[0] >= task.frequencies[1]:
        raise InputError(f"{owner}.frequencies: found {task.frequencies}; the first must be less than the second (Hz)")
    if not any(b.flux or b.accumulation for b in table.boundary.values()):
        raise InputError(
            f"{owner}: nothing drives it; give a [longitudinal.boundary.NAME] a flux or an accumulation other than 0"
        )
    held = any(b.accumulation is not None for b in table.boundary.values())
    if task.frequency == 0 and not held and table.tau_ML is None and table.tau_mL is None:
        raise InputError(
            f"{owner}.frequency: found 0, and nothing takes up a steady injection; give tau_ML, tau_mL or a boundary "
            "with an accumulation"
        )


def _relaxation(owner: str, task: LongitudinalTask, table: LongitudinalTable) -> None:
    if task.duration is None:
        raise InputError(f"{owner}.duration: missing (s)")
    if table.start is None and not any(b.flux or b.accumulation for b in table.boundary.values()):
        raise InputError(
            "[longitudinal.start]: the table is missing, and no boundary drives; a relaxation starts from something"
        )


_CHECKS: dict[str, Callable[[str, LongitudinalTask, LongitudinalTable], None]] = {
    "dispersion": _dispersion,
    "response": _response,
    "relaxation": _relaxation,
}
