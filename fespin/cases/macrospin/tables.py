"""The tables [macrospin], [torque], [sphere] and [[task]] of a case file, and the objects they declare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import (
    Damping,
    Direction,
    Drive,
    EnergyDensity,
    Frequency,
    Induction,
    Length,
    Magnetization,
    Rate,
    Stability,
    Table,
    Time,
    at_least,
    known,
    with_defaults,
    within,
)

if TYPE_CHECKING:
    from ...macrospin import Macrospin, SpinTorque

type Count = Annotated[int, Field(ge=1)]
type Cosine = Annotated[float, Field(gt=-1, lt=1)]

# Below it (K) thermal energies are none; a barrier of Joules fails before, by its height.
COLDEST = 1e-6

# Keys of each kind of anisotropy and of task, beside those that all have.
ANISOTROPY = {
    "uniaxial": {"constant", "stability", "axis"},
    "biaxial": {"constant", "stability", "axis", "hard_constant", "hard_stability", "hard_axis"},
    "cubic": {"constant", "stability", "axis", "second_axis", "second_constant"},
    "shape": {"factors", "body", "size"},
}
_PULSE = {"start", "pulse", "reduced_time", "samples"}
TASKS = {
    "spectrum": {"count", "near"},
    "steady": set[str](),
    "escape": set[str](),
    "switching": _PULSE,
    "langevin": _PULSE | {"ensemble", "seed", "step"},
    "hysteresis": {"sweep", "direction", "range", "rate", "samples", "loop", "tolerance", "drives"},
    "susceptibility": {"direction", "frequencies", "samples"},
    "noise": {"observable", "frequencies", "samples"},
    "first-passage": {"start", "target", "cosine"},
    "dwell-times": {"drives", "samples"},
    "resonance": {"drives", "samples", "start"},
    "phase-diagram": {"drives", "fields", "direction", "samples", "observation_time"},
}
# Defaults of keys that are left out, by kind of task.
_UP = [0.0, 0.0, 1.0]
_PULSES: dict[str, object] = {"start": _UP, "samples": 41}
DEFAULTS: dict[str, dict[str, object]] = {
    "spectrum": {"count": 6},
    "steady": {},
    "escape": {},
    "switching": _PULSES,
    "langevin": _PULSES | {"ensemble": 10000, "seed": 0},
    "hysteresis": {"sweep": "field", "samples": 101, "loop": True, "tolerance": 1e-4},
    "susceptibility": {"samples": 200},
    "noise": {"samples": 200},
    "first-passage": {"cosine": 0.0},
    "dwell-times": {"samples": 21},
    "resonance": {"samples": 21, "start": _UP},
    "phase-diagram": {"samples": 21, "observation_time": 1.0},
}


class Anisotropy(Table):
    """A term of the energy."""

    kind: Literal["uniaxial", "biaxial", "cubic", "shape"] = Field(description="of the term")
    constant: EnergyDensity | None = Field(
        None, description="K of the easy axis, or K1 of the cubic term; uniaxial: an easy plane where negative (J/m3)"
    )
    stability: Stability | None = Field(
        None, description="instead of constant: K v/kT, so that K grows with macrospin.temperature (kT)"
    )
    axis: Direction | None = Field(
        None, description="easy axis, or one of the cubic axes, of any length; default z, biaxial: x (1)"
    )
    hard_constant: EnergyDensity | None = Field(None, description="of the hard axis (J/m3)")
    hard_stability: Stability | None = Field(None, description="instead of hard_constant: K v/kT of the hard axis (kT)")
    hard_axis: Direction | None = Field(None, description="of any length; default z (1)")
    second_axis: Direction | None = Field(None, description="another of the cubic axes; default x (1)")
    second_constant: EnergyDensity | None = Field(None, description="K2; default 0 (J/m3)")
    factors: Direction | None = Field(None, description="demagnetizing factors, which add up to 1; instead of body (1)")
    body: Literal["ellipsoid", "elliptic-cylinder", "prism"] | None = Field(
        None, description="whose demagnetizing factors are taken"
    )
    size: Annotated[list[Length], Field(min_length=3, max_length=3)] | None = Field(
        None, description="of the body: ellipsoid semi-axes; elliptic cylinder semi-axes and thickness; prism edges (m)"
    )


class MacrospinTable(Table):
    """The magnet whose direction the tasks are about."""

    layer: str | None = Field(None, description="whose volume and torque are taken; instead of volume")
    volume: Annotated[float, Field(gt=0, lt=1e-15), within(1e-33)] | None = Field(
        None, description="instead of layer; a cube of 10 nm has 1e-24 (m3)"
    )
    saturation_magnetization: Magnetization = Field(description="Ms; 1 emu/cm3 is 1e3 A/m (A/m)")
    damping: Damping = Field(description="Gilbert's alpha, without what is pumped (1)")
    temperature: Annotated[float, Field(gt=0, lt=1e5)] = Field(300.0, description="of the magnet (K)")
    field: Annotated[list[Induction], Field(min_length=3, max_length=3)] = Field(
        [0.0, 0.0, 0.0], description="applied field mu0 H (T)"
    )
    anisotropy: Annotated[list[Anisotropy], Field(max_length=50)] = Field(
        default_factory=list, description="terms of the energy, beside the applied field"
    )


# Keys of [torque] by its source, beside those that all have.
SOURCES = {
    "given": {"damping_like", "critical_ratio", "field_like", "polarizer", "asymmetry"},
    "transport": {"tolerance", "pumping", "series_resistance_area"},
}


class TorqueTable(Table):
    """Spin torque on the magnet."""

    source: Literal["given", "transport"] = Field(
        "given", description='"given": by the keys below; "transport": from the device, with transport.model = "vector"'
    )
    tolerance: Annotated[float, Field(gt=1e-10, lt=0.1)] = Field(
        1e-4, description="error of torque, resistance and pumping against the angle, relative to the largest (1)"
    )
    pumping: bool | None = Field(
        None,
        description="false leaves out the damping that spin pumping adds to macrospin.damping; default true",
    )
    series_resistance_area: Annotated[float, Field(ge=0, lt=1), at_least(1e-24)] | None = Field(
        None,
        description="a load in series with transport.voltage, times the cross-section; default 0 (ohm m2)",
    )
    damping_like: Induction | None = Field(
        None, description="field a: du/dt = gamma a u x (p x u); a > 0 drives u to the polarizer p (T)"
    )
    critical_ratio: Drive | None = Field(
        None, description="instead of damping_like: a in units of its critical value without temperature (1)"
    )
    field_like: Induction = Field(0.0, description="field b: du/dt = gamma b u x p (T)")
    polarizer: Direction = Field(default_factory=lambda: [0.0, 0.0, 1.0], description="p, of any length (1)")
    asymmetry: Annotated[float, Field(gt=-1, lt=1)] = Field(
        0.0, description="both fields are divided by 1 + asymmetry u.p (1)"
    )


class SphereTable(Table):
    """The mesh of directions and how it is used."""

    mesh_size: Annotated[float, Field(ge=0.005, le=1)] | None = Field(
        None, description="length of edges on the unit sphere; default: one that fits the energy and the damping (1)"
    )
    graded: bool = Field(True, description="whether cells are smaller where the energy is low")
    degree: Annotated[int, Field(ge=1, le=8)] = Field(4, description="of the polynomials (1)")
    mesh: str | None = Field(None, description="a .msh or .geo file, relative to the case file; instead of mesh_size")
    axisymmetric: bool | None = Field(
        None, description="false: use the sphere even if the polar angle would do; true: refuse what is not symmetric"
    )
    verify: bool = Field(True, description="whether errors are estimated by a second solve with a degree less")


class Task(Table):
    """A question about the magnet."""

    kind: Literal[
        "spectrum",
        "steady",
        "escape",
        "switching",
        "langevin",
        "hysteresis",
        "susceptibility",
        "noise",
        "first-passage",
        "dwell-times",
        "resonance",
        "phase-diagram",
    ] = Field(description="what is asked")
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        None, description="of results and files; default the number of the task, from 1"
    )
    count: Annotated[int, Field(ge=1, le=500)] | None = Field(None, description="how many eigenvalues (1)")
    near: Frequency | None = Field(None, description="the modes nearest to this frequency, instead of the slowest (Hz)")
    start: Direction | None = Field(
        None,
        description="axis of the hemisphere in whose equilibrium the magnet is at first; a state or direction near (1)",
    )
    pulse: Time | None = Field(None, description="length of the pulse (s)")
    reduced_time: Time | None = Field(None, description="instead of pulse: alpha gamma mu0 H_K t/(1 + alpha^2) (1)")
    samples: Annotated[int, Field(ge=1, le=100000)] | None = Field(
        None, description="how many times, frequencies or values, evenly spaced; hysteresis: each way (1)"
    )
    ensemble: Annotated[int, Field(ge=1, le=10**9)] | None = Field(None, description="how many trajectories (1)")
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = Field(None, description="of the random numbers (1)")
    step: Annotated[float, Field(gt=0), within(1e-20, 1e18)] | None = Field(
        None, description="longest step in time; default: one that fits precession, damping and noise (s)"
    )
    sweep: Literal["field", "torque"] | None = Field(None, description="what is swept")
    direction: Direction | None = Field(None, description="of the field, of any length (1)")
    range: Annotated[list[Drive], Field(min_length=2, max_length=2)] | None = Field(
        None, description="from, to; of the field, or of the factor on the torque (T or 1)"
    )
    rate: Rate | None = Field(None, description="of the sweep (T/s or 1/s)")
    loop: bool | None = Field(None, description="whether the sweep goes back")
    tolerance: Annotated[float, Field(gt=0, lt=0.1), within(1e-15)] | None = Field(
        None, description="error of a step in time (1)"
    )
    frequencies: Annotated[list[Frequency], Field(min_length=2, max_length=2)] | None = Field(
        None, description="from, to (Hz)"
    )
    observable: Direction | Literal["resistance"] | None = Field(
        None,
        description='noise of R = u.observable, or of the device\'s "resistance" with torque.source = "transport" (1)',
    )
    drives: Annotated[list[Drive], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="from, to; hysteresis: any number of them; as transport is driven where the torque comes from it, "
        "else factors on the torque (A/m2, V or 1)",
    )
    fields: Annotated[list[Induction], Field(min_length=2, max_length=2)] | None = Field(
        None, description="from, to, along the direction (T)"
    )
    observation_time: Time | None = Field(None, description="what lasts longer does not switch (s)")
    target: Direction | None = Field(None, description="axis of the cap that is reached; default opposite to start (1)")
    cosine: Cosine | None = Field(None, description="of the cap's opening angle (1)")


def resolved(task: Task) -> Task:
    """Return a task in which keys that were left out have their defaults."""
    made = with_defaults(task, DEFAULTS[task.kind])
    if task.kind != "first-passage" or task.target is not None:
        return made
    return made.model_copy(update={"target": [0.0 - x for x in known(task.start)]})


# ---- the declared objects
def make_spin(table: MacrospinTable, volume_of: Callable[[str], float]) -> Macrospin:
    """Return the macrospin of a case.

    Parameters
    ----------
    volume_of
        Takes the name of a layer, returns its volume (m3).

    Raises
    ------
    InputError
        If a value is missing, contradicted or impossible; the message names the key.
    """
    from ...macrospin import Macrospin

    if (table.layer is None) == (table.volume is None):
        found = "neither" if table.layer is None else "both"
        raise InputError(f"macrospin: give exactly one of layer and volume (m3); found {found}")
    if table.volume is not None:
        volume = table.volume
    else:
        assert table.layer is not None
        volume = volume_of(table.layer)
    terms = []
    for i, a in enumerate(table.anisotropy, 1):
        owner = f"macrospin.anisotropy {i}"
        for key in sorted(a.model_fields_set - {"kind"} - ANISOTROPY[a.kind]):
            kinds = " and ".join(f'"{k}"' for k, keys in ANISOTROPY.items() if key in keys)
            raise InputError(f'{owner}.{key}: belongs to {kinds}, found with "{a.kind}"')
        try:
            terms.append(_term(a))
        except InputError as error:
            raise InputError(f"{owner}: {error}") from error
    made = Macrospin(
        volume, table.saturation_magnetization, table.damping, table.temperature, terms, tuple(table.field)
    )
    if table.temperature < COLDEST:
        raise InputError(f"macrospin.temperature: found {table.temperature:g}; it must be at least {COLDEST:g} (K)")
    return made


def _term(a: Anisotropy) -> Any:
    from ...energy import demagnetization
    from ...macrospin import Biaxial, Cubic, Shape, Uniaxial

    if a.kind == "uniaxial":
        return Uniaxial(a.constant, a.axis or (0.0, 0.0, 1.0), a.stability)
    if a.kind == "biaxial":
        if (a.hard_constant is None) == (a.hard_stability is None):
            found = "neither" if a.hard_constant is None else "both"
            raise InputError(f"give exactly one of hard_constant (J/m3) and hard_stability (kT); found {found}")
        easy, hard = a.axis or (1.0, 0.0, 0.0), a.hard_axis or (0.0, 0.0, 1.0)
        return Biaxial(a.constant, a.hard_constant, easy, hard, a.stability, a.hard_stability)
    if a.kind == "cubic":
        first, second = a.axis or (0.0, 0.0, 1.0), a.second_axis or (1.0, 0.0, 0.0)
        return Cubic(a.constant, first, second, a.second_constant or 0.0, a.stability)
    if (a.factors is None) == (a.body is None):
        found = "neither" if a.factors is None else "both"
        raise InputError(f"give exactly one of factors and body (with its size); found {found}")
    if a.factors is not None:
        if a.size is not None:
            raise InputError("size: belongs to body, found with factors")
        return Shape(a.factors)
    if a.size is None:
        raise InputError("size: missing; a body needs three lengths (m)")
    bodies = {
        "ellipsoid": demagnetization.ellipsoid_factors,
        "elliptic-cylinder": demagnetization.elliptic_cylinder_factors,
        "prism": demagnetization.rectangular_prism_factors,
    }
    assert a.body is not None
    return Shape(bodies[a.body](*a.size))


def make_torque(table: TorqueTable | None, spin: Macrospin) -> SpinTorque | None:
    """Return the torque of a case; None without one. What transport makes is not known yet: some torque stands for it.

    Raises
    ------
    InputError
        If the drive is missing or given twice, or there is no critical value.
    """
    from ...macrospin import SpinTorque

    if table is None:
        return None
    if table.source == "transport":
        for key in sorted(SOURCES["given"] & table.model_fields_set):
            raise InputError(f'torque.{key}: belongs to source = "given"; the device itself makes the torque')
        # Of any size and direction: checks need to know that there is one.
        return SpinTorque(1.0)
    for key in sorted(SOURCES["transport"] & table.model_fields_set):
        raise InputError(f'torque.{key}: belongs to source = "transport", found with "given"')
    if table.damping_like is not None and table.critical_ratio is not None:
        raise InputError("torque: give one of damping_like (T) and critical_ratio; found both")
    angular, asymmetry = None, table.asymmetry
    if asymmetry:
        angular = lambda c: 1 / (1 + asymmetry * c)  # noqa: E731
    if table.critical_ratio is not None:
        try:
            made = SpinTorque.critical(spin, table.critical_ratio, table.polarizer, angular)
        except InputError as error:
            raise InputError(f"torque.critical_ratio: {str(error).removeprefix('torque: ')}") from error
        return SpinTorque(made.damping_like, table.field_like, table.polarizer, angular)
    if table.damping_like is None and not table.field_like:
        raise InputError("torque: the drive is missing; give damping_like (T), critical_ratio or field_like (T)")
    return SpinTorque(table.damping_like or 0.0, table.field_like, table.polarizer, angular)


def pulse_times(task: Task, reduced_time: float) -> Any:
    """Return the times of a pulse (s): evenly spaced from zero, or its end alone.

    Parameters
    ----------
    reduced_time
        Of one second.
    """
    length = task.pulse if task.pulse is not None else known(task.reduced_time) / reduced_time
    samples = known(task.samples)
    return np.linspace(0.0, length, samples) if samples > 1 else np.array([length])


def unit(vector: Sequence[float]) -> list[float]:
    """Return a vector of length one."""
    norm = math.hypot(*vector)
    return [x / norm for x in vector]
