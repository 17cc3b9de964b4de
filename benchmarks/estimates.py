"""Error estimates of switching at default settings: random macrospins, their estimates, and their true errors.

    OMP_NUM_THREADS=1 python benchmarks/estimates.py --store FOLDER               # 100 magnets, some two hours
    OMP_NUM_THREADS=1 python benchmarks/estimates.py --store FOLDER --magnets 12  # the first few of them
    OMP_NUM_THREADS=1 python benchmarks/estimates.py --store FOLDER --again       # solve anew, keep the references

Magnet number k depends on the seed and k alone (references/macrospins.py). Each is solved as a case with nothing
but magnet, torque and pulses is. If that takes more than 120 s of the processor, it counts as too costly and is listed.

Where the answer is found on rings, the truth is one on rings with the most orders, the highest degree and 1.5 times
the cells; triangles then check that. Elsewhere the truth is a sphere of degree 5 with edges of 0.8 times the default's
length and a time integration to 1e-8. How well it is known is its difference from one of degree 6 with edges of 0.9
times the length, for each fourth magnet, or else, which is more, from degree 5 on the default's own mesh. Where they
converge, spherical harmonics (references/harmonics.py), and for some magnets trajectories, say whether all are wrong.

FOLDER holds a file for each magnet and each reference; what is there is not solved again, so that a run may be stopped
and continued. With --most 15 no solve may take more seconds than that; magnets that do are listed as not run, and are
solved by a later run with more.
"""

import argparse
import json
import signal
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from mpi4py import MPI

import fespin as fs
from fespin.sigma import fokker_planck
from fespin.sigma.cost import bearable_sphere
from fespin.sigma.estimates import compared, neighbourhoods
from fespin.sigma.fourier import Fourier
from fespin.sigma.meridian import Meridian
from fespin.sigma.orders import RUNGS
from fespin.sigma.switching import course

sys.path.insert(0, str(Path(__file__).parents[1]))

from references.macrospins import UP, Problem, draw, expansion

COMM = MPI.COMM_SELF
# Relative errors below this are not told apart: estimates are not smaller, references agree to little more.
LEAST = 1e-8
ON_RINGS = fokker_planck._NEIGHBOURS  # times at which answers on rings are compared, relative to each


class Late(Exception):
    """More seconds of the processor than are allowed."""


class Allowed:
    """Seconds of the processor that a block may take; raises Late where it takes more."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self._over = seconds, False

    def __enter__(self) -> None:
        """Start the clock."""
        self._over = False
        signal.signal(signal.SIGPROF, self._late)
        signal.setitimer(signal.ITIMER_PROF, self.seconds, 5.0)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Stop the clock."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        if self._over and kind is not None:
            raise Late  # whatever has been made of it on its way

    def _late(self, *_: object) -> None:
        self._over = True
        raise Late


class Limits:
    """Seconds of the processor for a magnet, for a reference, for harmonics and trajectories; and whether to give up.

    With `most` no solve may take more than that, and one that does is left for a later run.
    """

    magnet, reference, check = 120.0, 150.0, 15.0
    lowered = False

    @classmethod
    def lower(cls, most: float) -> None:
        """Allow no more than so many seconds for anything."""
        cls.magnet, cls.reference, cls.check = (min(x, most) for x in (cls.magnet, cls.reference, cls.check))
        cls.lowered = True


class NotRun(Exception):
    """A solve that is left for a run with more time."""


def default_sphere(problem: Problem) -> fs.Sigma:
    """Return the sphere that a case gets."""
    return bearable_sphere(lambda size: fs.Sigma(COMM, size, axis=UP, refine=problem.spin), problem.spin)


def solved(problem: Problem) -> dict:
    """Return what a user gets, values (None where marked) and estimates; and the other degree's and marked values."""
    begin = time.process_time()
    out: dict = {"status": "solved", "problem": str(problem)}
    others: list = []

    def kept(solve, surface, enough):
        others.append(compared(solve, surface, enough))
        return others[-1]

    fokker_planck.compared = kept
    try:
        with Allowed(Limits.magnet):
            make = partial(default_sphere, problem)
            fp = fs.FokkerPlanck(COMM, problem.spin, problem.torque, method="automatic", sphere=make)
            keep_check(fp, others)
            try:
                result = fp.switching(problem.times, start=UP)
                out |= {k: result.summary()[k] for k in ("not_switched", "error_estimate", "method")}
                out["hidden"] = out["not_switched"]
                out["rings"] = isinstance(result.final.surface, Fourier)
                if others[-1][0] is not None:
                    s = problem.times * problem.spin.diffusion
                    index = neighbourhoods(s, *([ON_RINGS] if out["rings"] else []))[1]
                    out["comparison"] = others[-1][0].probability[index[:, -1]].tolist()
                marked = not result.resolved.all()
            except (fs.InputError, fs.SolverError) as error:
                if "Late" in str(error):
                    raise
                out |= {"status": "refused", "why": str(error)}
                out["not_switched"] = out["error_estimate"] = out["hidden"] = [None] * len(problem.times)
                marked = True
            out["seconds"] = time.process_time() - begin
            out["unknowns"] = result.final.surface.dofs if out["status"] == "solved" else None
    except Late:
        if Limits.lowered:
            raise NotRun from None
        return out | {"status": "too costly", "seconds": time.process_time() - begin}
    if marked:
        try:
            fp.verify = False
            with Allowed(Limits.magnet):
                out["hidden"] = fp.switching(problem.times, start=UP).summary()["not_switched"]
        except (fs.InputError, fs.SolverError, Late):
            pass
    return out


