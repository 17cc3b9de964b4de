"""The generic and the two-band magnet: fluxes, torques, heat, and the currents of textures between leads."""

import dataclasses
import math

import numpy as np
import pytest
from dolfinx import mesh
from hypothesis import given, settings
from hypothesis import strategies as st
from launch import numbers, require_equal
from samples.irreversible import (
    GENERIC,
    LENGTH,
    MAKERS,
    SCALE,
    STEEP,
    T0,
    ends,
    generic,
    grids,
    pull,
    texture,
    two_band,
)

from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from fespin.errors import InputError, ModelError
from fespin.texture import (
    Electrode,
    GenericMagnet,
    Grid,
    IrreversibleProblem,
    Lead,
    OhmicCircuit,
    TexturedMagnet,
    TwoBandMagnet,
    nonadiabatic_coefficient,
    respond,
    spin_transfer_coefficient,
    static_field,
    wall,
)
from fespin.texture.laws import Place, fluxes, group, production
from references import saslow

COBALT = TexturedMagnet(1.45e6, 3e-11, 0.02, 3.4e7, 0.6, 0.04, easy_constant=4.5e5, hard_constant=1e5)
HEAT = 3e8  # W/m2


def as_reference(magnet):
    """Return the coefficients under the reference's names; its "down" is the band "up" here."""
    given = {x.name: getattr(magnet, x.name) for x in dataclasses.fields(magnet)}
    del given["temperature"], given["gyromagnetic_ratio"]
    for key in ("carrier_moment", "spin_relaxation_time"):
        given.pop(key, None)
    own = {"conductivity": "sigma", "thermal_conductivity": "kappa"}
    own |= {"conductivity_up": "sigma_dn", "conductivity_down": "sigma_up", "damping_rate": "lambda"}
    own |= {"spin_flip": "alpha", "L_up_down": "L_updn", "L_s_up": "L_sdn", "L_s_down": "L_sup"}
    own |= {"L_up_M": "L_dnM", "L_down_M": "L_upM", "L_up_M_prime": "L_dnM_prime", "L_down_M_prime": "L_upM_prime"}
    return {own.get(k, k): v for k, v in given.items()}


def unheated(length=LENGTH, **right):
    return {k: dataclasses.replace(x, temperature=None) for k, x in ends(length, **right).items()}


def place(rng, cells=7, uniform=False):
    M = SCALE * rng.normal(size=(cells, 3))
    D = SCALE * STEEP / 3 * rng.normal(size=(cells, 3, 3))
    if uniform:
        m = M / np.linalg.norm(M, axis=1, keepdims=True)
        D -= np.einsum("cia,ca->ci", D, m)[:, :, None] * m[:, None]
    return Place(M, D)


# ---- fluxes, cell by cell
@pytest.mark.parametrize("seed", range(4))
def test_generic_fluxes(seed):
    """All fluxes, sources and the heat are those of the transcribed equations, with every coefficient there."""
    rng = np.random.default_rng(seed)
    magnet, p = generic(rng), place(rng)
    dT, dmu, H, dH = (rng.normal(size=s) for s in ((7, 3), (7, 3), (7, 3), (7, 3, 3)))
    dT, dmu, H, dH = 1e6 * dT, 1e-15 * dmu, 0.1 * H, 1e6 * dH
    forces = np.concatenate([dT, dmu, dH.reshape(7, 9), H], axis=1)
    parts = fluxes(magnet, p, forces)
    total = sum(parts)
    expected = saslow.generic(as_reference(magnet), p.M, p.D, T0, dT, dmu, H, dH)
    found = {
        "j_s": -total[:, group(magnet, "grad_T")],
        "j_n": -total[:, group(magnet, "grad_mu")],
        "Q": total[:, group(magnet, "grad_H")].reshape(7, 3, 3),
        "N": total[:, group(magnet, "H")],
    }
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-11, abs=1e-12 * np.abs(values).max()), name
    heat = saslow.generic_production(as_reference(magnet), p.M, p.D, T0, dT, dmu, H, dH)
    by = production(magnet, p, forces)
    assert sum(by.values()) == pytest.approx(heat, rel=1e-11)
    assert np.einsum("cn,cn->c", total, forces) == pytest.approx(heat, rel=1e-11)
    assert np.abs(np.einsum("cn,cn->c", parts[1], forces)).max() < 1e-12 * heat.max()
    assert np.abs(parts[1]).max() > 0 and len(by) == 17 and all(np.abs(x).max() > 0 for x in by.values())


