"""Noise and length of a case's magnet under the current: what is refused, and what is solved."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import FespinError, InputError
from ...transport.tunnelling import follows_voltage
from ..macrospin.hysteresis import Hysteresis
from ..tasks import owners_of
from .case import Case
from .tables import BANDS

if TYPE_CHECKING:
    from ...coupling.longitudinal_drive import LongitudinalDrive, LongitudinalResponse
    from ...transport import TransportProblem

_LINEAR = ("two-channel", *BANDS, "vector")


def check_longitudinal(case: Case) -> None:
    """Refuse noise and a length that the case's device cannot make.

    Raises
    ------
    InputError
        With one line that names the key.
    """
    assert case.macrospin is not None and case.macrospin.layer is not None
    noise, modulus, model = case.macrospin.noise, case.macrospin.modulus, case.transport.model
    owner = "macrospin.noise" if noise is not None else "macrospin.modulus"
    if case.make_stack()[case.macrospin.layer].direction is None:
        raise InputError(f"[{owner}]: layer '{case.macrospin.layer}' is no ferromagnet")
    if model not in _LINEAR:
        allowed = ", ".join(f'"{x}"' for x in _LINEAR)
        raise InputError(f'[{owner}]: needs a linear model; found transport.model = "{model}", not {allowed}')
    stack = case.make_stack()
    if follows_voltage(stack, case.touching(stack)):
        raise InputError(
            f"[{owner}]: a tunnel barrier here follows the voltage; the current is to be proportional to it"
        )
    if noise is not None and model not in BANDS:
        raise InputError(
            f'macrospin.noise: T_eff is of d electrons, transport.model = "three-channel" or "four-channel"; found '
            f'"{model}"'
        )
    if modulus is not None:
        if modulus.source == "s-d halves" and model not in BANDS:
            raise InputError(
                f'macrospin.modulus.source: "s-d halves" needs d electrons, transport.model = "three-channel" or '
                f'"four-channel"; found "{model}"'
            )
        if modulus.source == "absorbed" and "share" in modulus.model_fields_set:
            raise InputError('macrospin.modulus.share: belongs to source = "s-d halves"; spins that are absorbed count')
        if (modulus.relaxation_time is None) == (modulus.longitudinal is None):
            found = "neither" if modulus.longitudinal is None else "both"
            raise InputError(f"macrospin.modulus: give exactly one of relaxation_time and longitudinal; found {found}")
        try:
            modulus.time  # noqa: B018  a source without a steady answer is refused here
        except FespinError as error:
            raise InputError(f"macrospin.modulus.longitudinal: {error}") from error
    for name, task in zip(owners_of(case.task), case.task, strict=True):
        if isinstance(task, Hysteresis) and task.sweep == "torque":
            raise InputError(f"{name}.sweep: with [{owner}] the magnet follows the current; sweep the field at drives")


def longitudinal_drive(case: Case, problem: TransportProblem) -> LongitudinalDrive:
    """Solve for noise and length in the state of the case's layers, and with its magnet reversed. Collective.

    The problem ends in the state it began with.
    """
    from ...coupling.longitudinal_drive import LongitudinalDrive, longitudinal_response

    assert case.macrospin is not None and case.macrospin.layer is not None
    layer, noise, modulus = case.macrospin.layer, case.macrospin.noise, case.macrospin.modulus
    source = None if modulus is None else modulus.source

    def solve() -> LongitudinalResponse:
        return longitudinal_response(problem, layer, noise=noise is not None, source=source)

    here, turned = solve(), None
    own = problem.stack[layer].direction
    assert own is not None
    if any(x.material.ferromagnetic and x.name != layer for x in problem.stack):
        problem.magnetize({layer: tuple(-x for x in own)})
        turned = solve()
        problem.magnetize({layer: own})
    return LongitudinalDrive(
        layer,
        problem.stack[layer].thickness,
        here,
        turned,
        coefficient=None if noise is None else noise.coefficient,
        relaxation_time=None if modulus is None else modulus.time,
        share=1.0 if modulus is None else modulus.share,
        direction=own,
    )
