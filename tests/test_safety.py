"""A case file is data: it runs no program, writes nothing but its results, and loses nobody's files."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest
from casefiles import refused, swap
from launch import python
from mpi4py import MPI

from fespin.cases.petsc_options import OPTIONS, check_petsc
from fespin.cli import main
from fespin.errors import FespinError, InputError
from fespin.output import OutputFolder

LINE = """
title = "safe"
[geometry]
shape = "line"
[[layer]]
name = "fixed"
material = "Co"
thickness = 7e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 8e-9
[[layer]]
name = "free"
material = "Py"
thickness = 4e-9
magnetization = [0, 0, -1]
[transport]
current_density = 3e11
degree = 2
"""

# ---- options of PETSc


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("ksp_view", "ascii:a;id>b;.gz", ["ksp_view", "'ascii:a;id>b;.gz'", "allowed"]),
        ("ksp_monitor", "ascii:victim.txt", ["ksp_monitor", "allowed"]),
        ("fieldsplit_0_mg_levels_1_pc_python_type", "evil.PC", ["pc_python_type"]),
        ("pc_type", "python", ["'python'", "known: asm"]),
        ("fieldsplit_1_pc_type", "shell", ["fieldsplit_1_pc_type", "'shell'"]),
        ("ksp_type", "gmers", ["did you mean 'gmres'"]),
        ("ksp_rtoll", 1e-9, ["did you mean 'ksp_rtol'"]),
        ("-ksp_rtol", 1e-9, ["did you mean 'ksp_rtol'"]),
        ("ksp_rtol", "1e-9 -ksp_view", ["'1e-9 -ksp_view'", "a number"]),
        ("ksp_rtol", "1e-9;x", ["'1e-9;x'"]),
        ("ksp_max_it", "nan", ["'nan'"]),
        ("options_file", "x", ["options_file"]),
        ("dll_append", "/x.so", ["dll_append"]),
        ("log_view", "", ["log_view"]),
        ("mat_mumps_icntl_3", 99, ["mat_mumps_icntl_3"]),
        ("mat_mumps_ooc_tmpdir", "x", ["mat_mumps_ooc_tmpdir"]),
        ("prefix_push", "a_", ["prefix_push"]),
    ],
)
def test_options_that_a_case_may_not_set(name, value, words):
    """One line says the key, what was found, what is allowed and the nearest known name."""
    with pytest.raises(InputError) as error:
        check_petsc("transport.solver.petsc", {"ksp_rtol": 1e-9, name: value})
    for word in [f"transport.solver.petsc.{name}: ", *words]:
        assert word in str(error.value)


def test_options_that_a_case_may_set():
    check_petsc(
        "x",
        {
            "ksp_type": "fcg",
            "fieldsplit_0_pc_hypre_boomeramg_strong_threshold": 0.5,
            "fieldsplit_1_pc_hypre_boomeramg_interp_type": "ext+i",
            "pc_type": "gamg",
            "mg_levels_ksp_chebyshev_eigenvalues": "0.1,1.1",
            "fieldsplit_0_mg_levels_2_pc_sor_its": 2,
            "mg_coarse_sub_pc_type": "lu",
            "mat_mumps_icntl_14": 50,
            "snes_max_it": 60,
            "ksp_gmres_modifiedgramschmidt": True,
            "ksp_initial_guess_nonzero": "",
        },
    )


def test_no_option_opens_a_file():
    """None of the names on the list is one with which PETSc views, monitors, loads or imports."""
    forbidden = "view|monitor|file|load(?!bal)|python|shell|log_|print|dll|prefix|tmpdir|matlab|draw"
    assert [name for name in OPTIONS if re.search(forbidden, name)] == []


def test_a_case_with_such_an_option_is_refused_before_anything_runs(tmp_path, capsys):
    path = tmp_path / "case.toml"
    path.write_text(swap(LINE, ("degree = 2", 'degree = 2\nsolver = { petsc = { ksp_view = "ascii:victim.txt" } }')))
    refused(capsys, ["run", path, "--output", tmp_path / "out"], ["case.toml", "ksp_view", "ascii:victim.txt"])
    assert os.listdir(tmp_path) == ["case.toml"]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_foreign_folder_sets_no_options(ranks, tmp_path):
    """What libraries would read from the working directory is not read, or the run would fail or leave files."""
    (tmp_path / "case.toml").write_text(LINE)
    for name in (".petscrc", "petscrc"):
        (tmp_path / name).write_text("-log_view ascii:log.txt\n-fespin_rc_marker 1\n")
    (tmp_path / "dolfinx_jit_options.json").write_text('{"cffi_extra_compile_args": ["-fplugin=./evil.so"]}')
    (tmp_path / "ffcx_options.json").write_text('{"verbosity": "very"}')
    (tmp_path / "matplotlibrc").write_text("backend: module://evil\n")
    before = set(os.listdir(tmp_path))
    done = python(ranks, "-m", "fespin", "run", "case.toml", "--output", "out", timeout=120, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "marker" not in done.stdout + done.stderr
    assert "not drawn" not in done.stderr
    assert set(os.listdir(tmp_path)) == {*before, "out"}
    assert (tmp_path / "out" / "summary.json").is_file()


# ---- output folders


def folder_of(path, **options):
    return OutputFolder(MPI.COMM_WORLD, path, **options)


def write(folder, *names, text="new"):
    """Write files and their list, as a run does."""
    for name in names:
        (folder.path / name).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / name).write_text(text)
    (folder.path / "summary.json").write_text(json.dumps({"files": [*folder.files(), "summary.json"]}))


def contents(folder):
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


HOLD = """
import fcntl, os, sys
lock = os.open(".out.part/.lock", os.O_CREAT | os.O_RDWR)
fcntl.flock(lock, fcntl.LOCK_EX)
os.pwrite(lock, b"process 7 on here", 0)
print("held", flush=True)
sys.stdin.read()
"""


def test_two_runs_on_one_output(tmp_path, capsys):
    """The second is refused at once, names the first, and the first loses nothing; a killed one holds nothing."""
    (tmp_path / "case.toml").write_text(LINE)
    run = ("run", tmp_path / "case.toml", "--output", tmp_path / "out", "--no-pictures")
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part" / "field.csv").write_text("precious")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "held\n"
        for more in ((), ("--force",)):
            refused(capsys, [*run, *more], ["another run (process 7 on here)", "another --output"])
        done = python(2, "-m", "fespin", *run, timeout=60, cwd=tmp_path)
        said = [x for x in done.stderr.splitlines() if x.startswith("fespin: ")]
        assert done.returncode == 2
        assert len(said) == 1 and "another run (process 7 on here)" in said[0], said
        assert contents(tmp_path / ".out.part")["field.csv"] == "precious"
        first.kill()
    assert main([str(x) for x in run]) == 0
    assert sorted(os.listdir(tmp_path)) == ["case.toml", "out"]
    assert not {"field.csv", ".lock"} & set(os.listdir(tmp_path / "out"))


def test_claims_in_one_process(tmp_path):
    first, second = folder_of(tmp_path / "a" / "b" / "out"), folder_of(tmp_path / "a" / "b" / "out")
    first.claim()
    with pytest.raises(InputError, match="another run"):
        second.claim()
    first.release()
    assert os.listdir(tmp_path) == []
    with second:
        write(second, "x.csv")
    assert contents(tmp_path / "a" / "b" / "out").keys() == {"x.csv", "summary.json"}
    with pytest.raises(InputError, match="exists"):
        first.claim()
    assert os.listdir(tmp_path / "a" / "b") == ["out"]


def test_a_folder_of_somebody_else_is_in_the_way(tmp_path):
    (tmp_path / ".out.part").mkdir()
    (tmp_path / ".out.part" / "thesis.tex").write_text("precious")
    with pytest.raises(InputError, match=r"'.*\.out\.part' is in the way"):
        folder_of(tmp_path / "out").claim()
    assert contents(tmp_path) == {".out.part/thesis.tex": "precious"}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_appears_during_a_run_is_not_touched(kind, force, tmp_path):
    """The name is looked at once more at the end; the results are then beside it."""
    folder = folder_of(tmp_path / "out", force=force)
    with pytest.raises(FespinError, match=r"made by others during the run; the results are in '.*out-1'"), folder:
        write(folder, "x.csv")
        if kind == "folder":
            (tmp_path / "out").mkdir()
            (tmp_path / "out" / "thesis.tex").write_text("precious")
        else:
            (tmp_path / "out").write_text("precious")
    assert set(contents(tmp_path).values()) >= {"precious", "new"}
    assert sorted(os.listdir(tmp_path)) == ["out", "out-1"]
    assert sorted(os.listdir(tmp_path / "out-1")) == ["summary.json", "x.csv"]


def make_results(path):
    """Results with foreign files among them."""
    with folder_of(path) as folder:
        write(folder, "x.csv", "old.png", "fields.bp/data.0", text="old")
    (path / "thesis.tex").write_text("precious")
    (path / "fields.bp" / "notes").write_text("precious too")
    (path / "empty").mkdir()
    (path / "link").symlink_to(path.parent / "elsewhere")


KEPT = {"thesis.tex": "precious", "fields.bp/notes": "precious too"}


def test_force_replaces_what_fespin_wrote(tmp_path):
    """Foreign files are kept, also beside and below fespin's own, and links are not followed."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.csv").write_text("not here")
    make_results(tmp_path / "out")
    folder = folder_of(tmp_path / "out", force=True)
    with folder:
        write(folder, "x.csv", "thesis.tex", "empty")
    found = contents(tmp_path / "out")
    assert found.pop("summary.json")
    new = dict.fromkeys(("x.csv", "thesis.tex", "empty"), "new")
    assert found == {**new, "thesis.tex.kept": "precious", "fields.bp/notes": "precious too"}
    assert (tmp_path / "out" / "link").is_symlink() and (tmp_path / "out" / "empty.kept").is_dir()
    assert sorted(folder.kept) == ["empty.kept", "fields.bp/notes", "link", "thesis.tex.kept"]
    assert contents(tmp_path / "elsewhere") == {"x.csv": "not here"}
    assert sorted(os.listdir(tmp_path)) == ["elsewhere", "out"]


