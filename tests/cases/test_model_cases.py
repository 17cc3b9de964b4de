"""Case files of the further transport models: what they declare, what they report, what they draw."""

import csv
import itertools
import json
import math
import os
import subprocess
import sys

import numpy as np
import pytest
from case_texts.models import FOUR, HEAT, STACK, STATES, THREE, TILTED, VECTOR, WARM
from launch import ROOT, python
from mpi4py import MPI

import fespin as fs
from fespin import output
from fespin.cases.casefile import read
from fespin.cases.json_schema import schema
from fespin.cases.layered.describe import notes
from fespin.cases.notes import notes_of
from fespin.cli import main
from fespin.errors import InputError
from references import channels as solver
from references import thermoelectric as exact

COMM = MPI.COMM_SELF
CO_BANDS = fs.Bands(s_up=1.1e7, s_down=3.2e6, d_down=1.7e6, spin_flip=2.3e21, sd=7.9e21)
CU = fs.Material("Cu", 6.1e-9, 450e-9)


def run(tmp_path, text, *arguments, name="case"):
    path, out = tmp_path / f"{name}.toml", tmp_path / f"{name}-out"
    path.write_text(text)
    assert main([str(a) for a in ["run", path, "--output", out, "--force", *arguments]]) == 0
    return json.loads((out / "summary.json").read_text()), out


def declared(tmp_path, text, *assignments):
    path = tmp_path / "declared.toml"
    path.write_text(text)
    return read(path, assignments)[0]


def stack_of(co, face, free, cu=CU):
    layers = [
        fs.Layer(cu, 10e-9),
        fs.Layer(co, 9e-9, "fixed"),
        fs.Layer(cu, 6e-9),
        fs.Layer(co, 4e-9, "free", free),
        fs.Layer(cu, 10e-9),
    ]
    return fs.Stack(*layers, interfaces={("Co", "Cu"): face}, library={})


def problem_of(model, stack):
    domain = fs.line(COMM, stack, mesh_size=2e-9)
    return fs.TransportProblem(domain, model, contacts={"bottom": "lead", "top": "reservoir"})


def rows(path):
    with path.open() as f:
        return list(csv.DictReader(f))


# ---- which layers are magnets
MIXED = """
[geometry]
shape = "line"
mesh_size = 2e-9
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "magnet"
material = "Alloy"
thickness = 4e-9
magnetization = [0, 0, 1]
[[layer]]
material = "Cu"
thickness = 6e-9
[[layer]]
name = "metal"
material = "Alloy"
thickness = 3e-9
[material.Alloy]
resistivity = 2.1e-7
spin_diffusion_length = 3.2e-9
beta = 0
[interface."Alloy|Cu"]
area_resistance_star = 0.7e-15
gamma = 0.5
mixing_conductance = 3e14
[transport]
model = "vector"
current_density = 3e10
"""


def test_beta_zero_without_a_magnetization_is_a_normal_metal(tmp_path):
    """In each layer for itself; a state makes it a magnet; an interface without a magnet keeps its resistance."""
    stack = declared(tmp_path, MIXED).make_stack()
    assert [x.material.beta for x in stack] == [None, 0.0, None, None]
    magnetic, plain = stack.interface("magnet", "Cu3"), stack.interface("Cu3", "metal")
    assert (magnetic.gamma, magnetic.mixing_conductance) == (0.5, 3e14)
    assert sum(plain.conductances) == pytest.approx(sum(magnetic.conductances), rel=1e-14, abs=0)
    assert plain.gamma == 0
    assert notes(declared(tmp_path, MIXED)) == []
    named = declared(tmp_path, MIXED + "[state.a]\nmetal = [0, 0, -1]\n").make_stack()
    assert [x.material.beta for x in named] == [None, 0.0, None, 0.0]
    summary, _ = run(tmp_path, MIXED)
    assert set(summary["states"]["default"]["torque"]) == {"magnet"}
    other = MIXED.replace("beta = 0\n", "beta = 0.3\n")
    assert notes_of(declared(tmp_path, other))[0] == "layer 'metal': no magnetization, taken as a magnet along +z"


