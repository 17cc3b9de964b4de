"""Spin transfer by relaxation in a case: what its keys say of the faces and the axis of a magnet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import InputError, ModelError, nearest
from .case import Case
from .tables import make_model

if TYPE_CHECKING:
    from ...coupling.face_torque import FaceTorque
    from ...coupling.groups import Groups
    from ...macrospin import Macrospin
    from ...stack import Stack
    from ...transport import TransportProblem

_CHANNELS = ("two-channel", "three-channel", "four-channel")


def check_relaxation(case: Case, spin: Macrospin) -> None:
    """Refuse spin transfer by relaxation that the case's device cannot make; its other keys are checked already.

    Raises
    ------
    InputError
        With one line that names the key.
    """
    assert case.torque is not None and case.macrospin is not None and case.macrospin.layer is not None
    table, layer, model = case.torque, case.macrospin.layer, case.transport.model
    owner = f'torque.source = "{table.source}"'
    stack = case.make_stack()
    if stack[layer].direction is None:
        raise InputError(f"{owner}: layer '{layer}' is no ferromagnet; nothing acts on it")
    if model not in (*_CHANNELS, "vector"):
        allowed = ", ".join(f'"{x}"' for x in (*_CHANNELS, "vector"))
        raise InputError(
            f'{owner}: d_f must be linear in the current; found transport.model = "{model}", not {allowed}'
        )
    others = _others(stack, layer)
    if others and model != "vector":
        raise InputError(
            f'{owner}: transport.model = "{model}" serves one magnet only, because d_f depends on the angle to '
            f"'{others[0]}'; write \"vector\""
        )
    if table.process == "s-d" and model not in ("three-channel", "four-channel"):
        raise InputError(
            f'torque.process: "s-d" needs d electrons, transport.model = "three-channel" or "four-channel"; found '
            f'"{model}"'
        )
    if others and table.axis is not None:
        raise InputError(f"torque.axis: it is of a magnet without others; '{others[0]}' distinguishes a direction")
    if table.subtract_own and not others:
        raise InputError(f"torque.subtract_own: '{layer}' is the only magnet; nothing would remain")
    try:
        _require_one_direction(case, stack, layer)
    except ModelError as error:
        raise InputError(f"{owner}: {error}") from error
    crosses(case, spin)
    if not others:
        axis_of(case, spin)


def _others(stack: Stack, layer: str) -> list[str]:
    return [x.name for x in stack if x.material.ferromagnetic and x.name != layer]


def _require_one_direction(case: Case, stack: Stack, layer: str) -> None:
    """Refuse a device in which more than the angle to one direction matters."""
    from ...coupling.directions import direction_of_others, fixed_direction

    if case.transport.model == "vector":
        fixed_direction(stack, make_model(case.transport), layer)
    else:
        direction_of_others(stack, layer, "torque map")


def crosses(case: Case, spin: Macrospin) -> tuple[float, float]:
    """Return l_f of the faces below and above the case's magnet (1/(V s m2)).

    Raises
    ------
    InputError
        If a face is none of the magnet's, is given twice, or power would be gained.
    """
    from ...coupling.wegrowe import largest_cross

    assert case.torque is not None and case.macrospin is not None and case.macrospin.layer is not None
    table, layer = case.torque, case.macrospin.layer
    if (table.cross is None) == (table.relative_cross is None):
        found = "neither" if table.cross is None else "both"
        raise InputError(f"torque: give one of cross (l_f by face, 1/(V s m2)) and relative_cross; found {found}")
    key, values = ("cross", table.cross) if table.cross is not None else ("relative_cross", table.relative_cross)
    assert values is not None
    names = case.device_stack().names
    at = names.index(layer)
    sides = {k: names[k] for k in (at - 1, at + 1) if 0 <= k < len(names)}
    most = largest_cross(spin, case.make_stack()[layer].material, process=table.process)
    out: dict[int, float] = {}
    for written, value in values.items():
        owner = f"torque.{key}.'{written}'"
        pair = [x.strip() for x in written.split("|")]
        side = next((k for k, other in sides.items() if sorted(pair) == sorted([layer, other])), None)
        if side is None:
            known = [f"{a}|{b}" for other in sides.values() for a, b in ((layer, other), (other, layer))]
            raise InputError(f"{owner}: layer '{layer}' has no such face; {nearest(written, known)}")
        if side in out:
            raise InputError(f"{owner}: this face is given twice")
        out[side] = value * most if key == "relative_cross" else value
        if not abs(out[side]) < most:
            raise InputError(f"{owner}: found {value:g}; power would be gained, its size must be below {most:.4g}")
    return out.get(at - 1, 0.0), out.get(at + 1, 0.0)


def axis_of(case: Case, spin: Macrospin) -> tuple[float, ...] | None:
    """Return the axis n of a magnet without others: the case's, or else the easy axis; None with others.

    Raises
    ------
    InputError
        If the axis is zero, or none is given and the energy does not have exactly one.
    """
    from ...macrospin import survey
    from ...quantities import direction

    assert case.torque is not None and case.macrospin is not None and case.macrospin.layer is not None
    if _others(case.make_stack(), case.macrospin.layer):
        return None
    if case.torque.axis is not None:
        return direction(case.torque.axis, "torque", "axis")
    # An applied field turns the wells, not the axis.
    bare = replace(spin, field=(0.0, 0.0, 0.0))
    wells = [w.direction for w in survey(bare).wells]
    # The axis of a term or of the coordinates, exactly, if the wells are on it.
    known = [np.asarray(x, dtype=float) for x in (getattr(term, "axis", None) for term in bare.terms) if x is not None]
    candidates = [x / np.linalg.norm(x) for x in known] + list(np.eye(3)) + wells[:1]
    axis = next((x for x in candidates if all(abs(w @ x) > 1 - 1e-6 for w in wells)), None)
    # An easy plane has one well, which stands for all.
    if axis is None or len({bool(w @ axis > 0) for w in wells}) < 2:
        raise InputError("torque.axis: missing; the energy does not have one easy axis that could be taken instead")
    # Of both senses, which mean the same, the one that points up the largest coordinate.
    axis = axis * np.sign(axis[int(np.argmax(np.abs(axis)))])
    return tuple(axis.tolist())


def face_torque(case: Case, problem: TransportProblem | Groups, spin: Macrospin) -> FaceTorque:
    """Solve for the differences at the faces of the case's magnet, and return their torque. Collective.

    Parameters
    ----------
    problem
        The device; or groups, whose journal has the directions that are done.
    spin
        Macrospin of the layer.
    """
    from ...coupling.face_torque import FaceTorque
    from ...coupling.relaxation import relaxation_map

    assert case.torque is not None and case.macrospin is not None and case.macrospin.layer is not None
    table = case.torque
    found = relaxation_map(
        problem,
        case.macrospin.layer,
        axis=axis_of(case, spin),
        process=table.process,
        own=table.subtract_own,
        tolerance=table.tolerance,
    )
    return FaceTorque(found, crosses(case, spin), table.subtract_own)
