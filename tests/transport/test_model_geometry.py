"""Three and four channels, thermoelectric and vector models: order of convergence, and strips and pillars."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from mpi4py import MPI
from samples import s_d as sd
from samples import thermoelectric as thermo
from samples import vector
from samples.solvers import TO_ROUNDING

import fespin as fs
from fespin.transport.spins import SPIN_PER_CHARGE
from references import channel_models as exact

COMM = MPI.COMM_SELF


@dataclass
class Case:
    stack: fs.Stack
    model: Any
    ends: tuple[str, str]
    drive: dict[str, fs.Terminal]
    reference: Any
    steps: tuple[float, ...] = (4.0, 2.0, 1.0)  # nm, of uniform meshes that all layers are multiples of

    def problem(self, domain, degree=2):
        contacts = dict(zip(("bottom", "top"), self.ends, strict=True))
        return fs.TransportProblem(domain, self.model, contacts=contacts, degree=degree, solver=TO_ROUNDING)

    def terminals(self, area):
        drive = {}
        for k, t in self.drive.items():
            current = None if t.current is None else t.current * area
            heat = None if t.heat is None else t.heat * area
            drive[k] = fs.Terminal(t.voltage, current, t.temperature, heat)
        return drive


def through(j):
    return {"bottom": fs.Terminal(current=j), "top": fs.Terminal(voltage=0.0)}


def channels(bands):
    layers = [sd.normal(sd.CU, 4e-9), sd.magnet(bands[0], 12e-9, sd.UP), sd.normal(sd.CU, 4e-9)]
    layers += [sd.magnet(bands[1], 8e-9, sd.DOWN), sd.normal(sd.AU, 8e-9)]
    stack, ends = fs.Stack(*layers, interfaces={("Co", "Cu"): sd.FACE}, library={}), ("lead", "blocked")
    return Case(stack, sd.model_of(stack), ends, through(3e10), sd.reference(stack, ends, 3e10))


def non_collinear(transverse):
    faces = {("Cu", "Co"): vector.NC, ("Cu", "Py"): vector.NP, ("Py", "Au"): vector.NP}
    if transverse == "resolved":
        faces = {}
    # The reference has the Bohr magneton of 2018, some 1e-9 off.
    field = (8.0, -5.0, 2.0) if transverse == "absorbed" else (0, 0, 0)
    layers = [vector.layer(vector.CO, 8, vector.TILT), vector.layer(vector.CU, 4)]
    layers += [vector.layer(vector.PY, 4, vector.OBLIQUE), vector.layer(vector.AU, 8)]
    stack, ends = fs.Stack(*layers, interfaces=faces, library={}), ("lead", "lead")
    reference = vector.reference(stack, ends, transverse, field)
    steps = (4.0, 2.0, 1.0) if transverse == "absorbed" else (1.0, 0.5, 0.25)
    return Case(stack, fs.Vector(transverse, field), ends, through(vector.J), reference, steps)


def heated():
    layers = [thermo.layer(thermo.CU, 4), thermo.layer(thermo.CO, 8, thermo.DOWN), thermo.layer(thermo.CU, 4)]
    layers += [thermo.layer(thermo.PY, 4, thermo.UP), thermo.layer(thermo.PT, 8)]
    faces = {("Cu", "Co"): thermo.FACE, ("Cu", "Py"): thermo.PLAIN, ("Py", "Pt"): thermo.HEAT_ONLY}
    stack, ends = fs.Stack(*layers, interfaces=faces, library={}), ("lead", "reservoir")
    drive = {"bottom": fs.Terminal(current=2e10, heat=3e9), "top": fs.Terminal(voltage=0.0, temperature=thermo.T0 - 2)}
    return Case(stack, fs.Thermoelectric(thermo.T0), ends, drive, thermo.reference(stack, ends, drive))


CASES = {
    "three channels": channels((sd.CO, sd.FE)),
    "four channels": channels((sd.FULL, sd.OTHER)),
    "thermoelectric": heated(),
    "vector, absorbed": non_collinear("absorbed"),
    "vector, resolved": non_collinear("resolved"),
}


@pytest.mark.parametrize("degree", [1, 2, 3])
@pytest.mark.parametrize("name", CASES)
def test_order_of_convergence(name, degree):
    """The voltage is an energy: its error falls as h^2p."""
    case, errors = CASES[name], []
    right = case.reference.voltages[0] - case.reference.voltages[1]
    for h in case.steps:
        # Uniform cells: hardly any grading is left of a thousandth of it.
        domain = fs.line(COMM, case.stack, refine=1e-3, mesh_size=h * 1e-12)
        assert domain.mesh.topology.index_map(1).size_global == round(case.stack.thickness / h * 1e9)
        x = case.problem(domain, degree).solve(terminals=case.drive)
        errors.append(abs(x.voltage / right - 1))
    orders = np.log2(np.divide(errors[:-1], errors[1:]))
    assert orders[-1] == pytest.approx(2 * degree, rel=0, abs=0.5)


@pytest.mark.slow
@pytest.mark.parametrize("build", ["strip", "pillar"])
@pytest.mark.parametrize("name", CASES)
def test_uniform_cross_section_is_one_dimensional(name, build):
    """Voltages, potentials, heat and torques of a strip and a pillar are those of the exact line."""
    case, e = CASES[name], CASES[name].reference
    if build == "strip":
        domain = fs.strip(COMM, case.stack, width=4e-9, mesh_size=1e-9, depth=3e-9, refine=0.5)
    else:
        domain = fs.pillar(COMM, case.stack, diameter=3e-9, mesh_size=1.5e-9, refine=0.5)
    x = case.problem(domain, degree=3).solve(terminals=case.terminals(domain.area))
    voltage = e.voltages[0] - e.voltages[1]
    assert x.voltage == pytest.approx(voltage, rel=1e-6, abs=0)
    assert abs(x.power_balance) < 1e-10
    for k, q in x.heats.items():
        assert q / domain.area == pytest.approx(thermo.T0 * e.thermal[k == "top"], rel=1e-6, abs=0)
    for place, torque in x.report.get("torque", {}).items():
        right = exact.torque(e, x.domain.regions.index(place))
        assert torque == pytest.approx(right, rel=0, abs=1e-6 * SPIN_PER_CHARGE * x.current_density)
    profile, names = x.profile(3), ("up", "down", "d_up", "d_down")
    for i, layer in enumerate(case.stack):
        at = profile.layer == i
        right = e.w(profile.position[at], i).real
        for k, (channel, values) in enumerate(profile.potentials.items()):
            column, scale = k, abs(voltage)
            if "channels" in name:
                # The reference's d channels are along the axis.
                opposite = sd.sign_of(layer) < 0 and channel.startswith("d_")
                column = names.index(channel) ^ opposite
            if channel == "temperature":
                scale = 1.0
            if channel in x.present[layer.name]:
                assert values[at] == pytest.approx(right[:, column], rel=0, abs=1e-6 * scale)
            else:
                assert np.isnan(values[at]).all()
