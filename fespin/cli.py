"""The command line: ``fespin run | materials | schema``."""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from . import __version__
from .errors import FespinError, InputError


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fespin", description="Spin transport in nanodevices, from the layer stack to its resistance."
    )
    parser.add_argument("--version", action="version", version=f"fespin {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a case file", description="Run a case file (TOML).")
    run.add_argument("case", type=Path, metavar="CASE.toml")
    run.add_argument("--output", type=Path, metavar="DIR", help="output folder (default: the case's stem)")
    run.add_argument("--force", action="store_true", help="replace an existing output folder")
    run.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="TABLE.KEY=VALUE",
        help="change a value of the case, such as layer.free.thickness=4e-9; may be repeated",
    )
    run.add_argument("--dry-run", action="store_true", help="check the case and show what would be run")
    run.add_argument("--no-pictures", action="store_true", help="write numbers and fields only")
    run.add_argument("--traceback", action="store_true", help="show where an error comes from")
    commands.add_parser("materials", help="print the built-in library with its sources")
    commands.add_parser("schema", help="print the JSON schema of case files")
    return parser


def _rank() -> int:
    """Return the rank as the launcher tells it, without starting MPI."""
    for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "SLURM_PROCID"):
        if os.environ.get(name, "").isdigit():
            return int(os.environ[name])
    return 0


def _terminated(number: int, frame: FrameType | None) -> None:
    # An exception unwinds the output folder's context, which removes what is half-written.
    raise SystemExit(128 + number)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status: 0, 2 for bad input, 1 for a failed solve."""
    options = _parser().parse_args(arguments)
    if options.command == "materials":
        from .materials import table

        print(table())
        return 0
    if options.command == "schema":
        from .case import schema

        print(json.dumps(schema(), indent=1))
        return 0
    try:
        return _run(options)
    except FespinError as error:
        if options.traceback:
            raise
        if _rank() == 0:
            print(f"fespin: error: {error}", file=sys.stderr, flush=True)
        return 2 if isinstance(error, InputError) else 1


def _run(options: argparse.Namespace) -> int:
    from .case import read

    case, raw = read(options.case, options.set)
    if options.dry_run:
        if _rank() == 0:
            print(case.describe())
        return 0
    signal.signal(signal.SIGTERM, _terminated)

    from mpi4py import MPI

    from .output import OutputFolder
    from .run import run, stderr_logger, table

    comm = MPI.COMM_WORLD
    folder = OutputFolder(comm, options.output or Path(options.case.stem), force=options.force)
    folder.refuse_existing()
    try:
        summary = run(
            comm,
            case,
            raw,
            folder,
            base=options.case.parent,
            say=stderr_logger(comm),
            pictures=not options.no_pictures,
        )
    except FespinError:
        raise
    except Exception:
        # An error that only this rank sees would leave the others waiting for ever.
        if comm.size > 1:
            import traceback

            traceback.print_exc()
            sys.stderr.flush()
            comm.Abort(1)
        raise
    if comm.rank == 0:
        print(table(summary))
        print(f"{'written to':<14} {folder.final}")
    return 0