def keep_check(fp: fs.FokkerPlanck, others: list) -> None:
    """Keep the answer that judges each one found on rings, as that of a degree more is kept on triangles."""
    own = fp._on_rings

    def kept(*arguments, **options):
        climbed = own(*arguments, **options)
        if climbed is not None:
            others.append((climbed.check, None))
        return climbed

    fp._on_rings = kept


def on_rings(problem: Problem) -> dict:
    """Return the values on rings of the most orders, the highest degree and more cells, if the problem suits rings."""
    begin = time.process_time()
    fp = fs.FokkerPlanck(COMM, problem.spin, problem.torque, method="automatic")
    if fp.axis is not None or fp._orders is None:
        return {}
    try:
        with Allowed(Limits.reference):
            rings = fp._orders.rings(len(RUNGS) - 1, 1.5)
            s = problem.times * problem.spin.diffusion
            result = course(rings, s, UP, [], 1e-8, free=fp.free, drift=fp.drift)
    except (fs.InputError, fs.SolverError, Late) as error:
        if Limits.lowered and isinstance(error, Late):
            raise NotRun from None
        return {"not_switched": [None] * len(problem.times), "why": repr(error)}
    return {"not_switched": result.probability.tolist(), "seconds": time.process_time() - begin}


def finer(problem: Problem, factor: float, degree: int) -> dict:
    """Return the values on a finer mesh of a higher degree."""
    begin = time.process_time()
    try:
        with Allowed(Limits.reference):
            fp = fs.FokkerPlanck(COMM, problem.spin, problem.torque, verify=False)
            if fp.axis is not None:
                coarse = fp.meridian
                fp.meridian = Meridian(coarse.axis, 2 * int(coarse.cells / factor / 2 + 1), degree=degree)
            else:
                size = factor * default_sphere(problem).mesh_size
                sphere = fs.Sigma(COMM, size, axis=UP, degree=degree, refine=problem.spin)
                fp = fs.FokkerPlanck(sphere, problem.spin, problem.torque, verify=False)
            summary = fp.switching(problem.times, start=UP, rtol=1e-8).summary()
    except (fs.InputError, fs.SolverError, Late) as error:
        if Limits.lowered and isinstance(error, Late):
            raise NotRun from None
        return {"not_switched": [None] * len(problem.times), "why": repr(error)}
    keep = {k: summary[k] for k in ("not_switched", "error_estimate", "method")}
    return keep | {"seconds": time.process_time() - begin}


def expanded(problem: Problem) -> dict:
    """Return the values by spherical harmonics up to degrees 36 and 44, if these may converge in seconds."""
    if problem.number % 4:
        return {}
    s = problem.times * problem.spin.diffusion
    easy = problem.barrier + problem.hard < 12 and problem.spin.damping > 0.04
    if not easy or s[-1] / problem.spin.damping**0.5 > 30:
        return {}
    try:
        with Allowed(Limits.check):
            curves = []
            for lmax in (36, 44):
                method, v = expansion(problem, lmax)
                curves.append(method.survival(v, s)[0])
    except Late:
        return {}
    return {"coarse": curves[0], "not_switched": curves[1]}


