"""A case file is data: it runs no program, writes nothing but its results, and loses nobody's files."""

import functools
import json
import os
import re
import shutil
import subprocess
import sys

import casefiles
import pytest
from casefiles import swap
from launch import python
from mpi4py import MPI

from fespin.cases.petsc_options import OPTIONS, check_petsc
from fespin.cli import main
from fespin.device import Layer
from fespin.errors import FespinError, InputError
from fespin.geometry import from_file
from fespin.geometry.geo_language import ALLOWED, REFUSED, check_geo, tokens
from fespin.geometry.reading import Reading, reading
from fespin.output import OutputFolder
from fespin.sigma.mesh import sphere_from_file
from fespin.stack import Stack
from references.devices import CO, CU

refused = functools.partial(casefiles.refused, progress="mesh|state|note")

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


@pytest.mark.slow
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


# ---- geometries of gmsh

STACKED = """\
SetFactory("OpenCASCADE");
DefineConstant[ w = {20, Name "Parameters/width", Min 1, Max 100}, // a comment of one line
  n = 2 ];
/* A comment of
   several lines: SystemCall "touch MARK"; */
h[] = {6, 10.5};
For i In {0 : n - 1}
  If (i == 0)
    Rectangle(1) = {0, 0, 0, w, h[0]};
  Else
    Rectangle(2) = {0, h[0], 0, w, h[1]};
  EndIf
EndFor
Coherence;
Mesh.MeshSizeMax = 4;
Field[1] = MathEval;
Field[1].F = Sprintf("%g + 0.1 * abs(x - %g)", 2, w / 2);
Background Field = 1;
Physical Surface("lower") = {1};
Physical Surface("upper") = {2};
Physical Curve("bottom") = Curve In BoundingBox {-1, -0.1, -1, w + 1, 0.1, 1};
Physical Curve("top") = Curve In BoundingBox {-1, h[0] + h[1] - 0.1, -1, w + 1, 17, 1};
Printf("width %g > height", w);
"""
# What is found: the text, beside a good one.
FORBIDDEN = {
    "'SystemCall'": 'SystemCall "touch MARK";',
    "'NonBlockingSystemCall'": 'NonBlockingSystemCall "touch MARK";',
    "'System'": 'System "touch MARK";',
    "'Include'": 'Include "other.geo";',
    "'Merge'": 'Merge "other.msh";',
    "'Parse'": 'Parse "x";',
    "'OnelabRun'": 'OnelabRun("x", "touch MARK");',
    "'Exit'": "Exit;",
    "'Abort'": "Abort;",
    "'Save'": 'Save "MARK";',
    "'Print'": 'Print "MARK";',
    "'CreateDir'": 'CreateDir "MARK";',
    "'Plugin'": "Plugin(MathEval).Run;",
    "'View'": 'View "x" { SP(0, 0, 0){1}; };',
    "'ShapeFromFile'": 'a() = ShapeFromFile("x.step");',
    "'ListFromFile'": 'a() = ListFromFile "x";',
    "'GetEnv'": 'Physical Point(GetEnv("HOME")) = {1};',
    "'GetValue'": 'a = GetValue("how many?", 1);',
    "'StringToName'": 'StringToName["SystemCall"] "touch MARK";',
    "'S2N'": 'S2N["SystemCall"] "touch MARK";',
    "'StrFind'": 'a = StrFind("a", "b");',
    "'Struct'": "Struct A [ x 1 ];",
    "'NewModel'": "NewModel;",
    "'Printf ... >'": 'Printf("touch") > "MARK";',
    "'Printf ... >>'": 'Printf("%g", h[0]) >> "MARK";',
    "'Error ... >'": 'Error("touch") > "MARK";',
    "'Printf' of something else": 'Printf(Str("touch"));',
    "'Sprintf' of something else": 'x = "%n"; Physical Point(Sprintf(x, 1)) = {1};',
    "'Printf(\"%s\"'": 'Printf("%s");',
    "'Error(\"%n\"'": 'Error("%n", 1);',
    "'Warning(\"100%%n\"'": 'Warning("100%%n", 1);',
    "'Sprintf(\"%999g\"'": 'Physical Point(Sprintf("%999g", 1)) = {1};',
    "'Printf(\"aaaa": f'Printf("{"a" * 300}%g", 1);',
    "'SetFactory' of something else": 'SetFactory(StrCat("a", "b"));',
    "'Call' of something else": 'a = 1;\nCall StrCat("a", "b");',
    "a name of 101 characters": f"{'a' * 101} = 1;",
    "the option 'General.DefaultFileName'": 'General.DefaultFileName = "MARK";',
    "the option 'General.AbortOnError'": "General.AbortOnError = 4;",
    "the option 'Solver.Executable0'": 'Solver.Executable0 = "touch MARK";',
    "the option 'Solver.AutoMesh'": "Solver.AutoMesh = 2;",
    "the option 'PostProcessing.Link'": "x = PostProcessing.Link;",
    "the option 'y.z'": "y[0].z = 1;",
    "the option 'Geometry.DoubleClickedPointCommand'": 'Geometry.DoubleClickedPointCommand = "x";',
    "a field of type 'ExternalProcess'": "Field[2] = ExternalProcess;",
    "a field of type 'Structured'": "Field[2] = Structured;",
    "the action 'update' of a field": "Field[1].update;",
    "'Unknown \"x\"'": 'Unknown "x";',
    "'Unknown x'": "Unknown x;",
    "'Unknown 3'": "Unknown 3;",
    "'Unknown(\"x\"'": 'Unknown("x");',
    "'Unknown(...'": "Unknown(x);",
    "'GmshOption \"General.Terminal\"'": 'DefineConstant[ v = {1, GmshOption "General.Terminal"} ];',
    "'SetNumber'": 'SetNumber("x", 3);',
    "'::'": "a = A::B.c;",
    "'(' without its partner": "Unknown(x;",
}
# In these gmsh reads as commands what looks like a comment, a string or a branch that is not taken.
HIDDEN = {
    "a comment that a loop goes back into": 'For i In {1:2} /* \n SystemCall "touch MARK"; */\nEndFor',
    "a comment that a macro begins in": 'Macro Go /* \n SystemCall "touch MARK"; */\nReturn\nCall Go;',
    "a string after a letter in a branch": "If (0)\n x = 1E\"EndIf SystemCall 'touch MARK'; //\";\nEndIf",
    "a comment after a letter in a branch": 'If (0)\n x = E/* EndIf SystemCall "touch MARK"; */ + 1;\nEndIf',
    "a line that gmsh ends earlier": 'For i In {1:2} // \r SystemCall "touch MARK"; //\n x = 1;\nEndFor',
    "a string that gmsh ends earlier": f"x = \"{'a' * 1023}; SystemCall 'touch MARK'; //\";",
    "a loop after the end of a comment": "/* a\n b */ For i In {1:2}\nEndFor",
    "a loop after other text": "x = 1; For i In {1:2}\nEndFor",
    "a string of two lines": "For i In {1:2}\nx = \"a\n SystemCall 'touch MARK';\";\nEndFor",
    "a zero byte": 'x = 1; // \0 SystemCall "touch MARK";',
    "a comment without end": '/* \n SystemCall "touch MARK";',
    "a string without end": "x = \"a\n SystemCall 'touch MARK';",
    "a long line": "x = 1;" + " " * 9000,
    "a macro that is not called": 'Macro Go\n SystemCall "touch MARK";\nReturn',
    "a branch that is not taken": 'If (0)\n SystemCall "touch MARK";\nEndIf',
}


