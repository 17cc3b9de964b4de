"""One table for two trees: every piece of work of `works/`, seconds and errors there and here.

    python benchmarks/compare.py                     # all of works/, against the revision before the work on speed
    python benchmarks/compare.py line_case maps      # some of them
    python benchmarks/compare.py --against v0.2.0    # another revision, or a folder with another tree
    python benchmarks/compare.py --runs 3            # the smallest of three times

The two trees run in turns on one core, each script in a process of its own, so that other work on the machine disturbs
the ratios little; seconds are the processor's. "There" is the revision, checked out in a temporary folder that is
removed at the end; "here" is the folder of this file. It runs where git is; `env/run` is entered for each script.

A script of `works/` prints one JSON object a line: {"work": text, "seconds": CPU seconds, "error": relative error or
null, "detail": {...}}. `detail["peer"]`, if there, says what another program takes: {"name", "seconds", "error"} or a
text. A work that the revision cannot do is missing there, or has "seconds": null and `detail["note"]`: the table says
that it does not run there, and the note.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WORKS = Path(__file__).resolve().parent / "works"
BEFORE = "1bef9a3"  # the last revision before the work on speed

# fespin is imported before the script runs: the script may add this project's folder to the path, where it finds
# references, but must not find this tree's fespin instead of the other's. Its own child processes inherit PYTHONPATH.
RUN = """
import os, runpy, sys
tree, script = sys.argv[1:3]
os.environ["PYTHONPATH"], os.environ["PYTHONSAFEPATH"] = tree, "1"
sys.path[:] = [tree, *(p for p in sys.path if p not in ("", os.getcwd(), sys.argv[3]))]
import fespin
assert fespin.__file__.startswith(tree + os.sep), fespin.__file__
sys.path.insert(0, os.path.dirname(script))
sys.argv = [script]
runpy.run_path(script, run_name="__main__")
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; the exit status is 1 if a script failed here."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help="scripts of works/, without .py (default: all)")
    parser.add_argument("--against", default=BEFORE, metavar="REVISION", help="or a folder (default: %(default)s)")
    parser.add_argument("--works", type=Path, default=WORKS, metavar="FOLDER", help="where the scripts are")
    parser.add_argument("--runs", type=int, default=1, help="times that each is run; the smallest time counts")
    parser.add_argument("--timeout", type=float, default=1800.0, metavar="SECONDS", help="of one script (1800)")
    options = parser.parse_args(arguments)
    known = {p.stem: p for p in sorted(options.works.glob("*.py"))}
    for name in options.names:
        if name not in known:
            parser.error(f"no script '{name}' in {options.works}; known: {', '.join(known) or 'none'}")
    # An end by a signal must remove the temporary tree as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    one_core()
    try:
        with tree_of(options.against) as there:
            pairs = {
                name: compared(known[name], there, options.runs, options.timeout) for name in options.names or known
            }
    except Unavailable as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    print(table(pairs, options.against))
    return int(any(here.failure for _, here in pairs.values()))


class Unavailable(Exception):
    """The other tree cannot be had."""


class Outcome:
    """What a script printed: `works` by their description, and the last line of its error, if it failed."""

    def __init__(self) -> None:
        self.works: dict[str, dict] = {}
        self.failure = ""

    def add(self, works: Sequence[dict], failure: str) -> None:
        """Take over another run; the smallest time of each work counts."""
        for work in works:
            old = self.works.setdefault(work["work"], work)
            if work["seconds"] is not None and not (old["seconds"] or math.inf) < work["seconds"]:
                self.works[work["work"]] = work
        self.failure = self.failure or failure