@pytest.mark.parametrize("seed", range(4))
def test_two_band_fluxes(seed):
    rng = np.random.default_rng(seed)
    magnet, p = two_band(rng), place(rng)
    dT, up, down, H = (rng.normal(size=(7, 3)) for _ in range(4))
    dT, up, down, H, affinity = 1e6 * dT, 1e-15 * up, 1e-15 * down, 0.1 * H, 1e-22 * rng.normal(size=7)
    forces = np.concatenate([dT, up, down, affinity[:, None], np.cross(p.M, H)], axis=1)
    parts = fluxes(magnet, p, forces)
    total = sum(parts)
    # Saslow's down is up here: so is the sign of the affinity, and of S.
    given = as_reference(magnet), p.M, p.D, T0, dT, down, up, -affinity, H
    expected = saslow.two_band(*given)
    assert -total[:, group(magnet, "grad_T")] == pytest.approx(expected["j_s"], rel=1e-11)
    assert -total[:, group(magnet, "grad_mu_up")] == pytest.approx(expected["j_dn"], rel=1e-11)
    assert -total[:, group(magnet, "grad_mu_down")] == pytest.approx(expected["j_up"], rel=1e-11)
    assert -total[:, 9] == pytest.approx(-expected["S"], rel=1e-12)
    assert total[:, group(magnet, "turning")] == pytest.approx(expected["Omega"], rel=1e-11)
    heat = saslow.two_band_production(*given)
    by = production(magnet, p, forces)
    assert sum(by.values()) == pytest.approx(heat, rel=1e-11)
    assert np.abs(np.einsum("cn,cn->c", parts[1], forces)).max() < 1e-12 * heat.max()
    assert np.abs(parts[1]).max() > 0 and len(by) == 11


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), kind=st.sampled_from(sorted(MAKERS)), uniform=st.booleans())
def test_heat_is_never_negative(seed, kind, uniform):
    """In random magnets that are accepted no forces make the heat negative; where it is, they are refused."""
    from mpi4py import MPI

    rng = np.random.default_rng(seed)
    grid = Grid(mesh.create_interval(MPI.COMM_WORLD, 6, [0, LENGTH / 5]))
    first = MAKERS[kind](rng)
    fixed = {"conductivity", "conductivity_up", "conductivity_down", "thermal_conductivity", "temperature"}
    fixed |= {"A_par", "A_perp", "C_par", "C_perp", "damping_rate", "spin_flip", "gyromagnetic_ratio", "carrier_moment"}
    factor = 10 ** rng.uniform(-1, 2)
    off = {x.name: factor * getattr(first, x.name) for x in dataclasses.fields(first) if x.name not in fixed}
    magnet = dataclasses.replace(first, **off)
    M = lambda x: texture(x, uniform)  # noqa: E731
    fields = [0.1 * rng.normal(size=(grid.owned, 3)) for _ in range(20)]
    pushes = [{name: 1e5 * rng.normal() for name in magnet.fields if name != "s"} for _ in fields]
    try:
        worst = min(
            float((r.total / sum(np.abs(x) for x in r.dissipation.values())).min())
            for r in (respond(grid, magnet, M, h, g) for h, g in zip(fields, pushes, strict=True))
        )
        assert worst > -1e-12
    except ModelError as error:
        # It is: the forces found negative are so in the quadratic form itself.
        assert "entropy production is not positive at (" in str(error)
        assert factor > 1