def stack():
    return Stack(Layer(CO, 6e-9, "lower"), Layer(CU, 1e-8, "upper"), library={})


@pytest.mark.parametrize("what", FORBIDDEN)
def test_what_a_geometry_may_not_say(what):
    """One line says the file, the line and what was found there."""
    text = swap(STACKED, ("Coherence;\n", f"Coherence;\n{FORBIDDEN[what]}\n"))
    with pytest.raises(InputError) as error:
        check_geo(text.encode(), "geometry.mesh 'a.geo'")
    line = text[: text.index("Coherence;")].count("\n") + 2 + FORBIDDEN[what].count("\n")
    assert str(error.value).startswith(f"geometry.mesh 'a.geo', line {line}: found {what}")
    assert "--trust-geo" in str(error.value)


@pytest.mark.parametrize("how", HIDDEN)
def test_nothing_hides_in_a_geometry(how):
    with pytest.raises(InputError, match=r"line \d+: found"):
        check_geo((STACKED + HIDDEN[how] + "\n").encode("latin-1"), "x")


def test_tokens_of_a_geometry():
    """As gmsh's own scanner: no escapes in strings, comments not nested, signs of two characters."""
    text = b'a+=1.5e-3;//x\n/* b "c" */\nb[]={.5:2.,\'\\\',"/*"}; c~{i}=d>=1&&!e;'
    found = [t.text for t in tokens(text)]
    assert "  ".join(found) == (
        "a  +=  1.5e-3  ;  b  [  ]  =  {  .5  :  2.  ,  '\\'  ,  \"/*\"  }  ;  c  ~  {  i  }  =  d  >=  1  &&  !  e  ;"
    )
    assert [t.line for t in tokens(text)][:5] == [1, 1, 1, 1, 3]


