"""What the current through a device does to the length and to the noise of its free layer: numbers, table and lines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from .. import output
from ..errors import InputError, ModelError, nearest
from ..macrospin.landscape import survey
from ..macrospin.spin import Macrospin
from ..plotting.activation import plot_activation
from ..quantities import require_positive
from ..transport.problem import TransportProblem
from ..transport.s_d import f_parallel
from .circuit import Circuit
from .modulus import absorbed_spin_current, lengthened_spin, modulus_rate, modulus_squared
from .noise_heating import d_current, heated_spin

type Array = NDArray[np.float64]
type Picture = Callable[[str, Callable[[Path], None]], None]
"""Takes the name of a picture and a function that draws it to a path."""

SOURCES = ("absorbed", "s-d halves")
# Current densities of the table and the picture, over that of the case.
_RANGE = np.linspace(-1.5, 1.5, 21)


@dataclass(frozen=True)
class LongitudinalResponse:
    """What a device does along the magnetization of a layer in one state, per current density.

    Attributes
    ----------
    excess
        Root mean square of the d current beyond bulk; None if nothing asks for it.
    length
        Current that changes the length: spins that the layer absorbs, or f_par; None if nothing asks for it.
    resistance_area
        A R (ohm m2).

    Examples
    --------
    >>> from fespin.coupling import LongitudinalDrive, LongitudinalResponse
    >>> measured = LongitudinalResponse(excess=0.3, length=None, resistance_area=2e-15)
    >>> drive = LongitudinalDrive("free", 3e-9, measured, coefficient=1e-20)
    >>> print(f"{drive.magnet(fs.Circuit(2e11), spin).temperature:.1f}")
    336.0
    """

    excess: float | None
    length: float | None
    resistance_area: float


def longitudinal_response(
    problem: TransportProblem, layer: str, *, noise: bool = True, source: str | None = "absorbed"
) -> LongitudinalResponse:
    """Return what a device does along a layer's magnetization, in the state it is in. Collective.

    Parameters
    ----------
    problem
        Device of a linear model with the contacts "bottom" and "top". Noise and "s-d halves" need d electrons, three
        or four channels.
    layer
        The free layer, uniform.
    noise
        False: leave out the d current.
    source
        "absorbed": :func:`absorbed_spin_current`; "s-d halves": :func:`f_parallel`; None: neither.

    Raises
    ------
    InputError
        If the source is unknown, or the layer no uniform magnet.
    ModelError
        If there are no d channels and they are needed.

    Examples
    --------
    >>> from fespin.coupling import longitudinal_response
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> response = longitudinal_response(problem, "free", noise=False)
    >>> print(f"{response.length:.2e}")
    7.55e-05
    """
    if source is not None and source not in SOURCES:
        raise InputError(f"modulus: source is '{source}'; {nearest(source, SOURCES)}")
    solution = problem.solve(voltage=1e-3)
    density = solution.current_density
    length = None
    if source is not None:
        found = absorbed_spin_current if source == "absorbed" else f_parallel
        length = found(problem, solution, layer) / density
    excess = d_current(problem, solution, layer) / abs(density) if noise else None
    assert solution.resistance_area is not None  # a current flows
    return LongitudinalResponse(excess, length, solution.resistance_area)


@dataclass(frozen=True)
class LongitudinalDrive:
    """Noise and length of a layer under a current, with their coefficients.

    Attributes
    ----------
    layer, thickness
        The free layer and its thickness (m).
    response
        Of the state that the layer is in.
    reversed
        The same with the layer reversed; None if there is no other magnet, and it is the same.
    coefficient
        c of T_eff = T + c <(dJ_dn - k J)^2> (K m4/A2); None without noise.
    relaxation_time
        tau in which the length is restored (s); None if it is fixed.
    share
        g_d, see :func:`modulus_rate`.
    direction
        Direction of the layer in its state.

    Examples
    --------
    >>> from fespin.coupling import LongitudinalDrive, longitudinal_response
    >>> problem = fs.TransportProblem(fs.line(comm, stack))
    >>> response = longitudinal_response(problem, "free", noise=False)
    >>> drive = LongitudinalDrive("free", 3e-9, response, relaxation_time=1e-10)
    >>> shorter, longer = (drive.magnet(fs.Circuit(j), spin) for j in (1e12, -1e12))
    >>> longer.saturation_magnetization > spin.saturation_magnetization > shorter.saturation_magnetization
    True
    """

    layer: str
    thickness: float
    response: LongitudinalResponse
    reversed: LongitudinalResponse | None = None
    coefficient: float | None = None
    relaxation_time: float | None = None
    share: float = 1.0
    direction: tuple[float, float, float] = (0.0, 0.0, 1.0)

    def __post_init__(self) -> None:
        require_positive("longitudinal drive", "thickness", self.thickness)
        for key, of in (("coefficient", "excess"), ("relaxation_time", "length")):
            if getattr(self, key) is not None and getattr(self.response, of) is None:
                raise InputError(f"longitudinal drive: {key} is given, but the response has no {of}")

    def current(self, circuit: Circuit, response: LongitudinalResponse | None = None) -> float:
        """Return the current density (A/m2) of a circuit, in the layer's state or another one."""
        return float(circuit.current_at(np.array((response or self.response).resistance_area)))

    def rate(self, current_density: float, spin: Macrospin, response: LongitudinalResponse | None = None) -> float:
        """Return f (1/s), at which a current shortens the magnetization; see :func:`modulus_rate`."""
        length = (response or self.response).length
        assert length is not None
        return modulus_rate(length * current_density, spin.saturation_magnetization, self.thickness, self.share)

    def magnet(self, circuit: Circuit, spin: Macrospin, response: LongitudinalResponse | None = None) -> Macrospin:
        """Return the layer's macrospin in a circuit: with the length and the temperature that the current makes.

        Raises
        ------
        ModelError
            If the current lets the length grow for ever.
        """
        response = response or self.response
        j = self.current(circuit, response)
        if self.relaxation_time is not None:
            spin = lengthened_spin(spin, modulus_squared(self.rate(j, spin, response), self.relaxation_time))
        if self.coefficient is not None:
            assert response.excess is not None
            spin = heated_spin(spin, self.coefficient, response.excess * j)
        return spin


