"""Command line: ``fespin run | new | docs | materials | schema``."""

from __future__ import annotations

import argparse
import gc
import json
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from ._version import __version__
from .ending import Agreement, describe, guard_program, reclaim_signals, say, status_of
from .errors import FespinError, InputError, one_line

if TYPE_CHECKING:
    from .cases.registry import AnyCase

_LAUNCHERS = ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Print the error in one line, as every other error."""
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
    fresh = commands.add_parser(
        "new",
        help="write a commented case to start from",
        description="Write a case file with a comment for each key: its meaning, its unit, its default. "
        "Without KIND the kinds are listed.",
    )
    fresh.add_argument("kind", nargs="?", metavar="KIND", help="such as spin-valve, macrospin, domain-wall")
    fresh.add_argument("--output", type=Path, metavar="FILE", help="file to write, never an existing one (KIND.toml)")
    words = commands.add_parser(
        "docs",
        help="explain a key of case files",
        description="Explain a key or a table of case files: type, unit, default, bounds, and where it is allowed. "
        "Without KEY all tables are listed.",
    )
    words.add_argument("key", nargs="?", metavar="KEY", help="such as damping, task.switching.pulse, texture.wall")
    return parser


def _world() -> Any:
    """Return MPI's communicator, or None where no launcher started this process: MPI takes time to start."""
    if "mpi4py.MPI" not in sys.modules and not any(x in os.environ for x in _LAUNCHERS):
        return None
    from mpi4py import MPI

    reclaim_signals()
    return MPI.COMM_WORLD


