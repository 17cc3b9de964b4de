"""Anisotropic conduction and Hall couplings in lines, sections and bodies: exact bars, side contacts, steps."""

from dataclasses import replace

import numpy as np
import pytest
from dolfinx import mesh
from launch import numbers, require_equal
from mpi4py import MPI
from samples.solvers import TO_ROUNDING

import fespin as fs
from fespin.domain import build_domain, sample
from fespin.errors import InputError, ModelError
from fespin.onsager import (
    Along,
    ContactLaw,
    Declaration,
    GradientCoupling,
    Mechanism,
    Medium,
    System,
    TerminalSolver,
    dissipation,
    moments,
    uniaxial,
)
from fespin.onsager.leads import contact_law
from fespin.onsager.matrices import matrix_of, tensor_of
from fespin.onsager.power import dissipation_of

COMM = MPI.COMM_SELF
NM = 1e-9
OBLIQUE = np.array([0.48, -0.6, 0.64])
RESERVOIRS = {k: ContactLaw({"c": 1.0}) for k in ("bottom", "top")}
VOLT = {"bottom": fs.Terminal(voltage=1.0), "top": fs.Terminal(voltage=0.0)}


def sheared(stack, width, shear, cells=4, comm=COMM):
    """A bar of one layer whose end faces z = shear . (x, y) and z = L + shear . (x, y) are oblique."""
    length = stack.layers[0].thickness
    if len(shear) == 1:
        m = mesh.create_rectangle(comm, [(0, 0), (width, length)], (cells, 2 * cells))
    else:
        m = mesh.create_box(comm, [(0, 0, 0), (width, 1.3 * width, length)], (cells, cells, cells))
    dim = m.topology.dim
    at = [
        mesh.locate_entities_boundary(m, dim - 1, lambda x, h=h: abs(x[dim - 1] - h) < 1e-3 * NM) for h in (0, length)
    ]
    m.geometry.x[:, dim - 1] += m.geometry.x[:, : dim - 1] @ np.array(shear)
    count = m.topology.index_map(dim).size_local + m.topology.index_map(dim).num_ghosts
    cell_tags = mesh.meshtags(m, dim, np.arange(count, dtype=np.int32), np.full(count, 1, np.int32))
    facets, values = np.concatenate(at), np.repeat([2, 3], [len(a) for a in at]).astype(np.int32)
    order = np.argsort(facets)
    facet_tags = mesh.meshtags(m, dim - 1, facets[order], values[order])
    names = {(dim, stack.names[0]): 1, (dim - 1, "bottom"): 2, (dim - 1, "top"): 3}
    area = width if dim == 2 else 1.3 * width**2
    return build_domain(m, cell_tags, facet_tags, names, stack, cross_section=area)


@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("anisotropy", [0.4, -0.7])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_bar_with_an_oblique_magnetization(dim, anisotropy, sign):
    """J along the bar, E = rho J oblique to it and across the end faces: the potential is linear, R = rho_zz L/A.

    A line is as wide as it is long: there E is along z, and R = L/(sigma_zz A).
    """
    rho, length, width = 1.7e-7, 60 * NM, 20 * NM
    u = sign * OBLIQUE
    bar = fs.Material("F", rho, 7 * NM, 0.45, anisotropic_magnetoresistance=anisotropy)
    stack = fs.Stack(fs.Layer(bar, length, "f", tuple(u)), library={})
    # rho_par - rho_perp = A rho, rho = (rho_par + 2 rho_perp)/3.
    tensor = rho * ((1 - anisotropy / 3) * np.eye(3) + anisotropy * np.outer(u, u))
    if dim == 1:
        domain, expected = fs.line(COMM, stack, mesh_size=10 * NM), length / np.linalg.inv(tensor)[2, 2]
    else:
        # In a section nothing varies along y: E_y = 0 there, and the resistivity is that of x and z.
        seen = tensor if dim == 3 else np.linalg.inv(np.linalg.inv(tensor)[np.ix_([0, 2], [0, 2])])
        shear = -seen[:-1, -1] / seen[-1, -1]
        domain, expected = sheared(stack, width, shear), length * seen[-1, -1]
    x = fs.TransportProblem(domain, fs.Vector(), solver=TO_ROUNDING).solve(current_density=3e10)
    assert x.resistance_area == pytest.approx(expected, rel=1e-9)
    assert abs(x.power_balance) < 1e-9
    assert max(abs(f.x.array).max() for k, f in x.fields.items() if k != "c") < 1e-9 * x.voltage
    # Nothing of it is the spins'.
    assert abs(x.r_nonequilibrium) < 1e-7 * x.resistance_area


