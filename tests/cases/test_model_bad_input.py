"""Malformed cases of the further transport models: one line that says where, what and what is allowed."""

import pytest
from case_texts.models import FOUR, HEAT, STACK, STATES, THREE, TILTED, VECTOR, WARM
from casefiles import refused, swap

from fespin.cli import main

RESOLVED = VECTOR.replace('"vector"', '"vector"\ntransverse = "resolved"').replace(
    "41e-9", "41e-9\ndephasing_length = 1e-9"
)
THREE, FOUR, HEAT, VECTOR, RESOLVED = STACK + THREE, STACK + FOUR, WARM + HEAT, STACK + VECTOR, STACK + RESOLVED
TWO = (
    VECTOR.replace('"vector"', '"two-channel"').replace("mixing_conductance = [5.5e14, 0.7e14]\n", "") + STATES
)  # fmt: skip
MESH = VECTOR.replace('shape = "line"\nmesh_size = 2e-9', 'mesh = "device.geo"')


def cobalt(text, line):
    return swap(text, ("[material.Co]", f"[material.Co]\n{line}"))


def copper(text, line):
    return swap(text, ("[material.Cu]", f"[material.Cu]\n{line}"))


def face(text, line):
    return swap(text, ('[interface."Co|Cu"]', f'[interface."Co|Cu"]\n{line}'))


def transport(text, line):
    return swap(text, ("[transport]", f"[transport]\n{line}"))


def contact(text, line):
    return swap(text, ("[contact.top]", f"[contact.top]\n{line}"))


