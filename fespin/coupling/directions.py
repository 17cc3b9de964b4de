"""Directions of spin that a device distinguishes. No mesh, no solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError, ModelError
from ..stack import Stack
from ..transport.model import DeviceState, TransportModel
from ..transport.vector import Vector


def require_linear(problem: DeviceState, owner: str) -> None:
    """Refuse a model with laws that follow the state, whose currents and torques are not proportional to the drive.

    Parameters
    ----------
    owner
        Who asks, for messages.

    Raises
    ------
    ModelError
        If the problem's declaration has state laws.
    """
    if problem.system.declaration.nonlinear:
        raise ModelError(f"{owner}: it is for linear models, and this one has laws that follow the state")


def require_torque(stack: Stack, model: TransportModel, layer: str, *, pumping: bool = False) -> None:
    """Refuse a device that does nothing to a layer: neither another magnet nor a spin Hall metal polarizes spins.

    Parameters
    ----------
    pumping
        True if pumped spins count, of which a magnet needs no others.

    Raises
    ------
    InputError, ModelError
        If the layer is no magnet, nothing turns its spins, or the model has no vectors.
    """
    if not isinstance(model, Vector):
        raise ModelError("a torque map needs the vector model")
    if not stack[layer].material.ferromagnetic:
        raise InputError(f"layer '{layer}' is no ferromagnet; there is no torque on it")
    others = [x for x in stack if x.material.ferromagnetic and x.name != layer]
    hall = any(x.material.spin_hall_angle for x in stack)
    if not others and not any(model.field) and not hall and not pumping:
        raise InputError(
            f"torque map: '{layer}' is the only magnet; nothing polarizes the current, and pumping is left out"
        )


def has_fixed_direction(stack: Stack, model: TransportModel, layer: str, *, pumping: bool = False) -> bool:
    """Return whether one direction at most is distinguished, so that an angle will do; `require_torque` refuses."""
    require_torque(stack, model, layer, pumping=pumping)
    try:
        fixed_direction(stack, model, layer)
    except ModelError:
        return False
    return True


def fixed_direction(stack: Stack, model: TransportModel, layer: str) -> tuple[float, float, float] | None:
    """Return the one direction that a device with vectors distinguishes besides the layer's; None if there is none.

    Raises
    ------
    ModelError
        If there is more than one.
    """
    assert isinstance(model, Vector)
    if any(model.field):
        raise ModelError("torque map: the field distinguishes a second direction")
    require_free_spins(stack, "torque map")
    return direction_of_others(stack, layer, "torque map")


def require_free_spins(stack: Stack, owner: str) -> None:
    """Refuse materials whose spins know the directions of space, in the vector model.

    Parameters
    ----------
    owner
        Who asks, for messages.

    Raises
    ------
    ModelError
        If a layer has a spin Hall angle or an anisotropic magnetoresistance.
    """
    for x in stack:
        for key in ("spin_hall_angle", "anisotropic_magnetoresistance"):
            if getattr(x.material, key):
                raise ModelError(f"{owner}: the {key} of '{x.name}' ties spins to the directions of space")


def direction_of_others(stack: Stack, layer: str, owner: str) -> tuple[float, float, float] | None:
    """Return the direction of the first of the other magnets, which all are along one axis; None without any.

    Parameters
    ----------
    owner
        Who asks, for messages.

    Raises
    ------
    ModelError
        If the magnetization of one varies, or two are along different axes.
    """
    others = [x for x in stack if x.material.ferromagnetic and x.name != layer]
    directions: list[tuple[float, float, float]] = []
    for x in others:
        if x.direction is None:
            raise ModelError(f"{owner}: the magnetization of '{x.name}' varies")
        directions.append(x.direction)
    for x, d in zip(others, directions, strict=True):
        if np.linalg.norm(np.cross(np.array(directions[0]), d)) > 1e-9:
            raise ModelError(f"{owner}: '{others[0].name}' and '{x.name}' are along different axes")
    return directions[0] if directions else None


def polarization(axis: Sequence[float]) -> tuple[float, float, float]:
    """Return q = z x E/|E| of a direction of E in the plane."""
    x, y = axis
    return (-y + 0.0, x + 0.0, 0.0)


def film_direction(
    stack: Stack, model: TransportModel, layer: str, axis: Sequence[float]
) -> tuple[float, float, float] | None:
    """Return q if the angle to it is all that the torque on a layer depends on; None if it is not.

    Raises
    ------
    InputError, ModelError
        If the layer is no magnet, nothing polarizes spins, or the model has no vectors.
    """
    require_torque(stack, model, layer)
    assert isinstance(model, Vector)
    if any(model.field) or any(x.material.anisotropic_magnetoresistance for x in stack):
        return None
    q = polarization(axis)
    try:
        other = direction_of_others(stack, layer, "film map")
    except ModelError:
        return None
    if other is not None and np.linalg.norm(np.cross(other, q)) > 1e-9:
        return None
    return q
