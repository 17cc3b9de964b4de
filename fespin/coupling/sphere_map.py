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
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

from ..errors import InputError, ModelError, SolverError
from ..macrospin.spin import Macrospin
from ..transport.problem import TransportProblem
from ..transport.vector import SPIN_PER_CHARGE, Vector
from .circuit import Circuit
from .groups import Groups
from .harmonics import even_directions, expansion, harmonics, sizes
from .sphere_torque import DirectionTorque

type Array = NDArray[np.float64]

_DEGREES = (*range(2, 11), 12, 14, 16)
# Solves for each unknown: the condition of the least squares is below 7 for all degrees.
_OVERSAMPLING = 1.5


@dataclass(frozen=True, eq=False)
class DirectionMap:
    """What a device does to its free layer, per current, for any direction u of it.

    Coefficients are those of orthonormal real spherical harmonics; Y_lm has the place l^2 + l + m
    (:mod:`fespin.coupling.harmonics`).

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
        Of torque and resistance relative to their largest values: from the harmonics of degree L, and against solves
        at further directions, which the fit then took in as well.
    solves
        Number of transport solves.
    """

    layer: str
    thickness: float
    chi: Array
    phi: Array
    resistance_area: Array
    error: float
    solves: int

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

    def save(self, comm: MPI.Intracomm, path: Path | str) -> None:
        """Write the map as JSON, on rank 0."""
        if comm.rank == 0:
            data = {
                "layer": self.layer,
                "thickness": self.thickness,
                "degree": self.degree,
                "chi": self.chi.tolist(),
                "phi": self.phi.tolist(),
                "resistance_area": self.resistance_area.tolist(),
                "error": self.error,
                "solves": self.solves,
            }
            target = Path(path)
            aside = target.with_name(f".{target.name}.part")
            aside.write_text(json.dumps(data, indent=1) + "\n", "utf-8")
            aside.replace(target)

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
            return cls(str(data["layer"]), thickness, chi, phi, area, error, int(data["solves"]))
        except OSError as error:
            raise InputError(f"direction map '{path}' cannot be read: {error.strerror}") from error
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise InputError(f"'{path}' holds no direction map") from error


def direction_map(problem: TransportProblem | Groups, layer: str, *, tolerance: float = 1e-4) -> DirectionMap:
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
        Of torque and resistance, relative to the largest.

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
    _check(groups.problem, layer)
    if not 1e-12 < tolerance < 1:
        raise InputError(f"direction map: tolerance is {tolerance!r}; it must lie between 1e-12 and 1")
    thickness = groups.problem.stack[layer].thickness
    counts = [math.ceil(_OVERSAMPLING * (n + 1) ** 2) for n in (*_DEGREES, _DEGREES[-1] + 1)]
    u = even_directions(0, counts[0])
    tau, area = groups.solve(layer, u)
    if np.abs(tau).max() < 1e-10 * SPIN_PER_CHARGE:
        raise InputError(f"direction map: there is no torque on '{layer}'; nothing polarizes the current")
    error = math.inf
    for degree, count in zip(_DEGREES, counts[1:], strict=True):
        size = float(np.linalg.norm(tau, axis=1).max()), float(np.abs(area).max())
        found = DirectionMap(layer, thickness, *_fit(u, tau, area, degree), error, len(u))
        new = even_directions(len(u), count)
        new_tau, new_area = groups.solve(layer, new)
        error = max(
            *_last(found, size),
            float(np.linalg.norm(new_tau - found.torque_per_current(new), axis=1).max()) / size[0],
            float(np.abs(new_area - found.resistance_at(new)).max()) / size[1],
        )
        u, tau, area = np.concatenate([u, new]), np.concatenate([tau, new_tau]), np.concatenate([area, new_area])
        # Ranks must agree on when to stop, whatever their arithmetic.
        error = float(groups.comm.bcast(error, 0))
        if error < tolerance:
            fit: tuple[Array, Array, Array] = groups.comm.bcast(_fit(u, tau, area, degree), 0)
            return DirectionMap(layer, thickness, *fit, error, len(u))
    raise SolverError(
        f"direction map: harmonics of degree {_DEGREES[-1]} from {len(u)} solves leave an error of {error:.1g}; allow "
        "a larger tolerance, or use torque_map if one direction alone is distinguished"
    )


def _check(problem: TransportProblem, layer: str) -> None:
    """Refuse what has no torque on a magnet."""
    model, stack = problem.model, problem.stack
    if not isinstance(model, Vector):
        raise ModelError("a direction map needs the vector model")
    if not stack[layer].material.ferromagnetic:
        raise InputError(f"layer '{layer}' is no ferromagnet; there is no torque on it")
    if not any(model.field) and not any(x.material.ferromagnetic and x.name != layer for x in stack):
        raise InputError(f"direction map: '{layer}' is the only magnet and there is no field; nothing turns its spins")


def _fit(u: Array, tau: Array, area: Array, degree: int) -> tuple[Array, Array, Array]:
    """Return coefficients of chi, phi and r by least squares."""
    y, gradient = harmonics(u, degree)
    size = sizes(degree)
    gradient = gradient[:, 1:] / size[:, None]
    columns = np.concatenate([gradient, np.cross(u[:, None], gradient)], axis=1)
    found = np.linalg.lstsq(columns.transpose(0, 2, 1).reshape(-1, 2 * len(size)), tau.ravel(), rcond=None)[0]
    chi, phi = (np.concatenate([[0.0], x / size]) for x in np.split(found, 2))
    return chi, phi, np.asarray(np.linalg.lstsq(y, area, rcond=None)[0], dtype=float)


def _last(found: DirectionMap, size: tuple[float, float]) -> tuple[float, float]:
    """Return the root mean squares of torque and resistance in the last degree, over the largest."""
    l, at = found.degree, slice(found.degree**2, None)  # noqa: E741
    torque = math.sqrt(l * (l + 1) * float(np.sum(found.chi[at] ** 2 + found.phi[at] ** 2)) / (4 * np.pi))
    return torque / size[0], float(np.linalg.norm(found.resistance_area[at])) / math.sqrt(4 * np.pi) / size[1]
