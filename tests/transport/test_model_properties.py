"""Whatever the parameters: what a model declares is the power of its equations, and none of it is negative."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpi4py import MPI

import fespin as fs
from fespin.onsager import Mechanism, Reversible, mechanisms_of
from fespin.onsager.matrices import matrix_of
from fespin.transport import FourChannel, ThreeChannel

COMM = MPI.COMM_SELF


# ---- random devices
def decades(low, high):
    return st.floats(low, high).map(lambda x: 10.0**x)


def tenths(largest):
    return st.integers(-largest, largest).map(lambda x: x / 10)


lengths, asymmetries = decades(-9.3, -6.3), st.floats(-0.97, 0.97)
rates = decades(19, 24)
# Too short to have a direction is no vector; of a component of 1e-10, rounding leaves no square.
vectors = st.tuples(*[st.integers(-1000, 1000)] * 3).filter(any)
seebecks = st.floats(-2e-4, 2e-4)


def thermals(seebeck):
    return st.builds(fs.Thermal, seebeck=seebeck, conductivity=st.none() | decades(-1, 3), heat_capacity=decades(5, 7))


optional = st.none() | lengths


def materials(name, seebeck, **more):
    return st.builds(
        fs.Material, st.just(name), decades(-8.5, -5.5), lengths, density_of_states=decades(46, 48),
        thermal=st.none() | thermals(seebeck), g_factor=tenths(30), **more,
    )  # fmt: skip


# Both spins of a normal metal are alike.
normals = materials("N", seebecks.map(lambda x: (x, x)))
magnets = [
    materials(
        name,
        st.tuples(seebecks, seebecks),
        beta=asymmetries,
        transverse_conductivity=st.none() | decades(5, 8),
        dephasing_length=lengths,
        precession_length=optional,
    )
    for name in ("F", "M")
]
densities = {k: decades(45, 48) for k in ("s_up", "s_down", "d_down", "d_up")}
conduct = dict.fromkeys(("s_up", "s_down", "d_down"), decades(5, 8))
three = st.builds(
    fs.Bands, **conduct, spin_flip=rates, sd=rates,
    densities=st.fixed_dictionaries({k: densities[k] for k in conduct}),
)  # fmt: skip
four = st.builds(
    fs.Bands, **conduct, d_up=decades(5, 8), spin_flip=rates, sd=rates, sd_up=rates, sd_spin_flip=rates,
    d_spin_flip=rates, densities=st.fixed_dictionaries(densities),
)  # fmt: skip
faces = st.builds(
    fs.Interface.from_conductances, decades(13, 16), decades(13, 16),
    st.builds(complex, decades(13, 16), tenths(100).map(lambda x: 1e14 * x)), st.none() | decades(7, 10),
)  # fmt: skip
kinds = st.sampled_from(["reservoir", "lead", "blocked"])
numbers = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def stack_of(n, f, m, face_1, face_2, u, v):
    layers = (fs.Layer(n, 9e-9), fs.Layer(f, 5e-9, "", u), fs.Layer(n, 4e-9), fs.Layer(m, 7e-9, "", v))
    return fs.Stack(*layers, interfaces={("N", "F"): face_1, ("N", "M"): face_2}, library={})


def declared(model, stack, ends):
    contacts = {
        k: (fs.Contact(e), x.name)
        for k, e, x in zip(("bottom", "top"), ends, (stack.layers[0], stack.layers[-1]), strict=True)
    }
    return model.declare(stack, contacts, list(itertools.pairwise(stack.names)))


def is_positive(matrix):
    """The symmetric part has no negative eigenvalue, in units in which its diagonal is 1."""
    even = (matrix + matrix.T) / 2
    size = np.sqrt(np.where(np.diag(even) > 0, np.diag(even), 1.0))
    return np.linalg.eigvalsh(even / np.outer(size, size)).min() > -1e-11


def check(declaration):
    """Every matrix of a declaration: positive; and its reversible part does no work."""
    f = declaration.fields
    sides = [(s, name) for s in (0, 1) for name in f]
    for m in declaration.media.values():
        for mechanisms, reversible in ((m.conduction, ()), (m.reactions, m.reversible), (m.storage, ())):
            assert is_positive(matrix_of(mechanisms, f, reversible))
        work = matrix_of((), f, m.reversible)
        assert np.array_equal(work, -work.T)
        live = sorted(m.fields)
        assert np.linalg.eigvalsh(matrix_of(m.conduction, live)).min() > 0
    for law in declaration.laws.values():
        assert is_positive(matrix_of(law.mechanisms, sides, law.reversible))
        work = matrix_of((), sides, law.reversible)
        assert np.array_equal(work, -work.T)
    for c in declaration.contacts.values():
        assert is_positive(matrix_of(c.mechanisms, f, c.reversible))
    assert set(declaration.media) and set(declaration.contacts) == {"bottom", "top"}


def powers(declaration, layer, w, gradient):
    """Conduction and reactions (W/m3) at fields w and gradients (field, 3), mechanism by mechanism."""
    f, m = declaration.fields, declaration.media[layer]
    conduction, reactions = (
        [c.coefficient * np.square(np.array([c.weights.get(k, 0.0) for k in f]) @ x).sum() for c in mechanisms]
        for mechanisms, x in ((m.conduction, gradient), (m.reactions, w))
    )
    assert min(*conduction, *reactions) >= 0
    return sum(conduction), sum(reactions)


def close(value, size):
    return pytest.approx(value, rel=1e-9, abs=1e-12 * size)


# ---- the models against their equations
@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.one_of(st.tuples(three, three), st.tuples(four, four)),
    normals,
    faces,
    faces,
    kinds,
    kinds,
    st.booleans(),
    numbers,
)
def test_channels(bands, n, face_1, face_2, bottom, top, flipped, random):
    f, m = (fs.Material.from_bands(k, b) for k, b in zip("FM", bands, strict=True))
    model = ThreeChannel() if bands[0].d_up is None else FourChannel()
    stack = stack_of(n, f, m, face_1, face_2, (0, 0, 1), (0, 0, -1 if flipped else 1))
    declaration = declared(model, stack, (bottom, top))
    check(declaration)
    weights = model.channels.matrix()
    for layer, b, sign in ((stack.layers[1], bands[0], 1), (stack.layers[3], bands[1], -1 if flipped else 1)):
        # Potentials of the channels first, in the frame of the magnet.
        phi, slope = random.normal(size=len(weights)), random.normal(size=(len(weights), 3))
        conduction, reactions = powers(
            declaration, layer.name, np.linalg.solve(weights, phi), np.linalg.solve(weights, slope)
        )
        up, down = (0, 1)[::sign]
        sigma = {up: b.s_up, down: b.s_down, 2: b.d_down} | ({} if b.d_up is None else {3: b.d_up})
        assert conduction == close(sum(s * slope[i] @ slope[i] for i, s in sigma.items()), conduction)
        pairs = {(up, down): b.spin_flip, (down, 2): b.sd}
        if b.d_up is not None:
            pairs |= {(up, 3): b.sd_up, (down, 3): b.sd_spin_flip, (2, 3): b.d_spin_flip}
        assert reactions == close(sum(g * (phi[i] - phi[j]) ** 2 for (i, j), g in pairs.items()), reactions)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(normals, *magnets, faces, faces, kinds, kinds, st.booleans(), decades(0, 3), numbers)
def test_thermoelectric(n, f, m, face_1, face_2, bottom, top, flipped, t0, random):
    stack = stack_of(n, f, m, face_1, face_2, (0, 0, 1), (0, 0, -1 if flipped else 1))
    declaration = declared(fs.Thermoelectric(t0), stack, (bottom, top))
    check(declaration)
    weights = fs.Thermoelectric(t0).channels.matrix()
    for layer, sign in zip(stack, (1, 1, 1, -1 if flipped else 1), strict=True):
        phi, slope = random.normal(size=3), random.normal(size=(3, 3))
        conduction, reactions = powers(
            declaration, layer.name, np.linalg.solve(weights, phi), np.linalg.solve(weights, slope)
        )
        x, beta = layer.material, layer.material.beta or 0.0
        s = x.thermal.seebeck if x.thermal else (0.0, 0.0)
        kappa = x.thermal.conductivity if x.thermal else None
        if kappa is None:
            kappa = math.pi**2 / 3 * (1.380649e-23 / 1.602176634e-19) ** 2 * t0 / x.resistivity
        sigma = [(1 + beta) / (2 * x.resistivity), (1 - beta) / (2 * x.resistivity)]
        # The power is -sum J_i grad phi_i - Q grad T/T0.
        slopes = slope[:2][::sign]
        currents = [-a * (d + b * slope[2]) for a, b, d in zip(sigma, s, slopes, strict=True)]
        heat = -kappa * slope[2] + t0 * sum(b * j for b, j in zip(s, currents, strict=True))
        terms = [-j @ d for j, d in zip(currents, slopes, strict=True)] + [-heat @ slope[2] / t0]
        assert conduction == close(sum(terms), np.abs(terms).max())
        g = 1 / (x.spin_diffusion_length**2 * (1 / sigma[0] + 1 / sigma[1]))
        assert reactions == close(g * (phi[0] - phi[1]) ** 2, reactions)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    normals, *magnets, faces, faces, kinds, kinds, vectors, vectors, vectors,
    st.sampled_from(["absorbed", "resolved"]), tenths(500), numbers,
)  # fmt: skip
def test_vector(n, f, m, face_1, face_2, bottom, top, u, v, b, transverse, tesla, random):
    stack = stack_of(n, f, m, face_1, face_2, u, v)
    field = tesla * np.array(b)
    declaration = declared(fs.Vector(transverse, field), stack, (bottom, top))
    check(declaration)
    for layer in stack:
        x, sigma = layer.material, 1 / layer.material.resistivity
        w, slope = random.normal(size=4), random.normal(size=(4, 3))
        conduction, reactions = powers(declaration, layer.name, w, slope)
        s, ds, dc = w[1:], slope[1:], slope[0]
        turn = matrix_of((), declaration.fields, declaration.media[layer.name].reversible)[1:, 1:] @ s
        if layer.direction is None:
            assert conduction == close(sigma * (dc @ dc + np.square(ds).sum()), conduction)
            assert reactions == close(sigma / x.spin_diffusion_length**2 * s @ s, reactions)
            states, larmor = x.density_of_states, x.g_factor * 9.2740100783e-24 / 1.054571817e-34
            expected = -(1.602176634e-19**2) * states * larmor * np.cross(field, s)
        else:
            d, beta = np.array(layer.direction), x.beta
            perp = sigma if x.transverse_conductivity is None else x.transverse_conductivity
            ms = d @ ds
            across = ds - np.outer(d, ms)
            charge = -sigma * (dc + beta * ms)
            spin = -sigma * np.outer(d, beta * dc + ms) - perp * across
            terms = -np.array([charge @ dc, (spin * ds).sum()])
            assert conduction == close(terms.sum(), np.abs(terms).max())
            s_perp = s - d * (d @ s)
            flip = sigma * (1 - beta**2) / x.spin_diffusion_length**2 * (d @ s) ** 2
            assert reactions == close(flip + perp / x.dephasing_length**2 * s_perp @ s_perp, reactions)
            expected = np.zeros(3)
            if transverse == "resolved" and x.precession_length is not None:
                expected = -perp / x.precession_length**2 * np.cross(d, s)
        assert turn == close(expected, max(np.abs(expected).max(), 1e-300))
        assert abs(turn @ s) < 1e-12 * np.abs(turn).max() or not turn.any()


# ---- solutions
models = st.sampled_from(["three", "four", "thermoelectric", "vector, absorbed", "vector, resolved"])


@pytest.mark.slow
@settings(max_examples=60, deadline=None, derandomize=True)
@given(models, st.data())
def test_solutions_dissipate(model, data):
    """Every power of a solution is positive, and their sum is what the contacts put in."""
    n, f, m = (data.draw(x) for x in (normals, *magnets))
    u, v = (0, 0, 1), (0, 0, -1)
    drive = {"bottom": fs.Terminal(current=3e9), "top": fs.Terminal(voltage=0.0)}
    if model in ("three", "four"):
        f, m = (fs.Material.from_bands(k, data.draw(three if model == "three" else four)) for k in "FM")
        made = ThreeChannel() if model == "three" else FourChannel()
    elif model == "thermoelectric":
        made = fs.Thermoelectric(280.0)
        drive["bottom"] = fs.Terminal(current=3e9, temperature=281.0)
    else:
        u, v = data.draw(vectors), data.draw(vectors)
        made = fs.Vector(model.split(", ")[1], (3.0, -2.0, 5.0))
    stack = stack_of(n, f, m, data.draw(faces), data.draw(faces), u, v)
    domain = fs.line(COMM, stack, refine=0.1)
    problem = fs.TransportProblem(domain, made, contacts={"bottom": data.draw(kinds), "top": data.draw(kinds)})
    x = problem.solve(terminals=drive)
    put_in = sum(x.voltages[k] * x.currents[k] for k in x.voltages)
    put_in += sum((x.temperatures[k] / 280 - 1) * x.heats[k] for k in x.heats)
    assert min(x.dissipation.parts.values()) >= -1e-13 * put_in
    assert x.dissipation.total == pytest.approx(put_in, rel=1e-10, abs=0)
    problem.destroy()


# ---- what is refused
SD = ThreeChannel().channels


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: SD.medium({"up": 1e7, "down": -3e6, "d_down": 1e6}), r"'down' has the coefficient -3e\+06"),
        (
            lambda: SD.medium(dict.fromkeys(SD.names, 1e7), {"s-d": ({"down": 1.0, "d_down": -1.0}, -2e21)}),
            r"'s-d' has the coefficient -2e\+21",
        ),
        (
            lambda: SD.medium([[5e6, 0, 0], [0, 2e6, 3e6], [0, 3e6, 4e6]]),
            r"'conduction' is not positive: the combination \([-+.\d]+ down [-+.\d]+ d_down\) would produce power",
        ),
        (lambda: SD.medium([[5e6, 0, 0], [0, 2e6, 1e6], [0, 3e6, 4e6]]), "'conduction' must be a symmetric 3 x 3"),
        (
            # sigma S^2 is more than kappa/T0 + sigma S^2 may be.
            lambda: mechanisms_of("heat", [[1e7, 1e7 * 2e-4], [1e7 * 2e-4, 0.9 * 1e7 * 4e-8]], ("c", "T")),
            r"'heat' is not positive: the combination \([-+.\de]+ c [-+.\d]+ T\)",
        ),
        (lambda: SD.interface({"up": 1e15, "down": -1e14}), r"'down' has the coefficient -1e\+14"),
        (lambda: SD.interface([[1.0, 2.0], [2.0, 1.0]], ("up", "down")), "'conduction' is not positive"),
        (lambda: Mechanism("dephasing", math.nan, {"sx": 1.0}), "'dephasing' has the coefficient nan"),
    ],
)  # fmt: skip
def test_what_would_produce_power_is_refused(declare, words):
    with pytest.raises(fs.ModelError, match=words):
        declare()


@pytest.mark.parametrize(
    ("declare", "words"),
    [
        (lambda: fs.Bands(1e7, -2e6, 1e6, 1e21, 1e21), "s_down is -2000000.0; it must be finite and positive"),
        (lambda: fs.Bands(1e7, 2e6, 1e6, 1e21, -1e21), "sd is -1e[+]21; it must be finite and not negative"),
        (lambda: fs.Bands(1e7, 2e6, 1e6, 1e21, 1e21, sd_up=1e20), "sd_up needs d_up"),
        (lambda: fs.Thermal(conductivity=-1.0), "conductivity is -1.0"),
        (lambda: fs.Interface(1e-15, mixing_conductance=-1e14 + 1e15j), "its real part must not be negative"),
        (lambda: fs.Interface(1e-15, 1.0), "gamma is 1.0"),
        (lambda: fs.Material("F", 1e-7, 1e-9, -1.2), "beta is -1.2"),
        (lambda: fs.Material("F", 1e-7, 1e-9, 0.2, dephasing_length=-1e-9), "dephasing_length is -1e-09"),
        (lambda: fs.Material("F", 1e-7, 1e-9, 0.2, transverse_conductivity=0.0), "transverse_conductivity is 0.0"),
        (lambda: fs.Thermoelectric(-3.0), "temperature is -3.0 K"),
    ],
)  # fmt: skip
def test_impossible_materials_are_refused(declare, words):
    with pytest.raises(fs.InputError, match=words):
        declare()


def test_a_model_of_ones_own_must_dissipate():
    """A negative coefficient hidden in a model reaches the user with its name, before anything is meshed or solved."""

    class Active(fs.Vector):
        def _medium(self, layer):
            m = super()._medium(layer)
            return type(m)((*m.conduction, Mechanism("gain", -1.0, {"sx": 1.0})), m.reactions, m.storage, m.reversible)

    stack = fs.Stack(fs.Layer(fs.Material("N", 1e-8, 1e-8), 1e-8))
    with pytest.raises(fs.ModelError, match="'gain' has the coefficient -1"):
        fs.TransportProblem(fs.line(COMM, stack), Active())
    with pytest.raises(fs.ModelError, match="need two, finite"):
        # A symmetric part cannot be smuggled in as a reversible coupling.
        Leaky = Reversible("leak", "sx", "sx", -1.0)

        class Hidden(fs.Vector):
            def _medium(self, layer):
                m = super()._medium(layer)
                return type(m)(m.conduction, m.reactions, m.storage, (Leaky,))

        fs.TransportProblem(fs.line(COMM, stack), Hidden())
