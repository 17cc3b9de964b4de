"""Case files in tests: written, changed, refused, run."""

import csv
import json
import re

import numpy as np

from fespin.cli import main


def task(kind, *lines):
    """Return a task of a case."""
    return "\n".join(["[[task]]", f'kind = "{kind}"', *lines, ""])


def swap(text, *pairs):
    """Return a text with parts replaced; each must be there."""
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def written(value):
    """Return a value as TOML writes it, tables in braces."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def refused(capsys, arguments, words, status=2, *, progress="mesh|state|note"):
    """Assert that the command line says one line with these words, beside its progress; return the line."""
    assert main([str(a) for a in arguments]) == status
    out, err = capsys.readouterr()
    lines = [x for x in err.splitlines() if not re.match(f"fespin: ({progress})", x)]
    assert len(lines) == 1 and lines[0].startswith("fespin: error: "), err
    assert not out
    for word in words:
        assert word in lines[0], lines[0]
    return lines[0]


def run(tmp_path, text, *arguments, name="case"):
    """Return the summary of a case that runs, and its output folder; no pictures."""
    path, out = tmp_path / f"{name}.toml", tmp_path / f"{name}-out"
    path.write_text(text)
    assert main([str(a) for a in ["run", path, "--output", out, "--force", "--no-pictures", *arguments]]) == 0
    return json.loads((out / "summary.json").read_text()), out


def columns(path):
    """Return the columns of a CSV file; what is no number is nan."""
    with path.open() as f:
        names, *rows = csv.reader(f)
    values = np.array([[float(x) if re.match(r"[-\d]", x) else np.nan for x in row] for row in rows])
    return dict(zip(names, values.T, strict=True))