@pytest.mark.parametrize("key", ["dephasing_length = 1e-9", "transverse_conductivity = 3e6"])
def test_keys_of_magnets_in_a_normal_metal(key, tmp_path):
    """Where no layer of the material is a magnet nothing could use them."""
    text = MIXED.replace("magnetization = [0, 0, 1]\n", "").replace("gamma = 0.5\nmixing_conductance = 3e14\n", "")
    assert [x.material.beta for x in declared(tmp_path, text).make_stack()] == [None] * 4
    with pytest.raises(InputError, match=f"material.Alloy: {key.split()[0]} is for ferromagnets, and this is none"):
        declared(tmp_path, text.replace("beta = 0\n", f"beta = 0\n{key}\n"))
    # A normal metal's spins precess.
    hanle = "beta = 0\ndiffusion_constant = 3e-3\ng_factor = 2.1\n"
    assert declared(tmp_path, text.replace("beta = 0\n", hanle)).make_stack()["metal"].material.g_factor == 2.1


def test_library_magnets_with_beta_zero(tmp_path):
    """Cobalt that is not magnetized has the library's interfaces, without their asymmetry; bands are not needed."""
    text = STACK.replace("magnetization = [0, 0, 1]\n", "") + "[material.Co]\nbeta = 0\n[transport]\n"
    text += "current_density = 1e10\n"
    for model in ("two-channel", "three-channel"):
        stack = declared(tmp_path, text + f'model = "{model}"\n').make_stack()
        known = fs.interfaces()["Co", "Cu"]
        face = stack.interface("Cu1", "fixed")
        assert (face.gamma, sum(face.conductances)) == (0, pytest.approx(sum(known.conductances), rel=1e-14, abs=0))


def test_a_case_beyond_the_digits_of_a_mesh(tmp_path, capsys):
    """It is solved exactly, and says so while it runs and in its summary."""
    text = MIXED.replace('"vector"', '"two-channel"').replace("mixing_conductance = 3e14\n", "")
    text = text.replace("resistivity = 2.1e-7", "resistivity = 1e-13") + "[material.Cu]\nresistivity = 0.1\n"
    summary, _ = run(tmp_path, text)
    (note,) = (n for n in summary["notes"] if n.startswith("state default: "))
    assert "exact solution of the layers" in note
    assert f"fespin: note: {note}" in capsys.readouterr().err
    assert abs(summary["states"]["default"]["power_balance"]) < 1e-12


# ---- three and four channels
@pytest.mark.parametrize("name", ["three", "four"])
def test_s_d(name, tmp_path, capsys):
    """Every key of the summary, against Python's interface; d channels are empty in normal metals."""
    text = THREE if name == "three" else FOUR
    summary, out = run(tmp_path, STACK + text + STATES)
    bands, model = CO_BANDS, fs.ThreeChannel()
    if name == "four":
        bands = fs.Bands(1.1e7, 3.2e6, 1.7e6, 2.3e21, 7.9e21, d_up=4e5, sd_up=3e21, sd_spin_flip=6e20, d_spin_flip=1e21)
        model = fs.FourChannel()
    co = fs.Material.from_bands("Co", bands)
    d_names = ["d_down", "d_up"][: 1 if name == "three" else 2]
    for state, free in (("parallel", 1), ("antiparallel", -1)):
        s = summary["states"][state]
        x = problem_of(model, stack_of(co, fs.Interface(0.51e-15, 0.6), (0, 0, free))).solve(current_density=3e10)
        assert s["resistance_area"] == pytest.approx(x.resistance_area, rel=1e-12, abs=0)
        for key in ("lengths", "d_accumulation", "f_parallel", "r_gmr"):
            assert s[key] == x.report[key]
        assert sum(s["r_gmr"].values()) == pytest.approx(s["r_nonequilibrium"], rel=1e-12, abs=0)
        assert list(s["d_accumulation"]["Cu1|fixed"]) == d_names
        assert s["d_accumulation"]["Cu1|fixed"]["d_down"][0] is None
        found = rows(out / f"profile.{state}.csv")
        inside = [r for r in found if r["layer"] in ("fixed", "free")]
        assert all(r["phi_d_down_V"] == "" for r in found if r not in inside)
        minority = "phi_down_V" if free > 0 else "phi_up_V"
        for r in (r for r in inside if r["layer"] == "free"):
            above = float(r[minority]) - float(r["phi_d_down_V"])
            assert float(r["accumulation_d_down_V"]) == pytest.approx(above, rel=1e-9, abs=0)
        # The last point of the magnet lies on its interface.
        last = [r for r in inside if r["layer"] == "free"][-1]
        for d in d_names:
            at_face = s["d_accumulation"]["free|Cu5"][d][0]
            assert float(last[f"accumulation_{d}_V"]) == pytest.approx(at_face, rel=1e-9, abs=0)
    assert set(summary["materials"]["Co"]["conductivity"]) == set(bands.channels)
    assert summary["materials"]["Co"]["sd_coefficient"] == 7.9e21
    assert (out / "profile.png").stat().st_size > 20_000
    printed = capsys.readouterr().out
    assert "A R_ne of spin flip" in printed
    assert "f_parallel(free)" in printed


