"""A magnetic lead whose edge is at another layer: all ranks together find what each finds alone."""

import pytest
from mpi4py import MPI
from samples import s_d as sd

import fespin as fs
from references.devices import side_by_side

CU = fs.Material("Cu", 6e-9, 450e-9, thermal=fs.Thermal((2e-6, 2e-6)))
CO = fs.Material(
    "Co", 6e-8, 60e-9, 0.46, thermal=fs.Thermal((-3e-5, -1e-5), resistivity_slope=3e-3), dephasing_length=2e-9
)
DIRECT = fs.SolverOptions("direct")
WARM = {"bottom": fs.Terminal(voltage=1e-3, temperature=330.0), "top": fs.Terminal(voltage=0.0)}
COLD = {"bottom": fs.Terminal(voltage=1e-3), "top": fs.Terminal(voltage=0.0)}
BANDS = [fs.Material.from_bands(n, b) for n, b in (("Co", sd.CO), ("Fe", sd.FE))]
DEVICES = (
    (fs.TwoChannel(), fs.Layer(CO, 30e-9, "a"), fs.Layer(CU, 30e-9, "b"), COLD),
    (fs.Vector("resolved"), fs.Layer(CO, 30e-9, "a", (1, 2, 2)), fs.Layer(CU, 30e-9, "b"), COLD),
    (fs.ThreeChannel(), fs.Layer(BANDS[0], 30e-9, "a"), fs.Layer(BANDS[1], 30e-9, "b", (0, 0, -1)), COLD),
    (fs.Thermoelectric(), fs.Layer(CO, 30e-9, "a"), fs.Layer(CU, 30e-9, "b"), WARM),
    (fs.Thermoelectric(nonlinear=True), fs.Layer(CO, 30e-9, "a"), fs.Layer(CU, 30e-9, "b"), WARM),
)


def current(comm, cells, model, a, b, drive):
    domain = side_by_side(comm, fs.Stack(a, b, library={}), cells, whole=False)
    problem = fs.TransportProblem(domain, model, contacts={"bottom": "lead"}, solver=DIRECT)
    x = problem.solve(terminals=drive)
    problem.destroy()
    return x.current


for cells in ([2, 2], [4, 3]):
    for device in DEVICES:
        alone, together = (current(comm, cells, *device) for comm in (MPI.COMM_SELF, MPI.COMM_WORLD))
        assert together == pytest.approx(alone, rel=1e-8, abs=0), (cells, device[0])
