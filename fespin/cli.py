"""The command line: ``fespin run | materials | schema``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__
from .errors import FespinError, InputError, SolverError, one_line

if TYPE_CHECKING:
    from .cases.kinds import AnyCase

_LAUNCHERS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say it in one line, as every other error."""
        raise InputError(f"{message}; see {self.prog} --help")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="fespin",
        description="Spin transport in nanodevices, statistics of their free layers, magnets in space and time.",
    )
    parser.add_argument("--version", action="version", version=f"fespin {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser(
        "run",
        help="run a case file",
        description="Run a case file (TOML). Exit status: 0 all is done; 1 a solve failed; 2 bad input; "
        "3 a task, or a part of one, failed, the rest is written, and the last line says so.",
    )
    run.add_argument("case", type=Path, metavar="CASE.toml")
    run.add_argument("--output", type=Path, metavar="DIR", help="output folder (default: the case's stem)")
    run.add_argument("--force", action="store_true", help="replace the results in an existing output folder")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        help="change a value of the case, such as layer.free.thickness=4e-9; layers and tasks by name or by number "
        "from 1; may be repeated",
    )
    run.add_argument("--dry-run", action="store_true", help="check the case and show what would be run")
    run.add_argument(
        "--checkpoint",
        type=Path,
        metavar="DIR",
        help="keep there what long tasks have done, and go on from what is there",
    )
    run.add_argument(
        "--checkpoint-interval",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="time between two states of an evolution (default: 60)",
    )
    run.add_argument(
        "--trust-geo",
        action="store_true",
        help="run .geo files as they are: they can then run programs and write files with your rights",
    )
    run.add_argument(
        "--mesh-time", type=float, default=300.0, metavar="SECONDS", help="for building the mesh of a file (300)"
    )
    run.add_argument("--no-pictures", action="store_true", help="write numbers and fields only")
    run.add_argument("--traceback", action="store_true", help="show where an error comes from")
    book = commands.add_parser("materials", help="print the built-in library with its sources")
    book.add_argument("names", nargs="*", metavar="NAME", help="materials, such as Co (default: all)")
    book.add_argument("--markdown", action="store_true", help="print all as the tables of docs/materials.md")
    shape = commands.add_parser("schema", help="print the JSON schema of case files")
    shape.add_argument("--markdown", action="store_true", help="print all keys as the tables of docs/case-keys.md")
    return parser


def _world() -> Any:
    """Return MPI's communicator, or None where no launcher started this process: MPI takes time to start."""
    if "mpi4py.MPI" not in sys.modules and not any(x in os.environ for x in _LAUNCHERS):
        return None
    from mpi4py import MPI

    return MPI.COMM_WORLD


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, 2 for bad input, 1 for a failed solve, 3 if parts failed."""
    options = argparse.Namespace(traceback=False)
    try:
        _parser().parse_args(arguments, options)
        if options.command == "materials":
            from .materials import markdown, table

            if options.markdown and options.names:
                raise InputError("materials: --markdown prints the whole library; leave the names out")
            print(markdown() if options.markdown else table(options.names))
        elif options.command == "schema" and options.markdown:
            from .cases.reference import markdown as keys

            print(keys(), end="")
        elif options.command == "schema":
            from .cases.kinds import schema

            print(json.dumps(schema(), indent=1))
        else:
            return _run(options)
    except FespinError as error:
        if options.traceback:
            raise
        return _fail(str(error), 2 if isinstance(error, InputError) else 1)
    except BrokenPipeError:
        # The reader of our output, such as head, has enough. Python flushes once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        if options.traceback:
            raise
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", 1)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _fail(text: str, status: int) -> int:
    """Print one line, once, and return the exit status. Nobody is left waiting."""
    comm = _world()
    rank, size = (comm.rank, comm.size) if comm is not None else (0, 1)

    def say() -> None:
        erase = "\r\033[K" if sys.stderr.isatty() else ""  # a progress bar
        print(f"{erase}fespin: error: {one_line(text)}", file=sys.stderr, flush=True)

    if rank == 0:
        say()
    if size > 1:
        # Launchers end all processes with the first that fails: the line must be out before.
        # An error that the other ranks do not have would leave them waiting for ever.
        everyone, patience = comm.Ibarrier(), time.monotonic() + 10
        while not everyone.Test():
            if time.monotonic() > patience:
                if rank != 0:
                    say()
                comm.Abort(status)
            time.sleep(0.01)
    return status


def _read(options: argparse.Namespace) -> tuple[AnyCase, dict[str, Any]]:
    """Return the case, read once whatever the number of ranks."""
    from .cases.casefile import read

    comm = _world()
    if comm is None or comm.size == 1:
        return read(options.case, options.set)
    message, found = None, None
    if comm.rank == 0:
        try:
            found = read(options.case, options.set)
        except InputError as error:
            message = str(error)
    message, found = comm.bcast((message, found), 0)
    if found is None:
        raise InputError(message)
    return found  # type: ignore[no-any-return]


def _run(options: argparse.Namespace) -> int:
    case, raw = _read(options)
    if options.dry_run:
        comm = _world()
        if comm is None or comm.rank == 0:
            from .cases.notes import PREFIX, notes_of

            print(case.describe())
            for note in notes_of(case, options.set):
                print(f"fespin: {PREFIX}{note}", file=sys.stderr)
        return 0

    from mpi4py import MPI

    from ._surroundings import start_libraries

    start_libraries(MPI.COMM_WORLD, pictures=not options.no_pictures)
    from petsc4py import PETSc

    from .cases.case import Case
    from .cases.checkpoints import Checkpoints
    from .cases.results import missing
    from .cases.run import run, stderr_logger, table
    from .geometry.reading import Reading, reading
    from .output import OutputFolder

    comm = MPI.COMM_WORLD
    how = Reading(options.trust_geo, options.mesh_time)
    folder = OutputFolder(comm, options.output or Path(options.case.stem), force=options.force)
    folder.claim()
    try:
        with reading(how):
            summary = run(
                comm,
                case,
                raw,
                folder,
                base=options.case.parent,
                say=stderr_logger(comm),
                pictures=not options.no_pictures,
                checkpoints=None
                if options.checkpoint is None
                else Checkpoints(options.checkpoint, options.checkpoint_interval),
                assignments=options.set,
            )
    except InputError as error:
        raise InputError(f"{options.case}: {error}") from error
    except (FespinError, OSError):
        raise
    except PETSc.Error as error:
        why = one_line(str(error).rpartition("] ")[2])
        if not isinstance(case, Case):
            raise SolverError(f"PETSc failed: {why}; try a finer or a coarser mesh") from error
        if case.transport.solver.petsc:
            raise InputError(f"{options.case}: transport.solver.petsc: PETSc refuses it: {why}") from error
        raise SolverError(f"PETSc failed: {why}; try transport.solver.kind = 'direct'") from error
    except Exception:
        # An error that only this rank sees would leave the others waiting for ever.
        if comm.size > 1:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
            comm.Abort(1)
        raise
    finally:
        folder.release()
    if comm.rank == 0:
        if folder.kept:
            print(f"fespin: note: kept what fespin did not write: {', '.join(folder.kept)}", file=sys.stderr)
        print(table(summary))
        print(f"{'written to':<14} {folder.final}")
    lacking = len(missing(summary))
    if not lacking:
        return 0
    if comm.rank == 0:
        sys.stdout.flush()
        parts = "1 part is" if lacking == 1 else f"{lacking} parts are"
        print(f"fespin: {parts} missing, see above and in summary.json", file=sys.stderr, flush=True)
    return 3
