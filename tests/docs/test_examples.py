"""The examples in docstrings run, and every public name has one.

An example is what a user would type first with a name: two to six lines with physical numbers in SI units, and what
they print. It takes as given what the docstring of the package itself makes (`help(fespin)` shows it): the modules
`np`, `MPI`, `mesh` and `fs`, the communicator `comm` of one process, the layers `stack` of a spin valve, the macrospin
`spin`, the magnet `permalloy` and the mesh `wire`. Public names are written as `fs.name` or imported from their
subpackage, as a user does; helpers that are not public may use the names of their module. Numbers are rounded to few
digits, so that other versions of the libraries print the same. Ellipses and white space are matched freely. Files go
to a temporary folder.
"""

import ast
import doctest
import functools
import importlib
import inspect
import pkgutil

import pytest
from launch import ROOT

import fespin

OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(ROOT.glob("fespin/**/*.py"))


def docstrings(path):
    """Yield name, first line and text of the docstrings with examples in a file, without importing it."""
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")

    def visit(node, name):
        text = ast.get_docstring(node)
        if text and ">>>" in text:
            yield name, module, node.body[0].lineno, text
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                yield from visit(child, f"{name}.{child.name}")

    yield from visit(ast.parse(path.read_text()), module)


def run(name, line, text, names):
    """Run an example; return what went wrong, as text, and the names that there are in the end."""
    test = doctest.DocTestParser().get_doctest(text, names, name, name, line)
    said = []
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=said.append, clear_globs=False)
    return "".join(said), test.globs


def test_a_wrong_example_is_noticed():
    assert "Expected:\n    3\nGot:\n    2" in run("sum", 1, ">>> 1 + 1\n3\n", {})[0]


@pytest.fixture(scope="module")
def namespace():
    """What examples take as given: the names that the example of the package makes."""
    said, names = run("fespin", 1, inspect.getdoc(fespin), {})
    assert not said, said
    return names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "module", "line", "text"),
    [pytest.param(*example, id=example[0]) for path in MODULES for example in docstrings(path)],
)
def test_example(name, module, line, text, namespace, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    helper = not any(f"{name}.".startswith(f"{known}.") for known in public())
    own = vars(importlib.import_module(module)) if helper else {}
    said, _ = run(name, line, text, {**own, **namespace, "__name__": "__main__"})
    assert not said, said


@functools.cache
def public():
    """Return the public classes and functions by where they are defined: those in `__all__` of the packages."""
    packages = [fespin.__name__]
    packages += [m.name for m in pkgutil.iter_modules(fespin.__path__, "fespin.") if m.ispkg]
    names = {}
    for package in map(importlib.import_module, packages):
        for name in getattr(package, "__all__", ()):
            thing = getattr(package, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                names[f"{thing.__module__}.{thing.__qualname__}"] = thing
    return names


def test_every_public_name_has_an_example():
    names = public()
    assert len(names) > 150
    assert not [name for name, thing in names.items() if ">>>" not in (inspect.getdoc(thing) or "")]
