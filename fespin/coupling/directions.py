"""What a device distinguishes among the directions of spin. No mesh, no solver."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import InputError, ModelError
from ..stack import Stack
from ..transport.model import TransportModel
from ..transport.vector import Vector


def fixed_direction(stack: Stack, model: TransportModel, layer: str) -> tuple[float, float, float]:
    """Return the one direction that the device distinguishes.

    Raises
    ------
    InputError, ModelError
        If there is none, or more than one.
    """
    if not isinstance(model, Vector):
        raise ModelError("a torque map needs the vector model")
    if any(model.field):
        raise ModelError("torque map: the field distinguishes a second direction")
    if not stack[layer].material.ferromagnetic:
        raise InputError(f"layer '{layer}' is no ferromagnet; there is no torque on it")
    others = [x for x in stack if x.material.ferromagnetic and x.name != layer]
    if not others:
        raise InputError(f"torque map: '{layer}' is the only magnet; nothing polarizes the current")
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
