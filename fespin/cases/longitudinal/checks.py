"""Refusals of longitudinal dynamics before anything is meshed."""

from __future__ import annotations

from itertools import pairwise

from ...errors import InputError
from ..body.tables import BodyTable, check_body, check_boundary
from ..tasks import owners_of
from .case import LongitudinalCase
from .tables import (
    FIELDS,
    OWNER,
    SHAPES,
    STARTS,
    BoundaryTable,
    FieldTable,
    LongitudinalTable,
    StartTable,
    default_cell,
    make_magnet,
)


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
        _check_drive(owner, part)
    if table.beta and not any(part.metal is not None for part in table.boundary.values()):
        raise InputError("longitudinal.beta: nothing uses it; it belongs to a boundary with current_density and metal")
    _check_start(table)
    _check_field(table)
    if not case.task:
        raise InputError("[[task]]: the table is missing; it says what is asked of the magnet")
    kinds = {t.kind for t in case.task}
    if table.boundary and not kinds & {"response", "relaxation"}:
        raise InputError('longitudinal.boundary: nothing uses it; it belongs to "response" and "relaxation"')
    if table.field is not None and not kinds & {"response", "relaxation"}:
        raise InputError('longitudinal.field: nothing uses it; it belongs to "response" and "relaxation"')
    if table.field is not None and table.field.points is not None and "relaxation" not in kinds:
        raise InputError('longitudinal.field.points: nothing uses it; it belongs to "relaxation"')
    if table.start is not None and "relaxation" not in kinds:
        raise InputError('longitudinal.start: nothing uses it; it belongs to "relaxation"')
    for owner, task in zip(owners_of(case.task), case.task, strict=True):
        task.check(owner, table)


def _check_start(table: LongitudinalTable) -> None:
    start, owner = table.start, "longitudinal.start"
    if start is None:
        return
    if not start.M and not start.m:
        raise InputError(f"{owner}: M and m are 0; give one of them a height (A/m)")
    _check_shape(owner, start, STARTS, {"shape", "M", "m"}, table.geometry)


def _check_field(table: LongitudinalTable) -> None:
    field, owner = table.field, "longitudinal.field"
    if field is None:
        return
    if not field.amplitude:
        raise InputError(f"{owner}.amplitude: found 0; give a field (A/m), or leave the table out")
    if field.points is not None and any(b[0] < a[0] for a, b in pairwise(field.points)):
        raise InputError(f"{owner}.points: found times {[t for t, _ in field.points]}; they must not decrease (s)")
    _check_shape(owner, field, FIELDS, {"shape", "amplitude", "points"}, table.geometry)


def _check_drive(owner: str, part: BoundaryTable) -> None:
    """Refuse a part of the boundary that is driven twice or not at all, and a metal without a current."""
    given = [k for k in ("flux", "accumulation", "current_density") if getattr(part, k) is not None]
    if len(given) != 1:
        found = "neither" if not given else "both" if len(given) == 2 else "all"
        raise InputError(
            f"{owner}: give exactly one of flux (A/s), accumulation (A/m) and current_density (A/m2); found {found}"
        )
    if part.current_density is not None and part.metal is None:
        raise InputError(f"{owner}.metal: missing; a current comes out of one: give resistivity, spin_diffusion_length")
    for key in ("metal", "area_resistance_star", "gamma"):
        if part.current_density is None and key in part.model_fields_set:
            raise InputError(f"{owner}.{key}: belongs to current_density (A/m2); 0 is a metal that only takes up spins")


def _check_shape(
    owner: str, start: StartTable | FieldTable, shapes: dict[str, set[str]], common: set[str], body: BodyTable
) -> None:
    """Refuse keys of another shape, those that are missing, and places outside the body."""
    for key in sorted(start.model_fields_set - common - shapes[start.shape]):
        words = " and ".join(f'"{k}"' for k, keys in shapes.items() if key in keys)
        raise InputError(f'{owner}.{key}: belongs to {words}, found with "{start.shape}"')
    for key in sorted(shapes[start.shape] - {"centre"} - start.model_fields_set):
        unit = "1/m" if key == "wavenumber" else "m"
        raise InputError(f'{owner}.{key}: missing; shape = "{start.shape}" needs it ({unit})')
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
