"""Declarations, and the engine on a model of its own: three channels, one absent from a region."""

import math

import gmsh
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples.solvers import TO_ROUNDING
from samples.three_channels import COMM, run, three_channels

from fespin import (
    Contact,
    InputError,
    Layer,
    ModelError,
    SolverError,
    SolverOptions,
    Stack,
    TransportProblem,
    from_file,
    line,
    strip,
)
from fespin.onsager import (
    ContactLaw,
    Declaration,
    InterfaceLaw,
    Mechanism,
    Medium,
    Reversible,
    System,
    mechanisms_of,
)
from fespin.onsager.matrices import matrix_of
from references.devices import CU, DOWN, UP, valve


class TestDeclaration:
    def test_negative_coefficients_are_refused(self):
        with pytest.raises(ModelError, match="'drag' has the coefficient -1"):
            Mechanism("drag", -1.0, {"c": 1.0})
        with pytest.raises(ModelError, match="finite"):
            Mechanism("drag", math.inf, {"c": 1.0})

    def test_matrices_become_mechanisms(self):
        m = np.array([[3.0, -1.0], [-1.0, 2.0]])
        made = mechanisms_of("sigma", m, ("a", "b"))
        assert matrix_of(made, ("a", "b")) == pytest.approx(m, rel=1e-14, abs=0)

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
    assert current == pytest.approx(exact, rel=1e-7, abs=0)
    assert abs(balance) < 1e-12
    from fespin.domain import sample

    at = domain.interface_centre(("N", "F"))[None]
    assert sample([w[2]], domain, at, "F")[0, 0] == pytest.approx(affinity, rel=1e-6, abs=0)
    assert all(p >= 0 for p in power.parts.values())
    assert power.parts["F", "s-d"] > 0


def precessing(value):
    """A magnet "F" that turns spins from x to y, and a normal metal "N"; unequal coefficients."""
    up, down = {"c": 1.0, "x": 1.0}, {"c": 1.0, "x": -1.0}
    across = Mechanism("y", 2e7, {"y": 1.0})
    relax = (Mechanism("x relaxes", 1e22, {"x": 1.0}), Mechanism("y relaxes", 4e22, {"y": 1.0}))
    turn = (Reversible("precession", "x", "y", value),)
    magnet = Medium((Mechanism("up", 3e7, up), Mechanism("down", 1e7, down), across), relax, reversible=turn)
    normal = Medium((Mechanism("up", 2e7, up), Mechanism("down", 2e7, down), across), relax)
    ends = {k: ContactLaw({"c": 1.0}, grounded=("x", "y")) for k in ("bottom", "top")}
    return Declaration(("c", "x", "y"), {"F": magnet, "N": normal}, contacts=ends)


def test_reversible_couplings_drop_out_of_the_power():
    """Precession turns x into y, changes the solution, and dissipates nothing; y stays without it."""
    domain = line(COMM, Stack(Layer(CU, 25e-9, "F"), Layer(CU, 25e-9, "N")))

    direct = SolverOptions("direct")
    _, still, before, _, _ = run(domain, precessing(0.0), direct)
    _, turned, after, power, balance = run(domain, precessing(9e22), direct)
    assert np.abs(still[2].x.array).max() < 1e-15
    assert np.abs(turned[2].x.array).max() > 1e-3
    assert after != pytest.approx(before, rel=1e-4, abs=0)
    assert abs(balance) < 1e-12
    assert all(p >= 0 for p in power.parts.values())


@pytest.mark.parametrize("value", [1e22, 1e24])
def test_strong_precession_in_two_dimensions(value):
    """Reversible couplings make the matrix unsymmetric: GMRES with multigrid against MUMPS."""
    domain = strip(COMM, Stack(Layer(CU, 25e-9, "F"), Layer(CU, 25e-9, "N")), width=30e-9)
    declaration = precessing(value)
    system, *_ = first = run(domain, declaration, TO_ROUNDING)
    second = run(domain, declaration, SolverOptions("direct"))
    assert not system.symmetric
    assert first[2] == pytest.approx(second[2], rel=1e-11, abs=0)
    assert abs(first[4]) < 1e-10


@pytest.mark.parametrize(
    ("turn", "words"),
    [
        (Reversible("p", "x", "zz", 1.0), "'zz', which nothing conducts"),
        (Reversible("p", "c", "x", 1.0), "charge field 'c'"),
        (Reversible("p", "x", "x", 1.0), "need two"),
        (Reversible("p", "x", "y", math.nan), "need two, finite"),
    ],
)
def test_impossible_reversible_couplings(turn, words):
    conduct = tuple(Mechanism(f, 1.0, {f: 1.0}) for f in "cxy")
    with pytest.raises(ModelError, match=words):
        Declaration(("c", "x", "y"), {"F": Medium(conduct, reversible=(turn,))}, contacts={"e": ContactLaw({"c": 1.0})})


def test_fields_are_where_they_conduct():
    conduct, ends = (Mechanism("c", 1.0, {"c": 1.0}),), {"e": ContactLaw({"c": 1.0})}
    media = {"F": Medium((*conduct, Mechanism("s", 1.0, {"s": 1.0}))), "N": Medium(conduct)}

    def law(*weights, perfect=()):
        return {("F", "N"): InterfaceLaw((Mechanism("g", 1.0, dict(weights)),), perfect=frozenset(perfect))}

    both = [((0, "c"), 1.0), ((1, "c"), -1.0)]
    for laws, words in (
        (law(((1, "s"), 1.0)), "acts on 's' in 'N', where it is absent"),
        (law(*both, perfect=("c",)), "continuous there"),
        (law(*both, perfect=("t",)), "names 't'"),
        (law(((0, "t"), 1.0)), "names 't'"),
    ):
        with pytest.raises(ModelError, match=words):
            Declaration(("c", "s"), media, laws, ends)
    react = Medium(conduct, (Mechanism("flip", 1.0, {"s": 1.0}),))
    with pytest.raises(ModelError, match="'flip' in 'F' acts on 's', which nothing conducts"):
        Declaration(("c", "s"), {"F": react}, contacts=ends)


