"""Kind of case with layers, a macrospin, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import FespinError, InputError, SolverError
from ..kind import Kind, Writer
from ..macrospin import TASKS
from ..tasks import Results
from .case import Case
from .checks import check
from .describe import describe
from .macrospin_notes import macrospin_notes
from .notes import layer_notes
from .units import units

if TYPE_CHECKING:
    from mpi4py import MPI

    from ..checkpoints import Checkpoints


def _notes(case: Case, assignments: Sequence[str]) -> list[str]:
    return layer_notes(case) + (macrospin_notes(case, assignments) if case.macrospin is not None else [])


def _prepare(
    comm: MPI.Intracomm, case: Case, base: Path, say: Callable[[str], None], checkpoints: Checkpoints | None
) -> Writer:
    from .run import prepare

    return prepare(comm, case, base, say, checkpoints)


def _lines(summary: Results) -> list[str]:
    from .run import lines

    return lines(summary)


def _files(case: Case) -> list[str | None]:
    mesh = case.geometry.mesh
    # An .xdmf has its numbers in an .h5 file beside it.
    numbers = [mesh.removesuffix(".xdmf") + ".h5"] if mesh is not None and mesh.endswith(".xdmf") else []
    return [mesh, *numbers, case.sphere.mesh]


def _failed(case: Case, why: str) -> FespinError:
    if case.transport.solver.petsc:
        return InputError(f"transport.solver.petsc: PETSc refuses it: {why}")
    return SolverError(f"PETSc failed: {why}; try transport.solver.kind = 'direct'")


KIND = Kind(
    title="Layers and macrospins",
    table=Case,
    key=None,
    subject="macrospin",
    tasks=TASKS,
    check=check,
    describe=describe,
    notes=_notes,
    files=_files,
    prepare=_prepare,
    lines=_lines,
    units=units,
    failed=_failed,
)