def write_longitudinal(
    comm: MPI.Intracomm,
    drive: LongitudinalDrive,
    circuit: Circuit,
    spin: Macrospin,
    path: Path,
    picture: Picture,
    *,
    title: str = "",
) -> dict[str, Any]:
    """Write ``longitudinal.csv`` and ``longitudinal.png``; return the numbers of the summary. Collective.

    Parameters
    ----------
    circuit
        Drive of the case.
    spin
        Macrospin of the layer without current.
    path
        Folder of the file.
    picture
        Function that takes a name and a function that draws to a path.
    title
        Title of the picture.
    """
    wells = [w.direction.tolist() for w in survey(spin).wells]
    at_case = drive.current(circuit)
    found = [_numbers(drive, float(j), spin, None) for j in abs(at_case) * _RANGE]
    rows = [x for x in found if x is not None and len(x["barriers"]) == len(wells)]
    keys = ("current_density", "modulus_squared", "temperature")
    table = {k: np.array([x[k] for x in rows]) for k in keys}
    barriers = np.array([x["barriers"] for x in rows], dtype=float).reshape(len(rows), len(wells))
    columns: dict[str, Any] = {
        "current_density_A_per_m2": table["current_density"],
        "modulus_squared": table["modulus_squared"],
        "temperature_K": table["temperature"],
    }
    columns |= {f"barrier_{k}_kT": x for k, x in enumerate(barriers.T)}
    output.write_csv(comm, path / "longitudinal.csv", columns)
    picture("longitudinal.png", lambda p: plot_activation(comm, p, **table, barriers=barriers, title=title))
    out: dict[str, Any] = {
        "layer": drive.layer,
        "coefficient": drive.coefficient,
        "relaxation_time": drive.relaxation_time,
        "wells": wells,
        "state": _of_state(drive, circuit, spin, drive.response),
        "reversed_state": None,
    }
    if drive.reversed is not None:
        out["reversed_state"] = _of_state(drive, circuit, spin, drive.reversed)
    return out


def _numbers(
    drive: LongitudinalDrive, current_density: float, spin: Macrospin, response: LongitudinalResponse | None
) -> dict[str, Any] | None:
    """Return what a current density makes of the magnet; None if its length would grow for ever."""
    response = response or drive.response
    try:
        made = drive.magnet(Circuit(current_density), spin, response)
    except ModelError:
        return None
    squared = (made.saturation_magnetization / spin.saturation_magnetization) ** 2
    return {
        "current_density": current_density,
        "d_current": None if response.excess is None else response.excess * abs(current_density),
        "temperature": made.temperature,
        "rate": None if response.length is None else drive.rate(current_density, spin, response),
        "modulus_squared": squared,
        "saturation_magnetization": made.saturation_magnetization,
        "barriers": [w.height if np.isfinite(w.height) else None for w in survey(made).wells],
    }


def _of_state(
    drive: LongitudinalDrive, circuit: Circuit, spin: Macrospin, response: LongitudinalResponse
) -> dict[str, Any]:
    """Return the numbers of a state at the drive of a case, with those of its barriers that are odd in the current."""
    j = drive.current(circuit, response)
    here, back = (_numbers(drive, x, spin, response) for x in (j, -j))
    if here is None:
        # A state that the case is not in may be out of reach.
        return {"current_density": j, "modulus_squared": None}
    odd = None
    if back is not None and None not in (*here["barriers"], *back["barriers"]):
        both = (here["barriers"], back["barriers"])
        odd = [(a - b) / 2 for a, b in zip(*both, strict=True)] if len(both[0]) == len(both[1]) else None
    return here | {"odd_barriers": odd}


def longitudinal_lines(numbers: dict[str, Any]) -> list[str]:
    """Return the numbers of a summary as lines for a terminal."""
    out: list[str] = []
    for key, name in (("state", "as it is"), ("reversed_state", "reversed")):
        found = numbers[key]
        if found is None or found["modulus_squared"] is None:
            continue
        barriers = ", ".join("none" if x is None else f"{x:.4g}" for x in found["barriers"])
        odd = "" if not found["odd_barriers"] else f" ({found['odd_barriers'][0]:+.2g} odd in the current)"
        out.append(
            f"length of {numbers['layer'] if not out else '':<4} {name}: |u|^2 = {found['modulus_squared']:.6g}, "
            f"T_eff = {found['temperature']:.5g} K, barriers {barriers} kT_eff{odd}"
        )
    return out
