"""Torque and resistance on the whole sphere of the free layer's directions, from transport solves.

Where more than one direction is distinguished, by magnets along several axes, a field in which spins precess, or a
texture, Helmholtz's decomposition of the torque takes the place of functions of u.p::

    tau/J = grad chi + u x grad phi              V s (J/m2 per A/m2)
    A R   = r(u)                                 ohm m2

chi, phi and r are sums of spherical harmonics, fitted to solves at directions that fill the sphere ever more evenly;
the degree grows until its last harmonics are small and solves at further directions agree.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..errors import InputError, SolverError
from ..harmonics import even_directions, expansion, harmonics, sizes
from ..macrospin.pointwise import tangent_frame
from ..macrospin.spin import Macrospin
from ..macrospin.stability import critical_factor
from ..output import save_json
from ..transport.problem import TransportProblem
from ..transport.spins import SPIN_PER_CHARGE
from .circuit import Circuit
from .directions import require_torque
from .groups import Groups
from .pumping import pump
from .solves import solve_direction
from .sphere_torque import DirectionDamping, DirectionTorque

type Array = NDArray[np.float64]

_DEGREES = (*range(2, 11), 12, 14, 16)
# Solves for each unknown: the condition of the least squares is below 7 for all degrees.
_OVERSAMPLING = 1.5


@dataclass(frozen=True, eq=False)
class DirectionMap:
    """What a device does to its free layer, per current, for any direction u of it.

    Coefficients are those of orthonormal real spherical harmonics; Y_lm has the place l^2 + l + m
    (:mod:`fespin.harmonics`).

    Attributes
    ----------
    layer
        The free layer.
    thickness
        Of the free layer (m).
    chi, phi
        Coefficients of the torque's potentials (V s), ((L + 1)^2,); the constants are zero.
    resistance_area
        Coefficients of r (ohm m2), ((L + 1)^2,).
    error
        Of torque, resistance and pumping relative to their largest values: from the harmonics of degree L, and against
        solves at further directions, which the fit then took in as well.
    solves
        Number of directions.
    pumping
        Coefficients of the nine components of Gamma (J s/m2) with contacts at equal voltages, and of the three of what
        is pumped into the bottom per angular velocity (A s/m2), (12, (L + 1)^2), if they were computed.
    """

    layer: str
    thickness: float
    chi: Array
    phi: Array
    resistance_area: Array
    error: float
    solves: int
    pumping: Array | None = None

    @property
    def degree(self) -> int:
        """The largest degree L of the harmonics."""
        return math.isqrt(len(self.chi)) - 1

    def torque_per_current(self, u: Array) -> Array:
        """Return tau per current density (V s) at directions u (n, 3)."""
        chi, phi = expansion(np.stack([self.chi, self.phi]), u)[1]
        return np.asarray(chi + np.cross(u, phi))

    def resistance_at(self, u: Array) -> Array:
        """Return A R (ohm m2) at directions u (n, 3)."""
        return expansion(self.resistance_area, u)[0]

    def potentials(self, u: Array) -> tuple[Array, Array]:
        """Return chi and phi (V s) at directions u (n, 3)."""
        chi, phi = expansion(np.stack([self.chi, self.phi]), u)[0]
        return chi, phi

    def torque(
        self,
        spin: Macrospin,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
    ) -> DirectionTorque:
        """Return the spin torque on a macrospin: (du/dt)_ST = -gamma tau/(Ms t).

        Parameters
        ----------
        spin
            The free layer's macrospin.
        current_density, voltage, series_resistance_area
            As in :class:`Circuit`: a current held whatever the direction, or one that follows its resistance.

        Raises
        ------
        InputError
            If not exactly one drive is given, or a value is impossible.
        """
        circuit = Circuit(current_density, voltage, series_resistance_area)
        return DirectionTorque(self, circuit, 1 / (spin.saturation_magnetization * self.thickness))

    def pumped(
        self,
        spin: Macrospin,
        *,
        current_density: float | None = None,
        voltage: float | None = None,
        series_resistance_area: float = 0.0,
    ) -> Macrospin:
        """Return the macrospin with the damping that pumping adds in a circuit, as :meth:`TorqueMap.pumped` does.

        Raises
        ------
        InputError
            If the map holds no pumping, or the circuit is impossible.
        """
        circuit = Circuit(current_density, voltage, series_resistance_area)
        if self.pumping is None:
            raise InputError("direction map: it holds no pumping; make it with pumping=True")
        scale = spin.gyromagnetic_ratio / (spin.saturation_magnetization * self.thickness)
        return replace(spin, pumping=DirectionDamping(self, circuit, scale))

    def critical_current_density(self, spin: Macrospin, well: Sequence[float] | Array) -> float | None:
        """Return the current density at which a state loses its stability (A/m2), as :class:`TorqueMap` does.

        Where the torque shifts the state, to first order in the current only.
        """
        return critical_factor(spin, self.torque(spin, current_density=1.0), well)

    def save(self, comm: MPI.Intracomm, path: Path | str) -> None:
        """Write the map as JSON, on rank 0. Collective."""
        data = {
            "layer": self.layer,
            "thickness": self.thickness,
            "degree": self.degree,
            "chi": self.chi.tolist(),
            "phi": self.phi.tolist(),
            "resistance_area": self.resistance_area.tolist(),
            "error": self.error,
            "solves": self.solves,
            "pumping": None if self.pumping is None else self.pumping.tolist(),
        }
        save_json(comm, path, data)

    @classmethod
    def load(cls, path: Path | str) -> DirectionMap:
        """Read a map.

        Raises
        ------
        InputError
            If there is no such file, or it holds no map.
        """
        try:
            data = json.loads(Path(path).read_text("utf-8"))
            chi, phi, area = (np.asarray(data[k], dtype=float) for k in ("chi", "phi", "resistance_area"))
            size = ((int(data["degree"]) + 1) ** 2,)
            if not (chi.shape == phi.shape == area.shape == size and np.isfinite([chi, phi, area]).all()):
                raise ValueError
            thickness, error = float(data["thickness"]), float(data["error"])
            pumping = data.get("pumping")
            if pumping is not None:
                pumping = np.asarray(pumping, dtype=float)
                if pumping.shape != (12, *size) or not np.isfinite(pumping).all():
                    raise ValueError
            return cls(str(data["layer"]), thickness, chi, phi, area, error, int(data["solves"]), pumping)
        except OSError as error:
            raise InputError(f"direction map '{path}' cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"'{path}' holds no direction map") from error


def direction_map(
    problem: TransportProblem | Groups, layer: str, *, tolerance: float = 1e-4, pumping: bool = False
) -> DirectionMap:
    """Return the torque on a layer and the resistance of a device for all directions of the layer. Collective.

    The problem ends in the state it began with. Devices with one fixed direction need fewer solves with
    :func:`torque_map`.

    Parameters
    ----------
    problem
        With the :class:`~fespin.transport.Vector` model and the contacts "bottom" and "top"; or groups of ranks with
        one each (:func:`in_groups`).
    layer
        The free layer.
    tolerance
        Of torque, resistance and pumping, relative to the largest.
    pumping
        Whether to compute the damping that pumping adds, with two more solves per direction.

    Raises
    ------
    InputError
        If the layer is no magnet, there is no torque on it, or the tolerance is out of range.
    ModelError
        If the model is another one.
    SolverError
        If harmonics up to degree 16, from some 500 solves, do not reach the tolerance.
    """
    groups = problem if isinstance(problem, Groups) else Groups(problem)
    stack = groups.problem.stack
    require_torque(stack, groups.problem.model, layer, pumping=pumping)
    if not 1e-12 < tolerance < 1:
        raise InputError(f"direction map: tolerance is {tolerance!r}; it must lie between 1e-12 and 1")
    thickness = stack[layer].thickness

    def solve(directions: Array) -> Array:
        columns = 16 if pumping else 4
        return groups.evaluate(layer, directions, lambda on, x: _solve_at(on, layer, x, pumping), columns)

    counts = [math.ceil(_OVERSAMPLING * (n + 1) ** 2) for n in (*_DEGREES, _DEGREES[-1] + 1)]
    u = even_directions(0, counts[0])
    values, error = solve(u), math.inf
    if np.abs(values[:, :3]).max() < 1e-10 * SPIN_PER_CHARGE:
        raise InputError(f"direction map: there is no torque on '{layer}'; nothing polarizes the current")
    for degree, count in zip(_DEGREES, counts[1:], strict=True):
        size = _sizes(values)
        found = _made(layer, thickness, u, values, degree, error)
        new = even_directions(len(u), count)
        more = solve(new)
        error = max(*_last(found, size), *(_sizes(more - _seen(found, new)) / size))
        u, values = np.concatenate([u, new]), np.concatenate([values, more])
        # Ranks must agree on when to stop, whatever their arithmetic.
        error = float(groups.comm.bcast(error, 0))
        if error < tolerance:
            result: DirectionMap = groups.comm.bcast(_made(layer, thickness, u, values, degree, error), 0)
            return result
    raise SolverError(
        f"direction map: harmonics of degree {_DEGREES[-1]} from {len(u)} solves leave an error of {error:.1g}; allow "
        "a larger tolerance, or use torque_map if one direction alone is distinguished"
    )


def _solve_at(problem: TransportProblem, layer: str, u: Array, pumping: bool) -> Array:
    """Return torque and resistance in one direction, and Gamma and the pumped current."""
    tau, area = solve_direction(problem, layer, u)
    if not pumping:
        return np.array([*tau, area])
    gamma, current = np.zeros((3, 3)), np.zeros(3)
    for e in tangent_frame(u[None])[0]:
        torque, pumped = pump(problem, layer, tuple(e))
        gamma += np.outer(torque, e)
        current += pumped * e
    return np.array([*tau, area, *gamma.ravel(), *current])


def _sizes(values: Array) -> Array:
    """Return the largest torque, resistance, Gamma and pumped current among values (n, 4) or (n, 16)."""
    parts = [values[:, :3], values[:, 3:4]]
    if values.shape[1] > 4:
        parts += [values[:, 4:13], values[:, 13:]]
    return np.array([float(np.linalg.norm(x, axis=1).max()) or 1.0 for x in parts])


def _seen(found: DirectionMap, u: Array) -> Array:
    """Return what a map gives at directions (n, 3), in the columns of the solves."""
    parts = [found.torque_per_current(u), found.resistance_at(u)[:, None]]
    if found.pumping is not None:
        parts.append(expansion(found.pumping, u)[0].T)
    return np.concatenate(parts, axis=1)


def _made(layer: str, thickness: float, u: Array, values: Array, degree: int, error: float) -> DirectionMap:
    chi, phi = _fit(u, values[:, :3], degree)
    rest = np.linalg.lstsq(harmonics(u, degree)[0], values[:, 3:], rcond=None)[0].T
    pumping = np.asarray(rest[1:], dtype=float) if len(rest) > 1 else None
    return DirectionMap(layer, thickness, chi, phi, np.asarray(rest[0], dtype=float), error, len(u), pumping)


def _fit(u: Array, tau: Array, degree: int) -> tuple[Array, Array]:
    """Return coefficients of chi and phi by least squares."""
    gradient = harmonics(u, degree)[1]
    size = sizes(degree)
    gradient = gradient[:, 1:] / size[:, None]
    columns = np.concatenate([gradient, np.cross(u[:, None], gradient)], axis=1)
    found = np.linalg.lstsq(columns.transpose(0, 2, 1).reshape(-1, 2 * len(size)), tau.ravel(), rcond=None)[0]
    chi, phi = (np.concatenate([[0.0], x / size]) for x in np.split(found, 2))
    return chi, phi


def _last(found: DirectionMap, size: Array) -> tuple[float, ...]:
    """Return the root mean squares of the last degree of everything, over the largest."""
    l, at = found.degree, slice(found.degree**2, None)  # noqa: E741
    norms = [math.sqrt(l * (l + 1) * float(np.sum(found.chi[at] ** 2 + found.phi[at] ** 2)))]
    norms.append(float(np.linalg.norm(found.resistance_area[at])))
    if found.pumping is not None:
        norms += [float(np.linalg.norm(found.pumping[k, at])) for k in (slice(9), slice(9, None))]
    return tuple(x / math.sqrt(4 * np.pi) / y for x, y in zip(norms, size, strict=True))
