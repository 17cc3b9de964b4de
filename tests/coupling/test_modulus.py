"""The length of a magnetization under a current: what is absorbed, rates, times, energies and their odd parts."""

import math
from dataclasses import replace

import numpy as np
import pytest
from mpi4py import MPI
from samples import s_d as sd

import fespin as fs
from fespin.constants import BOHR_MAGNETON, ELEMENTARY_CHARGE
from fespin.coupling import (
    Circuit,
    LongitudinalDrive,
    LongitudinalResponse,
    absorbed_spin_current,
    face_differences,
    lengthened_spin,
    longitudinal_response,
    longitudinal_time,
    modulus_rate,
    modulus_squared,
)
from fespin.errors import InputError, ModelError
from fespin.transport.s_d import f_parallel

COMM = MPI.COMM_SELF
UP, DOWN = (0, 0, 1), (0, 0, -1)
OBLIQUE = (0.48, -0.6, 0.64)
J = 3e10
COPPER, RUTHENIUM = fs.Material("Cu", 6e-9, 450e-9), fs.Material("Ru", 95e-9, 14e-9)
PERMALLOY = fs.Material("Py", 1.2e-7, 5.5e-9, 0.7, dephasing_length=1.3e-9)


def stack(direction=UP, upper=RUTHENIUM, thickness=4e-9):
    layers = fs.Layer(COPPER, 20e-9, "a"), fs.Layer(PERMALLOY, thickness, "F", direction), fs.Layer(upper, 25e-9, "b")
    return fs.Stack(*layers, library={})


def solved(layers, model=None, j=J, **options):
    problem = fs.TransportProblem(fs.line(COMM, layers), model, contacts={"bottom": "lead", "top": "lead"}, **options)
    return problem, problem.solve(current_density=j)


@pytest.mark.parametrize("thickness", [0.7e-9, 4e-9, 30e-9])
def test_two_channels_absorb_what_the_faces_tell(thickness):
    """2 rho* l tanh(t/4l) of it is the sum of d_f; with vectors along any direction it is the same."""
    problem, x = solved(stack(DOWN, thickness=thickness), degree=4)
    found, length = absorbed_spin_current(problem, x, "F"), PERMALLOY.spin_diffusion_length
    total = face_differences(problem, x, "F").total
    factor = 2 * PERMALLOY.resistivity_star * length * math.tanh(thickness / 4 / length)
    assert factor * found == pytest.approx(total, rel=1e-8, abs=0)
    oblique = solved(stack(OBLIQUE, thickness=thickness), fs.Vector("resolved"), degree=4)
    assert absorbed_spin_current(*oblique, "F") == pytest.approx(found, rel=1e-8, abs=0)


@pytest.mark.parametrize("direction", [UP, DOWN], ids=["up", "down"])
@pytest.mark.parametrize("bands", [sd.CO, sd.FULL], ids=["three", "four"])
def test_s_and_d_electrons_absorb_what_the_currents_lose(bands, direction):
    """Of the channels' currents through both faces; described from the other end, and none in a symmetric layer."""
    layers = [sd.normal(sd.CU, 20e-9), sd.magnet(bands, 7e-9, direction, "F"), sd.normal(sd.AU, 20e-9)]
    problem, x = sd.solution(layers, ends=("lead", "lead"), mesh_size=1e-9, j=J)
    found, sign = absorbed_spin_current(problem, x, "F"), 1 if direction == UP else -1
    below, above = (x.channel_currents[k] for k in ("Cu1|F", "F|Au3"))
    lost = sign * ((below["up"] - below["down"]) - (above["up"] - above["down"]))
    assert found == pytest.approx(lost, rel=1e-9, abs=0)
    assert abs(found) > 1e-3 * J
    turned = sd.solution(layers[::-1], ends=("lead", "lead"), mesh_size=1e-9, j=-J)
    scale = {"rel": 0, "abs": 1e-12 * J}
    assert absorbed_spin_current(*turned, "F") == pytest.approx(found, **scale)
    assert f_parallel(*turned, "F") == pytest.approx(f_parallel(problem, x, "F"), **scale)
    layers[2] = sd.normal(sd.CU, 20e-9)
    assert absorbed_spin_current(
        *sd.solution(layers, ends=("lead", "lead"), mesh_size=1e-9, j=J), "F"
    ) == pytest.approx(0.0, **scale)


def test_a_section_is_the_line():
    """In two dimensions, per cross-section of the layer."""
    layers = stack()
    line = absorbed_spin_current(*solved(layers), "F")
    domain = fs.strip(COMM, layers, width=20e-9, depth=3e-9, mesh_size=10e-9)
    problem = fs.TransportProblem(domain, contacts={"bottom": "lead", "top": "lead"}, solver=fs.SolverOptions("direct"))
    found = absorbed_spin_current(problem, problem.solve(current_density=J), "F")
    assert found == pytest.approx(line, rel=1e-4, abs=0)