def test_a_list_of_files_cannot_lead_outside(tmp_path):
    """A summary is data too: what it lists is looked for in its folder only."""
    (tmp_path / "thesis.tex").write_text("precious")
    make_results(tmp_path / "out")
    names = ["../thesis.tex", str(tmp_path / "thesis.tex"), "link/../../thesis.tex"]
    (tmp_path / "out" / "summary.json").write_text(json.dumps({"files": names}))
    with folder_of(tmp_path / "out", force=True) as folder:
        write(folder, "y.csv")
    assert (tmp_path / "thesis.tex").read_text() == "precious"
    assert contents(tmp_path / "out").items() >= KEPT.items()


@pytest.mark.parametrize("summary", [None, "{}", "[1, 2]", "not json", '{"files": 3}'])
def test_force_refuses_what_is_not_listed(summary, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("precious")
    if summary is not None:
        (tmp_path / "out" / "summary.json").write_text(summary)
    with pytest.raises(InputError, match=r"summary\.json"):
        folder_of(tmp_path / "out", force=True).claim()
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("moment", ["away", "replaced", "half settled"])
def test_killed_while_replacing(moment, tmp_path):
    """Wherever a replacement is cut off, the next run finds the old results or the new ones, and foreign files."""
    out, old = tmp_path / "out", tmp_path / ".out.old"
    make_results(tmp_path / "aside")
    if moment != "away":
        with folder_of(out) as folder:
            write(folder, "x.csv")
    shutil.move(tmp_path / "aside", old)
    if moment == "half settled":
        shutil.move(old / "thesis.tex", out)
    folder = folder_of(out)
    with pytest.raises(InputError, match="exists"):
        folder.claim()
    assert os.listdir(tmp_path) == ["out"]
    assert contents(out).items() >= KEPT.items()
    assert contents(out)["x.csv"] == ("old" if moment == "away" else "new")


def test_force_from_the_command_line(tmp_path, capsys):
    """The list is complete: a second run leaves nothing of the first, and says what else it found."""
    (tmp_path / "case.toml").write_text(LINE)
    arguments = ["run", str(tmp_path / "case.toml"), "--output", str(tmp_path / "out"), "--force"]
    assert main(arguments) == 0
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert sorted(summary["files"]) == sorted(contents_of_any_kind(tmp_path / "out"))
    (tmp_path / "out" / "notes.txt").write_text("precious")
    capsys.readouterr()
    assert main([*arguments, "--no-pictures"]) == 0
    assert "fespin: note: kept what fespin did not write: notes.txt\n" in capsys.readouterr().err
    assert not list((tmp_path / "out").glob("*.png"))
    assert (tmp_path / "out" / "notes.txt").read_text() == "precious"


def contents_of_any_kind(folder):
    return [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]