def test_lengths_instead_of_coefficients(tmp_path):
    """l_sf and l_sd give the coefficients that have them; where l_sf is not given, the library's holds."""
    lengths = fs.transport.band_lengths(CO_BANDS)
    given = f"spin_diffusion_length = {lengths['l_sf']!r}\nsd_length = {lengths['l_sd']!r}"
    text = STACK + THREE.replace("spin_flip_coefficient = 2.3e21\nsd_coefficient = 7.9e21", given)
    bands = declared(tmp_path, text).make_stack()["fixed"].material.bands
    assert (bands.spin_flip, bands.sd) == pytest.approx((2.3e21, 7.9e21), rel=1e-12, abs=0)
    alone = text.replace(given, "sd_length = 1e-9")
    found = fs.transport.band_lengths(declared(tmp_path, alone).make_stack()["fixed"].material.bands)
    assert found["l_sf"] == pytest.approx(fs.material("Co").spin_diffusion_length, rel=1e-12, abs=0)


def test_meshes_resolve_the_shortest_length():
    """A short s-d length, or a short dephasing length, is resolved whatever mesh_size says."""
    bands = fs.Bands.from_lengths(1.1e7, 3.2e6, 1.7e6, spin_diffusion_length=40e-9, sd_length=0.7e-9)
    vector = fs.Material("Co", 7e-8, 40e-9, 0.4, dephasing_length=0.5e-9, precession_length=0.4e-9)
    for model, co in (
        (fs.ThreeChannel(), fs.Material.from_bands("Co", bands)),
        (fs.Vector("resolved"), vector),
    ):
        stack = fs.Stack(
            fs.Layer(CU, 10e-9), fs.Layer(co, 9e-9), fs.Layer(CU, 6e-9), fs.Layer(co, 5e-9, "", (0, 0, -1)), library={}
        )
        if isinstance(model, fs.Vector):
            stack = stack.magnetized({"Co4": (1, 0, 0.2)})
        coarse, fine = (
            fs.TransportProblem(fs.line(COMM, stack, mesh_size=1e-6, refine=r), model).solve(current_density=1e10)
            for r in (1, 3)
        )
        assert coarse.resistance_area == pytest.approx(fine.resistance_area, rel=1e-8, abs=0)


# ---- heat
def references(free, drive, t0=285.0):
    """Return the exact solution of the device of WARM and HEAT."""
    layers, faces, lorenz = [], [], (math.pi * 1.380649e-23 / 1.602176634e-19) ** 2 / 3
    for nm, magnetic, sign in ((10, 0, 1), (9, 1, 1), (6, 0, 1), (4, 1, free), (10, 0, 1)):
        rho, beta, length = (7.4e-8, 0.36, 38e-9) if magnetic else (6.1e-9, 0.0, 450e-9)
        seebeck = (-29e-6, -17e-6)[::sign] if magnetic else (1.7e-6, 1.7e-6)
        sigma = ((1 + beta) / (2 * rho), (1 - beta) / (2 * rho))[::sign]
        kappa = lorenz * t0 / rho if magnetic else 390.0
        g = 1 / (length**2 * (1 / sigma[0] + 1 / sigma[1]))
        layers.append(exact.thermo_layer(nm * 1e-9, sigma, seebeck, kappa, g, t0))
    for sign in (1, 1, free, free):
        faces.append(exact.thermo_face((1.9e15, 0.5e15)[::sign], 1.3e9, t0))
    ends = [solver.Contact(k, theta, coupled=False) for k, theta in zip(("lead", "reservoir"), drive[1:], strict=True)]
    return solver.solve(layers, faces, *ends, exact.CHARGE, current_density=drive[0], thermal=exact.HEAT)


