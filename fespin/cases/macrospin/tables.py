"""Tables [macrospin], [torque] and [sphere] of a case file, and the objects they declare."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from ...errors import InputError
from ..schema import (
    Belonging,
    Damping,
    Direction,
    Drive,
    Induction,
    Magnetization,
    Number,
    Table,
    Time,
    at_least,
    within,
)
from .anisotropies import AnisotropyTable

if TYPE_CHECKING:
    from ...macrospin import Macrospin, SpinTorque


# Lowest temperature (K): below it kT is too small a number. Barriers in J are refused earlier, by their height in kT.
COLDEST = 1e-6


class NoiseTable(Table):
    """Noise that the current makes, as a temperature: T_eff = T + c <(dJ_dn - k J)^2>."""

    coefficient: Annotated[float, Field(ge=0, lt=1e10), at_least(1e-40)] = Field(
        description="c, of the d current beyond its share in bulk, with three or four channels (K m4/A2)"
    )


class LongitudinalTimes(Table):
    """Times of the magnetization M and the spin accumulation m, from which that of the length follows."""

    xi: Annotated[float, Field(gt=0, lt=1), within(1e-12)] = Field(description="chi_m/chi_M (1)")
    tau_mM: Time = Field(description="in which m decays to M (s)")
    tau_mL: Time | None = Field(None, description="in which m decays to the lattice; default: it does not (s)")
    tau_ML: Time | None = Field(None, description="in which M decays to the lattice; default: it does not (s)")


class ModulusTable(Table):
    """Length of the magnetization under the current: |u|^2 = 1/(1 + 2 f tau)."""

    belonging = Belonging("source", {"absorbed": set(), "s-d halves": {"share"}})
    exactly_one = (("relaxation_time", "longitudinal"),)
    relaxation_time: Time | None = Field(None, description="tau in which the length is restored (s)")
    longitudinal: LongitudinalTimes | None = Field(None, description="instead of relaxation_time, inline")
    source: Literal["absorbed", "s-d halves"] = Field(
        "absorbed",
        description='of f: "absorbed": the longitudinal spins that the layer absorbs; "s-d halves": f_par, the s-d '
        "current of its lower half less that of its upper half, with three or four channels",
    )
    share: Annotated[float, Field(gt=-1e3, lt=1e3), at_least(1e-12)] = Field(
        1.0, description="g_d: magnetic moment of the d electrons that count (1)"
    )

    @property
    def time(self) -> float:
        """Return tau (s); a current of d electrons acts on M itself, spins that are absorbed enter m.

        Raises
        ------
        FespinError
            If the longitudinal times have no steady answer.
        """
        from ...coupling.modulus_time import longitudinal_time

        if self.relaxation_time is not None:
            return self.relaxation_time
        assert self.longitudinal is not None
        x, into = self.longitudinal, "m" if self.source == "absorbed" else "M"
        return longitudinal_time(x.xi, x.tau_mM, x.tau_mL or math.inf, x.tau_ML or math.inf, into=into)


class MacrospinTable(Table):
    """The magnet whose direction the tasks are about."""

    rules = ({"anyOf": [{"required": ["layer"]}, {"required": ["volume"]}]},)
    layer: str | None = Field(None, description="whose volume and torque are taken")
    volume: Annotated[float, Field(gt=0, lt=1e-15), within(1e-33)] | None = Field(
        None,
        description="instead of layer, or beside it where the geometry gives no volume, as a line; a cube of 10 nm "
        "has 1e-24 (m3)",
    )
    saturation_magnetization: Magnetization = Field(description="Ms; 1 emu/cm3 is 1e3 A/m (A/m)")
    damping: Damping = Field(description="Gilbert's alpha, without what is pumped (1)")
    temperature: Annotated[float, Field(gt=0, lt=1e5)] = Field(300.0, description="of the magnet (K)")
    field: Annotated[list[Induction], Field(min_length=3, max_length=3)] = Field(
        [0.0, 0.0, 0.0], description="applied field mu0 H (T)"
    )
    anisotropy: Annotated[list[AnisotropyTable], Field(max_length=50)] = Field(
        default_factory=list, description="terms of the energy, beside the applied field"
    )
    noise: NoiseTable | None = Field(None, description="noise that the current through the layer makes")
    modulus: ModulusTable | None = Field(None, description="length of the magnetization under that current")

    @property
    def follows_current(self) -> bool:
        """Return whether the current through the layer changes its noise or its length."""
        return self.noise is not None or self.modulus is not None


type Fraction = Annotated[float, Field(gt=-1, lt=1), at_least(1e-30)]

# Keys of [torque] by its source, beside those that all have.
_CIRCUIT = {"tolerance", "series_resistance_area"}
_RELAXATION = {"process", "cross", "relative_cross", "axis", "subtract_own"}
SOURCES = {
    "given": {"damping_like", "critical_ratio", "field_like", "polarizer", "asymmetry"},
    "transport": _CIRCUIT | {"pumping"},
    "relaxation": _CIRCUIT | _RELAXATION,
    "both": _CIRCUIT | _RELAXATION | {"pumping"},
}


class TorqueTable(Table):
    """Spin torque on the magnet."""

    belonging = Belonging("source", SOURCES)
    at_most_one = (("damping_like", "critical_ratio"), ("cross", "relative_cross"))
    rules = (
        {
            "if": {"properties": {"source": {"const": "given"}}},
            "then": {"anyOf": [{"required": [key]} for key in ("damping_like", "critical_ratio", "field_like")]},
        },
        {
            "if": {"properties": {"source": {"enum": ["relaxation", "both"]}}, "required": ["source"]},
            "then": {"anyOf": [{"required": [key]} for key in ("cross", "relative_cross")]},
        },
    )
    source: Literal["given", "transport", "relaxation", "both"] = Field(
        "given",
        description='"given": by its keys below; "transport": of transverse spins in the device, with transport.model '
        '= "vector"; "relaxation": of the spins that relax at the magnet\'s faces; "both": the sum of these two',
    )
    tolerance: Annotated[float, Field(gt=1e-10, lt=0.1)] = Field(
        1e-4, description="error of torque, resistance and pumping against the angle, relative to the largest (1)"
    )
    pumping: bool = Field(True, description="false leaves out the damping that spin pumping adds to macrospin.damping")
    series_resistance_area: Annotated[float, Field(ge=0, lt=1), at_least(1e-24)] = Field(
        0.0, description="a load in series with transport.voltage, times the cross-section (ohm m2)"
    )
    process: Literal["spin flip", "s-d"] = Field(
        "spin flip", description="what relaxes: spins flip, or s electrons become d electrons, of one magnet"
    )
    cross: Annotated[dict[str, Number], Field(min_length=1, max_length=2)] | None = Field(
        None,
        description='l_f of the layer\'s faces, by "A|B", the names of two layers in either order; 0 where not given '
        "(1/(V s m2))",
    )
    relative_cross: Annotated[dict[str, Fraction], Field(min_length=1, max_length=2)] | None = Field(
        None, description="instead of cross: l_f over the value at which power would be gained, between -1 and 1 (1)"
    )
    axis: Direction | None = Field(
        None, description="n of a magnet without others, of any length; default its easy axis (1)"
    )
    subtract_own: bool = Field(
        False, description="true leaves out what would remain if all other magnets were normal metals"
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

    at_most_one = (("mesh", "mesh_size"),)
    method: Literal["sphere", "fourier"] | None = Field(
        None,
        description='"sphere": elements on triangles; "fourier": Fourier series around the axis of the wells times '
        "elements of the polar angle; default: the latter where at most 16 orders do, and no key of the triangles "
        "is given",
    )
    mesh_size: Annotated[float, Field(ge=0.005, le=1)] | None = Field(
        None, description="length of edges on the unit sphere; default: one that fits the energy and the damping (1)"
    )
    graded: bool = Field(True, description="whether cells are smaller where the energy is low")
    degree: Annotated[int, Field(ge=1, le=8)] = Field(4, description="of the polynomials (1)")
    mesh: str | None = Field(None, description="a .msh or .geo file, relative to the case file; instead of mesh_size")
    axisymmetric: bool | None = Field(
        None, description="false: use the sphere even if the polar angle would do; true: refuse what is not symmetric"
    )
    verify: bool = Field(
        True,
        description="whether errors are estimated by solves with a degree less, and one more for switching",
    )

    @property
    def triangles(self) -> list[str]:
        """Return the given keys that belong to triangles alone."""
        return [x for x in ("mesh_size", "graded", "degree", "mesh") if x in self.model_fields_set]

    @property
    def chosen(self) -> Literal["automatic", "sphere", "fourier"]:
        """Return the method, where keys of the triangles, or that nothing else is wanted, choose it too."""
        if self.method is not None:
            return self.method
        return "sphere" if self.triangles or self.axisymmetric is False else "automatic"


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

    if table.layer is None and table.volume is None:
        raise InputError("macrospin: give exactly one of layer and volume (m3); found neither")
    if table.volume is not None:
        volume = table.volume
    else:
        assert table.layer is not None
        volume = volume_of(table.layer)
    terms: list[Any] = []
    for i, a in enumerate(table.anisotropy, 1):
        owner = f"macrospin.anisotropy {i}"
        try:
            terms.append(a.term())
        except InputError as error:
            raise InputError(f"{owner}: {error}") from error
    made = Macrospin(
        volume, table.saturation_magnetization, table.damping, table.temperature, terms, tuple(table.field)
    )
    if table.temperature < COLDEST:
        raise InputError(f"macrospin.temperature: found {table.temperature:g}; it must be at least {COLDEST:g} (K)")
    return made


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
    for key in sorted(set(table.unused()) & table.model_fields_set):
        if key in SOURCES["given"]:
            raise InputError(f'torque.{key}: belongs to source = "given"; the device itself makes the torque')
        sources = [f'"{word}"' for word, keys in SOURCES.items() if key in keys]
        raise InputError(f'torque.{key}: belongs to source = {" or ".join(sources)}, found with "{table.source}"')
    if table.source != "given":
        # Of any size and direction: checks need to know that there is one.
        return SpinTorque(1.0)
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


def unit(vector: Sequence[float]) -> list[float]:
    """Return a vector of length one."""
    norm = math.hypot(*vector)
    return [x / norm for x in vector]
