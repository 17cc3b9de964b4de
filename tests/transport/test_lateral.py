"""Devices of several terminals: the lateral spin valve, reciprocity, floating contacts."""

import math

import numpy as np
import pytest
from mpi4py import MPI

from fespin import Contact, InputError, Interface, Layer, Material, Stack, Terminal, TransportProblem, lateral
from references.devices import DOWN, UP

COMM = MPI.COMM_WORLD
CHANNEL = Material("N", 14e-9, 400e-9)
MAGNET = Material.from_star("F", 210e-9, 5e-9, 0.43)
ENDS = {"left": Contact("lead"), "right": Contact("lead")}
GROUND, FLOATING = Terminal(voltage=0.0), Terminal(current=0.0)


def nonlocal_drive(current=1e-3):
    return {"left": GROUND, "right": FLOATING, "injector": Terminal(current=current), "detector": FLOATING}


def stack(direction=UP, face=None):
    interfaces = {("F", "N"): face} if face else None
    return Stack(
        Layer(CHANNEL, 60e-9, "channel"),
        Layer(MAGNET, 30e-9, "source", UP),
        Layer(MAGNET, 30e-9, "probe", direction),
        interfaces=interfaces,
    )


def signal(problem):
    x = problem.solve(terminals=nonlocal_drive())
    assert abs(x.power_balance) < 1e-10
    return (x.voltages["detector"] - x.voltages["right"]) / 1e-3


def theory(separation, width, depth, face=None):
    """Takahashi and Maekawa, Phys. Rev. B 67, 052409 (2003): R_s of two wires across a channel."""
    area_n, area_j = 60e-9 * depth, width * depth
    r_n = CHANNEL.resistivity * CHANNEL.spin_diffusion_length / area_n
    r_f = MAGNET.resistivity_star * MAGNET.spin_diffusion_length / area_j
    r_i, p = (face.area_resistance_star / area_j, face.gamma) if face else (0.0, 0.0)
    polarization = (p * r_i + MAGNET.beta * r_f) / r_n
    total = 1 + 2 * (r_i + r_f) / r_n
    decay = math.exp(-separation / CHANNEL.spin_diffusion_length)
    return 2 * r_n * polarization**2 * decay / (total**2 - decay**2)


@pytest.mark.parametrize("face", [Interface(3e-15, 0.31), Interface(40e-15, -0.6)], ids=["resistive", "more resistive"])
def test_narrow_wires_follow_the_one_dimensional_theory(face):
    """Where the interfaces resist more than the channel under the wires does, the section agrees with it."""
    found = {}
    for direction in (UP, DOWN):
        domain = lateral(
            COMM, stack(direction, face), separation=350e-9, wire_width=20e-9, channel_width=50e-9, dimension=2
        )
        found[direction] = signal(TransportProblem(domain, contacts=ENDS))
    swing = found[UP] - found[DOWN]
    # The theory neglects how the spin current spreads in the channel: rho t/AR* in order of magnitude.
    neglected = CHANNEL.resistivity * 60e-9 / face.area_resistance_star
    assert swing == pytest.approx(2 * theory(350e-9, 20e-9, 50e-9, face), rel=0.02 + 0.2 * neglected)


def test_the_signal_decays_with_the_spin_diffusion_length():
    values, face = [], Interface(40e-15, 0.5)
    for d in (300e-9, 700e-9):
        domain = lateral(COMM, stack(face=face), separation=d, wire_width=40e-9, channel_width=50e-9, dimension=2)
        up = signal(problem := TransportProblem(domain, contacts=ENDS))
        problem.magnetize({"probe": DOWN})
        values.append(up - signal(problem))
    ratio = theory(300e-9, 40e-9, 50e-9, face) / theory(700e-9, 40e-9, 50e-9, face)
    assert values[0] / values[1] == pytest.approx(ratio, rel=5e-3, abs=0)


@pytest.fixture(scope="module")
def problem():
    domain = lateral(COMM, stack(DOWN), separation=200e-9, wire_width=(80e-9, 60e-9), channel_width=80e-9, dimension=2)
    return TransportProblem(domain, contacts=ENDS)


def test_conductance_matrix_is_reciprocal(problem):
    """Onsager: the current at a per voltage at b equals the current at b per voltage at a."""
    g = problem.solver.conductance()
    scale = np.abs(g).max()
    assert np.abs(g - g.T).max() < 1e-10 * scale
    assert np.abs(g.sum(axis=0)).max() < 1e-10 * scale
    assert np.linalg.eigvalsh((g + g.T) / 2).min() > -1e-10 * scale


def test_voltages_and_currents_drive_alike(problem):
    """The voltages that a current drive finds give the same currents."""
    a = problem.solve(terminals=nonlocal_drive())
    b = problem.solve(terminals={k: Terminal(voltage=v) for k, v in a.voltages.items()})
    assert b.currents == pytest.approx(a.currents, rel=1e-9, abs=1e-12)
    assert sum(a.currents.values()) == pytest.approx(0, abs=1e-15)
    shifted = problem.solve(terminals={k: Terminal(voltage=v + 0.37) for k, v in a.voltages.items()})
    assert shifted.currents == pytest.approx(a.currents, rel=1e-9, abs=1e-12)
    assert shifted.dissipation.total == pytest.approx(a.dissipation.total, rel=1e-9, abs=0)
    assert shifted.voltages["left"] == pytest.approx(0.37, abs=1e-12)


def test_what_does_not_drive(problem):
    with pytest.raises(InputError, match="float"):
        problem.solve(terminals=dict.fromkeys(problem.contacts, FLOATING))
    with pytest.raises(InputError, match="'detector' has neither"):
        problem.solve(terminals=dict.fromkeys(("left", "right", "injector"), GROUND))
    with pytest.raises(InputError, match="did you mean 'detector'"):
        problem.solve(terminals={**nonlocal_drive(), "detektor": GROUND})
    with pytest.raises(InputError, match="give each of the contacts"):
        problem.solve(voltage=1.0)


@pytest.mark.slow
def test_solid_and_section_agree():
    """In 3D without overhang the wires' top faces are contacts: the section, extruded."""
    values = []
    for dimension in (2, 3):
        domain = lateral(
            COMM,
            stack(DOWN),
            separation=200e-9,
            wire_width=60e-9,
            channel_width=50e-9,
            channel_length=300e-9,
            dimension=dimension,
        )
        values.append(signal(TransportProblem(domain, contacts=ENDS)))
    assert values[1] == pytest.approx(values[0], rel=1e-4, abs=0)