def test_upside_down_beside_another_magnet():
    """And odd in the current, in either state of a valve."""
    for free in (UP, DOWN):
        layers = [
            sd.normal(sd.CU, 15e-9), sd.magnet(sd.CO, 12e-9, UP, "fixed"), sd.normal(sd.CU, 6e-9),
            sd.magnet(sd.FE, 4e-9, free, "F"), sd.normal(sd.AU, 25e-9),
        ]  # fmt: skip
        faces = {("Co", "Cu"): sd.FACE, ("Fe", "Au"): fs.Interface(0.3e-15, -0.4)}
        numbers = []
        for order, j in ((1, J), (-1, -J), (1, -J)):
            made = sd.solution(layers[::order], faces=faces, ends=("lead", "lead"), mesh_size=1e-9, j=j)
            numbers.append([absorbed_spin_current(*made, "F") / J, f_parallel(*made, "F") / J])
        assert numbers[1] == pytest.approx(numbers[0], rel=0, abs=1e-12)
        assert numbers[2] == pytest.approx([-x for x in numbers[0]], rel=0, abs=1e-12)
        assert np.abs(numbers[0]).min() > 1e-4


def test_rates_and_lengths():
    per_current = modulus_rate(1.0, 1.45e6, 10e-9)
    assert per_current == pytest.approx(3.992e-3, rel=1e-3)  # m2/(A s), cobalt of 10 nm
    assert per_current == pytest.approx(BOHR_MAGNETON / (ELEMENTARY_CHARGE * 1.45e6 * 10e-9), rel=1e-14)
    assert modulus_rate(-4e10, 1.45e6, 10e-9, share=0.7) == pytest.approx(-2.8e10 * per_current, rel=1e-14)
    assert modulus_squared(3e8, 2e-10) == pytest.approx(1 / 1.12, rel=1e-14)
    # The steady state of d|u|^2/dt = -2 f |u|^2 - (|u|^2 - 1)/tau.
    f, tau = -7e8, 4e-10
    assert -2 * f * modulus_squared(f, tau) == pytest.approx((modulus_squared(f, tau) - 1) / tau, rel=1e-12)
    with pytest.raises(ModelError, match="it must exceed -1/2, or the length grows for ever"):
        modulus_squared(-5e9, 1e-10)
    with pytest.raises(InputError, match="must be finite"):
        modulus_squared(math.inf, 1e-10)
    with pytest.raises(InputError, match="thickness is 0"):
        modulus_rate(1e10, 1e6, 0.0)


def test_time_of_the_two_longitudinal_equations():
    """Against the solution of both equations at rest, for a source in either."""
    random = np.random.default_rng(1)
    for _ in range(4):
        xi, t_mM, t_mL, t_ML = random.uniform(0.02, 0.4), *(10 ** random.uniform(-12.5, -10, size=3))
        a, w_m, w_M = 1 / t_mM, 1 / t_mL, 1 / t_ML
        # dM/dt and dm/dt over dM_ = Delta M + Delta m and dm_ = Delta m + xi Delta M.
        rates = np.array([[-(xi * a + w_M), a], [xi * a, -(a + w_m)]]) @ np.array([[1, 1], [xi, 1]])
        for into, source in (("M", [1.0, 0.0]), ("m", [0.0, 1.0])):
            right = np.linalg.solve(rates, -np.array(source))[0]
            assert longitudinal_time(xi, t_mM, t_mL, t_ML, into=into) == pytest.approx(right, rel=1e-9, abs=0)
    assert longitudinal_time(0.1, 1e-12, 5e-12) == pytest.approx(5e-11, rel=1e-12)  # without w_M: 1/(xi w_m)
    with pytest.raises(ModelError, match="neither M nor m decays to the lattice"):
        longitudinal_time(0.1, 1e-12)
    with pytest.raises(InputError, match="into is 'mm'"):
        longitudinal_time(0.1, 1e-12, 5e-12, into="mm")


def test_energies_of_a_longer_vector():
    """Of second, fourth and first degree, a shape and a function of the user among them; symmetry is still seen."""
    size = (2e-24, 8e5, 0.02, 300.0)
    terms = [
        fs.Uniaxial(stability=7.0, axis=(1, 2, 2)), fs.Shape((0.1, 0.3, 0.6)), fs.Cubic(constant=3e4),
        lambda u: 2e-20 * u[0] * u[1] ** 2,
    ]  # fmt: skip
    degrees = [2, 2, 4, 3]
    u = np.random.default_rng(2).normal(size=(7, 3))
    u /= np.linalg.norm(u, axis=1)[:, None]
    whole = lengthened_spin(fs.Macrospin(*size, terms, field=(1e-3, 0, -2e-3)), 0.7)
    right = -(0.7**0.5) * 8e5 * 2e-24 * (u @ (1e-3, 0, -2e-3))
    for term, degree in zip(terms, degrees, strict=True):
        right = right + 0.7 ** (degree / 2) * fs.Macrospin(*size, [term]).energy(u)
    assert np.ptp(whole.energy(u) - right) < 1e-12 * np.ptp(right)
    assert whole.saturation_magnetization == pytest.approx(0.7**0.5 * 8e5, rel=1e-14)
    alone = lengthened_spin(fs.Macrospin(*size, terms[:1]), 1.3)
    assert fs.FokkerPlanck(COMM, alone).axis is not None
    assert fs.survey(alone).barrier == pytest.approx(7.0 * 1.3, rel=1e-9)


