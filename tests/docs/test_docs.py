"""The code that the documents show runs, and their links lead somewhere."""

import re
import subprocess
import sys

import pytest
from launch import ROOT

from fespin import __version__

PAGES = {*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("[a-z]*/README.md")}


def blocks(path):
    return "\n".join(re.findall(r"```python\n(.*?)```", path.read_text(), re.S))


@pytest.mark.slow
def test_code_of_the_readme(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    code = blocks(ROOT / "README.md")
    assert "diameter=60e-9" in code
    exec(compile(code.replace("diameter=60e-9", "diameter=60e-9, mesh_size=20e-9"), "README.md", "exec"), {})
    assert float(capsys.readouterr().out.split()[0]) == pytest.approx(1.257, rel=5e-3, abs=0)
    assert (tmp_path / "accumulation.png").stat().st_size > 10_000


def test_code_of_the_model_page():
    exec(compile(blocks(ROOT / "docs" / "adding-a-model.md"), "adding-a-model.md", "exec"), {})


@pytest.mark.parametrize("page", ["longitudinal", "texture", "irreversible", "faults", "time-steps"])
def test_code_of_the_pages(page, capsys):
    """It runs, and shows what it says."""
    exec(compile(blocks(ROOT / "docs" / f"{page}.md"), f"{page}.md", "exec"), {})
    shown = capsys.readouterr().out
    if page == "irreversible":
        assert float(shown.split()[0]) == pytest.approx(-6.946e-6, rel=1e-3)


def test_code_of_the_page_on_energies(capsys):
    """It shows the well of K v, and the tilt D/(2 sqrt(A K)) at a free edge."""
    exec(compile(blocks(ROOT / "docs" / "energy.md"), "energy.md", "exec"), {})
    barrier, tilt = (float(x) for x in re.findall(r"-?\d+\.\d+(?:e[-+]\d+)?", capsys.readouterr().out)[:2])
    assert barrier == pytest.approx(9e5 * 4e-25 / (1.380649e-23 * 300), rel=1e-3)
    assert tilt == pytest.approx(1.2e-3 / 2 / (1.6e-11 * 9e5) ** 0.5, rel=0.01)


def test_one_version_everywhere():
    """The citation and the newest heading of the changelog agree with the package."""
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text()
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert next(h for h in headings if h != "Unreleased") == __version__


@pytest.mark.parametrize("page", sorted(PAGES), ids=lambda p: str(p.relative_to(ROOT)))
def test_links(page):
    text = page.read_text()
    for target in (*re.findall(r"\]\(([^)#]+)", text), *re.findall(r'src="([^"]+)"', text)):
        if not target.startswith("http"):
            assert (page.parent / target).exists(), target


IMPORTS = """
import ast, importlib.util, sys
sys.path += ["benchmarks", "benchmarks/works"]  # where a script finds its neighbours
for path in sys.argv[1:]:
    for node in ast.walk(ast.parse(open(path).read())):
        names = [node.module] if isinstance(node, ast.ImportFrom) else []
        names += [a.name for a in node.names] if isinstance(node, ast.Import) else []
        for name in names:
            # Packages of other people, with which benchmarks compare if they are there.
            theirs = name.partition(".")[0] in ("fplanck", "ngsolve", "netgen")
            assert theirs or importlib.util.find_spec(name), (path, name)
"""


def test_benchmarks_find_what_they_import():
    """They start as scripts, without the folder of the tests."""
    scripts = sorted(map(str, (ROOT / "benchmarks").rglob("*.py")))
    assert len(scripts) > 6
    process = subprocess.run([sys.executable, "-c", IMPORTS, *scripts], cwd=ROOT, capture_output=True, text=True)
    assert process.returncode == 0, process.stderr