def trajectories(problem: Problem, ensemble: int = 4096) -> dict:
    """Return the values and standard errors of trajectories, if these take seconds."""
    if problem.spin.damping < 0.1 or problem.number % 4:
        return {}
    try:
        with Allowed(Limits.check):
            result = fs.langevin(
                COMM, problem.spin, problem.times, ensemble=ensemble, seed=1, torque=problem.torque, start=UP
            )
    except (fs.InputError, Late):
        return {}
    return {"not_switched": result.not_switched.tolist(), "ensemble": ensemble}


REFERENCES = {
    "rings": on_rings,
    "fine": lambda problem: finer(problem, 0.8, 5),
    "finest": lambda problem: finer(problem, 0.9, 6) if problem.number % 4 == 0 else {},
    "harmonics": expanded,
    "trajectories": trajectories,
}


def stored(path: Path, make, again: bool = False) -> dict:
    """Return what a file holds, made and written first if need be; raises NotRun if time does not suffice."""
    if again or not path.is_file():
        path.write_text(json.dumps(make()))
    return json.loads(path.read_text())


def numbers(values) -> np.ndarray:
    """Return a list in which None is no number."""
    return np.array([np.nan if x is None else x for x in values], dtype=float)


def judged(row: dict) -> list[dict]:
    """Return the samples of a magnet: value, estimate, true error, and how well that is known."""
    fine = numbers(row["fine"]["not_switched"])
    if row["own"].get("rings") and row["rings"]:
        fine = numbers(row["rings"]["not_switched"])
    own = row["own"].get("comparison", [None] * len(fine))
    other = numbers(row["finest"]["not_switched"] if row["finest"] else own)
    value, hidden, estimate = (numbers(row["own"][k]) for k in ("not_switched", "hidden", "error_estimate"))
    with np.errstate(all="ignore"):
        known = np.abs(other / fine - 1)
        error = np.abs(np.where(np.isfinite(value), value, hidden) / fine - 1)
    return [
        {"magnet": row["number"], "sample": k, "marked": not np.isfinite(value[k]), "truth": fine[k],
         "estimate": estimate[k], "error": error[k], "known": known[k]}
        for k in range(len(value))
    ]  # fmt: skip


def known_well(sample: dict) -> bool:
    """Return whether the truth is known well enough to judge a sample's estimate."""
    return bool(sample["known"] <= max(0.3 * sample["error"], LEAST))


