"""muMAG standard problem 5: a vortex in a square of permalloy that a current moves, against published solutions.

    OMP_NUM_THREADS=1 python benchmarks/vortex.py                     # xi = 0, 0.05, 0.1, 0.5 with cells of 5 nm
    OMP_NUM_THREADS=1 python benchmarks/vortex.py --size 2.5 --xi 0.05
    OMP_NUM_THREADS=1 mpirun -n 2 python benchmarks/vortex.py --size 3.3 --until 5 --picture vortex.png

Permalloy of 100 nm x 100 nm x 10 nm (Ms 8e5 A/m, A 13 pJ/m, no anisotropy, alpha 0.1, gamma0 2.211e5 m/(A s)) relaxes
from m ~ (-y, x, 10 nm); then P J = 1e12 A/m2 flows along +x at once, and the vortex spirals to a new place. Source:
M. Najafi et al., J. Appl. Phys. 105, 113914 (2009) and https://www.ctcms.nist.gov/mumag/std5/spec5.xhtml.

Their equation is that of Zhang and Li: the torques of the current J are

    - b/(1 + xi^2) [m x (m x (J.grad) m) + xi m x (J.grad) m],   b = P mu_B/(e Ms),

and -m x (m x a) = a for a perpendicular to m. Ours, -(u.grad) m + beta m x (u.grad) m, is the same with beta = xi and
u = -b J/(1 + xi^2): 72.17 m/s against x for xi = 0.05. Ours has u = -(P hbar gamma/(2 e Ms)) J, which with their gamma
is 0.04 % more than -b J, so that the current is set for the right u. Codes differ in the factor 1/(1 + xi^2): mumax3
and magnum.np have it, fidimag and the example of OOMMF do not (`--plain` leaves it out). It is 0.25 % for xi = 0.05 and
25 % for 0.5.

Numbers of others, all finite differences: fidimag, cells of 5 x 5 x 5 nm, from the trajectory that MicroMagnetic.jl
ships for comparison (docs/src/micromagnetics/assets/std5_fidimag_data.txt); magnum.np, 2.5 x 2.5 x 10 nm, its
demos/sp5/ref/m.dat; mumax3, 3.125 x 3.125 x 2.5 nm, its test/standardproblem5.mx3, where one time is given. These are
for xi = 0.05. For all xi, OOMMF with its example stdprob5.mif was run for this comparison, cells 2.5 x 2.5 x 10 nm, J
divided by 1 + xi^2; "rest" follows from the turning points of a damped oscillation there, and here from a damping of 1.
"""

import argparse
import time

import numpy as np
from mpi4py import MPI

from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, VACUUM_PERMEABILITY
from fespin.geometry import bricks
from fespin.texture import DipolarField, Dynamics, Grid, TexturedMagnet, VortexWatch, relax, vortex

COMM = MPI.COMM_WORLD
EDGE, THICKNESS = 100e-9, 10e-9
CURRENT = 1e12  # P J, A/m2
XI = (0.0, 0.05, 0.1, 0.5)
# <m> at times in ns, by xi and code.
PUBLISHED = {
    0.0: {
        "OOMMF": {
            0.5: (-0.31571, 0.11843, 0.02079),
            1.0: (-0.22399, -0.11646, 0.02363),
            2.0: (-0.27006, 0.01085, 0.02280),
            3.0: (-0.20457, 0.03226, 0.02441),
            5.0: (-0.21468, -0.00878, 0.02427),
            "rest": (-0.2116, 0.0000),
        },
    },
    0.05: {
        "fidimag": {
            0.5: (-0.28790, 0.14017, 0.01839),
            1.0: (-0.22203, -0.08843, 0.02074),
            2.0: (-0.25028, 0.03176, 0.02051),
            3.0: (-0.19251, 0.04329, 0.02201),
            8.0: (-0.20400, 0.01528, 0.02168),
        },
        "magnum.np": {
            0.5: (-0.30625, 0.14342, 0.02086),
            1.0: (-0.23016, -0.09533, 0.02351),
            2.0: (-0.26725, 0.03294, 0.02282),
            3.0: (-0.20225, 0.04922, 0.02442),
            5.0: (-0.21402, 0.01035, 0.02426),
        },
        "mumax3": {1.0: (-0.23480, -0.09454, 0.02296)},
        "OOMMF": {
            0.5: (-0.30645, 0.14389, 0.02090),
            1.0: (-0.23120, -0.09543, 0.02353),
            2.0: (-0.26761, 0.03367, 0.02286),
            3.0: (-0.20208, 0.04918, 0.02446),
            5.0: (-0.21462, 0.01043, 0.02428),
            "rest": (-0.2111, 0.0185),
        },
    },
    0.1: {
        "OOMMF": {
            0.5: (-0.29596, 0.16820, 0.02106),
            1.0: (-0.23685, -0.07423, 0.02348),
            2.0: (-0.26407, 0.05565, 0.02296),
            3.0: (-0.19893, 0.06577, 0.02453),
            5.0: (-0.21342, 0.02929, 0.02433),
            "rest": (-0.2096, 0.0368),
        },
    },
    0.5: {
        "OOMMF": {
            0.5: (-0.18908, 0.29636, 0.02318),
            1.0: (-0.23655, 0.06300, 0.02418),
            2.0: (-0.21085, 0.18044, 0.02442),
            3.0: (-0.15357, 0.16464, 0.02562),
            5.0: (-0.17507, 0.14028, 0.02539),
            "rest": (-0.1707, 0.1450),
        },
    },
}


