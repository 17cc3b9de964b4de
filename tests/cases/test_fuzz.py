"""Cases that are changed at random are refused in one line, or make sense.

``python tests/cases/test_fuzz.py FIRST LAST`` tries other seeds.
"""

import contextlib
import copy
import json
import math
import random
import re
import signal
import sys
import tomllib
import warnings
from pathlib import Path

import pytest
from case_texts import coupled, layers, longitudinal, macrospins, models, surveys, textures
from casefiles import task, written

from fespin.cases.casefile import read
from fespin.cases.registry import kind_of
from fespin.ending import describe
from fespin.errors import InputError

CUBIC = '[[macrospin.anisotropy]]\nkind = "cubic"\nconstant = 3e3\nsecond_constant = -1e3\n'
SHAPE = '[[macrospin.anisotropy]]\nkind = "shape"\nbody = "prism"\nsize = [3e-8, 2e-8, 5e-9]\n'
HERE = Path(__file__).parents[1]
NUMBERS = [
    *(0, 1, -1, 2, 3, 1e-3, 0.5, 1e-9, 1e-7, 1e9, 1e11, -0.0, 7, 100, 10**6),
    *(1e-300, -1e-300, 5e-324, 1e-160, 1e-30, 1e30, 1e160, 1e300, -1e300, 1.7e308, 10**30, 10**400, -(10**20), 2**63),
    *(math.nan, math.inf, -math.inf, 0.999999999999, 1 - 1e-16, 1 + 1e-15, 299.99, 1e-15, 9.99e-13, 1e5, 1e-5),
]
TEXTS = [
    "",
    " ",
    "x",
    "free",
    "Co",
    "line",
    "steady",
    "é",
    "\u202e",
    "a" * 10000,
    "a\nb",
    "\x7f",
    "../x",
    "/",
    "none",
    "|",
    ".",
]
NAMES = [
    "kind",
    "name",
    "mesh",
    "shape",
    "samples",
    "constant",
    "axis",
    "field",
    "degree",
    "volume",
    "wall",
    "free",
    "1",
]
# Tables whose keys are names that the user gives.
FREE = {"material", "interface", "petsc", "state"}


def corpus():
    """Return texts of cases that are good: the demos', and those of tests."""
    long, text, spin = longitudinal, textures, macrospins
    asked = (spin.SPECTRUM, spin.SWITCHING, spin.SWEEP, spin.BAND, spin.NOISE, spin.PASSAGE, task("escape"))
    demos = [p.read_text("utf-8") for p in sorted((HERE.parent / "demos").glob("*.toml"))]
    return [
        *demos * 3,
        *(getattr(layers, k) for k in ("LATERAL", "LEADS", "LINE", "MESH", "PILLAR", "STRIP")),
        *(spin.MAGNET + a + "".join(asked) for a in (spin.UNIAXIAL + spin.TORQUE, spin.BIAXIAL)),
        spin.MAGNET + CUBIC + SHAPE + spin.SPHERE + task("langevin", "pulse = 1e-9") + spin.BAND,
        *(spin.WRITE, spin.ALONG, spin.OBLIQUE, coupled.CASE),
        *(surveys.DEVICE + task(k, surveys.TASKS[k]) for k in surveys.TASKS),
        long.MAGNET + long.LINE + long.INJECT + long.HOLD + long.STEP + long.RELAX + long.RESPONSE + long.DISPERSION,
        long.MAGNET + long.BOX + long.START + long.RELAX + task("dispersion", "range = [1e6, 2e7]"),
        long.MAGNET + long.DISC + "[longitudinal.boundary.edge]\nflux = 4e6\n" + long.SPOT + long.RELAX,
        text.BASE + text.PROBE + text.EMF + text.MOVE,
        text.MAGNET + text.STRIP + text.WALL + text.MOVE,
        text.MAGNET + "dipolar = true\nmagnetization = [1, 2, 0.5]\n" + text.BOX + text.MOVE,
        models.STACK + models.THREE + models.STATES,
        models.STACK + models.FOUR + models.STATES,
        models.STACK + models.VECTOR + models.TILTED,
        models.WARM + models.HEAT + models.STATES,
    ]


def places(node, path=()):
    """Yield every container of a tree with a key of it, and the keys that lead there."""
    for key in list(node) if isinstance(node, dict) else range(len(node)):
        yield node, key, path
        if isinstance(node[key], (dict, list)):
            yield from places(node[key], (*path, key))


def some_value(r, like=None):
    """Return a value, mostly a number."""
    x = r.random()
    if x < 0.25 and isinstance(like, (int, float)) and not isinstance(like, bool):
        return r.choice(
            [like * 10.0 ** r.randint(-8, 8), -like, like * r.random(), round(like) if abs(like) < 1e300 else 0]
        )
    if x < 0.65:
        return r.choice(NUMBERS)
    if x < 0.8:
        return r.choice(TEXTS)
    if x < 0.9:
        return [some_value(r) for _ in range(r.choice([0, 1, 2, 3, 3, 3, 4, 50]))]
    if x < 0.95:
        return {r.choice(NAMES): some_value(r)}
    return r.choice([True, False])


def nested(r):
    """Return tables in tables, or lists in lists, deeper than anything a case has."""
    out = some_value(r)
    for _ in range(r.choice([5, 50, 300])):
        out = [out] if r.random() < 0.5 else {"x": out}
    return out