def test_thermoelectric(tmp_path, capsys):
    """Seebeck voltage, heat and the coefficients of the stack against the exact solution, in two states."""
    summary, out = run(tmp_path, WARM + HEAT + STATES)
    printed = capsys.readouterr().out
    seebeck = {}
    for state, free in (("parallel", 1), ("antiparallel", -1)):
        s = summary["states"][state]
        warm, cold = references(free, (0.0, 3.0, 0.0)), references(free, (1e10, 0.0, 0.0))
        volts = warm.voltages[0] - warm.voltages[1]
        seebeck[state] = -volts / 3
        assert s["current"] == 0.0
        assert s["resistance"] is s["resistance_area"] is s["r_nonequilibrium"] is None
        assert s["currents"] == {"bottom": 0.0, "top": 0.0}
        assert s["voltage"] == pytest.approx(volts, rel=1e-7, abs=0)
        assert s["seebeck"] == pytest.approx(-volts / 3, rel=1e-7, abs=0)
        assert s["thermal_resistance_area"] == pytest.approx(3 / (285 * warm.thermal[0]), rel=1e-7, abs=0)
        assert s["isothermal_resistance_area"] == pytest.approx(cold.resistance_area, rel=1e-7, abs=0)
        assert s["peltier"] == pytest.approx(285 * cold.thermal[0] / 1e10, rel=1e-6, abs=0)
        assert s["peltier"] == pytest.approx(285 * s["seebeck"], rel=1e-9, abs=0)
        assert s["temperatures"] == pytest.approx({"bottom": 288.0, "top": 285.0}, rel=1e-12, abs=0)
        assert s["heat_currents"]["bottom"] == pytest.approx(285 * warm.thermal[0], rel=1e-7, abs=0)
        heat = list(s["heat_current"].values())
        assert heat[:4] == pytest.approx([heat[0]] * 4, rel=1e-9, abs=0)
        assert "temperature" not in s["channel_currents"]["bottom"]
        for i, pair in enumerate(s["temperature"].values()):
            right = [285 + side[2].real for side in warm.sides(i)]
            assert pair == pytest.approx(right, rel=0, abs=1e-6)
        entropy = sum(s["entropy_production"].values())
        assert 285 * entropy == pytest.approx(s["dissipated_power"], rel=1e-12, abs=0)
        assert entropy == pytest.approx(warm.thermal[0] * 3 / 285, rel=1e-7, abs=0)
        found = rows(out / f"profile.{state}.csv")
        assert list(found[0])[2:] == ["phi_up_V", "phi_down_V", "T_K", "accumulation_V"]
        assert (float(found[0]["T_K"]), float(found[-1]["T_K"])) == pytest.approx((288, 285), rel=1e-12, abs=0)
    change = seebeck["antiparallel"] - seebeck["parallel"]
    assert summary["delta_seebeck"] == pytest.approx(change, rel=1e-5, abs=0)
    assert summary["magneto_seebeck"] == pytest.approx(change / seebeck["parallel"], rel=1e-5, abs=0)
    values = [s["isothermal_resistance_area"] for s in summary["states"].values()]
    assert summary["delta_resistance_area"] == pytest.approx(values[1] - values[0], rel=1e-12, abs=0)
    assert summary["notes"] == []
    for words in ("S = -", "Peltier", "A R_th", "T(bottom) = 288 K", "dS/S"):
        assert words in printed


def test_python_says_the_same_about_heat(tmp_path):
    summary, _ = run(tmp_path, WARM + HEAT, "--no-pictures")
    cu = fs.Material("Cu", 6.1e-9, 450e-9, thermal=fs.Thermal((1.7e-6, 1.7e-6), 390.0))
    co = fs.Material("Co", 7.4e-8, 38e-9, 0.36, thermal=fs.Thermal((-29e-6, -17e-6)))
    face = fs.Interface.from_conductances(1.9e15, 0.5e15, thermal_conductance=1.3e9)
    problem = problem_of(fs.Thermoelectric(285.0), stack_of(co, face, None, cu))
    found = fs.transport.thermoelectric_coefficients(problem)
    s = summary["states"]["default"]
    assert (s["seebeck"], s["peltier"]) == (found.seebeck, found.peltier)
    assert s["thermal_resistance_area"] == found.thermal_resistance_area
    x = problem.solve(terminals={"bottom": fs.Terminal(current=0.0, temperature=288.0), "top": fs.Terminal(0.0)})
    assert s["voltage"] == x.voltage
    assert s["entropy_production"] == x.report["entropy_production"]
    plain = fs.TransportProblem(fs.line(COMM, stack_of(co, face, None, cu)))
    with pytest.raises(fs.ModelError, match="heat"):
        fs.transport.thermoelectric_coefficients(plain)


