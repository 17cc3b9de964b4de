"""The tables [macrospin], [torque], [sphere] and [[task]] of a case file, and the objects they declare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field

from ..errors import InputError
from .tables import Direction, Drive, Length, Positive, Table

if TYPE_CHECKING:
    from ..macrospin import Macrospin, SpinTorque

type Constant = Annotated[float, Field(gt=-1e12, lt=1e12)]
type Count = Annotated[int, Field(ge=1)]
type Time = Annotated[float, Field(gt=0, lt=1e18)]
type Cosine = Annotated[float, Field(gt=-1, lt=1)]
type Induction = Annotated[float, Field(gt=-1e4, lt=1e4)]

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


class Anisotropy(Table):
    """A term of the energy."""

    kind: Literal["uniaxial", "biaxial", "cubic", "shape"]
    constant: Constant | None = Field(None, description="K, J/m3")
    stability: Annotated[float, Field(gt=-1e5, lt=1e5)] | None = Field(None, description="instead: K v/kT")
    axis: Direction | None = None
    hard_constant: Constant | None = Field(None, description="biaxial: of the hard axis, J/m3")
    hard_stability: Annotated[float, Field(gt=-1e5, lt=1e5)] | None = None
    hard_axis: Direction | None = None
    second_axis: Direction | None = Field(None, description="cubic: another of the cubic axes")
    second_constant: Constant | None = Field(None, description="cubic: K2, J/m3")
    factors: Direction | None = Field(None, description="shape: demagnetizing factors, which add up to 1")
    body: Literal["ellipsoid", "elliptic-cylinder", "prism"] | None = Field(None, description="shape: of this body")
    size: Annotated[list[Length], Field(min_length=3, max_length=3)] | None = Field(
        None, description="m: ellipsoid semi-axes; elliptic cylinder semi-axes and thickness; prism edges"
    )


class MacrospinTable(Table):
    """The magnet whose direction the tasks are about."""

    layer: str | None = Field(None, description="its volume is that of this layer")
    volume: Annotated[float, Field(gt=0, lt=1e-15)] | None = Field(None, description="m3; a cube of 10 nm has 1e-24")
    saturation_magnetization: Annotated[float, Field(gt=0, lt=1e8)] = Field(description="A/m")
    damping: Annotated[float, Field(gt=0, lt=100)] = Field(description="Gilbert's alpha")
    temperature: Annotated[float, Field(gt=0, lt=1e5)] = Field(300.0, description="K")
    field: Annotated[list[Induction], Field(min_length=3, max_length=3)] = Field(
        [0.0, 0.0, 0.0], description="mu0 H, T"
    )
    anisotropy: list[Anisotropy] = Field(default_factory=list)


class TorqueTable(Table):
    """Spin torque on the magnet."""

    source: Literal["given", "transport"] = Field(
        "given", description='"transport": from the device, transport.model = "vector"'
    )
    tolerance: Annotated[float, Field(gt=1e-10, lt=0.1)] = Field(
        1e-4, description='source = "transport": of the torque against the angle'
    )
    pumping: bool | None = Field(
        None,
        description='source = "transport": false leaves out the damping that spin pumping adds to macrospin.damping',
    )
    series_resistance_area: Annotated[float, Field(ge=0, lt=1)] | None = Field(
        None,
        description='source = "transport" with transport.voltage: a load in series, times the cross-section, ohm m2',
    )
    damping_like: Induction | None = Field(None, description="field a, T; a > 0 drives u to the polarizer")
    critical_ratio: Drive | None = Field(None, description="instead: a in units of its critical value")
    field_like: Induction = Field(0.0, description="field b, T")
    polarizer: Direction = Field(default_factory=lambda: [0.0, 0.0, 1.0])
    asymmetry: Annotated[float, Field(gt=-1, lt=1)] = Field(
        0.0, description="both fields are divided by 1 + asymmetry u.p"
    )


class SphereTable(Table):
    """The mesh of directions and how it is used."""

    mesh_size: Annotated[float, Field(ge=0.005, le=1)] | None = Field(
        None, description="on the unit sphere; default: one that fits the energy and the damping"
    )
    graded: bool = Field(True, description="smaller cells where the energy is low")
    degree: Annotated[int, Field(ge=1, le=8)] = 4
    mesh: str | None = Field(None, description="a .msh or .geo file, relative to the case file")
    axisymmetric: bool | None = Field(None, description="false: use the sphere even if the polar angle would do")
    verify: bool = Field(True, description="estimate errors by a second solve with a degree less")


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
    ]
    name: Annotated[str, Field(min_length=1, max_length=100)] | None = None
    count: Annotated[int, Field(ge=1, le=500)] | None = Field(None, description="spectrum: how many eigenvalues")
    near: Positive | None = Field(None, description="spectrum: modes nearest to a frequency, Hz")
    start: Direction | None = Field(None, description="axis of the initial hemisphere")
    pulse: Time | None = Field(None, description="s")
    reduced_time: Time | None = Field(None, description="instead: alpha gamma mu0 H_K t/(1 + alpha^2)")
    samples: Annotated[int, Field(ge=1, le=100000)] | None = None
    ensemble: Annotated[int, Field(ge=1, le=10**9)] | None = Field(None, description="langevin: how many trajectories")
    seed: Annotated[int, Field(ge=0)] | None = None
    step: Positive | None = Field(None, description="langevin: s")
    sweep: Literal["field", "torque"] | None = Field(None, description="hysteresis: what is swept")
    direction: Direction | None = Field(None, description="of the field")
    range: Annotated[list[Drive], Field(min_length=2, max_length=2)] | None = Field(
        None, description="hysteresis: from, to; T, or the factor on the torque"
    )
    rate: Positive | None = Field(None, description="hysteresis: T/s, or 1/s")
    loop: bool | None = Field(None, description="hysteresis: and back")
    tolerance: Annotated[float, Field(gt=0, lt=0.1)] | None = None
    frequencies: Annotated[list[Positive], Field(min_length=2, max_length=2)] | None = Field(
        None, description="from, to, Hz"
    )
    observable: Direction | Literal["resistance"] | None = Field(
        None, description='noise of R = u.observable, or of the device\'s "resistance" (torque.source = "transport")'
    )
    drives: Annotated[list[Drive], Field(min_length=1, max_length=100)] | None = Field(
        None,
        description="from, to; hysteresis: any number. A/m2 or V (as transport is driven) with torque.source = "
        '"transport", else factors on the torque',
    )
    fields: Annotated[list[Induction], Field(min_length=2, max_length=2)] | None = Field(
        None, description="phase diagram: from, to, along the direction, T"
    )
    observation_time: Time | None = Field(
        None, description="phase diagram: what lasts longer does not switch, s; default 1"
    )
    target: Direction | None = Field(None, description="first passage: axis of the cap")
    cosine: Cosine | None = Field(None, description="first passage: of the cap's opening angle")

    @property
    def times(self) -> int:
        """Return how many times to look at."""
        return self.samples or 41


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
    from ..macrospin import Macrospin

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
    return Macrospin(
        volume, table.saturation_magnetization, table.damping, table.temperature, terms, tuple(table.field)
    )


def _term(a: Anisotropy) -> Any:
    from .. import demagnetization
    from ..macrospin import Biaxial, Cubic, Shape, Uniaxial

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
    from ..macrospin import SpinTorque

    if table is None:
        return None
    if table.source == "transport":
        for key in ("damping_like", "critical_ratio", "field_like", "polarizer", "asymmetry"):
            if key in table.model_fields_set:
                raise InputError(f'torque.{key}: belongs to source = "given"; the device itself makes the torque')
        # Of any size and direction: checks need to know that there is one.
        return SpinTorque(1.0)
    for key in ("tolerance", "pumping", "series_resistance_area"):
        if key in table.model_fields_set:
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
    if task.pulse is not None:
        length = task.pulse
    else:
        assert task.reduced_time is not None
        length = task.reduced_time / reduced_time
    return np.linspace(0.0, length, task.times) if task.times > 1 else np.array([length])


def unit(vector: Sequence[float]) -> list[float]:
    """Return a vector of length one."""
    norm = math.hypot(*vector)
    return [x / norm for x in vector]