def program() -> NoReturn:
    """Run the command line as a process of its own, which signals end in time."""
    guard_program()
    # Cases need no plugins of pydantic, and the search for them reads the list of all installed packages.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    # Imported objects stay until the end. Looking for garbage among them takes a tenth of a short run, and again at its
    # end.
    gc.disable()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who started us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    status = main()
    gc.freeze()
    sys.exit(status)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status.

    The status is 0 for success, 1 for a failure, 2 for bad input, 3 if parts failed, 128 + n for signal n.

    Collective where a launcher started several ranks: if one fails and the others do not, it ends all of them.
    """
    options, parsed = argparse.Namespace(traceback=False), False
    comm = _world()
    agreement = Agreement(comm) if comm is not None and comm.size > 1 else None
    try:
        _parser().parse_args(arguments, options)
        parsed = True
        command = _commands[options.command]
        if options.command == "run" or comm is None or comm.size == 1:
            status = command(options)
        else:
            from .mpi import first_rank

            # Commands that print, or write a single file, do so on one rank.
            status = first_rank(comm, lambda: command(options))
        sys.stdout.flush()
        return status
    except BaseException as error:
        if isinstance(error, SystemExit) and not parsed:  # --help
            raise
        return _fail(agreement, error, options.traceback)


def _fail(agreement: Agreement | None, error: BaseException, trace: bool) -> int:
    """Print one line, once, and return the exit status. Nobody is left waiting."""
    text: str | None
    text, status = describe(error), status_of(error)
    try:
        sys.stdout.flush()
    except OSError:
        # Python would flush once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        # The reader of our output, such as head, has closed the pipe.
        text, status = None, 128 + signal.SIGPIPE
    elif isinstance(error, MemoryError):
        text = "out of memory; try a coarser mesh"
    elif isinstance(error, Exception) and any(
        f.filename.endswith("dolfinx/jit.py") for f in traceback.extract_tb(error.__traceback__)
    ):
        # DOLFINx raises the first rank's own error, and on the others one that quotes it.
        why = one_line(str(error)).removeprefix("Failed just-in-time compilation of form: ")
        text = f"no form can be compiled: {why}; XDG_CACHE_HOME names the folder for what is compiled"
    elif not isinstance(error, FespinError | OSError | KeyboardInterrupt | SystemExit):
        text = f"{text}; fespin should have said what is wrong, --traceback shows where it failed"
    if trace:
        traceback.print_exception(error)
    if agreement is None or agreement.rank == 0:
        if text is not None:
            say(text)
        text = None
    # Launchers end all processes with the first that fails: the line must be out before.
    if agreement is not None and not agreement.reached():
        agreement.abort(text, status)
    return status


def _materials(options: argparse.Namespace) -> int:
    from .materials import markdown, table

    if options.markdown and options.names:
        raise InputError("materials: --markdown prints the whole library; leave the names out")
    print(markdown() if options.markdown else table(options.names))
    return 0


def _schema(options: argparse.Namespace) -> int:
    if options.markdown:
        from .cases.reference import markdown

        print(markdown(), end="")
    else:
        from .cases.json_schema import schema

        print(json.dumps(schema(), indent=1))
    return 0


def _new(options: argparse.Namespace) -> int:
    from .cases.new import templates, write_case

    if options.kind is None:
        if options.output is not None:
            raise InputError(
                f"new: --output names a file, but the kind of case is missing; known: {', '.join(templates())}"
            )
        for name, about in templates().items():
            print(f"{name:<16} {about}")
        return 0
    path = options.output or Path(f"{Path(options.kind).name}.toml")
    write_case(options.kind, path)
    print(f"written to {path}; fespin run {path}")
    return 0


def _docs(options: argparse.Namespace) -> int:
    from .cases.lookup import explained

    print(explained(options.key))
    return 0


def _run(options: argparse.Namespace) -> int:
    from .cases.casefile import read
    from .cases.notes import PREFIX, notes_of
    from .cases.registry import kind_of

    _require_folder()
    comm = _world()

    def load() -> tuple[AnyCase, str, list[str]]:
        case, _ = read(options.case, options.set)
        dry = options.dry_run
        text = kind_of(case).describe(case) if dry else ""
        return case, text, notes_of(case, options.set) if dry else []

    if comm is None:
        case, text, notes = load()
    else:
        from .mpi import first_rank

        case, text, notes = first_rank(comm, load)
    if not options.dry_run:
        return _solve(options, case)
    if comm is None or comm.rank == 0:
        print(text)
        for note in notes:
            print(f"fespin: {PREFIX}{note}", file=sys.stderr)
    return 0


def _require_folder() -> None:
    """Refuse a working directory that is gone: DOLFINx and MPI look for files there."""
    try:
        os.getcwd()
    except OSError as error:
        raise OSError(error.errno, "it is gone; change to another", "the working directory") from error


def _solve(options: argparse.Namespace, case: AnyCase) -> int:
    from mpi4py import MPI

    from ._surroundings import start_libraries

    start_libraries(MPI.COMM_WORLD, pictures=not options.no_pictures)
    from petsc4py import PETSc

    from .cases.checkpoints import Checkpoints
    from .cases.registry import kind_of
    from .cases.run import run, stderr_logger, table
    from .cases.task_loop import missing
    from .geometry.reading import Reading, reading
    from .output import OutputFolder

    reclaim_signals()
    if not gc.isenabled():
        gc.freeze()
        gc.enable()
    comm = MPI.COMM_WORLD
    how = Reading(options.trust_geo, options.mesh_time)
    folder = OutputFolder(comm, options.output or Path(options.case.stem), force=options.force)
    folder.claim()
    try:
        with reading(how):
            summary = run(
                comm,
                case,
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
    except PETSc.Error as error:
        why = one_line(str(error).rpartition("] ")[2])
        failure = kind_of(case).failed(case, why)
        if isinstance(failure, InputError):
            raise InputError(f"{options.case}: {failure}") from error
        raise failure from error
    finally:
        folder.release()
    if comm.rank == 0:
        if folder.kept:
            print(f"fespin: note: kept what fespin did not write: {', '.join(folder.kept)}", file=sys.stderr)
        print(table(case, summary))
        print(f"{'written to':<14} {folder.final}")
    lacking = len(missing(summary))
    if not lacking:
        return 0
    if comm.rank == 0:
        sys.stdout.flush()
        parts = "1 part is" if lacking == 1 else f"{lacking} parts are"
        print(f"fespin: {parts} missing, see above and in summary.json", file=sys.stderr, flush=True)
    return 3


_commands = {"run": _run, "new": _new, "docs": _docs, "materials": _materials, "schema": _schema}