def test_heat_fluxes_and_currents(tmp_path):
    """A heat flux gives the temperature that gives the flux; it adds up with a current; short circuits are drives."""
    cold = WARM.replace("\ntemperature = 288", "")
    held = run(tmp_path, WARM + HEAT, "--no-pictures")[0]["states"]["default"]
    flux = held["heat_currents"]["bottom"]
    pushed = cold.replace('"lead"', f'"lead"\nheat_flux = {flux!r}')
    s = run(tmp_path, pushed + HEAT, "--no-pictures")[0]["states"]["default"]
    assert s["temperatures"]["bottom"] == pytest.approx(288, rel=1e-9, abs=0)
    assert s["voltage"] == pytest.approx(held["voltage"], rel=1e-9, abs=0)
    driven = run(tmp_path, cold + HEAT.replace("density = 0", "density = 2e10"), "--no-pictures")[0]["states"][
        "default"
    ]
    both = run(tmp_path, WARM + HEAT.replace("density = 0", "density = 2e10"), "--no-pictures")[0]["states"]["default"]
    assert both["voltage"] == pytest.approx(held["voltage"] + driven["voltage"], rel=1e-9, abs=0)
    short = run(tmp_path, WARM + HEAT.replace("current_density", "voltage"), "--no-pictures")[0]["states"]["default"]
    assert short["voltage"] == 0.0
    assert short["current"] == pytest.approx(-held["voltage"] / driven["resistance_area"], rel=1e-8, abs=0)


def test_a_strip_multiplies_heat_by_its_section(tmp_path):
    """In 2D a heat flux counts per cross-section; pictures of accumulation and temperature."""
    flat = 'shape = "strip"\nwidth = 20e-9\ndepth = 3e-9\nmesh_size = 10e-9'
    text = WARM.replace("temperature = 288", "heat_flux = 1e8").replace('shape = "line"\nmesh_size = 2e-9', flat)
    summary, out = run(tmp_path, text + HEAT)
    s = summary["states"]["default"]
    line = run(tmp_path, WARM.replace("temperature = 288", "heat_flux = 1e8") + HEAT, "--no-pictures", name="line")[0]
    one = line["states"]["default"]
    assert s["heat_currents"]["bottom"] == pytest.approx(1e8 * 6e-17, rel=1e-9, abs=0)
    for key in ("voltage", "seebeck", "thermal_resistance_area", "isothermal_resistance_area"):
        assert s[key] == pytest.approx(one[key], rel=1e-6, abs=0)
    for name in ("profile.png", "accumulation.png", "temperature.png"):
        assert (out / name).stat().st_size > 15_000
    assert (out / "fields.bp").exists()


def test_contacts_driven_one_by_one_have_temperatures(tmp_path):
    """A warm wire on a channel: voltages without any current, between the contacts that are measured."""
    text = """
[geometry]
shape = "lateral"
dimension = 2
separation = 200e-9
wire_width = 60e-9
channel_width = 80e-9
channel_length = 200e-9
mesh_size = 40e-9
[[layer]]
material = "Cu"
thickness = 60e-9
[[layer]]
name = "warm"
material = "Py"
thickness = 30e-9
magnetization = [0, 0, 1]
[[layer]]
name = "probe"
material = "Py"
thickness = 30e-9
magnetization = [0, 0, 1]
[material.Py]
seebeck = [-20e-6, -10e-6]
[material.Cu]
seebeck = 1.8e-6
[contact.left]
spin = "lead"
voltage = 0
[contact.injector]
current = 0
temperature = 310
[contact.detector]
current = 0
heat_flux = 0
[contact.right]
spin = "lead"
current = 0
[transport]
model = "thermoelectric"
measure = ["injector", "right"]
"""
    s = run(tmp_path, text + "[state.up]\nprobe = [0, 0, 1]\n[state.down]\nprobe = [0, 0, -1]\n", "--no-pictures")[0]
    up, down = s["states"]["up"], s["states"]["down"]
    assert up["temperatures"]["injector"] == pytest.approx(310, rel=1e-12, abs=0)
    assert 300 < up["temperatures"]["detector"] < 302
    assert set(up["currents"].values()) == {0.0}
    assert "seebeck" not in up
    assert up["voltage"] == up["voltages"]["injector"] - up["voltages"]["right"]
    assert up["measured_resistance"] is None
    assert s["delta_voltages"]["detector"] == down["voltages"]["detector"] - up["voltages"]["detector"] != 0
    assert "library's resistivity of Cu, Py" in s["notes"][0]


