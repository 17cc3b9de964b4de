"""benchmarks/compare.py: two trees, one table. The trees here are folders with a package fespin of one line."""

import json

import pytest

from benchmarks import compare

SCRIPT = """
import json, os, sys
import fespin
from neighbour import two
if {guard}:
    for work, seconds, error in fespin.WORKS:
        print("some other line")
        print(json.dumps({{"work": work, "seconds": seconds, "error": error, "detail": {detail}}}))
"""


@pytest.fixture
def bench(tmp_path, monkeypatch):
    """Return a function that makes two trees and scripts, and prints the table."""
    (tmp_path / "works").mkdir()
    (tmp_path / "works" / "neighbour.py").write_text("two = 2\n")

    # The environment is this one; entering it again is what a test can do without.
    (tmp_path / "here" / "env").mkdir(parents=True)
    (tmp_path / "here" / "env" / "run").write_text('#!/bin/sh\nexec "$@"\n')
    (tmp_path / "here" / "env" / "run").chmod(0o755)
    monkeypatch.setattr(compare, "ROOT", tmp_path / "here")
    monkeypatch.setattr(compare, "one_core", lambda: None)
    monkeypatch.setattr(compare.signal, "signal", lambda *_: None)

    def make(there, here, scripts):
        for name, text in {"there": there, "here": here}.items():
            (tmp_path / name / "fespin").mkdir(parents=True)
            (tmp_path / name / "fespin" / "__init__.py").write_text(text)
        for name, text in scripts.items():
            (tmp_path / "works" / f"{name}.py").write_text(text)

    def run(*names, **options):
        extra = [x for k, v in options.items() for x in (f"--{k}", str(v))]
        return compare.main([*names, "--against", str(tmp_path / "there"), "--works", str(tmp_path / "works"), *extra])

    return make, run


def rows(text):
    """Return the cells of a Markdown table, and the lines below it."""
    lines = text.splitlines()
    cells = [[x.strip() for x in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    return cells[0], {r[0]: r[1:] for r in cells[2:]}, [x for x in lines if x.startswith("* ")]


def test_table(bench, capsys, tmp_path):
    make, run = bench
    make(
        "WORKS = [('pillar', 6.0, 1e-4), ('old only', 1.0, None)]",
        "WORKS = [('pillar', 1.5, 2e-4), ('new only', 0.25, 3e-9)]",
        {"a": SCRIPT.format(guard="two == 2", detail="{'peer': {'name': 'other', 'seconds': 0.5, 'error': 1e-3}}")},
    )
    assert run("a") == 0
    head, table, notes = rows(capsys.readouterr().out)
    assert head[0] == "work" and head[-1] == "peer" and len(head) == 7
    assert table["pillar"] == ["6", "1.5", "4", "1.0e-04", "2.0e-04", "other: 0.5 s 1.0e-03"]
    assert table["new only"][:3] == ["does not run", "0.25", ""]
    assert table["old only"][:3] == ["1", "does not run", ""]
    assert notes == []


def test_failures_are_said_and_the_rest_goes_on(bench, capsys):
    make, run = bench
    fails_there = "import fespin\nassert fespin.WORKS != [], 'no such function'\n"
    make(
        "WORKS = []",
        "WORKS = [('pillar', 1.5, None)]",
        {
            "a": fails_there + SCRIPT.format(guard="True", detail="{}"),
            "b": "import fespin\nfrom fespin import nothing\n",
            "c": "import time\ntime.sleep(60)\n",
        },
    )
    assert run("a", "b") == 1
    head, table, notes = rows(capsys.readouterr().out)
    assert len(head) == 6
    assert table["pillar"][:3] == ["does not run", "1.5", ""]
    assert table["b"][:3] == ["does not run", "does not run", ""]
    assert notes[0].startswith("* a, ") and notes[0].endswith("no such function")
    assert sum("cannot import name 'nothing'" in n for n in notes) == 2
    assert run("c", timeout=0.5) == 1
    assert "stopped after 0.5 s" in capsys.readouterr().out


def test_smallest_time_counts():
    outcome = compare.Outcome()
    for seconds in (2.0, 1.0, 3.0):
        outcome.add([{"work": "w", "seconds": seconds}], "")
    outcome.add([{"work": "w", "seconds": None}], "")
    assert outcome.works["w"]["seconds"] == 1.0


def test_unknown_names_and_revisions(bench, capsys, monkeypatch, tmp_path):
    make, run = bench
    make("", "", {"a": ""})
    with pytest.raises(SystemExit):
        run("pillars")
    assert "no script 'pillars'" in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    assert compare.main(["a", "--against", "v9", "--works", str(tmp_path / "works")]) == 2
    assert "no git here" in capsys.readouterr().err


GIT = """#!/bin/sh
echo "$*" >> {log}
[ "$4" != remove ] || rm -r "$6"
[ "$4" != add ] || mkdir -p "$6/fespin"
"""


def test_the_temporary_tree_is_removed(bench, monkeypatch, tmp_path):
    make, _ = bench
    make("", "", {"a": ""})
    (tmp_path / "git").write_text(GIT.format(log=tmp_path / "log"))
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    folders = []

    def stop(script, there, *_):
        folders.append(there)
        assert (there / "fespin").is_dir()
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "compared", stop)
    with pytest.raises(KeyboardInterrupt):
        compare.main(["a", "--against", "v9", "--works", str(tmp_path / "works")])
    calls = [line.split()[2:4] for line in (tmp_path / "log").read_text().splitlines()]
    assert calls == [["worktree", "add"], ["worktree", "remove"]]
    assert not folders[0].exists()


def test_scripts_print_what_is_read():
    line = {"work": "w", "seconds": 1.0, "error": None, "detail": {}}
    assert compare.parsed(f"hello\n{json.dumps(line)}\n[1]\n{{\n") == [line]
