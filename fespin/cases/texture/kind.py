"""Kind of case about [texture]."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..kind import Kind, Writer
from ..tasks import Results
from . import TASKS
from .case import TextureCase, describe
from .checks import check_texture
from .notes import texture_notes
from .tables import SECTION

if TYPE_CHECKING:
    from mpi4py import MPI

    from ..checkpoints import Checkpoints


def _prepare(
    comm: MPI.Intracomm,
    case: TextureCase,
    base: Path,
    say: Callable[[str], None],
    checkpoints: Checkpoints | None,
) -> Writer:
    from .run import prepare

    return prepare(comm, case, base, say, checkpoints)


def _units(summary: Results) -> dict[str, Any]:
    dimension = summary["texture"]["dimension"]
    own = {"section": {1: "1", 2: "m", 3: "m2"}[dimension], "volume": {1: "m", 2: "m2", 3: "m3"}[dimension]}
    return {"texture": SECTION | own}


KIND = Kind(
    title="Textured magnets",
    table=TextureCase,
    key="texture",
    subject="texture",
    tasks=TASKS,
    check=check_texture,
    describe=describe,
    notes=lambda case, assignments: texture_notes(case.texture),
    files=lambda case: [case.texture.geometry.mesh],
    prepare=_prepare,
    units=_units,
)
