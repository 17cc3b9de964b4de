"""Declarations, and the engine on a model of its own: three channels, one absent from a region."""

import math

import numpy as np
import pytest
from devices import CU, DOWN, PY, UP, valve
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

from fespin import Contact, Layer, ModelError, SolverError, SolverOptions, Stack, TransportProblem, line, strip
from fespin.onsager import (
    ContactLaw,
    Declaration,
    InterfaceLaw,
    Mechanism,
    Medium,
    Reversible,
    System,
    Terminal,
    TerminalSolver,
    dissipation,
    mechanisms_of,
    moments,
)
from fespin.onsager.declaration import matrix_of

COMM = MPI.COMM_WORLD


def run(domain, declaration, options=None, degree=2):
    system = System(domain, declaration, degree)
    solver = TerminalSolver(system, options or SolverOptions())
    w, volts, amps = solver.solve({"bottom": Terminal(voltage=1.0), "top": Terminal(voltage=0.0)})
    power = dissipation(declaration, moments(system, w))
    put_in = sum(volts[k] * amps[k] for k in volts)
    return system, w, amps["bottom"], power, power.total / put_in - 1


class TestDeclaration:
    def test_negative_coefficients_are_refused(self):
        with pytest.raises(ModelError, match="'drag' has the coefficient -1"):
            Mechanism("drag", -1.0, {"c": 1.0})
        with pytest.raises(ModelError, match="finite"):
            Mechanism("drag", math.inf, {"c": 1.0})

    def test_matrices_become_mechanisms(self):
        m = np.array([[3.0, -1.0], [-1.0, 2.0]])
        made = mechanisms_of("sigma", m, ("a", "b"))
        assert matrix_of(made, ("a", "b")) == pytest.approx(m, rel=1e-14)

    def test_matrices_that_produce_power_are_refused(self):
        with pytest.raises(ModelError, match=r"'sigma' is not positive: the combination \(.*a.*b\) would produce"):
            mechanisms_of("sigma", [[1.0, 2.0], [2.0, 1.0]], ("a", "b"))
        with pytest.raises(ModelError, match="symmetric"):
            mechanisms_of("sigma", [[1.0, 0.5], [0.0, 1.0]], ("a", "b"))

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.floats(-3, 3), min_size=9, max_size=9))
    def test_any_positive_matrix_is_a_sum_of_mechanisms(self, numbers):
        a = np.array(numbers).reshape(3, 3)
        made = mechanisms_of("m", a @ a.T, "xyz")
        assert matrix_of(made, "xyz") == pytest.approx(a @ a.T, abs=1e-12 * max(1.0, np.abs(a @ a.T).max()))

    def test_laws_flip(self):
        law = InterfaceLaw((Mechanism("g", 2.0, {(0, "c"): 1.0, (1, "c"): -1.0, (0, "s"): 0.5}),))
        assert law.flipped().mechanisms[0].weights == {(1, "c"): 1.0, (0, "c"): -1.0, (1, "s"): 0.5}
        assert law.flipped().flipped() == law


def three_channels(d):
    """s-up, s-down and d, the last only in "F" and insulated there; unequal coefficients.

    Potentials are (c, s, a): s-up,down = c +- s, d = c - s - a.
    """
    up, down, third = {"c": 1.0, "s": 1.0}, {"c": 1.0, "s": -1.0}, {"c": 1.0, "s": -1.0, "a": -1.0}
    normal = Medium((Mechanism("up", 5e7, up), Mechanism("down", 5e7, down)), (Mechanism("flip", 1e20, {"s": 2.0}),))
    magnet = Medium(
        (Mechanism("up", 1e7, up), Mechanism("down", 0.6e7, down), Mechanism("d", 0.4e7, third)),
        (Mechanism("flip", 2e21, {"s": 2.0}), Mechanism("s-d", 5e23, {"a": 1.0})),
    )
    ends = {k: ContactLaw({"c": 1.0}, grounded=("s",)) for k in ("bottom", "top")}
    # The mesh follows the decay lengths of the declared materials; this model has its own.
    stack = Stack(Layer(CU, 40e-9, "N"), Layer(PY, d, "F"), Layer(CU, 30e-9, "M"))
    domain = line(COMM, stack, refine=2)
    return domain, Declaration(("c", "s", "a"), {"N": normal, "F": magnet, "M": normal}, contacts=ends)