# ---- vectors
def test_vector(tmp_path, capsys):
    """Torque and resistance against Python's interface and between states that are not collinear."""
    summary, out = run(tmp_path, STACK + VECTOR + TILTED)
    co = fs.Material("Co", 7.4e-8, 41e-9, 0.46)
    face = fs.Interface.from_conductances(1.1e15, 4.1e14, 5.5e14 + 0.7e14j)
    areas = []
    for state, free in (("parallel", (0, 0, 1)), ("tilted", (1, 2, 2))):
        s = summary["states"][state]
        x = problem_of(fs.Vector(), stack_of(co, face, free)).solve(current_density=4e10)
        areas.append(x.resistance_area)
        assert s["resistance_area"] == pytest.approx(x.resistance_area, rel=1e-12, abs=0)
        for name in ("fixed", "free"):
            assert s["torque"][name] == pytest.approx(x.report["torque"][name], rel=1e-9, abs=1e-20)
        assert s["spin_accumulation"] == x.report["spin_accumulation"]
        first = rows(out / f"profile.{state}.csv")[0]
        assert list(first)[2:] == ["phi_V", "sx_V", "sy_V", "sz_V"]
    assert np.linalg.norm(summary["states"]["tilted"]["torque"]["free"]) > 1e-7
    at = summary["states"]["tilted"]["torque"]["free"]
    assert np.dot(at, (1, 2, 2)) == pytest.approx(0, rel=0, abs=1e-9 * np.linalg.norm(at))
    assert summary["reference_state"] == "parallel"
    assert summary["magnetoresistance"] == pytest.approx(areas[1] / areas[0] - 1, rel=1e-9, abs=0)
    assert summary["interfaces"]["Cu1|fixed"]["mixing_conductance"] == [5.5e14, 0.7e14]
    assert "torque on free: (" in capsys.readouterr().out
    assert (out / "profile.png").stat().st_size > 20_000


def test_two_collinear_magnets_are_two_channels(tmp_path):
    """The vector model with magnets along one axis, and the two-channel model with the same conductances."""
    vector = run(tmp_path, STACK + VECTOR + STATES, "--no-pictures")[0]
    plain = VECTOR.replace("mixing_conductance = [5.5e14, 0.7e14]\n", "").replace('"vector"', '"two-channel"')
    two = run(tmp_path, STACK + plain + STATES, "--no-pictures")[0]
    for key in ("delta_resistance_area", "magnetoresistance"):
        assert vector[key] == pytest.approx(two[key], rel=1e-9, abs=0)
    one, other = (x["states"]["antiparallel"]["accumulation"] for x in (vector, two))
    # Along the magnetization of each layer: the free layer points along -z.
    assert one["fixed|Cu3"] == pytest.approx(other["fixed|Cu3"], rel=1e-7, abs=0)
    assert one["Cu3|free"][1] == pytest.approx(-other["Cu3|free"][1], rel=1e-7, abs=0)