@pytest.mark.parametrize("dim", [2, 3])
def test_a_hall_bar(dim):
    """One declaration of the Hall effect of a charge in a field: E = rho J, with rho the inverse of the tensor."""
    sigma, h = 3e6, 1e6 * np.array([0.9, 1.7, -0.6])
    hall = np.array([np.cross(h, e) for e in np.eye(3)])  # -J = sigma grad c + h x grad c, transposed by symmetry
    medium = Medium(
        (Mechanism("charge", sigma, {"c": 1.0}),),
        crossed=(GradientCoupling("Hall", "c", "c", tuple(map(tuple, hall.T))),),
    )
    tensor = sigma * np.eye(3) + hall.T
    seen = np.linalg.inv(tensor if dim == 3 else tensor[np.ix_([0, 2], [0, 2])])
    length, width = 60 * NM, 20 * NM
    stack = fs.Stack(fs.Layer(fs.Material("b", 1e-7, 9e-9), length, "b"), library={})
    domain = sheared(stack, width, -seen[:-1, -1] / seen[-1, -1])
    system = System(domain, Declaration(("c",), {"b": medium}, {}, RESERVOIRS))
    x = TerminalSolver(system, fs.SolverOptions("direct")).solve(VOLT)
    assert x.currents["bottom"] / domain.area == pytest.approx(1 / (seen[-1, -1] * length), rel=1e-9)
    assert dissipation_of(system, x.fields).total == pytest.approx(x.power, rel=1e-9)


def test_uniaxial_conduction_is_the_tensor():
    for along, across in ((5.0, 2.0), (2.0, 5.0)):
        for u in (tuple(OBLIQUE), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0)):
            made = uniaxial("x", across, along, u, {"c": 1.0, "s": -0.4})
            w, n = np.array([1.0, -0.4]), np.array(u)
            expected = np.einsum("i,j,ab->iajb", w, w, across * np.eye(3) + (along - across) * np.outer(n, n))
            whole = matrix_of([m for m in made if not m.directed], ("c", "s"))
            found = np.einsum("ij,ab->iajb", whole, np.eye(3)) + tensor_of(Medium(made), ("c", "s"))
            assert found == pytest.approx(expected, abs=1e-14)


@pytest.mark.parametrize("transverse", ["absorbed", "resolved"])
def test_r_nonequilibrium_of_an_anisotropic_valve(transverse):
    """Of a line, the same as that of isotropic magnets with sigma_zz in the place of sigma."""
    a, u = 0.5, OBLIQUE
    zz = 1 / (1 - a / 3) + (1 / (1 + 2 * a / 3) - 1 / (1 - a / 3)) * u[2] ** 2
    cu = fs.Material("Cu", 1.8e-8, 200e-9)
    given = fs.Material("F", 2e-7, 6e-9, 0.5, dephasing_length=2e-9, anisotropic_magnetoresistance=a)
    # Reactions belong to the resistivity, conduction to the direction: all lengths grow with the root of sigma_zz.
    plain = replace(
        given, anisotropic_magnetoresistance=0.0, resistivity=2e-7 / zz, spin_diffusion_length=6e-9 * zz**0.5,
        dephasing_length=2e-9 * zz**0.5,
    )  # fmt: skip
    found = []
    for material in (given, plain):
        layers = [fs.Layer(material, 8e-9, "a", tuple(u)), fs.Layer(cu, 4e-9), fs.Layer(material, 5e-9, "b", tuple(-u))]
        face = fs.Interface(0.5e-15, 0.6, 5e14 + 1e14j)
        stack = fs.Stack(*layers, interfaces={("F", "Cu"): face}, library={})
        ends = dict.fromkeys(("bottom", "top"), "lead")
        p = fs.TransportProblem(fs.line(COMM, stack, mesh_size=0.5e-9), fs.Vector(transverse), contacts=ends)
        found.append(p.solve(current_density=1e11))
    assert found[0].resistance_area == pytest.approx(found[1].resistance_area, rel=1e-12)
    assert found[0].r_nonequilibrium == pytest.approx(found[1].r_nonequilibrium, rel=1e-10)
    for place, power in found[1].dissipation.by_place.items():
        assert found[0].dissipation.by_place[place] == pytest.approx(power, rel=1e-9)
    for layer, drop in found[1].layer_drops.items():
        assert found[0].layer_drops[layer] == pytest.approx(drop, rel=1e-10)


