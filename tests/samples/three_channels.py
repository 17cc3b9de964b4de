"""A model of three channels, one of them absent from a region."""

from mpi4py import MPI

from fespin import (
    Layer,
    SolverOptions,
    Stack,
    line,
)
from fespin.onsager import (
    Channels,
    ContactLaw,
    Declaration,
    System,
    Terminal,
    TerminalSolver,
    dissipation,
    moments,
)
from references.devices import CU, PY

COMM = MPI.COMM_WORLD


def run(domain, declaration, options=None, degree=2):
    system = System(domain, declaration, degree)
    solver = TerminalSolver(system, options or SolverOptions())
    solved = solver.solve({"bottom": Terminal(voltage=1.0), "top": Terminal(voltage=0.0)})
    power = dissipation(declaration, moments(system, solved.fields))
    return system, solved.fields, solved.currents["bottom"], power, power.total / solved.power - 1


SD = Channels({"s-up": {"c": 1, "s": 1}, "s-down": {"c": 1, "s": -1}, "d": {"c": 1, "s": -1, "a": -1}})


def three_channels(d):
    """s-up, s-down and d, the last only in "F" and insulated there; unequal coefficients."""
    flip = ({"s-up": 1, "s-down": -1}, 1e20)
    normal = SD.medium({"s-up": 5e7, "s-down": 5e7}, {"flip": flip})
    magnet = SD.medium(
        {"s-up": 1e7, "s-down": 0.6e7, "d": 0.4e7},
        {"flip": ({"s-up": 1, "s-down": -1}, 2e21), "s-d": ({"s-down": 1, "d": -1}, 5e23)},
    )
    ends = {k: ContactLaw({"c": 1.0}, grounded=("s",)) for k in ("bottom", "top")}
    # The mesh follows the decay lengths of the declared materials; this model has its own.
    stack = Stack(Layer(CU, 40e-9, "N"), Layer(PY, d, "F"), Layer(CU, 30e-9, "M"), library={})
    domain = line(COMM, stack, refine=2)
    return domain, Declaration(SD.fields, {"N": normal, "F": magnet, "M": normal}, contacts=ends)