def test_resolved_spins_and_a_field(tmp_path):
    """Lengths of magnets, precession in normal metals; a diffusion constant is a density of states."""
    density = 1 / (fs.constants.ELEMENTARY_CHARGE**2 * 6.1e-9 * 0.01)
    text = VECTOR.replace("[interface", "dephasing_length = 1.7e-9\nprecession_length = 1.1e-9\n[interface")
    text = text.replace('"vector"', '"vector"\ntransverse = "resolved"\nfield = [0, 40, 20]')
    cu = STACK.replace("450e-9", "450e-9\ndiffusion_constant = 0.01\ng_factor = 2.1")
    case = declared(tmp_path, cu + text)
    assert case.make_stack()["Cu3"].material.density_of_states == pytest.approx(density, rel=1e-12, abs=0)
    found = run(tmp_path, cu + text + TILTED, "--no-pictures")[0]
    other = cu.replace("diffusion_constant = 0.01", f"density_of_states = {density!r}")
    same = run(tmp_path, other + text + TILTED, "--no-pictures")[0]
    still = run(tmp_path, STACK + text.replace("\nfield = [0, 40, 20]", "") + TILTED, "--no-pictures")[0]
    torque = [np.array(x["states"]["tilted"]["torque"]["free"]) for x in (found, same, still)]
    assert torque[0] == pytest.approx(torque[1], rel=1e-9, abs=1e-20)
    assert np.linalg.norm(torque[0] - torque[2]) > 0.01 * np.linalg.norm(torque[2])
    assert found["materials"]["Cu"]["g_factor"] == 2.1
    assert found["materials"]["Co"]["dephasing_length"] == 1.7e-9


def test_a_strip_of_vectors(tmp_path):
    """A section between wide leads: pictures of collinear and of tilted magnets."""
    flat = 'shape = "strip"\nwidth = 30e-9\nlead_width = 90e-9\nlead_thickness = 15e-9\nmesh_size = 15e-9'
    text = STACK.replace('shape = "line"\nmesh_size = 2e-9', flat)
    summary, out = run(tmp_path, text + VECTOR + TILTED)
    for state in ("parallel", "tilted"):
        assert (out / f"accumulation.{state}.png").stat().st_size > 15_000
        assert abs(summary["states"][state]["power_balance"]) < 1e-6
    assert summary["interfaces"]["bottom-lead|Cu1"] == "perfect"


@pytest.mark.slow
def test_two_ranks(tmp_path):
    """The vector model and heat on two ranks: the numbers of one."""
    for name, text in (("vector", STACK + VECTOR + TILTED), ("heat", WARM + HEAT + STATES)):
        one = run(tmp_path, text, "--no-pictures", name=f"{name}-1")[0]
        out = tmp_path / f"{name}-2"
        done = python(2, "-m", "fespin", "run", tmp_path / f"{name}-1.toml", "--output", out, timeout=200)
        assert done.returncode == 0, done.stderr
        two = json.loads((out / "summary.json").read_text())
        assert two["ranks"] == 2
        for state, s in one["states"].items():
            other = two["states"][state]
            assert other["voltage"] == pytest.approx(s["voltage"], rel=1e-9, abs=0)
            for key in ("torque", "spin_accumulation", "temperature", "accumulation"):
                flat = [np.ravel(list(x.get(key, {}).values())) for x in (s, other)]
                scale = np.abs(flat[0]).max(initial=0.0)
                assert flat[1] == pytest.approx(flat[0], rel=0, abs=1e-9 * scale)
        assert (out / "profile.png").stat().st_size > 20_000


# ---- around the models
def test_fields_for_paraview(tmp_path, monkeypatch):
    """Names, temperatures in kelvin, and d channels that are NaN where there are none."""
    written = {}

    class Writer:
        def __init__(self, comm, path, functions):
            written.update({f.name: f.x.array.copy() for f in functions})

        def write(self, time):
            pass

        def close(self):
            pass

    monkeypatch.setattr(output, "VTXWriter", Writer)
    for text, names in (
        (STACK + THREE, {"phi_up", "phi_down", "phi_d_down", "accumulation"}),
        (WARM + HEAT, {"phi_up", "phi_down", "T", "accumulation"}),
        (STACK + VECTOR, {"phi", "sx", "sy", "sz"}),
    ):
        written.clear()
        run(tmp_path, text, "--no-pictures")
        assert set(written) == names
        if "T" in names:
            assert (written["T"].min(), written["T"].max()) == pytest.approx((285, 288), rel=1e-12, abs=0)
        if "phi_d_down" in names:
            absent = np.isnan(written["phi_d_down"])
            assert 0 < absent.sum() < absent.size
            assert not np.isnan(written["phi_up"]).any()