# ---- textures between leads
@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("dim", [1, 2, 3])
@pytest.mark.parametrize("uniform", [True, False])
def test_balance(comm, kind, dim, uniform):
    """Heat is what leads supply and the field does; what is reversible adds nothing; charge and entropy are kept."""
    magnet = MAKERS[kind](np.random.default_rng(dim))
    grid = list(grids(comm))[dim - 1]
    problem = IrreversibleProblem(grid, magnet, ends(voltage=-2e-4, heat=HEAT * grid.volume / LENGTH))
    state = problem.solve(lambda x: texture(x, uniform), pull)
    heat = sum(state.dissipation.values())
    assert heat > 0 and (state.local.total > 0).all()
    assert abs(state.balance) < 1e-10
    assert abs(state.reversible) < 1e-13 * heat
    assert min(abs(state.supplied), abs(state.field_work)) > 1e-3 * heat
    assert sum(state.currents.values()) == pytest.approx(0, abs=1e-9 * abs(state.currents["left"]))
    assert sum(state.heats.values()) == pytest.approx(0, abs=1e-9 * abs(state.heats["left"]))
    assert state.heats["right"] == pytest.approx(HEAT * grid.volume / LENGTH, rel=1e-9)
    assert problem.conductances == pytest.approx(
        problem.conductances.T, rel=1e-9, abs=1e-9 * problem.conductances.max()
    )
    if uniform:
        m = texture(grid.positions[: grid.owned]) / SCALE
        along = np.einsum("na,na->n", state.local.torque, m)
        assert np.abs(along).max() < 0.2 * np.linalg.norm(state.local.torque, axis=1).max()


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("dim", [1, 2, 3])
def test_reciprocity(comm, kind, dim):
    """Onsager and Casimir: the currents that H drives in M are the torques that leads drive in -M, of another solve."""
    magnet = MAKERS[kind](np.random.default_rng(10 + dim))
    grid = list(grids(comm))[dim - 1]
    shorted = IrreversibleProblem(grid, magnet, ends(voltage=0.0, temperature=T0))
    pumped = shorted.solve(lambda x: texture(x, uniform=False), pull)
    weights, field = grid.weights[: grid.owned], pull(grid.positions[: grid.owned])
    for drive, flow in (
        ({"voltage": 1.3e-4, "temperature": T0}, "currents"),
        ({"voltage": 0.0, "temperature": T0 + 2}, "heats"),
    ):
        driven = IrreversibleProblem(grid, magnet, ends(**drive)).solve(lambda x: texture(x, uniform=False, sign=-1))
        force = 1.3e-4 if flow == "currents" else 2 / T0
        torque = grid.total(weights * np.einsum("na,na->n", field, driven.local.torque))
        assert force * getattr(pumped, flow)["right"] == pytest.approx(-torque, rel=1e-8, abs=0)


@pytest.mark.parametrize("kind", MAKERS)
def test_wall_between_leads(comm, kind):
    """A wall with all coefficients in a field, driven by voltage and heat: an independent solution, order 2."""
    magnet = MAKERS[kind](np.random.default_rng(5))
    state = saslow.wall(SCALE, 0.45 * LENGTH, 14e-9, 0.7, (0.09, -0.03, 0.05))
    solve = saslow.generic_line if kind == "generic" else saslow.two_band_line
    exact = solve(as_reference(magnet), state, LENGTH, (0.0, -3e-4), (0.0, 1.5), T0)
    problem_ends = ends(voltage=-3e-4, temperature=T0 + 1.5)
    errors = []
    for cells in (60, 120, 240):
        grid = Grid(mesh.create_interval(comm, cells, [0, LENGTH]))
        found = IrreversibleProblem(grid, magnet, problem_ends).solve(
            lambda x: state(x[:, 0])[0], lambda x: state(x[:, 0])[2]
        )
        errors.append(
            [
                found.currents["left"] / exact.J - 1,
                found.heats["left"] / exact.heat - 1,
                sum(found.dissipation.values()) / exact.dissipated - 1,
                found.field_work / exact.magnetic - 1,
            ]
        )
        x = grid.positions[: grid.owned, 0]
        names = ("phi",) if kind == "generic" else ("down", "up")
        phi = exact.phi if exact.phi.ndim > 1 else exact.phi[:, None]
        gaps = [
            grid.largest(np.abs(found.potentials[n] - np.interp(x, exact.x, phi[:, k]))) for k, n in enumerate(names)
        ]
    errors = np.abs(errors)
    assert errors[-1].max() < 1e-3
    assert np.log2(errors[:-1] / errors[1:])[-1] == pytest.approx(2, abs=0.25)
    assert max(gaps) < 1e-3 * 3e-4