def test_a_refused_turn_leaves_the_state_whole():
    problem = TransportProblem(line(COMM, valve(UP)))
    a = problem.solve(voltage=1.0)
    with pytest.raises(InputError, match="not collinear"):
        problem.magnetize({"L3": (1, 0, 0)})
    b = problem.solve(voltage=1.0)
    assert b.current == a.current
    assert b.stack["L3"].direction == UP


def test_charge_must_be_conserved():
    ends = {"bottom": ContactLaw({"c": 1.0})}
    leak = Medium((Mechanism("c", 1.0, {"c": 1.0}),), (Mechanism("leak", 1.0, {"c": 1.0}),))
    with pytest.raises(ModelError, match="'leak' in 'F' depends on 'c' itself"):
        Declaration(("c",), {"F": leak}, contacts=ends)
    law = InterfaceLaw((Mechanism("face", 1.0, {(0, "c"): 1.0, (1, "c"): -0.9}),))
    with pytest.raises(ModelError, match="'face' between 'F' and 'N'"):
        Declaration(("c",), {}, {("F", "N"): law}, ends)


@pytest.mark.parametrize(
    ("contact", "words"),
    [
        (ContactLaw({"c": 1.0, "t": 0.5}), "contact 'bottom' names 't': known: c, s"),
        (ContactLaw({"c": 1.0}, grounded=("t",)), "contact 'bottom' names 't'"),
        (ContactLaw({"c": 1.0}, mechanisms=(Mechanism("lead", 1.0, {"t": 1.0}),)), "contact 'bottom' names 't'"),
        (ContactLaw({"c": 1.0}, reversible=(Reversible("turn", "s", "t", 1.0),)), "contact 'bottom' names 't'"),
        (ContactLaw({"c": 1.0}, mechanisms=(Mechanism("lead", 1.0, {"c": 1.0}),)), "acts on 'c' itself"),
    ],
)
def test_refused_contacts(contact, words):
    conduct = tuple(Mechanism(f, 1.0, {f: 1.0}) for f in ("c", "s"))
    with pytest.raises(ModelError, match=words):
        Declaration(("c", "s"), {"F": Medium(conduct)}, contacts={"bottom": contact})


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
    assert c.current == pytest.approx(a.current, rel=1e-12, abs=0)
    assert a.fields["c"].function_space is c.fields["c"].function_space
    fresh = TransportProblem(strip(COMM, valve(DOWN), width=40e-9)).solve(voltage=1.0)
    assert b.current == pytest.approx(fresh.current, rel=1e-12, abs=0)


def three_regions(tmp_path):
    """Three squares around a corner: a and b above each other, both touching c."""
    gmsh.initialize(interruptible=False)
    gmsh.option.setNumber("General.Terminal", 0)
    try:
        occ, model = gmsh.model.occ, gmsh.model
        boxes = [occ.addRectangle(*x) for x in ((0, 0, 0, 20, 20), (0, 20, 0, 20, 20), (20, 0, 0, 20, 40))]
        occ.fragment([(2, boxes[0])], [(2, b) for b in boxes[1:]])
        occ.synchronize()
        for i, name in enumerate("abc"):
            model.addPhysicalGroup(2, [boxes[i]], name=name)
        for name, y in (("bottom", 0), ("top", 40)):
            edge = model.getEntitiesInBoundingBox(-1, y - 1, -1, 21, y + 1, 1, 1)
            model.addPhysicalGroup(1, [t for _, t in edge], name=name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 5)
        model.mesh.generate(2)
        gmsh.write(str(tmp_path / "three.msh"))
    finally:
        gmsh.finalize()
    stack = Stack(*(Layer(CU, 1e-9, n) for n in "abc"))
    return from_file(COMM, tmp_path / "three.msh", stack, length_unit=1e-9)


def test_half_insulated_neighbours_are_refused(tmp_path):
    """Perfect contacts that lead around an interface with a law would short it."""
    domain = three_regions(tmp_path)
    assert set(domain.interfaces) == {("a", "b"), ("a", "c"), ("b", "c")}
    ends = {k: ContactLaw({"c": 1.0}) for k in ("bottom", "top")}
    media = {r: Medium((Mechanism("c", 1e7, {"c": 1.0}),)) for r in domain.regions}
    law = InterfaceLaw((Mechanism("g", 1e15, {(0, "c"): 1.0, (1, "c"): -1.0}),))
    declaration = Declaration(("c",), media, dict.fromkeys(domain.interfaces, law), ends)
    *_, balance = run(domain, declaration, TO_ROUNDING)
    assert abs(balance) < 1e-10
    with pytest.raises(ModelError, match="'a' and 'b' have an interface law, but perfect contacts"):
        System(domain, Declaration(("c",), media, {("a", "b"): law}, ends))
    with pytest.raises(ModelError, match="no medium"):
        System(domain, Declaration(("c",), {"a": media["a"]}, contacts=ends))
    with pytest.raises(ModelError, match="do not touch"):
        System(domain, Declaration(("c",), media, {("a", "x"): law}, ends))


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
