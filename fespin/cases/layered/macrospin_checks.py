"""Refusals of a macrospin among the layers of a case, before anything is meshed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InputError, nearest
from ..macrospin.checks import check_method, check_sphere, check_tasks
from ..macrospin.hysteresis import Hysteresis
from ..macrospin.langevin import Langevin
from ..macrospin.tables import MacrospinTable, unit
from .case import Case
from .driven import check_driven, needs_voltages
from .longitudinal import check_longitudinal
from .tables import make_model

if TYPE_CHECKING:
    from ...macrospin import Macrospin

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
    about = case.about()
    if case.driven_by_device:
        _check_device(case)
    if case.torque_of_device:
        _check_transport_torque(case, about.spin)
    check_driven(case)
    if case.macrospin.follows_current:
        check_longitudinal(case)
    check_sphere(case.sphere, about.spin)
    check_tasks(case.task, about)
    check_method(case.sphere, case.task, about)


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
            neither_or_both = "neither" if g.diameter is None else "both"
            raise InputError(f"geometry: a pillar takes exactly one of diameter and semi_axes; found {neither_or_both}")
        if table.volume is not None and case.has_volumes:
            raise InputError("macrospin: give exactly one of layer and volume (m3); found both")
        if table.layer not in (names := case.make_stack().names):
            raise InputError(f"macrospin.layer: no layer is called '{table.layer}'; {nearest(table.layer, names)}")
    if case.transports:
        return
    if table.layer is not None and table.volume is not None:
        raise InputError("macrospin.layer: nothing uses it beside volume; leave it out, or give the table [transport]")
    for key in ("state", "contact"):
        if key in case.model_fields_set:
            raise InputError(f"[{key}]: it is about transport; the table [transport] is missing")
    if table.layer is None and table.volume is not None:
        for key in ("geometry", "layer"):
            if key in case.model_fields_set:
                raise InputError(
                    f"{_WRITTEN[key]}: nothing uses it; give macrospin.layer, not volume, or the table [transport]"
                )


def _check_voltage_map(case: Case, owner: str, angle: bool) -> None:
    """Refuse what a device cannot have whose torque is not proportional to its drive."""
    why = "the free layer follows the voltage (half_voltage, conductance_voltage, b2, a table, vcma or heating)"
    assert case.torque is not None
    if case.torque.source != "transport":
        raise InputError(f'{owner}: {why}; only source = "transport" does that')
    if not angle:
        raise InputError(f"{owner}: {why}, which needs magnets along one axis beside the free layer, and no field")
    if any(isinstance(t, Hysteresis) and t.sweep == "torque" for t in case.task):
        raise InputError(f"{owner}: {why}, so that no factor on a torque stands for it; sweep the field at some drives")
    if not case.largest_drive():
        raise InputError(f"{owner}: {why}; give a drive other than 0")


def _check_film(case: Case, owner: str) -> None:
    """Refuse what a field in the plane of a film does not go with, where it makes the torque."""
    t = case.transport
    assert case.torque is not None and t.in_plane_field is not None
    if case.torque.source != "transport":
        raise InputError(
            f"{owner}: what relaxes follows a current through the stack; transport.in_plane_field has none"
        )
    if not any(t.in_plane_field):
        raise InputError(f"transport.in_plane_field: found {t.in_plane_field}; {owner} needs its direction")
    for key in ("current_density", "current", "voltage"):
        if getattr(t, key) is not None:
            raise InputError(
                f"transport.{key}: with {owner} the drive is in_plane_field or {key}; give one of them, found both"
            )


def _check_device(case: Case) -> None:
    """Refuse a device that cannot act on the macrospin."""
    assert case.macrospin is not None
    if case.torque_of_device and case.torque is not None:
        owner = f'torque.source = "{case.torque.source}"'
    else:
        owner = "[macrospin.noise]" if case.macrospin.noise is not None else "[macrospin.modulus]"
    if not case.transports:
        raise InputError(f"{owner}: the table [transport] is missing")
    if case.macrospin.layer is None:
        raise InputError(f"{owner}: needs macrospin.layer, the free layer; found macrospin.volume")
    # The contacts of a mesh file are known once it is read.
    if case.multi_terminal or set(case.contact_names() or ("bottom", "top")) != {"bottom", "top"}:
        raise InputError(f'{owner}: needs a stack driven between its "bottom" and "top"')


def _check_transport_torque(case: Case, spin: Macrospin) -> None:
    """Refuse a torque from transport that the case's device cannot make."""
    assert case.macrospin is not None and case.macrospin.layer is not None and case.torque is not None
    source = case.torque.source
    owner = f'torque.source = "{source}"'
    if source != "relaxation" and case.transport.model != "vector":
        raise InputError(f'{owner}: needs transport.model = "vector", found "{case.transport.model}"')
    if case.torque.series_resistance_area and case.transport.voltage is None:
        raise InputError(
            "torque.series_resistance_area: belongs to transport.voltage; a current is held whatever the load"
        )
    if case.transport.in_plane_field is not None:
        _check_film(case, owner)
    if source != "transport":
        from .relaxation import check_relaxation

        check_relaxation(case, spin)
    if source == "relaxation":
        return
    from ...coupling.directions import film_direction, has_fixed_direction

    pumped, stack, model = case.torque.pumping, case.make_stack(), make_model(case.transport)
    film = case.transport.in_plane_field
    try:
        if film is not None:
            angle = film_direction(stack, model, case.macrospin.layer, unit(film)) is not None
        else:
            angle = has_fixed_direction(stack, model, case.macrospin.layer, pumping=pumped)
    except InputError as error:
        raise InputError(f"{owner}: {error}") from error
    if film is None and needs_voltages(case, stack, case.touching(stack)):
        _check_voltage_map(case, owner, angle)
    if not angle and any(isinstance(t, Hysteresis) and t.sweep == "torque" for t in case.task):
        raise InputError(f'{owner}: a sweep of the "torque" needs one fixed direction; sweep the field at some drives')
    if pumped and not angle and any(isinstance(t, Langevin) for t in case.task):
        raise InputError(
            f'{owner}: "langevin" follows pumped damping only where one fixed direction is distinguished; give '
            "torque.pumping = false, or leave that task out"
        )