def exact_three_channels(d):
    """The same by diagonalizing K^-1 R: channels relax with the square roots of its eigenvalues."""
    k_n, r_n = np.diag([5e7, 5e7]), 1e20 * np.array([[1, -1], [-1, 1.0]])
    k_f = np.diag([1e7, 0.6e7, 0.4e7])
    flip, sd = np.array([1, -1, 0.0]), np.array([0, 1, -1.0])
    r_f = 2e21 * np.outer(flip, flip) + 5e23 * np.outer(sd, sd)
    parts = []  # (thickness, modes, decays, K)
    for k, r, thick in ((k_n, r_n, 40e-9), (k_f, r_f, d), (k_n, r_n, 30e-9)):
        values, vectors = np.linalg.eig(np.linalg.solve(k, r))
        order = np.argsort(values.real)
        parts.append((thick, vectors[:, order].real, np.sqrt(np.abs(values[order].real)), k))

    def basis(part, x):
        """Values and currents of the unknown modes of a layer at depth x."""
        thick, modes, decays, k = part
        columns, slopes = [modes[:, 0] / modes[0, 0], modes[:, 0] / modes[0, 0] * x], None
        slopes = [0 * modes[:, 0], modes[:, 0] / modes[0, 0]]
        for v, q in zip(modes.T[1:], decays[1:], strict=True):
            columns += [v * np.exp(-q * x), v * np.exp(q * (x - thick))]
            slopes += [-q * v * np.exp(-q * x), q * v * np.exp(q * (x - thick))]
        return np.array(columns).T, -k @ np.array(slopes).T

    sizes = [2 * len(p[2]) for p in parts]
    at = np.cumsum([0, *sizes])
    rows, right = [], []

    def row(pieces, value=0.0):
        r = np.zeros(at[-1])
        for i, b in pieces:
            r[at[i] : at[i + 1]] += b
        rows.append(r)
        right.append(value)

    bottom, top = basis(parts[0], 0.0)[0], basis(parts[2], 30e-9)[0]
    for ch in (0, 1):
        row([(0, bottom[ch])], 1.0)
        row([(2, top[ch])], 0.0)
    for lower in (0, 1):
        (u0, j0), (u1, j1) = basis(parts[lower], parts[lower][0]), basis(parts[lower + 1], 0.0)
        for ch in (0, 1):
            row([(lower, u0[ch]), (lower + 1, -u1[ch])])
            row([(lower, j0[ch]), (lower + 1, -j1[ch])])
        row([(lower, j0[2])] if lower == 1 else [(1, j1[2])])
    m = np.array(rows)
    m, b = m / np.abs(m).max(axis=1)[:, None], np.array(right) / np.abs(rows).max(axis=1)
    x = np.linalg.solve(m, b)
    u, j = basis(parts[1], 0.0)
    inside = x[at[1] : at[2]]
    return float((j @ inside).sum()), float((u @ inside)[1] - (u @ inside)[2])


@pytest.mark.parametrize("thickness", [4e-9, 30e-9])
def test_a_channel_may_be_absent(thickness):
    """Three channels with one only in the magnet: current and s-d affinity against the exact solution."""
    domain, declaration = three_channels(thickness)
    _, w, current, power, balance = run(domain, declaration, degree=3)
    exact, affinity = exact_three_channels(thickness)
    assert current == pytest.approx(exact, rel=1e-7)
    assert abs(balance) < 1e-12
    from fespin.domain import sample

    at = domain.interface_centre(("N", "F"))[None]
    assert sample([w[2]], domain, at, "F")[0, 0] == pytest.approx(affinity, rel=1e-6)
    assert all(p >= 0 for p in power.parts.values())
    assert power.parts["F", "s-d"] > 0


def test_reversible_couplings_drop_out_of_the_power():
    """Precession turns x into y, changes the solution, and dissipates nothing; y stays without it."""
    domain = line(COMM, Stack(Layer(CU, 25e-9, "F"), Layer(CU, 25e-9, "N")))

    def declaration(value):
        up, down = {"c": 1.0, "x": 1.0}, {"c": 1.0, "x": -1.0}
        across = Mechanism("y", 2e7, {"y": 1.0})
        relax = (Mechanism("x relaxes", 1e22, {"x": 1.0}), Mechanism("y relaxes", 4e22, {"y": 1.0}))
        turn = (Reversible("precession", "x", "y", value),)
        magnet = Medium((Mechanism("up", 3e7, up), Mechanism("down", 1e7, down), across), relax, reversible=turn)
        normal = Medium((Mechanism("up", 2e7, up), Mechanism("down", 2e7, down), across), relax)
        ends = {k: ContactLaw({"c": 1.0}, grounded=("x", "y")) for k in ("bottom", "top")}
        return Declaration(("c", "x", "y"), {"F": magnet, "N": normal}, contacts=ends)

    direct = SolverOptions("direct")
    _, still, before, _, _ = run(domain, declaration(0.0), direct)
    _, turned, after, power, balance = run(domain, declaration(9e22), direct)
    assert np.abs(still[2].x.array).max() < 1e-15
    assert np.abs(turned[2].x.array).max() > 1e-3
    assert after != pytest.approx(before, rel=1e-4)
    assert abs(balance) < 1e-12
    assert all(p >= 0 for p in power.parts.values())