def test_a_magnetization_that_turns_across_a_line():
    """R is the mean of 1/sigma_zz, to the error of the quadrature of m(z); power and currents balance."""
    length, a, rho = 40 * NM, 0.6, 2e-7
    f = fs.Material("F", rho, 5 * NM, 0.0, dephasing_length=2 * NM, anisotropic_magnetoresistance=a)

    def turning(x):
        return np.stack([np.sin(np.pi * x[0] / length), 0 * x[0], np.cos(np.pi * x[0] / length)])

    z = (np.arange(20000) + 0.5) / 20000
    par, perp = 1 / (1 + 2 * a / 3), 1 / (1 - a / 3)
    exact = length * rho * np.mean(1 / (perp + (par - perp) * np.cos(np.pi * z) ** 2))
    errors = []
    for refine in (0.25, 0.5):
        domain = fs.line(COMM, fs.Stack(fs.Layer(f, length, "f", turning), library={}), refine=refine)
        p = fs.TransportProblem(domain, fs.Vector("resolved"), contacts=dict.fromkeys(("bottom", "top"), "blocked"))
        x = p.solve(current_density=1e11)
        errors.append(abs(x.resistance_area / exact - 1))
        assert abs(x.power_balance) < 1e-12
    assert errors[1] < 1e-6
    assert np.log2(errors[0] / errors[1]) > 3


def rectangle(layers, length, cells, comm=COMM, side=None, interfaces=None):
    """Layers on top of each other from x = 0 to the length; contacts at the left and right of the layer `side`."""
    stack = fs.Stack(*layers, interfaces=interfaces or {}, library={})
    edges = np.cumsum([0, *(x.thickness for x in layers)])
    m = mesh.create_rectangle(
        comm, [(0, 0), (length, edges[-1])], cells, diagonal=mesh.DiagonalType.left_right,
        ghost_mode=mesh.GhostMode.shared_facet,
    )  # fmt: skip
    count = m.topology.index_map(2).size_local + m.topology.index_map(2).num_ghosts
    middle = mesh.compute_midpoints(m, 2, np.arange(count, dtype=np.int32))
    tags = (1 + np.searchsorted(edges[1:-1], middle[:, 1])).astype(np.int32)
    low, high = (edges[0], edges[-1]) if side is None else edges[stack.names.index(side) :][:2]
    m.topology.create_connectivity(1, 2)
    at = [
        mesh.locate_entities_boundary(
            m, 1, lambda x, h=h: (abs(x[0] - h) < 1e-3 * NM) & (x[1] > low - 1e-3 * NM) & (x[1] < high + 1e-3 * NM)
        )
        for h in (0, length)
    ]
    facets, values = np.concatenate(at), np.repeat([8, 9], [len(a) for a in at]).astype(np.int32)
    order = np.argsort(facets)
    names = {(2, n): i + 1 for i, n in enumerate(stack.names)} | {(1, "left"): 8, (1, "right"): 9}
    cell_tags = mesh.meshtags(m, 2, np.arange(count, dtype=np.int32), tags)
    return build_domain(m, cell_tags, mesh.meshtags(m, 1, facets[order].astype(np.int32), values[order]), names, stack)


