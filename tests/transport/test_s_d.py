"""Three and four channels against the exact solution, closed forms, and each other."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
from samples.s_d import (
    AU,
    CO,
    COMM,
    CU,
    DOWN,
    FACE,
    FE,
    FULL,
    OTHER,
    STACKS,
    UP,
    magnet,
    model_of,
    normal,
    reference,
    sign_of,
    solution,
)

import fespin as fs
from fespin.onsager.power import region_integral
from references import channel_models as exact


def solve(name, mesh_size=0.4e-9, degree=2, j=3e10):
    layers, faces, ends = STACKS[name]
    stack = fs.Stack(*layers, interfaces=faces, library={})
    domain = fs.line(COMM, stack, mesh_size=mesh_size)
    contacts = dict(zip(("bottom", "top"), ends, strict=True))
    problem = fs.TransportProblem(domain, model_of(stack), contacts=contacts, degree=degree)
    return stack, problem.solve(current_density=j), reference(stack, ends, j)


@pytest.mark.parametrize("name", STACKS)
def test_against_the_exact_solution(name):
    stack, x, e = solve(name)
    assert x.resistance_area == pytest.approx(e.resistance_area, rel=1e-8, abs=0)
    assert abs(x.power_balance) < 1e-10
    profile = x.profile(9)
    scale = abs(x.voltage)
    for i, layer in enumerate(stack):
        at = profile.layer == i
        right = e.w(profile.position[at], i).real
        majority = sign_of(layer) > 0
        d_up, d_down = (2, 3) if majority else (3, 2)
        columns = {"up": 0, "down": 1, "d_up": d_up, "d_down": d_down}
        for channel, values in profile.potentials.items():
            if channel.startswith("d_") and not layer.material.bands:
                assert np.isnan(values[at]).all()
            else:
                assert values[at] == pytest.approx(right[:, columns[channel]], rel=0, abs=1e-6 * scale)


# ---- lengths
def test_decay_lengths_are_those_of_the_quadratic():
    """Lambda_+-^-2 = (a + b)/2 (1 +- sqrt(1 - 4 (a b - c)/(a + b)^2)), a = l_sd^-2, b = l_sf^-2."""
    for bands in (CO, FE):
        found = fs.transport.band_lengths(bands)
        a, b = bands.sd * (1 / bands.s_down + 1 / bands.d_down), bands.spin_flip * (1 / bands.s_up + 1 / bands.s_down)
        c = bands.spin_flip / bands.s_down * bands.sd / bands.s_down
        root = np.sqrt(1 - 4 * (a * b - c) / (a + b) ** 2)
        expected = {
            "l_sd": a**-0.5, "l_sf": b**-0.5,
            "lambda_s": (bands.spin_flip / bands.s_down) ** -0.5, "lambda_sd": (bands.sd / bands.s_down) ** -0.5,
            "Lambda_plus": ((a + b) / 2 * (1 + root)) ** -0.5, "Lambda_minus": ((a + b) / 2 * (1 - root)) ** -0.5,
        }  # fmt: skip
        assert found == pytest.approx(expected, rel=1e-12, abs=0)
        again = fs.Bands.from_lengths(
            bands.s_up, bands.s_down, bands.d_down, spin_diffusion_length=b**-0.5, sd_length=a**-0.5
        )
        assert (again.spin_flip, again.sd) == pytest.approx((bands.spin_flip, bands.sd), rel=1e-12, abs=0)


def test_decay_lengths_in_the_limits():
    """l_sd << l_sf: s-down and d-down are one channel; l_sf << l_sd: both s channels are."""
    fast = fs.transport.band_lengths(replace(CO, sd=1e8 * CO.sd))
    assert fast["Lambda_plus"] == pytest.approx(fast["l_sd"], rel=1e-7, abs=0)
    merged = (CO.spin_flip * (1 / CO.s_up + 1 / (CO.s_down + CO.d_down))) ** -0.5
    assert fast["Lambda_minus"] == pytest.approx(merged, rel=1e-7, abs=0)
    fast = fs.transport.band_lengths(replace(CO, spin_flip=1e8 * CO.spin_flip))
    assert fast["Lambda_plus"] == pytest.approx(fast["l_sf"], rel=1e-7, abs=0)
    merged = (CO.sd * (1 / (CO.s_up + CO.s_down) + 1 / CO.d_down)) ** -0.5
    assert fast["Lambda_minus"] == pytest.approx(merged, rel=1e-7, abs=0)


def single(bands, thickness=15e-9, **options):
    return solution([normal(CU, 20e-9), magnet(bands, thickness), normal(AU, 30e-9)], **options)[1]


def two_channels(s_up, s_down, spin_flip, thickness=15e-9, **options):
    """The same stack with two channels of these conductivities in the magnet."""
    total = s_up + s_down
    m = fs.Material("Co", 1 / total, (spin_flip * (1 / s_up + 1 / s_down)) ** -0.5, (s_up - s_down) / total)
    layers = [normal(CU, 20e-9), fs.Layer(m, thickness, "", UP), normal(AU, 30e-9)]
    return solution(layers, model=fs.TwoChannel(), **options)[1]


def test_fast_sd_scattering_makes_two_channels():
    """g_sd -> infinity: s-up, and s-down with d-down. The rest is of the order of l_sd."""
    faces = {("Co", "Cu"): FACE}
    two = two_channels(CO.s_up, CO.s_down + CO.d_down, CO.spin_flip, faces=faces).resistance_area
    slow, fast = (single(replace(CO, sd=f * CO.sd), faces=faces).resistance_area - two for f in (1e2, 1e4))
    assert slow > fast > 0
    assert slow / fast == pytest.approx(10, rel=0.04, abs=0)
    assert fast < 2e-3 * two


def insulated_d(s, d, g, t):
    """A R of a layer of two channels, of which the second ends at both faces, and the mean phi_s - phi_d at them."""
    length, total = (g * (1 / s + 1 / d)) ** -0.5, s + d
    step = length / s * np.tanh(t / 2 / length)
    return t / total + 2 * d / total * step, step


def test_fast_spin_flip_makes_one_s_channel():
    """g_s -> infinity: s-up with s-down, and d-down, which is insulated. The rest is of the order of l_sf."""
    t, rest = 15e-9, 20e-9 * CU.resistivity + 30e-9 * AU.resistivity
    expected, step = insulated_d(CO.s_up + CO.s_down, CO.d_down, CO.sd, t)
    found = [single(replace(CO, spin_flip=f * CO.spin_flip), t, j=1.0) for f in (1e6, 1e8)]
    slow, fast = (x.resistance_area - rest - expected for x in found)
    assert slow / fast == pytest.approx(10, rel=0.05, abs=0)
    assert 0 < fast < 2e-3 * expected
    below, above = (found[1].report["d_accumulation"][f]["d_down"] for f in ("Cu1|Co2", "Co2|Au3"))
    assert below[0] is above[1] is None
    assert (below[1], -above[0]) == pytest.approx((step, step), rel=0.01, abs=0)


def test_d_electrons_without_scattering_carry_nothing():
    """g_sd -> 0: d is insulated at both faces, so the two s channels remain. The rest is proportional to g_sd."""
    faces = {("Co", "Cu"): FACE}
    two = two_channels(CO.s_up, CO.s_down, CO.spin_flip, faces=faces)
    more, less = (single(replace(CO, sd=f * CO.sd), faces=faces) for f in (1e-4, 1e-6))
    differences = [two.resistance_area - x.resistance_area for x in (more, less)]
    assert differences[0] / differences[1] == pytest.approx(100, rel=1e-3, abs=0)
    assert 0 < differences[1] < 1e-6 * two.resistance_area
    accumulation = np.array(list(less.accumulation.values()))
    assert accumulation == pytest.approx(np.array(list(two.accumulation.values())), rel=1e-4, abs=0)


def test_d_electrons_that_nothing_fixes_are_refused():
    with pytest.raises(fs.InputError, match="nothing scatters into d_down, so its level is open; give sd"):
        replace(CO, sd=0.0)
    with pytest.raises(fs.InputError, match="nothing scatters into d_up"):
        replace(FULL, sd_up=0.0, sd_spin_flip=0.0, d_spin_flip=0.0)
    replace(FULL, sd=0.0)  # by way of d_up


def test_d_accumulation_without_spin_accumulation():
    """Four channels that treat both spins alike: phi_s - phi_d is there, phi_up - phi_dn is not, at any coefficient."""
    bands = fs.Bands(
        s_up=6e6, s_down=6e6, d_down=2.3e6, spin_flip=4e21, sd=7.9e21, d_up=2.3e6, sd_up=7.9e21, d_spin_flip=3e21
    )
    x = single(bands, 15e-9, j=1.0)
    expected, step = insulated_d(12e6, 4.6e6, 2 * 7.9e21, 15e-9)
    rest = 20e-9 * CU.resistivity + 30e-9 * AU.resistivity
    assert x.resistance_area == pytest.approx(rest + expected, rel=1e-9, abs=0)
    assert x.r_nonequilibrium == pytest.approx(expected - 15e-9 / 16.6e6, rel=1e-7, abs=0)
    for found in x.report["d_accumulation"]["Cu1|Co2"].values():
        assert found[1] == pytest.approx(step, rel=1e-7, abs=0)
    assert np.abs(list(x.accumulation.values())).max() < 1e-12 * step
    assert x.report["r_gmr"]["d_relaxation"] == pytest.approx(x.r_nonequilibrium, rel=1e-7, abs=0)


def test_spin_accumulation_that_scattering_to_d_makes():
    """beta_s = 0 with d-down alone: s-down feeds d, so phi_up - phi_dn is not zero, and falls as 1/g_s."""
    even = replace(CO, s_up=CO.s_down)
    a, b = (single(replace(even, spin_flip=f * CO.spin_flip), j=1.0) for f in (1e6, 1e8))
    d = [x.report["d_accumulation"]["Cu1|Co2"]["d_down"][1] for x in (a, b)]
    s = [x.accumulation["Cu1", "Co2"][1] for x in (a, b)]
    assert d[0] == pytest.approx(d[1], rel=0.01, abs=0)
    assert s[0] / s[1] == pytest.approx(100, rel=0.05, abs=0)
    assert 0 < abs(s[1]) < 1e-3 * d[1]


# ---- one face
@pytest.mark.parametrize("direction", [UP, DOWN])
@pytest.mark.parametrize("faces", [{}, {("Co", "Cu"): FACE}])
def test_d_accumulation_of_one_face(direction, faces):
    """The integral of phi_s_dn - phi_d_dn is J sigma_d/(sigma_t g_sd), whatever the face."""
    thickness = 24 * fs.transport.band_lengths(CO)["Lambda_minus"]
    layers = [normal(CU, 30e-9), magnet(CO, thickness, direction)]
    problem, x = solution(layers, faces=faces, ends=("lead", "lead"), mesh_size=2e-9)
    minority = {"s": -1.0 if direction is UP else 1.0, "e_down": -1.0}
    total = sum(w * region_integral(problem.system, x.fields[f], "Co2") for f, w in minority.items())
    assert total == pytest.approx(3e10 * CO.d_down / CO.conductivity / CO.sd, rel=1e-8, abs=0)


# ---- reports
@pytest.mark.parametrize("name", STACKS)
def test_reports_against_the_exact_potentials(name):
    """d accumulation at faces, f_parallel, and both parts of A R_ne by their own formulas."""
    stack, x, e = solve(name)
    d_part, spin_part, scale = 0.0, 0.0, abs(x.voltage)
    order = [layer.name for layer in stack]
    ends = STACKS[name][2]
    found = x.report["d_accumulation"]
    for i, layer in enumerate(stack):
        b, sign = layer.material.bands, sign_of(layer)
        at = [e.w(e.faces[i + k], i).real for k in (0, 1)]
        shares, beta = {}, 0.0
        if b is not None:
            shares = {"d_down": b.d_down / b.conductivity, "d_up": (b.d_up or 0.0) / b.conductivity}
            beta = sign * (b.s_up + (b.d_up or 0.0) - b.s_down - b.d_down) / b.conductivity
            assert x.report["f_parallel"][layer.name] == pytest.approx(
                exact.f_parallel(e, i, sign), rel=0, abs=1e-7 * abs(x.current)
            )
        for side, (w, outer) in enumerate(zip(at, (i == 0, i == len(order) - 1), strict=True)):
            towards = (1, -1)[side]
            if outer and ends[side] == "lead":
                continue  # beyond it the weighted potential goes on, and is the voltage
            # The part of every channel in the mean; up to the step of the spins, J t/sigma.
            spin_part -= towards * beta * (w[0] - w[1]) / 2
            for channel, share in shares.items():
                if channel not in x.present[layer.name] and not share:
                    continue
                s, d = (1, 3) if (channel == "d_down") == (sign > 0) else (0, 2)
                d_part += towards * share * (w[s] - w[d])
                if not outer:
                    pair = (order[i - 1], order[i]) if side == 0 else (order[i], order[i + 1])
                    value = found["|".join(pair)][channel][1 - side]
                    assert value == pytest.approx(w[s] - w[d], rel=0, abs=1e-7 * scale)
                    assert abs(value) > 1e-6 * scale
    for i, (a, b) in enumerate(itertools.pairwise(stack)):
        face = stack.interface(a.name, b.name)
        if face is not None:
            sign = sign_of(next(y for y in (a, b) if y.material.bands))
            below, above = ((w[0] - w[1]) / 2 for w in e.sides(i))
            spin_part -= sign * face.gamma * (below - above)
    parts = x.report["r_gmr"]
    assert parts["d_relaxation"] == pytest.approx(d_part / 3e10, rel=0, abs=1e-7 * x.resistance_area)
    assert parts["spin_flip"] == pytest.approx(spin_part / 3e10, rel=0, abs=1e-7 * x.resistance_area)
    assert x.r_nonequilibrium == pytest.approx(exact.nonequilibrium_resistance_area(e), rel=1e-6, abs=0)
    assert sum(parts.values()) == pytest.approx(x.r_nonequilibrium, rel=1e-12, abs=0)


def test_f_parallel_and_symmetry():
    """Zero between equal faces, odd under mirroring of the device alone, odd in the current."""
    layers = [normal(CU, 20e-9), magnet(CO, 15e-9, DOWN, "F"), normal(CU, 20e-9)]
    names = {"left": (("Cu1", "F"), FACE), "right": (("F", "Cu3"), FACE)}

    def force(*sides, j=3e10):
        faces = dict(names[s] for s in sides)
        return solution(layers, faces=faces, ends=("lead", "lead"), mesh_size=0.4e-9, j=j)[1].report["f_parallel"]["F"]

    left, right = force("left"), force("right")
    assert abs(left) > 1e-3 * 3e10
    assert left == pytest.approx(-right, rel=1e-8, abs=0)
    assert force("left", j=-3e10) == pytest.approx(-left, rel=1e-10, abs=0)
    for sides in ((), ("left", "right")):
        assert abs(force(*sides)) < 1e-10 * 3e10


@pytest.mark.parametrize("bands", [CO, FULL], ids=["three", "four"])
def test_f_parallel_does_not_know_which_layer_is_listed_first(bands):
    """One experiment described from either end: layers and current reversed."""
    gold, copper = fs.Layer(AU, 17e-9, "N"), fs.Layer(CU, 9e-9, "M")
    layers = [gold, magnet(bands, 13e-9, DOWN, "F"), copper]
    found = []
    for described, j in ((layers, 3.3e10), (layers[::-1], -3.3e10), (layers, -3.3e10)):
        faces = {("N", "F"): fs.Interface(0.4e-15, 0.31)}
        x = solution(described, faces=faces, ends=("lead", "lead"), mesh_size=0.5e-9, j=j)[1]
        found.append(x.report["f_parallel"]["F"])
    assert abs(found[0]) > 1e-4 * 3.3e10
    assert found == pytest.approx([found[0], found[0], -found[0]], rel=1e-8, abs=0)


# ---- turning magnets that touch
@pytest.mark.parametrize("bands", [(CO, FE), (FULL, OTHER)], ids=["three", "four"])
def test_magnets_that_touch_are_turned(bands):
    """d is continuous between parallel magnets and ends between antiparallel ones: other spaces, the same numbers."""

    def build(direction):
        layers = [normal(CU, 8e-9), magnet(bands[0], 9e-9, UP, "a"), magnet(bands[1], 12e-9, direction, "b")]
        stack = fs.Stack(*layers, normal(AU, 11e-9), library={})
        return fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-9), model_of(stack))

    def numbers(x):
        faces = x.report["d_accumulation"]["a|b"].values()
        return [x.resistance_area, x.r_nonequilibrium, *x.dissipation.parts.values(), *np.ravel(list(faces)).tolist()]

    turned = build(UP)
    found = []
    for direction in (UP, DOWN, UP):
        turned.magnetize({"b": direction})
        x = turned.solve(current_density=3e10)
        fresh = build(direction).solve(current_density=3e10)
        assert x.dofs == fresh.dofs
        assert numbers(x) == pytest.approx(numbers(fresh), rel=1e-9, abs=1e-30)
        found.append(x)
    assert found[1].dofs > found[0].dofs
    assert found[1].resistance_area > found[0].resistance_area * 1.001