def test_charge_must_be_conserved():
    ends = {"bottom": ContactLaw({"c": 1.0})}
    leak = Medium((Mechanism("c", 1.0, {"c": 1.0}),), (Mechanism("leak", 1.0, {"c": 1.0}),))
    with pytest.raises(ModelError, match="'leak' in 'F' depends on 'c' itself"):
        Declaration(("c",), {"F": leak}, contacts=ends)
    law = InterfaceLaw((Mechanism("face", 1.0, {(0, "c"): 1.0, (1, "c"): -0.9}),))
    with pytest.raises(ModelError, match="'face' between 'F' and 'N'"):
        Declaration(("c",), {}, {("F", "N"): law}, ends)


def test_spin_drag_is_one_more_mechanism():
    """A conductivity matrix with off-diagonal elements: sigma_up,dn coupling lowers the spin conductivity."""
    s = valve(DOWN)
    problem = TransportProblem(line(COMM, s), contacts=dict.fromkeys(("bottom", "top"), Contact("lead")))
    plain = problem.system.declaration
    media = dict(plain.media)
    m = media["L2"]
    # Momentum exchange between channels at the same charge conductivity: only grad s feels it.
    drag = Mechanism("drag", 3e8, {"s": 1.0})
    media["L2"] = Medium((*m.conduction, drag), m.reactions)
    dragged = Declaration(plain.fields, media, plain.laws, plain.contacts)
    _, _, before, _, _ = run(problem.domain, plain)
    _, _, after, power, balance = run(problem.domain, dragged)
    assert after > before
    assert power.by_mechanism["drag"] > 0
    assert abs(balance) < 1e-12


def test_states_share_spaces():
    problem = TransportProblem(strip(COMM, valve(UP), width=40e-9))
    a = problem.solve(voltage=1.0)
    problem.magnetize({"L3": DOWN})
    b = problem.solve(voltage=1.0)
    problem.magnetize({"L3": UP})
    c = problem.solve(voltage=1.0)
    assert b.current < a.current
    assert c.current == pytest.approx(a.current, rel=1e-12)
    assert a.fields["c"].function_space is c.fields["c"].function_space
    fresh = TransportProblem(strip(COMM, valve(DOWN), width=40e-9)).solve(voltage=1.0)
    assert b.current == pytest.approx(fresh.current, rel=1e-12)


def test_half_insulated_neighbours_are_refused():
    """Perfect contacts that lead around an interface with a law would short it."""
    domain = strip(COMM, valve(UP), width=40e-9, lead_width=90e-9, lead_thickness=10e-9)
    ends = {k: ContactLaw({"c": 1.0}) for k in ("bottom", "top")}
    media = {r: Medium((Mechanism("c", 1e7, {"c": 1.0}),)) for r in domain.regions}
    System(domain, Declaration(("c",), media, contacts=ends))
    with pytest.raises(ModelError, match="no medium"):
        System(domain, Declaration(("c",), {"L0": media["L0"]}, contacts=ends))


def test_a_solve_that_does_not_converge_says_what_to_try():
    problem = TransportProblem(strip(COMM, valve(UP), width=40e-9), solver=SolverOptions("amg", max_iterations=1))
    with pytest.raises(SolverError, match=r"no convergence after 1 iterations .*try the solver kind 'direct'"):
        problem.solve(voltage=1.0)


def test_users_options_come_last():
    options = SolverOptions("amg", petsc={"ksp_type": "fcg", "ksp_rtol": 1e-11})
    problem = TransportProblem(strip(COMM, valve(UP), width=40e-9), solver=options)
    problem.solver.set_up()
    ksp = problem.solver._ready()[0]._ksp
    assert ksp.getType() == "fcg"
    assert ksp.getTolerances()[0] == 1e-11