class TestSideContacts:
    """Leads at the ends of a bar along x: its magnet conducts along x there."""

    MAGNET = fs.Material("F", 2e-7, 6e-9, 0.5, dephasing_length=2e-9, anisotropic_magnetoresistance=0.8)

    def test_normals(self):
        domain = rectangle([fs.Layer(self.MAGNET, 10 * NM, "f", (0, 0, 1))], 50 * NM, (10, 2))
        assert domain.contact_normal("left") == pytest.approx((-1, 0, 0))
        assert domain.contact_normal("right") == pytest.approx((1, 0, 0))
        line = fs.line(COMM, fs.Stack(fs.Layer(self.MAGNET, 10 * NM), library={}))
        assert (line.contact_normal("bottom"), line.contact_normal("top")) == ((0, 0, -1), (0, 0, 1))
        stack = fs.Stack(fs.Layer(self.MAGNET, 10 * NM, "f"), library={})
        oblique = sheared(stack, 20 * NM, [0.3, -0.2])
        normal = np.array([-0.3, 0.2, 1]) / np.linalg.norm([-0.3, 0.2, 1])
        assert oblique.contact_normal("top") == pytest.approx(tuple(normal))

    @pytest.mark.parametrize("m", [(1, 0, 0), (0, 0, 1)])
    def test_a_wall_between_leads_is_that_of_a_line(self, m):
        """Two halves magnetized oppositely, of a bar along x and of a line along z, with m turned accordingly."""
        m = np.array(m, float)
        turned = m[[2, 1, 0]]
        face = fs.Interface(0.4e-15, 0.0)
        # The bar's halves lie side by side: build it as a stack, then exchange the axes.
        layers = [fs.Layer(self.MAGNET, 12 * NM, "a", tuple(m)), fs.Layer(self.MAGNET, 12 * NM, "b", tuple(-m))]
        stack = fs.Stack(*layers, interfaces={("a", "b"): face}, library={})
        size = 24 * NM
        grid = mesh.create_rectangle(COMM, [(0, 0), (size, 4 * NM)], (48, 2))
        count = grid.topology.index_map(2).size_local
        middle = mesh.compute_midpoints(grid, 2, np.arange(count, dtype=np.int32))
        tags = np.where(middle[:, 0] < 12 * NM, 1, 2).astype(np.int32)
        ends = [mesh.locate_entities_boundary(grid, 1, lambda x, h=h: abs(x[0] - h) < 1e-3 * NM) for h in (0, size)]
        facets, values = np.concatenate(ends), np.repeat([3, 4], [len(e) for e in ends]).astype(np.int32)
        order = np.argsort(facets)
        names = {(2, "a"): 1, (2, "b"): 2, (1, "left"): 3, (1, "right"): 4}
        domain = build_domain(
            grid, mesh.meshtags(grid, 2, np.arange(count, dtype=np.int32), tags),
            mesh.meshtags(grid, 1, facets[order], values[order]), names, stack,
        )  # fmt: skip
        bar = fs.TransportProblem(domain, fs.Vector("resolved"), contacts=dict.fromkeys(("left", "right"), "lead"))
        drive = {"left": fs.Terminal(current=1e11 * domain.area), "right": fs.Terminal(voltage=0.0)}
        x = bar.solve(terminals=drive, between=("left", "right"))
        line_stack = fs.Stack(
            fs.Layer(self.MAGNET, 12 * NM, "a", tuple(turned)), fs.Layer(self.MAGNET, 12 * NM, "b", tuple(-turned)),
            interfaces={("a", "b"): face}, library={},
        )  # fmt: skip
        domain = fs.line(COMM, line_stack, mesh_size=0.5 * NM)
        line = fs.TransportProblem(domain, fs.Vector("resolved"), contacts=dict.fromkeys(("bottom", "top"), "lead"))
        y = line.solve(current_density=1e11)
        assert x.resistance_area == pytest.approx(y.resistance_area, rel=1e-7)
        assert x.r_nonequilibrium == pytest.approx(y.r_nonequilibrium, rel=1e-5)
        leads = [sum(p for (place, _), p in s.dissipation.parts.items() if "lead" in place) for s in (x, y)]
        assert leads[0] / x.domain.area == pytest.approx(leads[1], rel=1e-5)

    def test_curved_contacts_of_anisotropic_leads_are_refused(self):
        """Both ends as one contact have no normal."""
        stack = fs.Stack(fs.Layer(self.MAGNET, 10 * NM, "f", (0, 0, 1)), library={})
        domain = rectangle(stack.layers, 50 * NM, (10, 2))
        both = {k: np.concatenate(list(v.values())) for k, v in
                (("contacts", domain.contacts), ("contact_entities", domain.contact_entities))}  # fmt: skip
        domain = replace(domain, **{k: {"ends": np.sort(v) if k == "contacts" else v} for k, v in both.items()})
        assert domain.contact_normal("ends") is None
        with pytest.raises(InputError, match="contact 'ends' is not flat: a lead continues layer 'f'"):
            fs.TransportProblem(domain, fs.Vector(), contacts={"ends": "lead"})

    def test_curved_contacts_of_spin_hall_metals(self):
        """n.A.n of their antisymmetric couplings is zero, so that a lead is the same along any normal."""
        hall = fs.Material("HM", 2.3e-7, 4e-9, spin_hall_angle=0.13)
        domain = rectangle([fs.Layer(hall, 10 * NM, "f")], 50 * NM, (10, 2))
        both = {k: np.concatenate(list(v.values())) for k, v in
                (("contacts", domain.contacts), ("contact_entities", domain.contact_entities))}  # fmt: skip
        domain = replace(domain, **{k: {"ends": np.sort(v) if k == "contacts" else v} for k, v in both.items()})
        assert domain.contact_normal("ends") is None
        leads = [
            fs.TransportProblem(domain, fs.Vector(), contacts={"ends": fs.Contact("lead", n)})
            for n in (None, (0.3, -0.5, 0.8))
        ]
        one, other = ([m.coefficient for m in p.system.declaration.contacts["ends"].mechanisms] for p in leads)
        assert one
        assert one == pytest.approx(other, rel=1e-12)


