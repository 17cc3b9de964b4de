"""Non-collinear magnets: the charge potential and the spin vector, as a declaration.

Unknowns are c and s = (sx, sy, sz) (V). Along the magnetization m of a layer the
channels are phi_up,dn = c +- m.s as in the two-channel model; spins across it diffuse
with their own conductivity, are dephased, and precess in the exchange field. Each of
these is a sum of squares of components of m x s, and precession, which dissipates
nothing, is antisymmetric. In normal metals with a spin Hall angle a current drives spins
across it, and spins a current. Interfaces have a conductance for each spin along m and a
mixing conductance for the spins across it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..constants import BOHR_MAGNETON, ELEMENTARY_CHARGE, HBAR
from ..device import Layer
from ..errors import InputError, ModelError, nearest
from ..onsager.channels import Channels
from ..onsager.declaration import (
    ANY_DIRECTION,
    Declaration,
    Direction,
    InterfaceLaw,
    Mechanism,
    Medium,
    Reversible,
    Varying,
)
from ..onsager.matrices import uniaxial
from ..quantities import is_finite
from ..stack import Stack
from .model import Contacts, DeviceState, Pairs, declaration_of
from .spins import (
    SPIN,
    along,
    given_to_magnet,
    isotropic,
    jump,
    memory_loss,
    side_turns,
    spin_hall,
    squares,
    storage_of,
    turns,
)
from .tunnelling import barrier_law, check_directions

if TYPE_CHECKING:
    from .solution import TransportSolution

CHANNELS = Channels({"charge": {"c": 1.0}, "x": {"sx": 1.0}, "y": {"sy": 1.0}, "z": {"sz": 1.0}})
TRANSVERSE = ("absorbed", "resolved")


@dataclass(frozen=True)
class Vector:
    """The vector model.

    Attributes
    ----------
    transverse
        "absorbed": spins across the magnetization end at the interface, which takes them with its mixing
        conductance; "resolved": they enter the magnet and decay there, with its dephasing and precession
        lengths.
    field
        B (T) in which spins precess in normal metals (Hanle effect); these need a density of states.

    Raises
    ------
    InputError
        If `transverse` is unknown or the field is not three finite numbers.

    Examples
    --------
    >>> problem = fs.TransportProblem(fs.line(comm, stack), fs.Vector("absorbed"))
    >>> problem.magnetize({"free": (1, 0, 0)})
    >>> torque = problem.solve(current_density=1e11).report["torque"]["free"]
    >>> print(f"{np.linalg.norm(torque):.3e}")
    1.273e-05
    """

    transverse: str = "absorbed"
    field: Sequence[float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if self.transverse not in TRANSVERSE:
            raise InputError(f"transverse is '{self.transverse}'; {nearest(self.transverse, TRANSVERSE)}")
        try:
            field: tuple[float, ...] = tuple(self.field)
        except TypeError:
            field = ()
        if len(field) != 3 or not all(map(is_finite, field)):
            raise InputError(f"field is {self.field!r}; it must be three finite numbers (T)")
        object.__setattr__(self, "field", tuple(map(float, field)))

    @property
    def channels(self) -> Channels:
        """The charge potential and the components of s."""
        return CHANNELS

    def declare(self, stack: Stack, contacts: Contacts, pairs: Pairs) -> Declaration:
        """Return the declaration of a device.

        Raises
        ------
        InputError
            If a length or a conductance that the model needs is missing.
        ModelError
            If an interface with gamma joins magnets that are not parallel.
        """
        for contact, layer in contacts.values():
            if contact.spin == "lead" and stack[layer].texture is not None:
                raise InputError(f"layer '{layer}': its magnetization varies; a lead continues a uniform layer")
        made = declaration_of(
            CHANNELS.fields, stack, contacts, pairs, self._medium, lambda a, b: self._law(stack, a, b)
        )
        return replace(made, varying={x.name: self._varying(stack, x, pairs) for x in stack if x.texture})

    def _varying(self, stack: Stack, layer: Layer, pairs: Pairs) -> Varying:
        """Return a magnet whose magnetization varies, with those of its interfaces that feel it."""
        assert layer.texture is not None

        def law_at(a: str, b: str) -> Callable[[Direction], InterfaceLaw]:
            def law(u: Direction) -> InterfaceLaw:
                found = self._law(stack.magnetized({layer.name: u}), a, b)
                assert found is not None
                return found

            return law

        laws = {}
        for a, b in pairs:
            other = b if a == layer.name else a
            face = stack.interface(a, b)
            # Between magnets that need not be parallel an interface treats all spins alike.
            if layer.name in (a, b) and not stack[other].material.ferromagnetic and not (face is None or face.perfect):
                laws[a, b] = law_at(a, b)
        return Varying(layer.texture, lambda u: self.magnet(layer, u), laws)

    # ---- inside a layer
    def _medium(self, layer: Layer) -> Medium:
        if not layer.material.ferromagnetic:
            return self._normal(layer)
        # Where it varies, the medium of any one direction stands for all.
        return self.magnet(layer, layer.direction or ANY_DIRECTION)

    def magnet(self, layer: Layer, u: Direction) -> Medium:
        """Return the medium of a magnet for a direction of its magnetization."""
        m, sigma = layer.material, 1 / layer.material.resistivity
        beta = m.beta or 0.0
        across = sigma if m.transverse_conductivity is None else m.transverse_conductivity
        plain = (
            Mechanism("up", (1 + beta) * sigma / 2, {"c": 1.0, **along(u)}),
            Mechanism("down", (1 - beta) * sigma / 2, {"c": 1.0, **along(u, -1.0)}),
            *squares("transverse", across, u),
        )
        # Anisotropic magnetoresistance: every flux, of charge and of spins, is larger along m or across it.
        parallel, perpendicular = m.conduction_anisotropy
        conduction = tuple(
            part
            for x in plain
            for part in uniaxial(x.name, perpendicular * x.coefficient, parallel * x.coefficient, u, x.weights)
        )
        flip = Mechanism("spin flip", sigma * (1 - beta**2) / m.spin_diffusion_length**2, along(u))
        dephasing = m.dephasing_length
        turn: tuple[Reversible[str], ...] = ()
        if self.transverse == "resolved":
            if dephasing is None and m.precession_length is None:
                raise InputError(
                    f"material '{m.name}': transverse spins are resolved; give its dephasing_length, precession_length "
                    "or both"
                )
            if m.precession_length is not None:
                turn = given_to_magnet(turns("precession", -across / m.precession_length**2, u))
        # What is absorbed at the interfaces leaves nothing inside, however fast it would decay: no torque there.
        decay = dephasing or (m.spin_diffusion_length if self.transverse == "absorbed" else None)
        lost = squares("dephasing", across / decay**2, u) if decay else ()
        if self.transverse == "resolved":
            lost = given_to_magnet(lost)
        return Medium(conduction, (flip, *lost), storage_of(layer), turn)

    def _normal(self, layer: Layer) -> Medium:
        m, sigma = layer.material, 1 / layer.material.resistivity
        conduction = (Mechanism("charge", sigma, {"c": 1.0}), *(Mechanism("spin", sigma, {k: 1.0}) for k in SPIN))
        crossed = spin_hall(m.spin_hall_angle * sigma)
        rate = sigma / m.spin_diffusion_length**2
        reactions = tuple(Mechanism("spin flip", rate, {k: 1.0}) for k in SPIN)
        turn: tuple[Reversible[str], ...] = ()
        if any(self.field):
            if m.density_of_states is None:
                raise InputError(
                    f"material '{m.name}': precession in a field needs its density_of_states or diffusion_constant"
                )
            per_tesla = ELEMENTARY_CHARGE**2 * m.density_of_states * m.g_factor * BOHR_MAGNETON / HBAR
            turn = turns("Hanle", -per_tesla, self.field)
        return Medium(conduction, reactions, storage_of(layer), turn, crossed)

    # ---- between layers
    def _law(self, stack: Stack, a: str, b: str) -> InterfaceLaw | None:
        face, law = stack.interface(a, b), self._passage(stack, a, b)
        if law is None or face is None or not any(face.losses):
            return law
        lost: list[Mechanism[tuple[int, str]]] = []
        for side, (name, loss) in enumerate(zip((a, b), face.losses, strict=True)):
            u = None
            if self.transverse == "absorbed" and stack[name].material.ferromagnetic:
                # A magnet that absorbs the others at its face has spins along its magnetization only.
                u = stack[name].direction or ANY_DIRECTION
            lost += memory_loss(side, loss, u)
        return replace(law, mechanisms=(*law.mechanisms, *lost))

    def _passage(self, stack: Stack, a: str, b: str) -> InterfaceLaw | None:
        """Return the law of what passes an interface, without what is lost right at it."""
        face = stack.interface(a, b)
        if face is not None and face.tunnel is not None:
            return barrier_law(face.tunnel, *check_directions(stack, (a, b)), absorbed=self.transverse == "absorbed")
        magnets = [i for i, n in enumerate((a, b)) if stack[n].material.ferromagnetic]
        where = f"interface '{a}|{b}'"
        directions = [stack[(a, b)[i]].direction for i in magnets]
        uniform = [d for d in directions if d is not None]
        parallel = len(magnets) < 2 or (len(uniform) == 2 and float(np.dot(*np.array(uniform))) > 1 - 1e-12)
        if face is None or face.perfect:
            if self.transverse == "absorbed" and len(magnets) == 1:
                raise InputError(
                    f"{where}: a magnet that absorbs transverse spins needs the interface's conductances and "
                    'mixing_conductance; or choose transverse = "resolved"'
                )
            if self.transverse == "absorbed" and not parallel:
                raise InputError(f'{where}: these magnets touch and are not parallel; choose transverse = "resolved"')
            return None
        if not magnets or (not parallel and not face.gamma):
            return isotropic(face)
        if not parallel:
            raise ModelError(
                f"{where} has gamma = {face.gamma} between magnets that are not parallel, "
                "where majority and minority are not defined; use gamma = 0 or a spacer"
            )
        u = uniform[0] if uniform else ANY_DIRECTION
        up, down = face.conductances
        mechanisms = [
            jump("interface up", up, {"c": 1.0, **along(u)}),
            jump("interface down", down, {"c": 1.0, **along(u, -1.0)}),
        ]
        mix = face.mixing_conductance
        if self.transverse == "resolved" or len(magnets) == 2:
            # Transverse spins pass, as those along m do, with the mean of both spins if nothing else is known.
            g = complex((up + down) / 2 if mix is None else mix)
            mechanisms += [jump(m.name, m.coefficient, m.weights) for m in squares("interface mixing", 2 * g.real, u)]
            turn = [t for a0, b0, sign in ((0, 0, 1), (1, 1, 1), (0, 1, -1), (1, 0, -1))
                    for t in side_turns("interface mixing", 2 * g.imag * sign, u, a0, b0)]  # fmt: skip
            return InterfaceLaw(tuple(mechanisms), reversible=tuple(turn))
        if mix is None:
            raise InputError(f"{where}: the vector model needs its mixing_conductance (S/m2)")
        g, normal = complex(mix), 1 - magnets[0]
        mechanisms += [
            replace(m, weights={(normal, k): w for k, w in m.weights.items()})
            for m in given_to_magnet(squares("interface mixing", 2 * g.real, u))
        ]
        couplings = given_to_magnet(side_turns("interface mixing", 2 * g.imag, u, normal, normal))
        return InterfaceLaw(tuple(mechanisms), reversible=couplings)

    # ---- reports
    def accumulation(self, stack: Stack, layer: str) -> Mapping[str, float]:
        """Return phi_up - phi_dn along the layer's magnetization; in a normal metal along the first magnet's."""
        own = stack[layer].direction
        if own is None:
            own = next((d for d in (x.direction for x in stack) if d is not None), (0.0, 0.0, 1.0))
        return along(own, 2.0)

    def report(self, problem: DeviceState, solution: TransportSolution) -> dict[str, Any]:
        """Return the torque on every magnet (J/m2), and the spin accumulation 2 s (V) at interfaces as vectors."""
        from .barriers import report as report_barriers
        from .torque import spin_torque

        magnets = [x.name for x in solution.stack if x.material.ferromagnetic]
        means, at = problem.means(solution.fields), [problem.system.fields.index(k) for k in SPIN]
        return {
            "torque": {n: spin_torque(problem, solution.fields, n).tolist() for n in magnets},
            "spin_accumulation": {"|".join(p): (2 * means[p][:, at]).tolist() for p in problem.domain.interfaces},
            **report_barriers(problem, solution.fields),
        }