def test_every_key_is_documented(tmp_path):
    page = (ROOT / "docs" / "conventions.md").read_text()
    for text in (STACK + THREE + STATES, WARM + HEAT + STATES, STACK + VECTOR + TILTED):
        summary, _ = run(tmp_path, text, "--no-pictures")
        for key in (*summary, *next(iter(summary["states"].values()))):
            assert f"`{key}" in page, key
    for table in ("Material", "Interface", "Contact", "Transport"):
        for key in schema()["$defs"][table]["properties"]:
            if key not in ("solver", "degree", "spin", "petsc"):
                assert f"{key}" in page, key


def test_what_is_assumed_is_said(tmp_path, capsys):
    """Notes, and what a dry run tells of each model."""
    text = STACK + VECTOR.replace("mixing_conductance = [5.5e14, 0.7e14]", "").replace(
        '"vector"', '"vector"\ntransverse = "resolved"'
    ).replace("41e-9", "41e-9\ndephasing_length = 1e-9")
    assert notes(declared(tmp_path, text)) == [
        "no mixing_conductance of Cu|Co: transverse spins pass with the mean of both conductances",
    ]
    cold = WARM.replace("temperature = 288", "temperature = 350").replace("seebeck = 1.7e-6\n", "")
    hot = cold + HEAT.replace("seebeck = ", "seebeck_temperature_coefficient = 1e-3\nseebeck = ")
    found = notes(declared(tmp_path, hot))
    assert found[:1] == ["no seebeck of Cu: taken as 0"]
    assert "contact bottom: far from transport.reference_temperature, 285 K" in found[1]
    assert "temperature coefficients of Co are not used" in found[2]
    for text, words in (
        (FOUR, ["four-channel", "d_up 4e+05", "sd 7.9e+21"]),
        (HEAT, ["linear about 285 K", "S (-29, -17) uV/K", "kappa 94.09", "heat 1.3e+09", "bottom: lead, 288 K"]),
        (VECTOR, ["transverse spins absorbed", "G_mix 5.5e+14 + 7e+13i S/m2"]),
    ):
        path = tmp_path / "described.toml"
        path.write_text((WARM if text == HEAT else STACK) + text)
        assert main(["run", str(path), "--dry-run"]) == 0
        printed = capsys.readouterr().out
        for word in words:
            assert word in printed


def test_models_are_checked_without_dolfinx(tmp_path):
    """What a rank finds wrong alone must not wait for the others in an import."""
    for i, text in enumerate((STACK + THREE, STACK + FOUR, WARM + HEAT, STACK + VECTOR)):
        (tmp_path / f"{i}.toml").write_text(text)
    code = (
        "import sys; from pathlib import Path; from fespin.cases.casefile import read\n"
        "from fespin.cases.registry import kind_of\n"
        f"for i in range(4): case, _ = read(Path({str(tmp_path)!r}) / f'{{i}}.toml'); kind_of(case).describe(case)\n"
        "heavy = {'dolfinx', 'petsc4py.PETSc', 'mpi4py.MPI', 'gmsh', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_prefixes():
    from fespin.plotting.palette import prefixed

    for value, (scale, name) in {
        3e-5: (1e-6, "\u00b5V"), 1e-3: (1e-3, "mV"), 0.2: (1e-3, "mV"), 7.0: (1.0, "V"), 4e-8: (1e-9, "nV"),
        0.0: (1.0, "V"), math.nan: (1.0, "V"), 1e-20: (1e-12, "pV"), 5e7: (1e6, "MV"), 2e9: (1e9, "GV"),
    }.items():  # fmt: skip
        found = prefixed(value, "V")
        assert found[0] == pytest.approx(scale, rel=1e-12, abs=0)
        assert found[1] == name


def test_sweeps_may_name_what_is_not_used(tmp_path):
    """A complete magnet of bands that no layer is made of, and its interface."""
    more = "[material.Fe2]\nconductivity = { s_up = 6e6, s_down = 4e6, d_down = 2e6 }\nsd_length = 1e-9\n"
    text = STACK + THREE + more + "[interface.'Fe2|Cu']\narea_resistance_star = 1e-15\n"
    assert any("'Fe2|Cu' is not used" in n for n in notes(declared(tmp_path, text)))
    for a, b in itertools.pairwise(declared(tmp_path, text).make_stack().names):
        assert declared(tmp_path, text).make_stack().interface(a, b).gamma == 0.6