def one_core() -> None:
    """Keep this process and its children on one core, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


@contextlib.contextmanager
def tree_of(revision: str) -> Iterator[Path]:
    """Yield the folder of a revision, for a while; a folder is taken as it is."""
    if Path(revision).is_dir():
        yield Path(revision).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="fespin-compare-") as folder:
        place = Path(folder).resolve() / "tree"
        try:
            git("worktree", "add", "--detach", str(place), revision)
            yield place
        finally:
            # Also if the checkout stopped half-way: git must not remember a folder that is gone.
            with contextlib.suppress(Unavailable):
                git("worktree", "remove", "--force", str(place))


def git(*arguments: str) -> None:
    """Run git in this tree."""
    try:
        subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True, text=True)
    except FileNotFoundError:
        raise Unavailable("no git here; start it outside env/run, or give a folder: --against FOLDER") from None
    except subprocess.CalledProcessError as error:
        raise Unavailable(last_line(error.stderr)) from None


def compared(script: Path, there: Path, runs: int, timeout: float) -> tuple[Outcome, Outcome]:
    """Return what a script does there and here, run in turns."""
    outcomes = Outcome(), Outcome()
    for _ in range(runs):
        for tree, outcome, where in zip((there, ROOT), outcomes, ("there", "here")):  # noqa: B905 (Python 3.9)
            print(f"{script.stem}: {where}", file=sys.stderr, flush=True)
            outcome.add(*run(script, tree, timeout))
    return outcomes


def run(script: Path, tree: Path, timeout: float) -> tuple[list[dict], str]:
    """Run a script with the fespin of a tree; return what it printed, and why it failed, if it did."""
    # The threads of a BLAS would share the one core.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [str(ROOT / "env" / "run"), "python", "-c", RUN, str(tree), str(script.resolve()), str(ROOT)]
    child = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        out, err = child.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        child.kill()
        out, _ = child.communicate()
        return parsed(out), f"stopped after {timeout:g} s"
    finally:
        child.kill()
    return parsed(out), "" if child.returncode == 0 else last_line(err) or f"exit status {child.returncode}"


def parsed(out: str) -> list[dict]:
    """Return the JSON objects among lines of output."""
    works = []
    for line in out.splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            work = json.loads(line)
            if isinstance(work, dict) and {"work", "seconds"} <= set(work):
                works.append(work)
    return works


def last_line(text: str) -> str:
    """Return the last line with something in it."""
    return next((x.strip() for x in reversed(text.splitlines()) if x.strip()), "")


def table(pairs: dict[str, tuple[Outcome, Outcome]], revision: str) -> str:
    """Return the Markdown table, and below it what failed."""
    head = ["work", f"s at {revision}", "s here", "ratio", f"error at {revision}", "error here"]
    rows, notes = [], []
    for name, (there, here) in pairs.items():
        for work in [*here.works, *(w for w in there.works if w not in here.works)]:
            a, b = there.works.get(work), here.works.get(work)
            seconds = [x and x.get("seconds") for x in (a, b)]
            ratio = f"{seconds[0] / seconds[1]:.3g}" if seconds[0] and seconds[1] else ""
            rows.append(
                [
                    work,
                    *(does_not_run if s is None else f"{s:.3g}" for s in seconds),
                    ratio,
                    *(error_text(x) for x in (a, b)),
                    peer_text(a, b),
                ]
            )
            notes += [
                f"{work}, {where}: {x['detail']['note']}"
                for x, where in ((a, revision), (b, "here"))
                if x and (x.get("detail") or {}).get("note")
            ]
        if not (here.works or there.works):
            rows.append([name, does_not_run, does_not_run, "", "", "", ""])
        notes += [f"{name}, {w}: {o.failure}" for o, w in ((there, revision), (here, "here")) if o.failure]
    if any(r[-1] for r in rows):
        head.append("peer")
    else:
        rows = [r[:-1] for r in rows]
    lines = [f"| {' | '.join(r)} |" for r in (head, ["---"] * len(head), *rows)]
    return "\n".join([*lines, *(["", *(f"* {n}" for n in notes)] if notes else [])])


does_not_run = "does not run"


def error_text(work: dict | None) -> str:
    """Return the relative error of a work, if it has one."""
    return "" if work is None or work.get("error") is None else f"{work['error']:.1e}"


def peer_text(*works: dict | None) -> str:
    """Return what a work says of another program."""
    for work in reversed(works):
        peer = ((work or {}).get("detail") or {}).get("peer")
        if isinstance(peer, dict):
            numbers = [
                f"{peer[k]:{f}}{unit}" for k, f, unit in (("seconds", ".3g", " s"), ("error", ".1e", "")) if peer.get(k)
            ]
            return " ".join([peer.get("name", "peer") + ":", *numbers])
        if peer:
            return str(peer)
    return ""


if __name__ == "__main__":
    sys.exit(main())
