"""What a device distinguishes among the directions of spin. No mesh, no solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError, ModelError
from ..stack import Stack
from ..transport.model import TransportModel
from ..transport.vector import Vector


def require_torque(stack: Stack, model: TransportModel, layer: str) -> None:
    """Refuse a device without a torque on a layer.

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
    if not others and not any(model.field):
        raise InputError(f"torque map: '{layer}' is the only magnet; nothing polarizes the current")


def has_fixed_direction(stack: Stack, model: TransportModel, layer: str) -> bool:
    """Return whether the device distinguishes one direction, so that an angle will do; refuse it without a torque."""
    require_torque(stack, model, layer)
    try:
        fixed_direction(stack, model, layer)
    except ModelError:
        return False
    return True


def fixed_direction(stack: Stack, model: TransportModel, layer: str) -> tuple[float, float, float]:
    """Return the one direction that the device distinguishes.

    Raises
    ------
    InputError, ModelError
        If there is none, or more than one.
    """
    require_torque(stack, model, layer)
    assert isinstance(model, Vector)
    if any(model.field):
        raise ModelError("torque map: the field distinguishes a second direction")
    others = [x for x in stack if x.material.ferromagnetic and x.name != layer]
    directions: list[Sequence[float]] = []
    for x in others:
        if x.direction is None:
            raise ModelError(f"torque map: the magnetization of '{x.name}' varies")
        directions.append(x.direction)
    first = np.array(directions[0])
    for x, d in zip(others, directions, strict=True):
        if np.linalg.norm(np.cross(first, d)) > 1e-9:
            raise ModelError(f"torque map: '{others[0].name}' and '{x.name}' are along different axes")
    return (float(first[0]), float(first[1]), float(first[2]))
