"""What a case's device does to its free layer: what is solved for it, and where it is kept."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...domain import Domain
from ...errors import InputError
from ...stack import Stack
from ...transport.problem import TransportProblem
from ...transport.tunnelling import barriers
from ..checkpoints import Checkpoints
from .case import Case
from .driven import needs_voltages

if TYPE_CHECKING:
    from ...coupling.angle_maps import TorqueMap
    from ...coupling.current_map import CurrentMap
    from ...coupling.direction_maps import DirectionMap
    from ...coupling.film_maps import FilmMap
    from ...coupling.groups import Groups
    from ...coupling.voltage_maps import VoltageMap

# Heights that differ by less, relative to that of the device, are one.
_LEVEL = 1e-6


def as_stack(domain: Domain, file: str) -> Domain:
    """Return the device of a mesh file with the thicknesses of its layers. Collective.

    Parameters
    ----------
    file
        Name of the file, for messages.

    Raises
    ------
    InputError
        If the layers do not lie on each other as they are listed, between the contacts "bottom" and "top".
    """
    owner, names = f"geometry.mesh '{file}'", domain.regions
    if set(domain.contacts) != {"bottom", "top"}:
        found = ", ".join(sorted(domain.contacts))
        raise InputError(f'{owner}: a torque of the device needs the contacts "bottom" and "top"; found {found}')
    pairs = list(itertools.pairwise(names))
    extents = [domain.region_extent(x) for x in names]
    height = extents[-1][1] - extents[0][0]
    level = all(abs(upper[0] - lower[1]) < _LEVEL * height for lower, upper in itertools.pairwise(extents))
    ends = domain.contact_regions("bottom") == [names[0]] and domain.contact_regions("top") == [names[-1]]
    if set(domain.interfaces) != set(pairs) or not level or not ends:
        raise InputError(
            f"{owner}: a torque of the device needs flat layers on each other, listed from bottom to top; they are "
            f"listed as {', '.join(names)}"
        )
    stack = domain.stack
    if barriers(stack, pairs):
        raise InputError(f"{owner}: a torque through tunnel barriers needs layers with thicknesses, [geometry] shape")
    layers = [replace(x, thickness=high - low) for x, (low, high) in zip(stack, extents, strict=True)]
    return replace(domain, stack=Stack(*layers, interfaces=stack.interfaces, library=stack.library))


def device_map(
    case: Case, problem: TransportProblem, checkpoints: Checkpoints | None, say: Callable[[str], None]
) -> CurrentMap | FilmMap:
    """Return what the case's drive does to its free layer; fixed magnets are as the layers say. Collective."""
    from ...coupling.circuit import Circuit
    from ...coupling.current_map import CurrentMap
    from ..macrospin.tables import make_torque
    from .longitudinal import longitudinal_drive
    from .relaxation import face_torque

    assert case.macrospin is not None
    t, table = case.transport, case.torque
    source = "given" if table is None else table.source
    spin = case.make_macrospin()
    problem.magnetize(case.make_stack().directions)
    if t.in_plane_field is not None:
        from .films import make_map

        return make_map(case, _groups("torque_map", case, problem, checkpoints, say))
    density = t.current_density if t.current is None else t.current / problem.domain.area
    circuit = Circuit(density, t.voltage, 0.0 if table is None else table.series_resistance_area)
    if needs_voltages(case, problem.stack, list(problem.domain.interfaces)):
        # Its torque is not proportional to the drive, and the only thing that acts on the magnet.
        return CurrentMap.of_voltage(_voltage_map(case, problem, checkpoints, say), circuit)
    along = longitudinal_drive(case, problem) if case.macrospin.follows_current else None
    faces, transverse, given = None, None, None
    if source in ("relaxation", "both"):
        assert table is not None
        faces = face_torque(case, _groups("relaxation_map", case, problem, checkpoints, say, table.process), spin)
    if source in ("transport", "both"):
        transverse = _transverse_map(case, problem, checkpoints, say)
    if source == "given":
        given = make_torque(table, spin)
    return CurrentMap(transverse, circuit, faces, along, given)


