"""What can be known to fail about a macrospin and its tasks before anything is solved."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...errors import InputError
from ...quantities import direction
from ..tasks import check_keys, check_name, names_of
from .tables import TASKS, MacrospinTable, Task, make_spin, make_torque

if TYPE_CHECKING:
    from ...macrospin import Macrospin, SpinTorque
    from ..layered.case import Case

_WRITTEN = {
    "geometry": "[geometry]",
    "layer": "[[layer]]",
    "torque": "[torque]",
    "sphere": "[sphere]",
    "task": "[[task]]",
}


def check_macrospin(case: Case) -> None:
    """Refuse a macrospin, a torque, a sphere or tasks that cannot be.

    Raises
    ------
    InputError
        With one line that names the table and key.
    """
    if case.macrospin is None:
        for key in ("torque", "sphere", "task"):
            if key in case.model_fields_set:
                raise InputError(f"{_WRITTEN[key]}: it is about a macrospin; the table [macrospin] is missing")
        return
    if not case.task:
        raise InputError("[[task]]: the table is missing; it says what is asked of the macrospin")
    _check_layers(case, case.macrospin)
    spin = make_spin(case.macrospin, case.layer_volume)
    torque = make_torque(case.torque, spin)
    if case.torque is not None and case.torque.source == "transport":
        _check_transport_torque(case)
    _check_sphere(case, spin)
    names = task_names(case)
    # The loops of several drives have files of their own.
    for task, name in zip(case.task, task_names(case), strict=True):
        names += [f"{name}.{k}" for k in range(len(task.drives or []))] if task.kind == "hysteresis" else []
    for i, (task, name) in enumerate(zip(case.task, names, strict=False), 1):
        owner = check_name(i, task, name, names)
        from_transport = case.torque is not None and case.torque.source == "transport"
        _check_task(owner, task, spin, torque, from_transport)


def _check_layers(case: Case, table: MacrospinTable) -> None:
    """Refuse a volume that layers cannot give, and tables that nothing would use."""
    if table.layer is not None:
        for key in ("geometry", "layer"):
            if key not in case.model_fields_set:
                raise InputError(
                    f"macrospin.layer: the volume of a layer needs {_WRITTEN[key]}; or give macrospin.volume (m3)"
                )
        g = case.geometry
        if g.shape == "pillar" and (g.diameter is None) == (g.semi_axes is None):
            found = "neither" if g.diameter is None else "both"
            raise InputError(f"geometry: a pillar takes exactly one of diameter and semi_axes; found {found}")
    if case.transports:
        return
    for key in ("state", "contact"):
        if key in case.model_fields_set:
            raise InputError(f"[{key}]: it is about transport; the table [transport] is missing")
    if table.layer is None and table.volume is not None:
        for key in ("geometry", "layer"):
            if key in case.model_fields_set:
                raise InputError(
                    f"{_WRITTEN[key]}: nothing uses it; give macrospin.layer, not volume, or the table [transport]"
                )


def _check_transport_torque(case: Case) -> None:
    """Refuse a torque from transport that the case's device cannot make."""
    assert case.macrospin is not None
    owner = 'torque.source = "transport"'
    if not case.transports:
        raise InputError(f"{owner}: the table [transport] is missing")
    if case.transport.model != "vector":
        raise InputError(f'{owner}: needs transport.model = "vector", found "{case.transport.model}"')
    if case.macrospin.layer is None:
        raise InputError(f"{owner}: needs macrospin.layer, the free layer; found macrospin.volume")
    if case.multi_terminal or set(case.contact_names() or ()) != {"bottom", "top"}:
        raise InputError(f'{owner}: needs a stack driven between its "bottom" and "top"')
    if case.torque is not None and case.torque.series_resistance_area and case.transport.voltage is None:
        raise InputError(
            "torque.series_resistance_area: belongs to transport.voltage; a current is held whatever the load"
        )
    from ...coupling.directions import has_fixed_direction
    from ..layered.tables import make_model

    pumped = case.torque is not None and case.torque.pumping is not False
    try:
        angle = has_fixed_direction(case.make_stack(), make_model(case.transport), case.macrospin.layer, pumping=pumped)
    except InputError as error:
        raise InputError(f"{owner}: {error}") from error
    if not angle and any(t.kind == "hysteresis" and t.sweep == "torque" for t in case.task):
        raise InputError(f'{owner}: a sweep of the "torque" needs one fixed direction; sweep the field at some drives')
    if pumped and not angle and any(t.kind == "langevin" for t in case.task):
        raise InputError(
            f'{owner}: "langevin" follows pumped damping only where one fixed direction is distinguished; give '
            "torque.pumping = false, or leave that task out"
        )


def task_names(case: Case) -> list[str]:
    """Return the names of the tasks; those without one are called by their number, from 1."""
    return names_of(case.task)


def _check_sphere(case: Case, spin: Macrospin) -> None:
    s = case.sphere
    if s.mesh is not None and s.mesh_size is not None:
        raise InputError("sphere: give one of mesh (a file) and mesh_size; found both")
    if s.mesh_size is not None and s.axisymmetric is False:
        from ...macrospin.scales import suggested_mesh_size

        enough = suggested_mesh_size(spin) * (s.degree / 4)
        if s.mesh_size > 4 * enough:
            raise InputError(
                f"sphere.mesh_size: found {s.mesh_size:g}; too coarse for this energy and damping, "
                f"about {enough:.2g} would do"
            )