@pytest.mark.parametrize("m", [(0, 0, 1), (1, 0, 0)])
def test_spin_hall_torque_in_a_section(m):
    """A heavy metal under a magnet that absorbs, current from left to right: the closed form away from the ends."""
    d, length, theta, mix = 5 * NM, 1.5 * NM, 0.01, 4e14 + 1e14j
    hm = fs.Material("HM", 2e-7, length, spin_hall_angle=theta)
    # A magnet that hardly conducts: all of the current is in the heavy metal.
    f = fs.Material("F", 2e-2, 5 * NM, 0.0)
    layers = [fs.Layer(hm, d, "hm"), fs.Layer(f, 2 * NM, "f", m)]
    faces = {("HM", "F"): fs.Interface(1e-3, 0.0, mix)}
    domain = rectangle(layers, 60 * NM, (120, 28), side="hm", interfaces=faces)
    ends = dict.fromkeys(("left", "right"), "blocked")
    p = fs.TransportProblem(domain, fs.Vector(), contacts=ends, solver=TO_ROUNDING)
    x = p.solve(terminals={"left": fs.Terminal(current=1.0), "right": fs.Terminal(voltage=0.0)})
    assert abs(x.power_balance) < 1e-9
    fields = [x.fields[k] for k in ("sx", "sy", "sz")]
    s = sample(fields, domain, np.array([[30 * NM, d * (1 - 1e-9), 0.0]]), "hm")[:, 0]
    u, q = np.array(m, float), np.array([0, 1.0, 0])
    across = s - u * (u @ s)
    flux = 2 * mix.real * across + 2 * mix.imag * np.cross(u, across)
    admittance = np.tanh(d / length) / (2e-7 * length)
    xi = theta * (1 - 1 / np.cosh(d / length)) * 2 * mix / (2 * mix + admittance)
    expected = (xi.real * q + xi.imag * np.cross(u, q)) / d
    # At given current the closed form holds to relative order theta^2.
    assert flux == pytest.approx(expected, rel=0, abs=3e-4 * np.abs(expected).max())


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_hall_couplings_dissipate_nothing_and_act_through_steps(dim):
    """In a uniform medium between full faces they change nothing; any matrix cancels in the power."""
    rng = np.random.default_rng(11)
    stack = fs.Stack(*(fs.Layer(fs.Material(k, 1e-7, 9e-9), 9e-9, k) for k in "ab"), library={})
    shapes = {
        1: lambda: fs.line(COMM, stack, mesh_size=3e-9),
        2: lambda: fs.strip(COMM, stack, width=12e-9, mesh_size=3e-9),
        3: lambda: fs.pillar(COMM, stack, diameter=14e-9, mesh_size=5e-9),
    }
    medium = Medium(
        (*uniaxial("one", 3e6, 7e6, tuple(OBLIQUE), {"c": 1.0}), Mechanism("two", 2e6, {"s": 1.0, "c": 0.3})),
        (Mechanism("decay", 4e22, {"s": 1.0}),),
    )
    odd = rng.normal(size=(3, 3))
    antisymmetric = GradientCoupling("Hall", "c", "s", tuple(map(tuple, 1e6 * (odd - odd.T))))
    general = GradientCoupling("any", "s", "c", tuple(map(tuple, 1e6 * odd)))
    domain = shapes[dim]()

    def solved(a, b):
        declaration = Declaration(("c", "s"), {"a": a, "b": b}, contacts=RESERVOIRS)
        system = System(domain, declaration)
        return system, TerminalSolver(system, fs.SolverOptions("direct")).solve(VOLT)

    plain = solved(medium, medium)[1]
    with_hall = replace(medium, crossed=(antisymmetric,))
    _, same = solved(with_hall, with_hall)
    if dim == 1:
        # A line has no sides through which it could act.
        assert same.currents["bottom"] == pytest.approx(plain.currents["bottom"], rel=1e-12)
    else:
        assert same.currents["bottom"] != pytest.approx(plain.currents["bottom"], rel=1e-6)
    for crossed in ((antisymmetric,), (general,), (antisymmetric, general)):
        system, x = solved(replace(medium, crossed=crossed), medium)
        assert not system.symmetric
        power = dissipation(system.declaration, moments(system, x.fields))
        assert power.total == pytest.approx(x.power, rel=1e-10)
        assert set(power.by_mechanism) == {"one", "two", "decay"}
        assert min(power.parts.values()) > 0
        a = system.matrix()
        # The assembled blocks of the coupling cancel in w^T A w, for any w.
        w = system.functions()
        for f in w:
            f.x.array[: len(f.x.array)] = rng.normal(size=len(f.x.array))
        tensor = tensor_of(Medium(medium.conduction[2:], crossed=crossed), ("c", "s"))
        only = replace(system.coefficients.only(None), tensors={"a": tensor})
        flux = system.residual(w, coefficients=only)
        each = [float(f.x.array @ v.x.array) for f, v in zip(flux, w, strict=True)]
        assert abs(each[0]) > 0 or (dim == 1 and crossed == (antisymmetric,))
        assert abs(sum(each)) <= 1e-12 * abs(each[0])
        a.destroy()