@pytest.mark.parametrize("kind", MAKERS)
def test_emf_of_a_wall(comm, kind):
    """2 P mu_B B/e times (1 + alpha beta)/(1 + alpha^2) for each magnet, whatever the plane wall; Co: 0.7e-4 V/T."""
    magnet = GenericMagnet.of(COBALT) if kind == "generic" else TwoBandMagnet.of(COBALT, 12e-9)
    length, field = 240e-9, 0.17
    grid = Grid(mesh.create_interval(comm, 160, [0, length]))
    expected = -2 * 0.6 * BOHR_MAGNETON / ELEMENTARY_CHARGE * field * (1 + 0.02 * 0.04) / (1 + 0.02**2)
    assert -expected / field == pytest.approx(0.7e-4, rel=0.01)
    contacts = unheated(length)
    problem = IrreversibleProblem(grid, magnet, contacts)
    for angle, width in ((0.0, 5.5e-9), (0.8, 6.5e-9), (2.0, 8e-9)):
        start = wall(COBALT, length / 2, angle, width)
        state = problem.solve(lambda x, s=start: 1.45e6 * s(x), (field, 0, 0))
        tolerance = 1e-6 if kind == "generic" else 1e-4  # few spins reach the leads
        assert state.voltages["right"] == pytest.approx(expected, rel=tolerance, abs=0)
        if kind == "generic":
            flow = OhmicCircuit(grid, COBALT, contacts).solve(static_field(grid, COBALT, start, (field, 0, 0)))
            assert state.voltages["right"] == pytest.approx(flow.voltages["right"], rel=1e-9)


def test_two_bands_become_one(comm):
    """With fast spin flips the two-band magnet is the generic one; with slow ones its bands differ around the wall."""
    grid = Grid(mesh.create_interval(comm, 200, [0, LENGTH]))
    start, width = wall(COBALT, LENGTH / 2, 0.4, 6e-9), 6e-9
    M, contacts = (
        (lambda x: 1.45e6 * start(x)),
        unheated(voltage=0.0),
    )
    one = IrreversibleProblem(grid, GenericMagnet.of(COBALT), contacts).solve(M, (0.2, 0.05, 0.0))
    apart = []
    for length in (0.3e-9, 0.6e-9, 40e-9):
        two = IrreversibleProblem(grid, TwoBandMagnet.of(COBALT, length), contacts).solve(M, (0.2, 0.05, 0.0))
        apart.append(grid.largest(np.abs(two.local.torque - one.local.torque)) / grid.largest(np.abs(one.local.torque)))
        flipped = 2 * grid.total(grid.volumes * np.abs(two.local.spin_flip_rate))
        assert flipped > 0
        if length > width:
            split = two.potentials["up"] - two.potentials["down"]
            assert grid.largest(np.abs(split)) > 0.02 * abs(2 * BOHR_MAGNETON / ELEMENTARY_CHARGE * 0.2)
        assert two.currents["left"] == pytest.approx(one.currents["left"], rel=2e-2)
    assert apart[0] < 0.3 * apart[1]  # of second order in l_sf/width
    assert apart[2] > 2 * apart[1]


