"""Refusals of longitudinal dynamics before anything is meshed."""

from __future__ import annotations

from ...errors import InputError
from ..body.tables import check_body, check_boundary
from ..tasks import owners_of
from .case import LongitudinalCase
from .tables import OWNER, SHAPES, STARTS, LongitudinalTable, default_cell, make_magnet


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
    for owner, task in zip(owners_of(case.task), case.task, strict=True):
        task.check(owner, table)


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