def test_given_gradients_of_any_field():
    """In a bar that is uniform along what is given, flux = -T (grad w - E): closed form, and power E . J."""
    rng = np.random.default_rng(5)
    stack = fs.Stack(fs.Layer(fs.Material("a", 1e-7, 9e-9), 30e-9, "a"), library={})
    a = rng.normal(size=(6, 6))
    values, vectors = np.linalg.eigh(1e6 * a @ a.T)
    ways = tuple(
        Mechanism(f"way {k}", float(values[k]), {
            Along(f, d): float(vectors[3 * i + j, k])
            for i, f in enumerate(("c", "s")) for j, d in enumerate(((1, 0, 0), (0, 1, 0), (0, 0, 1)))
        }) for k in range(6)
    )  # fmt: skip
    hall = GradientCoupling("Hall", "c", "s", tuple(map(tuple, 1e6 * rng.normal(size=(3, 3)))))
    medium = Medium(ways, (), (), (), (hall,))
    applied = {"c": (3e5, -2e5, 0.0), "s": (1e5, 4e4, 0.0)}
    free = {k: ContactLaw({"c": 1.0}, grounded=("s",)) for k in ("bottom", "top")}
    declaration = Declaration(("c", "s"), {"a": medium}, {}, free, applied=applied)
    system = System(fs.line(COMM, stack, mesh_size=5e-9), declaration)
    solver = TerminalSolver(system, fs.SolverOptions())
    x = solver.solve({"bottom": fs.Terminal(voltage=0.02), "top": fs.Terminal(voltage=0.0)})
    tensor = tensor_of(medium, ("c", "s")).reshape(6, 6)
    force = np.array([*applied["c"], *applied["s"]])
    force[2] = 0.02 / 30e-9
    flux = tensor @ force
    assert x.currents["bottom"] == pytest.approx(flux[2], rel=1e-12)
    assert x.applied_power == pytest.approx(30e-9 * (flux @ force - flux[2] * force[2]), rel=1e-12)
    power = dissipation_of(system, x.fields)
    assert power.total == pytest.approx(30e-9 * flux @ force, rel=1e-12)
    assert power.total == pytest.approx(x.power, rel=1e-12)