def test_only_the_difference_of_two_coefficients_counts(comm):
    """Of a saturated magnet: L_nM1 - L_nQ is xi (Eq. 72), in the pumped current and in the torque."""
    gaps = []
    magnet = GenericMagnet.of(COBALT)
    # Longitudinal diffusion, without which L_nQ could not be; it needs |M| to vary, or H to have a gradient along M.
    for cells in (60, 120):
        grid = Grid(mesh.create_interval(comm, cells, [0, LENGTH]))
        start = wall(COBALT, LENGTH / 2, 0.4, 11e-9)
        contacts = unheated(voltage=1e-4)
        found = []
        for shift in (0.0, 1.7e15):
            both = dataclasses.replace(magnet, L_nM1=magnet.L_nM1 + shift, L_nQ=shift, C_par=1e-14, A_perp=1e5)
            solved = IrreversibleProblem(grid, both, contacts).solve(lambda x, s=start: 1.45e6 * s(x))
            found.append(solved.local.torque)
        gaps.append(grid.largest(np.abs(found[1] - found[0])) / grid.largest(np.abs(found[0])))
    assert gaps[1] < 0.02
    assert math.log2(gaps[0] / gaps[1]) == pytest.approx(2, abs=0.3)


def test_spins_at_contacts(comm):
    """A reservoir takes spins; a contact that blocks them lets them pile up, with the same mean potential."""
    magnet = TwoBandMagnet.of(COBALT, 40e-9)
    grid = Grid(mesh.create_interval(comm, 120, [0, LENGTH]))
    start = wall(COBALT, LENGTH / 2, 0.0, 6e-9)
    splits = {}
    for spin in ("reservoir", "blocked"):
        contacts = {k: dataclasses.replace(x, temperature=None, spin=spin) for k, x in ends(voltage=0.0).items()}
        problem = IrreversibleProblem(grid, magnet, contacts)
        state = problem.solve(lambda x: 1.45e6 * start(x), (0.2, 0, 0))
        at_end = np.flatnonzero(grid.positions[: grid.owned, 0] > LENGTH - 1e-12)
        mean, split = (
            grid.total((state.potentials["up"][at_end] + s * state.potentials["down"][at_end]) / 2) for s in (1, -1)
        )
        assert mean == pytest.approx(0, abs=1e-15)
        splits[spin] = abs(split)
        assert len(problem.ports) == (4 if spin == "reservoir" else 2)
        assert abs(state.balance) < 1e-10
    assert splits["reservoir"] < 1e-18 < 1e-8 < splits["blocked"]


@pytest.mark.parametrize(("alpha", "beta"), [(0.8, -0.7), (0.04, 1.9), (0.5, 0.5), (1.25, -0.8)])
def test_gilberts_magnet(alpha, beta):
    """Place by place: Gilbert's equation solved as it stands, and the field it pumps, at any damping and any gamma."""
    rng, ms = np.random.default_rng(11), 7.3e5
    gilbert = TexturedMagnet(ms, 1e-11, alpha, 3.1e6, -0.45, beta, gyromagnetic_ratio=2.4e11)
    p = place(rng, 30, uniform=True)
    m = p.m
    p = Place(ms * m, p.D)
    slope, H, E = p.D / ms, 0.1 * rng.normal(size=(30, 3)), 1e4 * rng.normal(size=(30, 3))
    H -= np.einsum("ca,ca->c", H, m)[:, None] * m
    u = -HBAR * 2.4e11 * -0.45 / (2 * ELEMENTARY_CHARGE * ms) * 3.1e6 * E

    def rate(field, drift):
        """dm/dt from Gilbert's implicit equation, three by three."""
        along = np.einsum("ci,cia->ca", drift, slope)
        right = -2.4e11 * np.cross(m, field) - along + beta * np.cross(m, along)
        implicit = np.array([np.eye(3) - alpha * np.cross(x, np.eye(3)).T for x in m])
        return np.linalg.solve(implicit, right[:, :, None])[:, :, 0]

    turned, driven = rate(H, 0 * u), rate(0 * H, u)
    pushed = np.cross(m, turned) + beta * turned  # m.(dm/dt x d_i m) = d_i m.(m x dm/dt)
    pumped = HBAR * -0.45 / (2 * ELEMENTARY_CHARGE) * np.einsum("cia,ca->ci", slope, pushed)
    mu, none = ELEMENTARY_CHARGE * E, np.zeros((30, 3))
    for law in (GenericMagnet.of(gilbert), TwoBandMagnet.of(gilbert, 43e-9)):
        bands = isinstance(law, TwoBandMagnet)
        currents, torques = [], []
        for gradient, field in ((mu, none), (none, H)):
            forces = np.zeros((30, sum(law.layout.values())))
            for name in law.gradients:
                forces[:, group(law, name)] = gradient
            for name, force in law.magnetic_forces(p, field, np.zeros((30, 3, 3))).items():
                forces[:, group(law, name)] = force
            total = sum(fluxes(law, p, forces))
            named = {name: total[:, group(law, name)] for name in law.layout}
            currents.append(-ELEMENTARY_CHARGE * sum(law.number_fluxes(named).values()))
            torques.append(law.sources(p, named)[0] / ms)
        assert torques[0] == pytest.approx(driven, rel=1e-11, abs=1e-12 * np.abs(driven).max()), bands
        moved = torques[1] - law.gyromagnetic_ratio * np.cross(m, H)
        assert moved == pytest.approx(turned, rel=1e-11, abs=1e-12 * np.abs(turned).max()), bands
        assert currents[0] == pytest.approx(3.1e6 * E, rel=1e-12)
        assert currents[1] == pytest.approx(3.1e6 * pumped, rel=1e-11, abs=1e-12 * 3.1e6 * np.abs(pumped).max()), bands