def report(rows: list[dict]) -> None:
    """Print the tables."""
    status = [r["own"]["status"] for r in rows]
    print(f"\nmagnets: {len(rows)}; " + ", ".join(f"{status.count(k)} {k}" for k in sorted(set(status))))
    for r in rows:
        if r["own"]["status"] == "too costly":
            print("  too costly:", r["own"]["problem"])
    samples = [x for r in rows if r["own"]["status"] != "too costly" for x in judged(r)]
    resolved = [x for x in samples if not x["marked"]]
    sure = [x for x in resolved if known_well(x)]
    print(f"samples: {len(samples)}, of these resolved {len(resolved)}, with a truth known well enough {len(sure)}")
    ratio = np.array([x["estimate"] / max(x["error"], LEAST) for x in sure])
    beyond = [x for x in sure if x["error"] > x["estimate"] + x["known"]]
    print(f"beyond the estimate: {len(beyond)}")
    for x in beyond:
        print(f"  magnet {x['magnet']} sample {x['sample']}: {x['error'] / x['estimate']:.2f} times; {x}")
    for least in (LEAST, 1e-6):
        q = np.array([x["estimate"] / max(x["error"], least) for x in sure])
        quantiles = ", ".join(f"{np.quantile(q, p):.2g}" for p in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
        print(f"estimate/max(error, {least:.0e}): quantiles 0, 5, 25, 50, 75, 95, 100 %: {quantiles}; "
              f"above 30: {np.count_nonzero(q > 30)}")  # fmt: skip
    for x in np.array(sure)[ratio > 30]:
        print(f"  loose: magnet {x['magnet']} sample {x['sample']}: {x}")
    bins = [0, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, np.inf]
    for low, high in pairwise(bins):
        part = [x for x in sure if low <= x["error"] < high]
        if part:
            r = [x["estimate"] / max(x["error"], LEAST) for x in part]
            print(f"  errors {low:.0e} to {high:.0e}: {len(part)} samples, ratio {min(r):.2g} to {max(r):.2g}")
    marked = [x for x in samples if x["marked"]]
    false = [x for x in marked if x["error"] < 1e-3 and x["known"] < 1e-3]
    right = [x for x in marked if x["error"] > 0.1 and x["known"] < 0.1]
    print(f"marked: {len(marked)}; wrong by more than 0.1 {len(right)}, good to 1e-3 (false alarms) {len(false)}, "
          f"without a value or a truth {sum(not np.isfinite(x['error']) for x in marked)}")  # fmt: skip
    for x in false:
        print(f"  false alarm: {x}")
    unknown = [x for x in resolved if not known_well(x)]
    print(f"resolved, but the truth is not known well enough: {len(unknown)}")
    for x in unknown:
        print(f"  {x}")
    independent(rows)


def independent(rows: list[dict]) -> None:
    """Print how far harmonics and trajectories are from the fine reference."""
    worst, count, far = 0.0, 0, []
    for r in rows:
        truth = numbers(r["fine"]["not_switched"])
        if r.get("harmonics"):
            coarse, values = np.array(r["harmonics"]["coarse"]), np.array(r["harmonics"]["not_switched"])
            for x, y, z in zip(coarse, values, truth, strict=True):
                if abs(x - y) < 1e-7 * abs(y) and np.isfinite(z):
                    worst, count = max(worst, abs(y / z - 1)), count + 1
        if r.get("trajectories"):
            values, n = np.array(r["trajectories"]["not_switched"]), r["trajectories"]["ensemble"]
            expected = np.sqrt(np.maximum(truth * (1 - truth), 0.0) / n)
            far += [abs(x - z) / e for x, z, e in zip(values, truth, expected, strict=True) if e * n > 3]
    print(f"harmonics that converged to 1e-7: {count} samples, largest difference from the reference {worst:.1e}")
    if far:
        print(f"trajectories: {len(far)} samples, root mean square {np.sqrt(np.mean(np.square(far))):.2f} "
              f"and largest difference {max(far):.1f} in standard errors")  # fmt: skip


def solved_row(arguments: argparse.Namespace, problem: Problem, name: str) -> dict:
    """Return a magnet and its references, from files or solved; raises NotRun if one is missing."""
    own = arguments.store / f"{name}-own.json"
    if arguments.report and not own.is_file():
        raise NotRun
    row = {"number": problem.number, "own": stored(own, lambda: solved(problem), arguments.again)}
    for key, make in REFERENCES.items():
        path = arguments.store / f"{name}-{key}.json"
        if row["own"]["status"] == "too costly":
            row[key] = {}
        elif arguments.report and not path.is_file():
            raise NotRun
        else:
            row[key] = stored(path, lambda make=make: make(problem))
    return row


def main() -> None:
    """Solve, compare, print."""
    parser = argparse.ArgumentParser(description="Error estimates of switching: random macrospins.")
    parser.add_argument("--store", type=Path, required=True, help="folder for results and references")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--magnets", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="number of the first magnet")
    parser.add_argument("--most", type=float, help="seconds of the processor that a solve may take")
    parser.add_argument("--again", action="store_true", help="solve the magnets anew, keep the references")
    parser.add_argument("--report", action="store_true", help="only report what is there")
    arguments = parser.parse_args()
    arguments.store.mkdir(parents=True, exist_ok=True)
    if arguments.most:
        Limits.lower(arguments.most)
    rows, left = [], []
    for number in range(arguments.first, arguments.first + arguments.magnets):
        problem = draw(arguments.seed, number)
        name = f"{arguments.seed}-{number:03d}"
        begin = time.perf_counter()
        try:
            row = solved_row(arguments, problem, name)
        except NotRun:
            left.append(problem)
            if not arguments.report:
                print(f"{problem}: not run", flush=True)
            continue
        rows.append(row)
        if not arguments.report:
            print(f"{row['own']['problem']}: {row['own']['status']}, {row['own'].get('unknowns')} unknowns, "
                  f"{row['own']['seconds']:.1f} s, all {time.perf_counter() - begin:.0f} s", flush=True)  # fmt: skip
            if row["own"]["status"] == "solved":
                for x in judged(row):
                    print(f"    {x['truth']:.3e}{' marked' if x['marked'] else ''}: estimate {x['estimate']:.1e}, "
                          f"error {x['error']:.1e}, known to {x['known']:.0e}", flush=True)  # fmt: skip
    report(rows)
    print(f"not run: {len(left)}", *left, sep="\n  ")


if __name__ == "__main__":
    main()