class TestRefused:
    def test_mixed_forces(self):
        with pytest.raises(ModelError, match="'odd' mixes whole gradients and components"):
            Mechanism("odd", 1.0, {"c": 1.0, Along("s", (0, 0, 1)): 1.0})

    def test_directions_that_are_none(self):
        with pytest.raises(ModelError, match="need a unit vector"):
            Along("c", (0, 0, 2))

    def test_components_in_a_reaction(self):
        medium = Medium((Mechanism("a", 1.0, {"c": 1.0}),), (Mechanism("b", 1.0, {Along("c", (0, 0, 1)): 1.0}),))
        with pytest.raises(ModelError, match="'b' in 'x' has components of gradients, but is no conduction"):
            Declaration(("c",), {"x": medium})

    def test_couplings_of_one_or_of_unknown_fields(self):
        zero = ((0, 0, 0),) * 3
        with pytest.raises(ModelError, match="couples 'c' with itself by a matrix that is not antisymmetric"):
            GradientCoupling("Hall", "c", "c", ((1, 0, 0), (0, 0, 0), (0, 0, 0)))
        with pytest.raises(ModelError, match="need 3 x 3"):
            GradientCoupling("Hall", "c", "s", ((0, 1), (1, 0)))
        medium = Medium((Mechanism("a", 1.0, {"c": 1.0}),), crossed=(GradientCoupling("Hall", "c", "s", zero),))
        with pytest.raises(ModelError, match="'Hall' in 'x' acts on 's', which nothing conducts there"):
            Declaration(("c", "s"), {"x": medium})
        with pytest.raises(ModelError, match="'Hall' in 'x' names 's'"):
            Declaration(("c",), {"x": medium})

    def test_a_lead_along_its_own_coupling(self):
        matrix = ((0, 0, 0), (0, 0, 0), (0, 0, 1e6))
        both = (Mechanism("a", 1.0, {"c": 1.0}), Mechanism("b", 1.0, {"s": 1.0}))
        medium = Medium(both, (Mechanism("d", 1.0, {"s": 1.0}),), crossed=(GradientCoupling("odd", "c", "s", matrix),))
        with pytest.raises(ModelError, match="'odd' acts along the lead"):
            contact_law("lead", medium, "c", ("c", "s"))
        assert contact_law("lead", medium, "c", ("c", "s"), (1, 0, 0)).mechanisms

    def test_forces_given_to_unknown_fields(self):
        medium = Medium((Mechanism("a", 1.0, {"c": 1.0}),))
        with pytest.raises(ModelError, match="applied: there is no field 'd'"):
            Declaration(("c",), {"x": medium}, applied={"d": (1, 0, 0)})
        with pytest.raises(ModelError, match="applied: the force on 'c' is"):
            Declaration(("c",), {"x": medium}, applied={"c": (1, 0, float("nan"))})


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    return numbers(1, "directed.py", tmp_path_factory.mktemp("serial"))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, serial, tmp_path):
    require_equal(numbers(ranks, "directed.py", tmp_path), serial)