def test_closed_forms_of_the_coefficients():
    one, two = GenericMagnet.of(COBALT), TwoBandMagnet.of(COBALT, 37e-9)
    ms, xi, across = 1.45e6, spin_transfer_coefficient(COBALT), nonadiabatic_coefficient(COBALT)
    plain = 0.6 * 3.4e7 * BOHR_MAGNETON / (ELEMENTARY_CHARGE**2 * ms)
    assert xi == pytest.approx(plain * 1.0008 / 1.0004, rel=1e-12)
    assert across == pytest.approx(xi * 0.02 / 1.0008, rel=1e-12)
    assert one.L_nM1 == pytest.approx(5.1e15, rel=0.01) and one.L_nM1 == xi
    assert ms * one.L_nM_prime == pytest.approx(-across, rel=1e-12)
    assert (two.L_up_M + two.L_down_M) * ms**2 == pytest.approx(xi, rel=1e-12)
    assert -(two.L_up_M_prime + two.L_down_M_prime) * ms == pytest.approx(across, rel=1e-12)
    assert two.conductivity_up - two.conductivity_down == pytest.approx(0.6 * 3.4e7, rel=1e-12)
    assert two.spin_diffusion_length == pytest.approx(37e-9, rel=1e-12)
    assert two.carrier_moment == pytest.approx(BOHR_MAGNETON, rel=1e-12)
    assert one.gyromagnetic_ratio == two.gyromagnetic_ratio == COBALT.gyromagnetic_ratio / 1.0004


