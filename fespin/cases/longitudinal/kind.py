"""Kind of case about [longitudinal]."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ..body.notes import body_notes
from ..kind import Kind, Writer
from . import TASKS
from .case import LongitudinalCase, describe
from .checks import check_longitudinal
from .tables import SECTION, per_extent

if TYPE_CHECKING:
    from mpi4py import MPI

    from ..checkpoints import Checkpoints


def _prepare(
    comm: MPI.Intracomm,
    case: LongitudinalCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None,
) -> Writer:
    from .run import prepare

    return prepare(comm, case, base, say, checkpoints)


KIND = Kind(
    title="Longitudinal dynamics",
    table=LongitudinalCase,
    key="longitudinal",
    subject="longitudinal",
    tasks=TASKS,
    check=check_longitudinal,
    describe=describe,
    notes=lambda case, assignments: body_notes("longitudinal.geometry", case.longitudinal.geometry),
    files=lambda case: [case.longitudinal.geometry.mesh],
    prepare=_prepare,
    units=lambda summary: {"longitudinal": SECTION | {"volume": per_extent(summary["longitudinal"]["dimension"])}},
)