def changed(r, raw):
    """Return changed tables, and whether a key is among them that no table has."""
    raw, unknown = copy.deepcopy(raw), False
    for _ in range(r.choice([1, 1, 1, 2, 3])):
        node, key, path = r.choice(list(places(raw)))
        x = r.random()
        if x < 0.6:
            node[key] = some_value(r, node[key])
        elif x < 0.7:
            del node[key]
        elif x < 0.76 and isinstance(node, list):
            node.extend(copy.deepcopy(node) * r.choice([1, 1, 30]))
        elif x < 0.82 and isinstance(node, dict):
            node[r.choice(NAMES)] = some_value(r, node[key])
        elif x < 0.86:
            node[key] = nested(r)
        elif isinstance(node, dict) and not FREE & {*path[-2:]}:
            node["zzz" + r.choice(["", "_é", " ", "."])] = node.pop(key) if r.random() < 0.5 else some_value(r)
            unknown = True
        if not raw:
            break
    # A later change may have removed it again.
    names = {k for n, k, _ in places(raw) if isinstance(n, dict)} if raw else set()
    return raw, unknown and any(str(k).startswith("zzz") for k in names)


def damaged(r, text):
    """Return a text with lines or characters lost, doubled, or put in."""
    lines = text.splitlines(keepends=True)
    x = r.random()
    i = r.randrange(len(lines))
    if x < 0.3:
        del lines[i]
    elif x < 0.6:
        lines.insert(r.randrange(len(lines) + 1), lines[i])
    elif x < 0.7:
        r.shuffle(lines)
    elif x < 0.8:
        return text[: r.randrange(len(text))].encode()
    else:
        data = bytearray("".join(lines).encode())
        for _ in range(r.choice([1, 3, 30])):
            data[r.randrange(len(data))] = r.randrange(256)
        return bytes(data)
    return "".join(lines).encode()


def assignment(r, raw):
    """Return an argument of --set."""
    _, key, path = r.choice(list(places(raw)))
    keys = [str(k + 1) if isinstance(k, int) else k for k in (*path, key)]
    if r.random() < 0.3:
        keys[r.randrange(len(keys))] = r.choice([*NAMES, "0", "-1", "²", "", "'a.b'", "99"])
    value = (
        written(some_value(r))
        if r.random() < 0.9
        else r.choice(["", "=", "4nm", "[", "1e", "\n", "0x1F", "1979-05-27"])
    )
    return ".".join(keys) + r.choice(["=", "=", "=", " = ", ""]) + value


def sensible(value):
    """Return whether all numbers of nested tables are finite, and their squares, too."""
    if isinstance(value, dict):
        return all(map(sensible, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(sensible, value))
    if not isinstance(value, float):
        return True
    return value == 0 or 1e-40 < abs(value) < 1e61


def attempt(seed, texts, folder):
    """Read a changed case, and describe it if it is accepted; return the refusal, or None."""
    r = random.Random(seed)
    text = r.choice(texts)
    raw, unknown, sets, path = tomllib.loads(text), False, [], folder / "case.toml"
    x = r.random()
    if x < 0.65:
        raw, unknown = changed(r, raw)
        data = "\n".join(f"{json.dumps(k)} = {written(v)}" for k, v in raw.items()).encode("utf-8", "surrogatepass")
    elif x < 0.8:
        data = damaged(r, text)
    else:
        data, sets = text.encode(), [assignment(r, raw) for _ in range(r.choice([1, 1, 3]))]
    path.write_bytes(data)
    (folder / "last.txt").write_text(f"{seed} {sets}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            case, _ = read(path, sets)
            kind = kind_of(case)
            said = "\n".join([kind.describe(case), *kind.notes(case, [])])
    except InputError as error:
        line = describe(error)
        assert line.startswith(str(path)), line
        assert len(line) <= 2000 and line.isprintable(), line
        return line
    assert not unknown, "an unknown key was accepted"
    assert sensible(case.model_dump()), "a number that is none, or beyond all bounds, was accepted"
    assert not re.search(r"[= (]-?(?:nan|inf)\b", said), said
    return None


@contextlib.contextmanager
def no_longer_than(seconds):
    """Fail where reading hangs."""

    def stop(*_):
        raise AssertionError("reading takes for ever")

    old = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


@pytest.fixture(scope="module")
def texts():
    return corpus()


def test_the_corpus_is_good(texts, tmp_path):
    """Unchanged, the cases are accepted: what is refused is refused for its change."""
    for text in set(texts):
        (tmp_path / "case.toml").write_text(text)
        case, _ = read(tmp_path / "case.toml")
        kind_of(case).describe(case)


@pytest.mark.parametrize("block", range(10))
def test_changed_cases(block, texts, tmp_path):
    """No traceback, no hang, no unknown key, and no number that is none."""
    refusals = []
    for seed in range(50 * block, 50 * block + 50):
        with no_longer_than(60):
            try:
                refusals.append(attempt(seed, texts, tmp_path))
            except Exception as error:
                raise AssertionError(f"seed {seed}: {(tmp_path / 'last.txt').read_text()}") from error
    # Both happen: the changes are neither all fatal nor all harmless.
    assert 10 < sum(x is not None for x in refusals) < 50


if __name__ == "__main__":
    import tempfile
    import traceback

    every, folder = corpus(), Path(tempfile.mkdtemp())
    kinds = {}
    for seed in range(int(sys.argv[1]), int(sys.argv[2])):
        try:
            with no_longer_than(20):
                attempt(seed, every, folder)
        except Exception as error:
            last = traceback.extract_tb(error.__traceback__)[-1]
            kinds.setdefault((type(error).__name__, last.filename, last.lineno), []).append((seed, str(error)[:300]))
    for kind, found in sorted(kinds.items(), key=lambda x: -len(x[1])):
        print(len(found), kind, found[:3])