BANDS = "conductivity = { s_up = 1e7, s_down = 3e6, d_down = 1e6 }"
CASES = {
    # ---- keys of another model
    "field of two channels": (
        transport(TWO, "field = [0, 0, 1]"),
        ["transport.field", '"vector"', 'found with "two-channel"'],
    ),
    "transverse of heat": (
        transport(HEAT, 'transverse = "absorbed"'),
        ["transport.transverse", '"vector"', '"thermoelectric"'],
    ),
    "nonlinear vector": (
        transport(VECTOR, "nonlinear = true"),
        ["transport.nonlinear", '"thermoelectric"', '"vector"'],
    ),
    "T0 of two channels": (
        transport(TWO, "reference_temperature = 300"),
        ["transport.reference_temperature", '"thermoelectric"'],
    ),
    "bands of vectors": (cobalt(VECTOR, BANDS), ["material.Co.conductivity", '"three-channel" and "four-channel"']),
    "seebeck of two channels": (copper(TWO, "seebeck = 1e-6"), ["material.Cu.seebeck", '"thermoelectric"']),
    "dephasing of heat": (cobalt(HEAT, "dephasing_length = 1e-9"), ["material.Co.dephasing_length", '"vector"']),
    "density of two channels": (copper(TWO, "density_of_states = 1e47"), ["material.Cu.density_of_states", '"vector"']),
    "mixing of two channels": (face(TWO, "mixing_conductance = 1e15"), ["'Co|Cu'.mixing_conductance", '"vector"']),
    "heat of vectors": (face(VECTOR, "thermal_conductance = 1e9"), ["'Co|Cu'.thermal_conductance", '"thermoelectric"']),
    "temperature of a contact": (contact(VECTOR, "temperature = 300"), ["contact.top.temperature", '"thermoelectric"']),
    "heat flux of two channels": (contact(TWO, "heat_flux = 1e8"), ["contact.top.heat_flux", '"thermoelectric"']),
    "four in three": (
        swap(THREE, ("1.7e6 }", "1.7e6, d_up = 4e5 }")),
        ["material.Co.conductivity.d_up", '"four-channel"', 'found with "three-channel"'],
    ),
    "three in four": (swap(FOUR, (", d_up = 4e5", "")), ["material.Co.conductivity.d_up", "missing", '"four-channel"']),
    "length in four": (
        cobalt(FOUR, "sd_length = 1e-9"),
        ["material.Co.sd_length", '"three-channel"', 'found with "four-channel"'],
    ),
    "l_sf in four": (
        cobalt(FOUR, "spin_diffusion_length = 1e-8"),
        ["material.Co", "coefficients", "spin_diffusion_length"],
    ),
    "coefficient of four in three": (
        cobalt(THREE, "d_spin_flip_coefficient = 1e21"),
        ["material.Co.d_spin_flip_coefficient", '"four-channel"'],
    ),
    # ---- bands
    "no bands": (
        swap(THREE, ("conductivity = { s_up = 1.1e7, s_down = 3.2e6, d_down = 1.7e6 }\n", "")),
        ["material.Co.conductivity", "missing", '"three-channel"', "s_up, s_down, d_down"],
    ),
    "no bands of the library": (
        swap(THREE, ('name = "free"\nmaterial = "Co"', 'name = "free"\nmaterial = "Py"')),
        ["material.Py.conductivity", "missing"],
    ),
    "half the bands": (swap(THREE, (", d_down = 1.7e6", "")), ["material.Co.conductivity.d_down", "missing"]),
    "misspelt band": (swap(THREE, ("d_down", "d_dwn")), ["material.Co.conductivity.d_dwn", "'d_down'"]),
    "bands are a number": (
        swap(THREE, ("{ s_up = 1.1e7, s_down = 3.2e6, d_down = 1.7e6 }", "1e7")),
        ["material.Co.conductivity", "10000000", "a table"],
    ),
    "negative band": (swap(THREE, ("1.7e6", "-1.7e6")), ["conductivity.d_down", "-1700000", "between"]),
    "bands and rho": (cobalt(THREE, "resistivity = 1e-7"), ["material.Co.resistivity", "conductivity", "both"]),
    "bands and beta": (cobalt(THREE, "beta = 0.4"), ["material.Co.beta", "conductivity", "both"]),
    "length and coefficient": (
        cobalt(THREE, "sd_length = 1e-9"),
        ["material.Co", "spin_flip_coefficient and sd_coefficient", "sd_length"],
    ),
    "one coefficient": (
        swap(THREE, ("spin_flip_coefficient = 2.3e21\n", "")),
        ["material.Co.spin_flip_coefficient", "missing", "sd_length"],
    ),
    "one length": (
        swap(THREE, ("spin_flip_coefficient = 2.3e21\nsd_coefficient = 7.9e21", "spin_diffusion_length = 4e-8")),
        ["material.Co.sd_length", "missing"],
    ),
    "no coefficient": (
        swap(THREE, ("spin_flip_coefficient = 2.3e21\nsd_coefficient = 7.9e21", "")),
        ["material.Co.spin_flip_coefficient", "missing"],
    ),
    "zero s-d": (swap(THREE, ("7.9e21", "0")), ["material.Co.sd_coefficient", "found 0", "between 0"]),
    "d_up alone": (
        swap(
            FOUR,
            ("sd_up_coefficient = 3e21\nsd_spin_flip_coefficient = 6e20\nd_spin_flip_coefficient = 1e21", ""),
        ),
        ["material.Co", "d_up", "sd_up_coefficient"],
    ),
    "tilted bands": (THREE + TILTED, ["state.tilted", "'fixed'", "'free'", "collinear"]),
    # ---- heat
    "seebeck in uV": (swap(HEAT, ("-29e-6", "-29")), ["material.Co.seebeck 1", "-29", "-0.1 and 0.1"]),
    "seebeck of three": (swap(HEAT, ("-29e-6,", "1e-6, 1e-6,")), ["material.Co.seebeck", "2 entries"]),
    "seebeck is text": (swap(HEAT, ("[-29e-6, -17e-6]", '"a"')), ["material.Co.seebeck", '"a"', "a number or a list"]),
    "spins of copper": (
        swap(HEAT, ("seebeck = 1.7e-6", "seebeck = [1e-6, 2e-6]")),
        ["material.Cu.seebeck", "[1e-06, 2e-06]", "no beta"],
    ),
    "negative kappa": (
        swap(HEAT, ("thermal_conductivity = 390", "thermal_conductivity = -390")),
        ["material.Cu.thermal_conductivity", "-390", "greater than 0"],
    ),
    "zero conductance of heat": (swap(HEAT, ("1.3e9", "0")), ["'Co|Cu'.thermal_conductance", "found 0", "between"]),
    "zero kelvin": (swap(HEAT, ("temperature = 288", "temperature = 0")), ["contact.bottom.temperature", "found 0"]),
    "celsius below": (swap(HEAT, ("= 288", "= -5")), ["contact.bottom.temperature", "-5", "0 and 5000"]),
    "T0 of zero": (swap(HEAT, ("= 285", "= 0")), ["transport.reference_temperature", "found 0", "0 and 5000"]),
    "nonlinear is text": (transport(HEAT, 'nonlinear = "yes"'), ["transport.nonlinear", '"yes"', "true or false"]),
    "temperature and flux": (
        swap(HEAT, ("temperature = 288", "temperature = 288\nheat_flux = 1e8")),
        ["contact.bottom", "temperature or heat_flux", "both"],
    ),
    "no temperature": (
        contact(swap(HEAT, ("temperature = 288", "heat_flux = 1e8")), "heat_flux = -1e8"),
        ["contact", "all contacts have a heat_flux", "temperature"],
    ),
    "no difference": (
        contact(HEAT, "temperature = 288"),
        ["transport.current_density", "found 0", "difference of temperatures"],
    ),
    "no drive": (
        swap(HEAT, ("current_density = 0", "")),
        ["transport", "exactly one of current_density", "found none"],
    ),
    "zero current of two channels": (
        swap(TWO, ("4e10", "0")),
        ["transport.current_density", "found 0", "no resistance"],
    ),
    "tilted heat": (HEAT + TILTED, ["state.tilted", "'fixed'", "'free'", "collinear"]),
    # ---- vectors
    "no mixing": (
        swap(VECTOR, ("mixing_conductance = [5.5e14, 0.7e14]\n", "")),
        ["interface.'Co|Cu'.mixing_conductance", "missing", '"absorbed"', "S/m2"],
    ),
    "no mixing of the library": (
        swap(VECTOR, ("Co|Cu", "fixed|Cu3")),
        ["interface.'Cu|Co'.mixing_conductance", "missing"],
    ),
    "perfect contact": (
        swap(
            VECTOR,
            ("conductance = [1.1e15, 4.1e14]\nmixing_conductance = [5.5e14, 0.7e14]", "area_resistance_star = 0"),
        ),
        ["interface.'Co|Cu'", "perfect", "mixing_conductance", '"resolved"'],
    ),
    "mixing of a perfect contact": (
        swap(VECTOR, ("conductance = [1.1e15, 4.1e14]", "area_resistance_star = 0")),
        ["interface.'Co|Cu'.mixing_conductance", "perfect", "conductance = [up, down]"],
    ),
    "negative mixing": (
        swap(VECTOR, ("[5.5e14, 0.7e14]", "-1e15")),
        ["interface.'Co|Cu'", "mixing_conductance", "-1000000", "must not be negative"],
    ),
    "mixing of three": (
        swap(VECTOR, ("[5.5e14, 0.7e14]", "[1e15, 0, 0]")),
        ["interface.'Co|Cu'.mixing_conductance", "2 entries"],
    ),
    "conductance twice": (
        face(VECTOR, "area_resistance_star = 1e-15"),
        ["interface.'Co|Cu'", "conductance", "area_resistance_star and gamma"],
    ),
    "conductance and gamma": (face(VECTOR, "gamma = 0.5"), ["interface.'Co|Cu'", "found conductance and gamma"]),
    "one conductance": (swap(VECTOR, ("[1.1e15, 4.1e14]", "[1e15]")), ["'Co|Cu'.conductance", "2 entries"]),
    "conductance is a number": (swap(VECTOR, ("[1.1e15, 4.1e14]", "1e15")), ["'Co|Cu'.conductance", "a list"]),
    "negative conductance": (swap(VECTOR, ("1.1e15", "-1.1e15")), ["'Co|Cu'.conductance 1", "-1100000", "between 0"]),
    "spins between metals": (
        VECTOR + "[interface.'Cu|Pt']\nconductance = [1e15, 2e15]\n",
        ["interface.'Cu|Pt'.conductance", "neither side", "no beta"],
    ),
    "mixing between metals": (
        VECTOR + "[interface.'Cu|Pt']\narea_resistance_star = 1e-15\nmixing_conductance = 1e15\n",
        ["interface.'Cu|Pt'.mixing_conductance", "neither side"],
    ),
    "transverse": (
        transport(VECTOR, 'transverse = "resolvd"'),
        ["transport.transverse", '"resolvd"', "absorbed, resolved", "'resolved'"],
    ),
    "no lengths": (
        swap(RESOLVED, ("dephasing_length = 1e-9", "")),
        ["material.Co.dephasing_length", "missing", "precession_length"],
    ),
    "no density": (
        transport(VECTOR, "field = [0, 0, 1]"),
        ["material.Cu.density_of_states", "missing", "transport.field", "diffusion_constant"],
    ),
    "field of two": (transport(VECTOR, "field = [0, 1]"), ["transport.field", "3 entries"]),
    "field in A/m": (transport(VECTOR, "field = [0, 0, 8e5]"), ["transport.field 3", "800000", "mu0 H in T"]),
    "density twice": (
        copper(VECTOR, "density_of_states = 1e47\ndiffusion_constant = 0.01"),
        ["material.Cu", "density_of_states or diffusion_constant"],
    ),
    "diffusion in a magnet": (
        cobalt(VECTOR, "diffusion_constant = 0.01"),
        ["material.Co.diffusion_constant", "normal metals", "Co is a magnet"],
    ),
    "g of a magnet": (cobalt(VECTOR, "g_factor = 2.1"), ["material.Co.g_factor", "normal metals"]),
    "dephasing of copper": (copper(VECTOR, "dephasing_length = 1e-9"), ["material.Cu", "dephasing_length", "no beta"]),
    "dephasing in nm": (cobalt(VECTOR, "dephasing_length = 1"), ["material.Co.dephasing_length", "4 nm is 4e-9"]),
    "model": (swap(VECTOR, ('"vector"', '"vectro"')), ["transport.model", '"vectro"', "'vector'"]),
    "lengths in a mesh file": (
        swap(MESH, ('"vector"', '"vector"\ntransverse = "resolved"')),
        ["material.Co.dephasing_length", "missing"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_case(name, tmp_path, capsys):
    text, words = CASES[name]
    if "'Cu|Pt'" in text:
        text = swap(text, ('[[layer]]\nmaterial = "Cu"\nthickness = 6e-9', _METALS))
    path = tmp_path / "case.toml"
    path.write_text(text)
    refused(capsys, ["run", path, "--output", tmp_path / "out"], [str(path), *words])
    assert [x.name for x in tmp_path.iterdir()] == ["case.toml"]


_METALS = (
    '[[layer]]\nmaterial = "Cu"\nthickness = 6e-9\n[[layer]]\nmaterial = "Pt"\nthickness = 3e-9\n[[layer]]\n'
    'material = "Cu"\nthickness = 6e-9'
)


def test_the_good_cases_are_good(tmp_path, capsys):
    path = tmp_path / "case.toml"
    for text in (THREE, FOUR, HEAT, VECTOR, RESOLVED, TWO, RESOLVED + TILTED, VECTOR + TILTED):
        path.write_text(text)
        assert main(["run", str(path), "--dry-run"]) == 0
    assert "fespin: error" not in capsys.readouterr().err
