"""A case file is data: it runs no program, writes nothing but its results, and loses nobody's files."""

import os
import re

import pytest
from casefiles import refused, swap
from launch import python

from fespin.cases.petsc_options import OPTIONS, check_petsc
from fespin.errors import InputError

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