def say(*text):
    """Print once."""
    if COMM.rank == 0:
        print(*text, flush=True)


def permalloy(xi=0.0, damping=0.1):
    """Return the material; its conductivity does not matter for a given current."""
    return TexturedMagnet(8e5, 1.3e-11, damping, 5e6, 1.0, xi, gyromagnetic_ratio=2.211e5 / VACUUM_PERMEABILITY)


def film(size, layers=None):
    """Return the grid, with an even number of cells along the edges that comes nearest to a size (m)."""
    n = 2 * max(1, round(EDGE / size / 2))
    layers = layers or max(1, round(THICKNESS / size))
    half = np.array([EDGE, EDGE, THICKNESS]) / 2
    return Grid(bricks(COMM, -half, half, (n, n, layers)))


def relaxed(grid, dipolar, torque=5e-5, **driven):
    """Return m of the vortex at rest (owned, 3), |dm/dt| below 0.01 rad/ns, without a current or `driven` by one.

    Where it comes to rest does not depend on the damping, which is 1 here.
    """
    motion = current_driven(grid, dipolar, vortex(core=10e-9), damping=1.0, **driven)
    relax(motion, torque)
    motion.destroy()
    return motion.directions


def current_driven(grid, dipolar, start, xi=0.0, density=0.0, damping=0.1, plain=False):
    """Return the motion for a current P J along x (A/m2)."""
    magnet = permalloy(xi, damping)
    u = -BOHR_MAGNETON / (ELEMENTARY_CHARGE * magnet.saturation_magnetization) * density
    u /= 1 if plain else 1 + xi**2
    return Dynamics(grid, magnet, start, current=(u / magnet.drift_per_current, 0, 0), dipolar=dipolar)


def mean(grid, m):
    """Return <m> (3,), as the trajectory is compared."""
    return grid.totals(*(grid.weights[: grid.owned] @ m)) / grid.volume


def trajectory(grid, dipolar, start, xi, until, step, plain=False):
    """Return times (s), means (n, 3), the core's places (n, 2), the worst error of the balance, and what it cost."""
    watch, motion = VortexWatch(grid), current_driven(grid, dipolar, start, xi, CURRENT, plain=plain)
    observe = {
        "mean": lambda s: mean(grid, s.directions),
        "core": lambda s: watch.core(s.directions),
        "error": lambda s: abs(s.energy_error),
        "work": lambda s: s.damped + abs(s.adiabatic_work) + abs(s.nonadiabatic_work),
    }
    history = motion.run(until, observe, step=step)
    solves, _ = motion.newton_steps
    motion.destroy()
    times = np.concatenate([[0.0], history.times])
    means = np.concatenate([[mean(grid, start)], history.seen["mean"]])
    cores = np.concatenate([[watch.core(start)], history.seen["core"]])
    return times, means, cores, history.seen["error"].max() / history.seen["work"].mean(), solves / len(history.times)


def at(times, values, t):
    """Return values (k,) between the steps."""
    return np.array([np.interp(t, times, v) for v in values.T])