def _voltage_map(
    case: Case, problem: TransportProblem, checkpoints: Checkpoints | None, say: Callable[[str], None]
) -> VoltageMap:
    """Return the torque of a device that follows the voltage, up to the largest of its drives. Collective."""
    from ...coupling.voltage_maps import voltage_map

    assert case.macrospin is not None and case.macrospin.layer is not None and case.torque is not None
    span = case.largest_drive()
    if case.transport.voltage is None:
        span = _largest_voltage(
            problem, case.macrospin.layer, span / (problem.domain.area if case.transport.current else 1)
        )
    groups = _groups("torque_map", case, problem, checkpoints, say)
    pumping = case.torque.pumping
    return voltage_map(groups, case.macrospin.layer, voltage=span, tolerance=case.torque.tolerance, pumping=pumping)


def _largest_voltage(problem: TransportProblem, layer: str, current_density: float) -> float:
    """Return a voltage that is enough for a current density in all directions of a layer. Collective."""
    before = problem.stack[layer].magnetization or (0.0, 0.0, 1.0)
    axes = [x.direction for x in problem.stack if x.direction is not None and x.name != layer]
    found = []
    try:
        for axis in axes:
            for sign in (1.0, -1.0):
                problem.magnetize({layer: tuple(sign * x for x in axis)})
                for density in (current_density, -current_density):
                    solved, *_ = problem.solved(problem.drive(current_density=density))
                    found.append(abs(solved.voltages["bottom"] - solved.voltages["top"]))
    finally:
        problem.magnetize({layer: before})
    # Somewhat more, since the map ends there.
    return 1.02 * max(found)


def _groups(
    name: str,
    case: Case,
    problem: TransportProblem,
    checkpoints: Checkpoints | None,
    say: Callable[[str], None],
    *further: str,
) -> Groups:
    """Return the device with the directions of a map that are done already, if they are kept. Collective.

    Parameters
    ----------
    name
        Name of the map.
    further
        What solutions depend on beside the device.
    """
    from ...coupling.groups import Groups

    if checkpoints is None:
        return Groups(problem)
    # Solutions depend on these tables; what is linear in the drive is scaled afterwards.
    device = case.model_dump(mode="json", exclude={"title", "task", "state", "macrospin", "torque", "sphere"})
    journal = checkpoints.pieces(problem.domain.comm, name, [device, *further] if further else device)
    if len(journal):
        say(f"checkpoint: {len(journal)} directions of the {name.replace('_', ' ')} are done")
    return Groups(problem, journal=journal)


def _transverse_map(
    case: Case, problem: TransportProblem, checkpoints: Checkpoints | None, say: Callable[[str], None]
) -> TorqueMap | DirectionMap:
    """Return the torque of transverse spins on the case's free layer. Collective."""
    from ...coupling.angle_maps import torque_map
    from ...coupling.direction_maps import direction_map
    from ...coupling.directions import has_fixed_direction

    assert case.macrospin is not None and case.macrospin.layer is not None and case.torque is not None
    pumping = case.torque.pumping
    groups = _groups("torque_map", case, problem, checkpoints, say)
    options: dict[str, Any] = {"tolerance": case.torque.tolerance, "pumping": pumping}
    found: TorqueMap | DirectionMap
    if has_fixed_direction(problem.stack, problem.model, case.macrospin.layer, pumping=pumping):
        # Without other magnets any axis will do: that of the energy keeps a symmetric problem symmetric.
        from ...sigma.symmetry import find_axis

        spin = case.make_macrospin()
        own = find_axis(spin, None)
        axis = None if own is None else tuple(own.tolist())
        if case.torque.source == "both":
            from .relaxation import axis_of

            axis = axis_of(case, spin)
        found = torque_map(groups, case.macrospin.layer, axis=axis, **options)
    else:
        found = direction_map(groups, case.macrospin.layer, **options)
    return found
