"""Strips and pillars: against 1D without wide leads; what must hold with them."""

import math

import numpy as np
import pytest
from mpi4py import MPI
from samples.solvers import TO_ROUNDING

from fespin import Contact, InputError, Layer, Stack, TransportProblem, pillar, strip
from references.devices import CU, DOWN, UP, reference, valve

LEADS = {"bottom": Contact("lead"), "top": Contact("lead")}
COMM = MPI.COMM_WORLD


@pytest.mark.parametrize(
    ("build", "size", "area"),
    [
        (strip, {"width": 60e-9, "depth": 35e-9}, 60e-9 * 35e-9),
        (pillar, {"diameter": 60e-9}, math.pi * 30e-9**2),
        (pillar, {"semi_axes": (25e-9, 45e-9)}, math.pi * 25e-9 * 45e-9),
    ],
    ids=["strip", "circle", "ellipse"],
)
def test_uniform_cross_section_is_one_dimensional(build, size, area):
    """A strip and a pillar without wide leads equal the exact 1D answer to 1e-5 and better."""
    s = valve(DOWN)
    problem = TransportProblem(build(COMM, s, **size), contacts=LEADS, solver=TO_ROUNDING)
    x, e = problem.solve(current_density=1e11), reference(s, ("lead", "lead"))
    assert x.domain.area == pytest.approx(area, rel=1e-12, abs=0)
    assert x.resistance_area == pytest.approx(e.resistance_area, rel=1e-6, abs=0)
    assert x.resistance * area == pytest.approx(e.resistance_area, rel=1e-6, abs=0)
    assert x.r_nonequilibrium == pytest.approx(e.r_nonequilibrium, rel=1e-6, abs=0)
    assert abs(x.power_balance) < 1e-10
    largest = np.abs(e.accumulation_at_interfaces).max()
    found = np.array(list(x.accumulation.values())) / x.current_density
    assert found == pytest.approx(np.array(e.accumulation_at_interfaces), rel=0, abs=1e-5 * largest)
    drops = np.array([*x.layer_drops.values(), *x.interface_drops.values()]) / x.current_density
    expected = np.array([*e.layer_drops, *e.interface_drops])
    assert drops == pytest.approx(expected, rel=0, abs=1e-5 * e.resistance_area)
    for pair, j_s in zip(x.accumulation, e.spin_current_at_faces[1:-1], strict=True):
        up, down = x.channel_currents["|".join(pair)].values()
        assert (up - down) / x.current == pytest.approx(j_s, abs=1e-5)


@pytest.fixture(scope="module")
def crowded():
    """A pillar with wide leads on two meshes, parallel and antiparallel."""
    out = {}
    for refine in (0.6, 1.0):
        domain = pillar(
            COMM, valve(UP), diameter=60e-9, lead_width=180e-9, lead_thickness=30e-9, mesh_size=12e-9, refine=refine
        )
        problem = TransportProblem(domain, contacts=LEADS, solver=TO_ROUNDING)
        out[refine, "P"] = problem.solve(current_density=1e11)
        problem.magnetize({"L3": DOWN})
        out[refine, "AP"] = problem.solve(current_density=1e11)
    return out


@pytest.mark.slow
def test_current_crowds_in_wide_leads(crowded):
    """Between what a pillar with leads of its own width, and one with ideal leads, would have."""
    x = crowded[1.0, "P"]
    s = valve(UP)
    bare = reference(s, ("lead", "lead")).resistance_area
    lead = CU.resistivity * 30e-9
    spread = lead / 9  # if the current filled the wide leads at once
    # Wide leads let spins relax: they may even lower the resistance of the bare stack with its own leads.
    ideal = reference(s, ("reservoir", "reservoir")).resistance_area
    assert ideal + 2 * spread < x.resistance_area < bare + 2 * lead
    assert abs(x.power_balance) < 1e-10
    assert set(x.layer_drops) == {"bottom-lead", *s.names, "top-lead"}
    assert sum(x.layer_drops.values()) + sum(x.interface_drops.values()) == pytest.approx(x.voltage, rel=1e-9, abs=0)


def test_dissipation_bounds_the_resistance(crowded):
    """The discrete solution minimizes the power at given voltage, so the resistance rises to its limit."""
    for state in ("P", "AP"):
        coarse, fine = crowded[0.6, state], crowded[1.0, state]
        assert fine.resistance_area > coarse.resistance_area
        assert fine.resistance_area == pytest.approx(coarse.resistance_area, rel=5e-3, abs=0)


def test_spin_current_is_conserved_at_interfaces(crowded):
    """What leaves one side of an interface enters the other; the charge current is the same everywhere."""
    x = crowded[1.0, "AP"]
    for pair in x.accumulation:
        up, down = x.channel_currents["|".join(pair)].values()
        assert up + down == pytest.approx(x.current, rel=1e-8, abs=0)
    assert sum(x.channel_currents["bottom"].values()) == pytest.approx(x.current, rel=1e-8, abs=0)
    assert sum(x.channel_currents["top"].values()) == pytest.approx(-x.current, rel=1e-8, abs=0)


def test_both_solvers_agree():
    """CG with multigrid per field against MUMPS."""
    from fespin import SolverOptions

    domain = strip(COMM, valve(DOWN), width=60e-9, lead_width=200e-9, lead_thickness=30e-9)
    a, b = (
        TransportProblem(domain, contacts=LEADS, solver=SolverOptions(kind, 1e-16)).solve(voltage=1e-3)
        for kind in ("amg", "direct")
    )
    assert a.current == pytest.approx(b.current, rel=1e-11, abs=0)
    assert a.dissipation.by_mechanism == pytest.approx(b.dissipation.by_mechanism, rel=1e-10, abs=0)
    assert b.iterations < a.iterations < 100


def test_thin_layers_are_resolved():
    """A layer of 0.3 nm in a mesh of 20 nm still carries its accumulation."""
    layers = valve(DOWN).layers
    thin = Stack(*layers[:2], Layer(CU, 0.3e-9, "thin"), *layers[3:])
    x = TransportProblem(strip(COMM, thin, width=80e-9, mesh_size=20e-9), contacts=LEADS).solve(voltage=1e-3)
    e = reference(thin, ("lead", "lead"))
    assert x.resistance_area == pytest.approx(e.resistance_area, rel=1e-6, abs=0)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ({}, "exactly one of diameter and semi_axes"),
        ({"diameter": 6e-8, "semi_axes": (1e-8, 2e-8)}, "exactly one"),
        ({"diameter": -6e-8}, "diameter"),
        ({"semi_axes": (1e-8,)}, "two lengths"),
        ({"diameter": 6e-8, "lead_width": 2e-7}, "lead_thickness"),
        ({"diameter": 6e-8, "lead_width": 5e-8, "lead_thickness": 1e-8}, "exceed"),
        ({"diameter": 6e-8, "mesh_size": 0.0}, "mesh_size"),
    ],
)
def test_impossible_pillars(size, words):
    with pytest.raises(InputError, match=words):
        pillar(COMM, valve(UP), **size)
