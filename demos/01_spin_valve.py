# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # The magnetoresistance of a Co/Cu/Co nanopillar
#
# Two ferromagnets let one spin channel pass more easily than the other. With their
# magnetizations parallel, the same channel is favoured twice; antiparallel, neither is, and
# the resistance rises. Between the magnets the potentials of the two channels split: the spin
# accumulation. In two channels,
#
# $$ J_i = -\sigma_i \nabla\phi_i, \qquad
#    \nabla\cdot J_\uparrow = -\nabla\cdot J_\downarrow = -g\,(\phi_\uparrow - \phi_\downarrow), \qquad
#    J_i\cdot n = G_i\,[\phi_i] \text{ at interfaces.} $$
#
# In one dimension this has a closed solution (Valet and Fert, 1993). A real pillar stands
# between leads that are much wider than itself: current crowds at its rim, and spins relax in
# the wide leads. Here the same stack is solved as a line, as a pillar, and as a pillar
# with wide leads.
#
# Run it with `python demos/01_spin_valve.py`, or `mpirun -n 2 python demos/01_spin_valve.py`.

# %%
import os
from pathlib import Path

from mpi4py import MPI

import fespin as fs
from fespin.plotting import plot_device, plot_profiles

comm = MPI.COMM_WORLD
quick = bool(os.environ.get("FESPIN_QUICK"))
output = Path(os.environ.get("FESPIN_OUTPUT", "demo-output")) / "01_spin_valve"
if comm.rank == 0:
    output.mkdir(parents=True, exist_ok=True)
comm.barrier()

# %% [markdown]
# ## The device
# Materials and interfaces come from the library, measured at 4.2 K; `fespin materials` prints
# them with their sources.

# %%
cobalt, copper = fs.material("Co"), fs.material("Cu")
stack = fs.Stack(
    fs.Layer(copper, 8e-9),
    fs.Layer(cobalt, 12e-9, "fixed", (0, 0, 1)),
    fs.Layer(copper, 8e-9, "spacer"),
    fs.Layer(cobalt, 4e-9, "free", (0, 0, 1)),
    fs.Layer(copper, 8e-9),
    library=fs.interfaces(),
)
size = 15e-9 if quick else 9e-9
geometries = {
    "line": lambda: fs.line(comm, stack),
    "pillar": lambda: fs.pillar(comm, stack, diameter=60e-9, mesh_size=size),
    "pillar, wide leads": lambda: fs.pillar(
        comm, stack, diameter=60e-9, lead_width=180e-9, lead_thickness=35e-9, mesh_size=size
    ),
}
leads = {"bottom": fs.Contact("lead"), "top": fs.Contact("lead")}

# %% [markdown]
# ## Parallel and antiparallel
# Spaces and forms are built once for each geometry; turning a magnet only changes coefficients.

# %%
solutions = {}
for name, build in geometries.items():
    problem = fs.TransportProblem(build(), contacts=leads, solver=fs.SolverOptions(rtol=1e-12))
    for state, direction in (("parallel", (0, 0, 1)), ("antiparallel", (0, 0, -1))):
        problem.magnetize({"free": direction})
        solutions[name, state] = problem.solve(current_density=1e11)

# %% [markdown]
# ## Results
# Without wide leads, a pillar is a line: both agree with the exact solution. Wide leads add their
# spreading resistance; but they also let the accumulation outside the magnets escape. Where the
# magnets are parallel that accumulation is most of the excess resistance, so the parallel
# resistance falls, and the magnetoresistance is several times what one dimension says.

# %%
exact = {
    state: fs.solve_multilayer(stack.magnetized({"free": m}), leads["bottom"], leads["top"], 1e11)
    for state, m in (("parallel", (0, 0, 1)), ("antiparallel", (0, 0, -1)))
}
rows = [("exact, 1D", *(exact[s].resistance_area for s in exact), None)]
for name in geometries:
    p, ap = (solutions[name, s] for s in exact)
    rows.append((name, p.resistance_area, ap.resistance_area, max(abs(p.power_balance), abs(ap.power_balance))))
if comm.rank == 0:
    print(f"{'':<20}{'A R (P)':>10}{'A R (AP)':>10}{'A dR':>10}{'dR/R':>9}   balance of power")
    for name, p, ap, balance in rows:
        shown = "" if balance is None else f"{balance:.0e}"
        print(
            f"{name:<20}{p * 1e15:>10.5f}{ap * 1e15:>10.5f}{(ap - p) * 1e15:>10.5f}"
            f"{100 * (ap - p) / p:>8.2f}%   {shown}"
        )
    print("(A R in fohm m2)")

# %% [markdown]
# ## Pictures

# %%
wide = solutions["pillar, wide leads", "antiparallel"]
plot_device(wide, output / "accumulation.png", title="Co/Cu/Co, antiparallel")
line_profiles = {s: (x.stack, x.profile()) for (g, s), x in solutions.items() if g == "pillar"}
plot_profiles(comm, output / "profile.png", line_profiles, exact, title="Co/Cu/Co pillar along its axis")

# %% [markdown]
# ## Checks

# %%
for name in ("line", "pillar"):
    for state, e in exact.items():
        resistance_area = solutions[name, state].resistance_area
        assert abs(resistance_area / e.resistance_area - 1) < 1e-5, (name, state, resistance_area, e.resistance_area)
assert all(abs(x.power_balance) < 1e-10 for x in solutions.values())
swing = {g: solutions[g, "antiparallel"].resistance_area - solutions[g, "parallel"].resistance_area for g in geometries}
assert swing["pillar, wide leads"] > swing["pillar"] > 0