def picture(path, runs):
    """Draw the core's trajectories and <m>."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2))
    for xi, (times, means, cores, *_) in runs.items():
        (line,) = left.plot(*(1e9 * cores.T), lw=1.2, label=f"ξ = {xi:g}")
        left.plot(*(1e9 * cores[-1]), "o", ms=5, color=line.get_color())
        right.plot(1e9 * times, means[:, 0], lw=1.2, color=line.get_color())
        right.plot(1e9 * times, means[:, 1], lw=1.2, ls="--", color=line.get_color())
    for (name, rows), mark in zip(PUBLISHED[0.05].items(), "x+so", strict=True):
        rows = {t: v for t, v in rows.items() if t != "rest"}
        for k in (0, 1):
            y = [v[k] for v in rows.values()]
            right.plot(list(rows), y, mark, ms=6, color="black", mfc="none", label=name if not k else None, zorder=5)
    left.set(xlabel="x of the core (nm)", ylabel="y of the core (nm)", aspect="equal")
    right.set(xlabel="t (ns)", ylabel="⟨m⟩: x solid, y dashed")
    left.legend(frameon=False)
    right.legend(frameon=False, title="others, ξ = 0.05")
    figure.tight_layout()
    figure.savefig(path, dpi=150)


def show(name, t, mean, core=()):
    """Print a row."""
    say(f"{name:<12}{t:>6}" + "".join(f"{v:>10.5f}" for v in mean) + "".join(f"{1e9 * v:>8.2f}" for v in core))


def main():
    """Print the tables, and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=5.0, help="edge of the cells (nm)")
    parser.add_argument("--layers", type=int, help="of cells through the thickness; default: as the size says")
    parser.add_argument("--xi", type=float, nargs="+", default=XI)
    parser.add_argument("--until", type=float, default=8.0, help="ns; 0: only where it comes to rest")
    parser.add_argument("--step", type=float, default=4.0, help="ps")
    parser.add_argument("--plain", action="store_true", help="u without the factor 1/(1 + xi^2)")
    parser.add_argument("--picture", default="vortex.png")
    parser.add_argument("--data", help="a file (.npz) for the trajectories")
    options = parser.parse_args()
    begin = time.perf_counter()
    grid = film(1e-9 * options.size, options.layers)
    dipolar = DipolarField(grid, permalloy())
    setup = time.perf_counter() - begin
    start = relaxed(grid, dipolar)
    nodes, outer = grid.map.size_global, len(dipolar.surface)
    say(f"{COMM.size} rank(s), {nodes} nodes, {outer} on the surface; matrices in {setup:.1f} s")
    watch = VortexWatch(grid)
    say(f"relaxed in {time.perf_counter() - begin - setup:.0f} s: <m_z> = {mean(grid, start)[2]:.5f} (OOMMF 0.02727)")
    marks = [t for t in (0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 8.0) if t <= options.until * (1 + 1e-9)]
    runs = {}
    for xi in options.xi:
        begin = time.perf_counter()
        final = relaxed(grid, dipolar, 1e-5, xi=xi, density=CURRENT, plain=options.plain)
        say(f"\nxi = {xi:g}, at rest after {time.perf_counter() - begin:.0f} s")
        say("            t (ns)     <m_x>     <m_y>     <m_z>   core (nm)")
        show("fespin", "rest", mean(grid, final), watch.core(final))
        if marks:
            begin = time.perf_counter()
            runs[xi] = trajectory(grid, dipolar, start, xi, 1e-9 * options.until, 1e-12 * options.step, options.plain)
            times, means, cores, balance, solves = runs[xi]
            seconds = (time.perf_counter() - begin) / (len(times) - 1)
            for t in marks:
                show("fespin", f"{t:g}", at(times, means, 1e-9 * t), at(times, cores, 1e-9 * t))
            least = int(np.argmin(means[:, 0]))
            say(f"least <m_x> {means[least, 0]:.5f} at {1e9 * times[least]:.3f} ns")
            say(f"{seconds:.3f} s and {solves:.1f} solves a step; balance of energy {balance:.0e} of a step's work")
        for name, table in PUBLISHED.get(xi, {}).items():
            for t, other in table.items():
                if t == "rest" or t in marks:
                    show(name, t if t == "rest" else f"{t:g}", other)
    if options.data and COMM.rank == 0:
        np.savez(options.data, **{f"{xi:g}": np.column_stack(run[:3]) for xi, run in runs.items()})
    if runs and COMM.rank == 0:
        picture(options.picture, runs)


if __name__ == "__main__":
    main()