# ---- what is refused
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: GenericMagnet(-1.0, 1e5), r"generic magnet: conductivity is -1.0; it must be finite and positive"),
        (lambda: GenericMagnet(1e6, 1e5, L_QN3=math.nan), r"generic magnet: L_QN3 is nan; it must be a finite number"),
        (lambda: GenericMagnet(1e6, 1e5, L_sM1=1.0), r"L_sM1 is 1.0, but thermal_conductivity is 0; heat needs both"),
        (lambda: GenericMagnet(1e6, 1e5, C_perp=-1.0), r"C_perp is -1.0; it must be finite and not negative"),
        (lambda: TwoBandMagnet(1e6, 0.0, 1e9, 1e50), r"two-band magnet: conductivity_down is 0.0; it must be finite"),
        (lambda: TwoBandMagnet.of(COBALT, -1e-9), r"spin_diffusion_length is -1e-09; it must be finite and positive"),
        (lambda: TwoBandMagnet.of(dataclasses.replace(COBALT, polarization=1.0), 1e-8), r"must lie between -1 and 1"),
    ],
)
def test_impossible_magnets(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_bad_input(comm):
    grid = next(grids(comm))
    magnet = GenericMagnet.of(COBALT)
    cold = unheated(voltage=0.0)
    start = lambda x: texture(x)  # noqa: E731
    for model, leads, words in (
        (magnet, ends(voltage=0.0), r"lead 'left' has temperature, but the magnet's thermal_conductivity is 0"),
        (GENERIC, cold, r"no lead has a temperature; hold one of them"),
        (magnet, cold | {"right": dataclasses.replace(cold["right"], current=1.0)}, r"'right' has voltage and current"),
        (magnet, cold | {"right": dataclasses.replace(cold["right"], spin="resevoir")}, r"did you mean 'reservoir'"),
        (GENERIC, ends(voltage=0.0, temperature=T0, heat=1.0), r"'right' has temperature and heat"),
        (GENERIC, ends(voltage=0.0, temperature=-5.0), r"'right': temperature is -5.0 K; it must be positive"),
        (magnet, cold | {"right": dataclasses.replace(cold["right"], spin="blocked")}, r"only two bands have spins"),
        (COBALT, cold, r"magnet is a TexturedMagnet; it must be a GenericMagnet or a TwoBandMagnet: .* `of`"),
        (magnet, list(cold.values()), r"leads is a list; it must be a mapping of names to leads"),
        (magnet, cold | {"right": Lead(cold["right"].where)}, r"lead 'right' is a Lead; allowed: Electrode"),
        (magnet, cold | {"right": Electrode(lambda x: True)}, r"'right': where must .* found values of the shape \(\)"),
        (magnet, cold | {"right": Electrode(lambda x: x[7])}, r"'right': where must .* found IndexError"),
        (
            dataclasses.replace(GENERIC, L_sn=1e23),
            ends(voltage=0.0),
            r"whatever the texture: L_sn \(1e\+23\) are too large",
        ),
    ):
        with pytest.raises(InputError, match=words):
            IrreversibleProblem(grid, model, leads)
    problem = IrreversibleProblem(grid, magnet, cold)

    def jagged(x):
        odd = np.round(x[:, :1] / LENGTH * 40) % 2 > 0
        return SCALE * np.where(odd, [[1, 0, 0]], [[-1, 1e-3, 0]])

    for arguments, words in (
        ((lambda x: 0 * x,), r"magnetization is zero at a node"),
        ((lambda x: start(x) / SCALE,), r"magnetization is at most 1 A/m, which is a direction; it is M in A/m"),
        ((start, (0.1, math.inf, 0)), r"field must be three finite numbers"),
        ((jagged,), r"turns over within a cell"),
    ):
        with pytest.raises(InputError, match=words):
            problem.solve(*arguments)
    with pytest.raises(InputError, match=r"gradients: there is no field 'fi'; known: phi"):
        respond(grid, magnet, start, (0, 0, 0), {"fi": 1.0})
    wrong = dataclasses.replace(magnet, L_nM2=1e14)
    # With |M| fixed what L_nM2 couples is zero; with |M| free it needs A_par.
    IrreversibleProblem(grid, wrong, cold).solve(start, (0.1, 0, 0))
    with pytest.raises(ModelError, match=r"L_nM\d is too large for the coefficients of what it couples, .*A_par \(0\)"):
        IrreversibleProblem(grid, wrong, cold).solve(lambda x: texture(x, uniform=False), (0.1, 0, 0))


@pytest.mark.slow
@pytest.mark.parametrize("ranks", [2, 3])
def test_rank_counts_agree(ranks, tmp_path):
    serial = numbers(1, "irreversible.py", tmp_path)
    groups = require_equal(numbers(ranks, "irreversible.py", tmp_path), serial)
    assert len(groups) == 24
