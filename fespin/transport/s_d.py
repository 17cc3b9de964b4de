"""Three and four channels: s electrons of both spins, and d electrons that live in magnets alone.

Wegrowe and Drouhin (2004). Unknowns are c and s of the two s channels as in the
two-channel model, and per d channel its distance from the mean, e = phi_d - c: it is
absent from normal metals, so d is insulated there, and vanishes in equilibrium. The s
channels are up and down along the common axis of the magnets; d_down is the minority
of the magnet it is in and d_up the majority.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..carriers import Bands
from ..constants import ELEMENTARY_CHARGE
from ..device import Layer, Material
from ..errors import InputError, ModelError
from ..onsager.channels import Channels
from ..onsager.declaration import Declaration, InterfaceLaw, Medium
from ..onsager.matrices import matrix_of
from ..stack import Stack, common_axis, interface_sign, sign_along
from .model import Contacts, DeviceState, Pairs, declaration_of
from .two_channel import DIFFERENCE, two_channel_law, two_channel_medium

if TYPE_CHECKING:
    from .solution import TransportSolution

THREE = Channels(
    {"up": {"c": 1.0, "s": 1.0}, "down": {"c": 1.0, "s": -1.0}, "d_down": {"c": 1.0, "e_down": 1.0}},
)
FOUR = Channels({**THREE.weights, "d_up": {"c": 1.0, "e_up": 1.0}})


@dataclass(frozen=True)
class _SD:
    """Parts that three and four channels share: s channels along the common axis, then the d channels of a magnet."""

    channels: Channels = field(init=False, repr=False)

    def declare(self, stack: Stack, contacts: Contacts, pairs: Pairs) -> Declaration:
        """Return the declaration of a device.

        Raises
        ------
        InputError
            If magnetizations are not collinear, or a ferromagnet has other bands than the model.
        ModelError
            If an interface with gamma joins magnets of opposite magnetization.
        """
        axis, channels = common_axis(stack), self.channels
        signs = {x.name: sign_along(x, axis) for x in stack}

        def medium(layer: Layer) -> Medium:
            if not layer.material.ferromagnetic:
                return two_channel_medium(layer, 1, channels)
            return band_medium(bands_of(layer.material, channels), signs[layer.name], channels)

        def law(a: str, b: str) -> InterfaceLaw | None:
            face, sign = stack.interface(a, b), interface_sign(stack, a, b, axis)
            if face is not None and not face.perfect:
                return two_channel_law(face, sign, channels)
            both = stack[a].material.ferromagnetic and stack[b].material.ferromagnetic
            # s electrons keep their spin across a domain wall of no width; d electrons are of their magnet.
            return InterfaceLaw(perfect=frozenset({"c", "s"})) if both and signs[a] != signs[b] else None

        return declaration_of(channels.fields, stack, contacts, pairs, medium, law)

    def accumulation(self, stack: Stack, layer: str) -> Mapping[str, float]:
        """Return phi_up - phi_dn of the s channels as weights over the fields."""
        return self.channels.combination(DIFFERENCE)

    def report(self, problem: DeviceState, solution: TransportSolution) -> dict[str, Any]:
        """Return lengths, d accumulation at interfaces, the two parts of R_GMR, and f_parallel."""
        stack = solution.stack
        magnets = [x for x in stack if x.material.bands is not None]
        out: dict[str, Any] = {
            "lengths": {x.material.name: band_lengths(x.material.bands) for x in magnets if x.material.bands},
            "d_accumulation": d_accumulation(problem, solution),
        }
        if solution.layer_drops:
            out["f_parallel"] = {x.name: f_parallel(problem, solution, x.name) for x in magnets}
            if solution.r_nonequilibrium is not None:
                d = d_relaxation_resistance(problem, solution)
                out["r_gmr"] = {"d_relaxation": d, "spin_flip": solution.r_nonequilibrium - d}
        return out


@dataclass(frozen=True)
class ThreeChannel(_SD):
    """s-up, s-down and d-down: the majority d band is full.

    Reactions: spin flip of s electrons (g_s), and s-down with d-down (g_sd).

    Examples
    --------
    >>> bands = fs.Bands.from_lengths(8e6, 3e6, 1e6, spin_diffusion_length=40e-9, sd_length=5e-9)
    >>> magnet = fs.Material.from_bands("Co", bands)
    >>> device = fs.Stack(fs.Layer(fs.material("Cu"), 50e-9), fs.Layer(magnet, 30e-9), library={})
    >>> problem = fs.TransportProblem(fs.line(comm, device), fs.ThreeChannel())
    >>> print(f"{problem.solve(current_density=1e11).resistance_area:.3e}")
    2.879e-15
    """

    channels: Channels = field(default=THREE, init=False, repr=False)


@dataclass(frozen=True)
class FourChannel(_SD):
    """s-up, s-down, d-down and d-up, with scattering between any s and d channel (:class:`~fespin.carriers.Bands`).

    Examples
    --------
    >>> scattering = {"spin_flip": 1e21, "sd": 4e22, "sd_up": 4e22, "sd_spin_flip": 1e21, "d_spin_flip": 1e21}
    >>> magnet = fs.Material.from_bands("Co", fs.Bands(s_up=8e6, s_down=3e6, d_down=1e6, d_up=2e6, **scattering))
    >>> device = fs.Stack(fs.Layer(fs.material("Cu"), 50e-9), fs.Layer(magnet, 30e-9), library={})
    >>> problem = fs.TransportProblem(fs.line(comm, device), fs.FourChannel())
    >>> sorted(problem.solve(current_density=1e11).channels.names)
    ['d_down', 'd_up', 'down', 'up']
    """

    channels: Channels = field(default=FOUR, init=False, repr=False)


def bands_of(material: Material, channels: Channels) -> Bands:
    """Return a ferromagnet's bands.

    Raises
    ------
    InputError
        If it has none, or not as many as the model has channels.
    """
    needed = "three" if "d_up" not in channels.names else "four"
    if material.bands is None:
        raise InputError(f"material '{material.name}': a model with {needed} channels needs its s and d conductivities")
    if len(material.bands.channels) != len(channels.names):
        found = "has d_up" if material.bands.d_up is not None else "lacks d_up"
        raise InputError(f"material '{material.name}': {found}, but the model has {needed} channels")
    return material.bands


def band_medium(bands: Bands, sign: int, channels: Channels) -> Medium:
    """Return what dissipates in a magnet; `sign` is its direction along the axis."""
    majority, minority = ("up", "down")[::sign]
    conductivity = {majority: bands.s_up, minority: bands.s_down, "d_down": bands.d_down}
    reactions = {
        "spin flip": (DIFFERENCE, bands.spin_flip),
        "s-d": ({minority: 1.0, "d_down": -1.0}, bands.sd),
    }
    if bands.d_up is not None:
        conductivity["d_up"] = bands.d_up
        reactions |= {
            "s-d majority": ({majority: 1.0, "d_up": -1.0}, bands.sd_up),
            "s-d spin flip": ({minority: 1.0, "d_up": -1.0}, bands.sd_spin_flip),
            "d spin flip": ({"d_up": 1.0, "d_down": -1.0}, bands.d_spin_flip),
        }
    storage = {}
    if bands.densities is not None:
        names = {"s_up": majority, "s_down": minority, "d_down": "d_down", "d_up": "d_up"}
        total = sum(bands.densities.values())
        for a, b in itertools.combinations(bands.densities, 2):
            # diag(c) - c c^T/sum(c), pair by pair: only differences are stored.
            capacity = ELEMENTARY_CHARGE**2 * bands.densities[a] * bands.densities[b] / total
            storage[f"capacity {a} {b}"] = ({names[a]: 1.0, names[b]: -1.0}, capacity)
    return channels.medium(conductivity, {k: r for k, r in reactions.items() if r[1]}, storage=storage)


def band_lengths(bands: Bands) -> dict[str, float]:
    """Return the lengths of three channels, or of four, as far as they exist (m).

    l_sd, lambda_s, l_sf and lambda_sd are those of the coupled equations of D1 = phi_sdn - phi_ddn and
    Ds = phi_sup - phi_sdn; Lambda are the decay lengths, from the longest: of three channels
    Lambda_minus and Lambda_plus, which has the larger inverse.

    Examples
    --------
    >>> bands = fs.Bands.from_lengths(8e6, 3e6, 1e6, spin_diffusion_length=40e-9, sd_length=5e-9)
    >>> lengths = fs.band_lengths(bands)
    >>> print(*(f"{name} {lengths[name]:.3e}" for name in ("l_sf", "l_sd", "Lambda_minus", "Lambda_plus")))
    l_sf 4.000e-08 l_sd 5.000e-09 Lambda_minus 4.429e-08 Lambda_plus 4.993e-09
    """
    lengths = {
        "l_sd": bands.sd * (1 / bands.s_down + 1 / bands.d_down),
        "lambda_s": bands.spin_flip / bands.s_down,
        "l_sf": bands.spin_flip * (1 / bands.s_up + 1 / bands.s_down),
        "lambda_sd": bands.sd / bands.s_down,
    }
    out = {k: x**-0.5 for k, x in lengths.items() if x > 0}
    channels = THREE if bands.d_up is None else FOUR
    medium = band_medium(bands, 1, channels)
    k, r = (matrix_of(m, channels.fields) for m in (medium.conduction, medium.reactions))
    decay = np.sort(np.linalg.eigvals(np.linalg.solve(k, r)).real)
    decay = decay[decay > 1e-12 * decay[-1]]
    names = ["Lambda_minus", "Lambda_plus"] if bands.d_up is None else ["Lambda_1", "Lambda_2", "Lambda_3"]
    return out | {name: float(x**-0.5) for name, x in zip(names, decay, strict=False)}


# ---- what only these models report
def _affinities(layer: Layer, stack: Stack, channels: Channels) -> dict[str, dict[str, float]]:
    """Return per d channel how far the s channel of its spin lies above it, as weights over the fields."""
    majority, minority = ("up", "down")[:: sign_along(layer, common_axis(stack))]
    partners = {"d_down": minority, "d_up": majority}
    return {d: channels.combination({s: 1.0, d: -1.0}) for d, s in partners.items() if d in channels.names}


def d_accumulation(problem: DeviceState, solution: TransportSolution) -> dict[str, dict[str, list[float | None]]]:
    """Return phi_s - phi_d (V) of each d channel on both sides of every interface with a magnet. Collective.

    Means over the interface; None on the side of a normal metal.
    """
    channels, stack = solution.channels, solution.stack
    out: dict[str, dict[str, list[float | None]]] = {}
    for pair in problem.domain.interfaces:
        per_side = [_affinities(stack[r], stack, channels) if stack[r].material.bands is not None else {} for r in pair]
        names = dict.fromkeys(d for side in per_side for d in side)
        if names:
            out["|".join(pair)] = {
                d: [problem.face_mean(solution, pair, i, w[d]) if d in w else None for i, w in enumerate(per_side)]
                for d in names
            }
    return out


def d_relaxation_resistance(problem: DeviceState, solution: TransportSolution) -> float:
    """Return the part of A R_ne that is due to the relaxation of d electrons (ohm m2). Collective.

    The conductivity-weighted potential of a magnet lies sigma_d (phi_s - phi_d)/sigma_t below that of its s
    channels; where d is insulated, this step is in the resistance. Summed over all faces of the magnets.
    """
    stack, channels = solution.stack, solution.channels
    total = 0.0
    for layer in stack:
        bands = layer.material.bands
        if bands is None:
            continue
        share = {d: getattr(bands, d) / bands.conductivity for d in channels.names if d.startswith("d_")}
        weights: dict[str, float] = {}
        for d, w in _affinities(layer, stack, channels).items():
            for f, x in w.items():
                weights[f] = weights.get(f, 0.0) + share[d] * x
        for pair in problem.domain.interfaces:
            if layer.name in pair:
                side = pair.index(layer.name)
                total += (1 if side else -1) * problem.face_mean(solution, pair, side, weights)
        for contact, sign in (("bottom", 1), ("top", -1)):
            kind, touched = problem.contacts[contact]
            if touched == layer.name and kind.spin == "blocked":
                total += sign * problem.end_mean(solution, contact, weights)
    return total / solution.current_density


def f_parallel(problem: DeviceState, solution: TransportSolution, layer: str, share: float = 1.0) -> float:
    """Return f_parallel of a magnet per elementary charge: (1/L) times an integral of J_sdn - J_ddn (A/m2). Collective.

    Over the lower half less over the upper half, along the axis of the device (Wegrowe and Drouhin 2004, Eq. 22).
    The current along the axis and the order of the halves change sign together, so that it is a number of the device,
    the same whichever way up it is described. It is odd in the current, and zero if both interfaces are the same.

    Parameters
    ----------
    share
        g_d/g: the share of the magnetization that the d electrons carry.

    Raises
    ------
    ModelError
        If the layer has no d channels.
    """
    stack, channels = solution.stack, solution.channels
    bands = stack[layer].material.bands
    if bands is None:
        raise ModelError(f"layer '{layer}' has no d channels")
    minority = ("up", "down")[sign_along(stack[layer], common_axis(stack)) > 0]
    low, high = problem.domain.region_extent(layer)
    weights = channels.combination({minority: bands.s_down, "d_down": -bands.d_down})
    # J = -sigma grad phi: its integrals are differences of potentials.
    below, middle, above = problem.on_axis(solution, layer, np.array([low, (low + high) / 2, high]), weights)
    return float(share * ((below - middle) - (middle - above)) / (high - low))