SPIN = fs.Macrospin(1.3e-23, 8e5, 0.1, 310.0, [fs.Uniaxial(stability=12.0, axis=OBLIQUE)])


def test_barriers_under_a_current():
    """Delta/(1 + 2 f tau) over kT_eff: the part of the length is odd in the current, that of T_eff is even."""
    drive = LongitudinalDrive(
        "F", 4e-9, LongitudinalResponse(0.3, -0.05, 2e-15), coefficient=3e-21, relaxation_time=1e-10, share=0.8
    )
    j = 4e11
    f = 0.8 * BOHR_MAGNETON / (ELEMENTARY_CHARGE * 8e5 * 4e-9) * -0.05 * j
    heated = 310 + 3e-21 * (0.3 * j) ** 2
    over = {}
    for sign in (1, -1):
        spin = drive.magnet(Circuit(sign * j), SPIN)
        assert spin.temperature == pytest.approx(heated, rel=1e-12)
        over[sign] = fs.survey(spin).wells[0].height
        assert over[sign] == pytest.approx(12 * 310 / heated / (1 + 2 * sign * f * 1e-10), rel=1e-9)
    odd = -2 * f * 1e-10 / (1 - (2 * f * 1e-10) ** 2) * 12 * 310 / heated
    assert (over[1] - over[-1]) / 2 == pytest.approx(odd, rel=1e-9) and abs(odd) > 0.05
    # At a voltage the current is the circuit's.
    circuit = Circuit(voltage=j * 5e-15, series_resistance_area=3e-15)
    assert drive.magnet(circuit, SPIN).saturation_magnetization == pytest.approx(
        drive.magnet(Circuit(j), SPIN).saturation_magnetization, rel=1e-12
    )
    with pytest.raises(ModelError, match="the length grows for ever"):
        drive.magnet(Circuit(40 * j), SPIN)
    with pytest.raises(InputError, match="coefficient is given, but the response has no excess"):
        replace(drive, response=LongitudinalResponse(None, -0.05, 2e-15))


def test_responses_of_a_device():
    """Per current, at either sign; without what nobody asks for; refusals."""
    layers = [sd.normal(sd.CU, 20e-9), sd.magnet(sd.CO, 7e-9, DOWN, "F"), sd.normal(sd.AU, 20e-9)]
    problem, x = sd.solution(layers, ends=("lead", "lead"), mesh_size=1e-9, j=-J)
    halves = longitudinal_response(problem, "F", noise=False, source="s-d halves")
    assert halves.excess is None and halves.length == pytest.approx(-f_parallel(problem, x, "F") / J, rel=1e-9)
    both = longitudinal_response(problem, "F")
    assert both.length == pytest.approx(-absorbed_spin_current(problem, x, "F") / J, rel=1e-9)
    assert both.excess > 0 and both.resistance_area == pytest.approx(x.resistance_area, rel=1e-9)
    assert longitudinal_response(problem, "F", source=None).length is None
    with pytest.raises(InputError, match="source is 'absorb'; did you mean 'absorbed'"):
        longitudinal_response(problem, "F", source="absorb")
    with pytest.raises(InputError, match="layer 'Cu1' is no uniform ferromagnet; it has no majority"):
        longitudinal_response(problem, "Cu1", noise=False)
    with pytest.raises(ModelError, match="no d channels"):
        longitudinal_response(solved(stack())[0], "F")


def test_trajectories_at_the_effective_temperature():
    """The mean of an ensemble in a field is Langevin's function of Ms |u| v B/(k T_eff)."""
    bare = fs.Macrospin(1.3e-24, 8e5, 0.6, 300.0, field=(0.0, 0.0, 5e-3))
    drive = LongitudinalDrive(
        "F", 4e-9, LongitudinalResponse(0.3, -0.05, 2e-15), coefficient=1.5e-20, relaxation_time=3e-10
    )
    spin = drive.magnet(Circuit(-4e11), bare)
    x = spin.moment * 5e-3 / spin.thermal_energy
    right, other = (1 / np.tanh(y) - 1 / y for y in (x, bare.moment * 5e-3 / bare.thermal_energy))
    times = np.array([5, 7, 9]) / spin.diffusion
    found = fs.langevin(COMM, spin, times, ensemble=3000, seed=3, equilibrate=False)
    error = found.mean_error[:, 2].max()
    assert np.abs(found.mean[:, 2] - right).max() < 4 * error < 0.5 * (other - right)
    assert fs.FokkerPlanck(COMM, spin).equilibrium().mean[2] == pytest.approx(right, rel=1e-6)