def test_no_word_is_on_both_lists():
    assert not ALLOWED & REFUSED


def test_geometries_are_run_or_refused(tmp_path, capsys):
    """A good one is meshed; one with a command is refused and has not run, unless the command line trusts it."""
    case = swap(
        LINE.partition("[[layer]]")[0] + '[[layer]]\nname = "lower"\nmaterial = "Co"\n[[layer]]\nname = "upper"\n'
        'material = "Cu"\n[transport]\ncurrent_density = 3e11\ndegree = 1\n',
        ('shape = "line"', 'mesh = "a.geo"\nlength_unit = 1e-9'),
    )
    path, mark = tmp_path / "case.toml", tmp_path / "MARK"
    path.write_text(case)
    arguments = ["run", str(path), "--output", str(tmp_path / "out"), "--force", "--no-pictures"]
    (tmp_path / "a.geo").write_text(STACKED.replace("MARK", str(mark)))
    (tmp_path / "a.geo.opt").write_text(f'SystemCall "touch {mark}";\n')
    assert main(arguments) == 0
    assert not mark.exists()
    evil = STACKED.replace("MARK", str(mark)) + f'SystemCall "touch {mark}";\n'
    (tmp_path / "a.geo").write_text(evil)
    capsys.readouterr()
    refused(capsys, arguments, ["a.geo", f"line {evil.count(chr(10))}", "'SystemCall'", "--trust-geo"])
    assert not mark.exists()
    assert main([*arguments, "--trust-geo"]) == 0
    assert mark.exists()
    capsys.readouterr()
    (tmp_path / "a.geo").write_text("Exit;\n")
    refused(capsys, [*arguments, "--trust-geo"], ["a.geo", "ended without a mesh", "Exit"])
    # A process that dies takes nothing with it.
    (tmp_path / "a.geo").write_text(STACKED + 'SystemCall "kill -9 $PPID";\n')
    refused(capsys, [*arguments, "--trust-geo"], ["a.geo", "SIGKILL"])
    (tmp_path / "a.geo").write_text("For i In {1 : 1e15}\n  x = i;\nEndFor\n")
    refused(capsys, [*arguments, "--mesh-time", "1"], ["a.geo", "within 1 s", "--mesh-time"])
    refused(capsys, [*arguments, "--mesh-time", "-1"], ["--mesh-time", "-1", "positive"])


def test_scripts_get_the_same_guard(tmp_path):
    """Functions of Python refuse by default what cases are refused, also meshes that are none."""
    path, mark = tmp_path / "a.geo", tmp_path / "MARK"
    path.write_text(STACKED + f'SystemCall "touch {mark}";\n')
    with pytest.raises(InputError, match=r"a\.geo', line \d+: found 'SystemCall'"):
        from_file(MPI.COMM_WORLD, path, stack(), length_unit=1e-9)
    for name in ("a.geo", "b.msh", "c.msh"):
        (tmp_path / name).write_text(("$Comment\n" if name[0] == "c" else "") + f'SystemCall "touch {mark}";\n')
        with pytest.raises(InputError, match=r"SystemCall|begin with \$MeshFormat"):
            sphere_from_file(MPI.COMM_WORLD, tmp_path / name)
    assert not mark.exists()
    path.write_text(STACKED + f'SystemCall "touch {mark}";\n')
    domain = from_file(MPI.COMM_WORLD, path, stack(), length_unit=1e-9, trust_geo=True)
    assert mark.exists()
    assert domain.contact_area("bottom") == pytest.approx(20e-9, rel=1e-12)


def test_a_time_limit_for_scripts(tmp_path):
    (tmp_path / "a.geo").write_text("For i In {1 : 1e15}\n  x = i;\nEndFor\n")
    with reading(Reading(seconds=0.5)), pytest.raises(InputError, match=r"within 0\.5 s"):
        from_file(MPI.COMM_WORLD, tmp_path / "a.geo", stack(), length_unit=1e-9)