def _check_task(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None, from_transport: bool) -> None:
    check_keys(owner, task.kind, task.model_fields_set, TASKS)
    for key in ("start", "target", "direction", "observable"):
        vector = getattr(task, key)
        if vector == "resistance":
            if not from_transport:
                raise InputError(f'{owner}.observable: "resistance" needs torque.source = "transport"')
        elif vector is not None:
            direction(vector, owner, key)
    if task.kind in _CHECKS:
        _CHECKS[task.kind](owner, task, spin, torque)


def _pulse(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None) -> None:
    if (task.pulse is None) == (task.reduced_time is None):
        found = "neither" if task.pulse is None else "both"
        raise InputError(f"{owner}: give exactly one of pulse (s) and reduced_time; found {found}")
    if task.reduced_time is not None:
        from ...macrospin.scales import reduced_time

        if reduced_time(spin) <= 0:
            raise InputError(
                f"{owner}.reduced_time: it is in units of the anisotropy field, and there is none; give pulse"
            )


def _escape(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None) -> None:
    from ...macrospin import survey

    found = len(survey(spin).wells)
    if found < 2:
        raise InputError(f"{owner}: the energy has {found or 'no'} well; a rate of escape needs two")


def _hysteresis(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None) -> None:
    for key in ("range", "rate"):
        if getattr(task, key) is None:
            raise InputError(f"{owner}.{key}: missing; a sweep needs range = [from, to] and a rate")
    if task.drives is not None:
        if torque is None:
            raise InputError(f"{owner}.drives: they need the table [torque]")
        if task.sweep == "torque":
            raise InputError(f'{owner}.drives: they belong to a sweep of the field, found with sweep = "torque"')
        if len({f"{x:.6g}" for x in task.drives}) < len(task.drives):
            raise InputError(f"{owner}.drives: found {task.drives}; two of them are the same to six digits")
    assert task.range is not None
    if task.range[0] == task.range[1]:
        raise InputError(f"{owner}.range: found {task.range}; from and to must differ")
    if task.sweep == "torque":
        if torque is None:
            raise InputError(f'{owner}.sweep: "torque" needs the table [torque]')
        if task.direction is not None:
            raise InputError(f'{owner}.direction: belongs to a sweep of the field, found with sweep = "torque"')
    elif task.direction is None:
        raise InputError(f"{owner}.direction: missing; a sweep of the field needs its direction")
    elif max(abs(x) for x in task.range) > 1e4:
        raise InputError(f"{owner}.range: found {task.range}; fields are in T")


def _band(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None) -> None:
    other = "direction" if task.kind == "susceptibility" else "observable"
    for key in ("frequencies", other):
        if getattr(task, key) is None:
            raise InputError(f"{owner}.{key}: missing")
    assert task.frequencies is not None
    low, high = task.frequencies
    if low >= high:
        raise InputError(f"{owner}.frequencies: found {task.frequencies}; the first must be less than the second (Hz)")


def _passage(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None) -> None:
    if task.start is None:
        raise InputError(f"{owner}.start: missing; a passage starts somewhere")
    u = direction(task.start, owner, "start")
    goal = direction(task.target, owner, "target") if task.target is not None else tuple(-x for x in u)
    if sum(a * b for a, b in zip(u, goal, strict=True)) >= (task.cosine or 0.0):
        raise InputError(f"{owner}.start: it lies in the target")


def _drives(owner: str, task: Task, spin: Macrospin, torque: SpinTorque | None) -> None:
    if torque is None:
        raise InputError(f"{owner}: drives need the table [torque]")
    for key in ("drives", "fields") if task.kind == "phase-diagram" else ("drives",):
        limits = getattr(task, key)
        if limits is None:
            raise InputError(f"{owner}.{key}: missing; give [from, to]")
        if len(limits) != 2 or limits[0] >= limits[1]:
            raise InputError(f"{owner}.{key}: found {limits}; give [from, to], the first less than the second")
    if task.samples is not None and task.samples < 2:
        raise InputError(f"{owner}.samples: found {task.samples}; from one end to the other takes at least 2")
    if task.kind == "phase-diagram":
        if task.direction is None:
            raise InputError(f"{owner}.direction: missing; a sweep of the field needs its direction")
        _escape(owner, task, spin, torque)


_CHECKS: dict[str, Callable[[str, Task, Macrospin, SpinTorque | None], None]] = {
    "switching": _pulse,
    "langevin": _pulse,
    "escape": _escape,
    "hysteresis": _hysteresis,
    "susceptibility": _band,
    "noise": _band,
    "first-passage": _passage,
    "dwell-times": _drives,
    "resonance": _drives,
    "phase-diagram": _drives,
}


def describe(case: Case) -> str:
    """Return what would be asked of the macrospin, as text."""
    from ...macrospin import survey

    assert case.macrospin is not None
    spin = make_spin(case.macrospin, case.layer_volume)
    torque = make_torque(case.torque, spin)
    land = survey(spin)
    lines = [
        f"  macrospin: {spin.volume * 1e27:.4g} nm3, Ms {spin.saturation_magnetization:g} A/m, "
        f"damping {spin.damping:g}, {spin.temperature:g} K"
    ]
    for w in land.wells[:8]:
        to = ", ".join(f"{x:.3f}" for x in w.direction)
        lines.append(
            f"  well at ({to}): E = {w.energy:.4g} kT" + (f", barrier {w.height:.4g} kT" if w.height < 1e9 else "")
        )
    if case.torque is not None and case.torque.source == "transport":
        lines.append("  torque: from the transport through the device")
    elif torque is not None:
        lines.append(f"  torque: damping-like {torque.damping_like:.4g} T, field-like {torque.field_like:.4g} T")
    lines.append(f"  tasks: {', '.join(f'{n} ({t.kind})' for n, t in zip(task_names(case), case.task, strict=True))}")
    return "\n".join(lines)
