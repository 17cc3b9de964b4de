"""Weak forms of heat and two spin channels without linearization, and their powers.

The equations are those of :mod:`fespin.transport.hot`. UFL differentiates the residual for
Newton's method; coefficients are data per cell, so that nothing is compiled for a device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import ufl
from dolfinx import fem

from ..onsager.kernels import CompiledForms
from .thermoelectric import SCALE

# Per layer: what the coefficients are made of.
DATA = ("up", "down", "flip", "seebeck_up", "seebeck_down", "kappa", "rho_slope", "seebeck_slope", "kappa_slope", "wf")
TESTS = ("c", "s", "h")
_SIDES = ("+", "-")


@dataclass(frozen=True)
class _Local:
    """Potentials, coefficients and fluxes at a point, as UFL expressions."""

    temperature: Any
    potentials: tuple[Any, Any]
    sigma: tuple[Any, Any]
    flip: Any
    kappa: Any
    gradients: tuple[Any, Any]
    currents: tuple[Any, Any]
    heat: Any

    @property
    def production(self) -> Any:
        """Heat per volume and time."""
        joule = sum(-ufl.inner(j, g) for j, g in zip(self.currents, self.gradients, strict=True))
        return joule + self.flip * (self.potentials[0] - self.potentials[1]) ** 2


class HotForms(CompiledForms):
    """Residual, derivative and powers, compiled once per mesh and element. The constructor is collective.

    Parameters
    ----------
    space
        The unbroken scalar Lagrange space whose element all fields share.
    reference
        T0 (K).
    """

    def __init__(self, space: fem.FunctionSpace, reference: float) -> None:
        mesh = space.mesh
        self.reference = fem.Constant(mesh, reference)
        self.cellwise = fem.functionspace(mesh, ("DG", 0))
        self.data = {k: fem.Function(self.cellwise, name=k) for k in DATA}
        self.w = tuple(fem.Function(space, name=f) for f in TESTS)
        # Of the interface: G_up, G_down, K; of the contact: Y of s.
        self.face, self.lead = fem.Constant(mesh, np.zeros(3)), fem.Constant(mesh, 0.0)
        v, u, q = ufl.TestFunction(space), ufl.TrialFunction(space), ufl.TestFunction(self.cellwise)
        dx, dS, ds = ufl.dx(0), ufl.dS(0), ufl.ds(0)
        x = self._local()
        total, difference = x.currents[0] + x.currents[1], x.currents[0] - x.currents[1]
        imbalance = x.potentials[0] - x.potentials[1]
        per_kelvin = SCALE * self.reference  # the flux conjugate to h is Q/(T0 a)
        cells = {
            "c": -ufl.inner(total, ufl.grad(v)),
            "s": -ufl.inner(difference, ufl.grad(v)) + 2 * x.flip * imbalance * v,
            "h": (-ufl.inner(x.heat, ufl.grad(v)) - x.production * v) / per_kelvin,
        }
        drops = self._drops()
        through = [self.face[i] * drops[i] for i in (0, 1)]
        joule = through[0] * drops[0] + through[1] * drops[1]
        jump, both = v("+") - v("-"), v("+") + v("-")
        faces = {
            "c": (through[0] + through[1]) * jump,
            "s": (through[0] - through[1]) * jump,
            "h": (self.face[2] * drops[2] * jump - 0.5 * joule * both) / per_kelvin,
        }
        lead = self.lead / self._stretch() * self.w[1]
        residual = {k: cells[k] * dx + faces[k] * dS for k in TESTS}
        residual["s"] += lead * v * ds
        forms = {f"residual {k}": f for k, f in residual.items()}
        for k, f in residual.items():
            for name, w in zip(TESTS, self.w, strict=True):
                # Expanded here, so that functions which drop out are none of the form's coefficients.
                forms[f"jacobian {k} {name}"] = ufl.algorithms.expand_derivatives(ufl.derivative(f, w, u))
        forms |= {f"cell {k}": e * q * dx for k, e in self._powers(x).items()}
        forms |= {f"face {k}": e * dS for k, e in self._face_powers(through, drops).items()}
        forms["end lead"] = lead * self.w[1] * ds
        super().__init__(mesh, forms)

    def _stretch(self) -> Any:
        """rho(T)/rho(T0)."""
        return 1 + self.data["rho_slope"] * self.w[2] / SCALE

    def _local(self) -> _Local:
        c, s, h = self.w
        d, above = self.data, h / SCALE
        t = self.reference + above
        stretch = self._stretch()
        sigma = (d["up"] / stretch, d["down"] / stretch)
        turn = 1 + d["seebeck_slope"] * above
        seebeck = (d["seebeck_up"] * turn, d["seebeck_down"] * turn)
        own, wiedemann_franz = 1 + d["kappa_slope"] * above, t / self.reference / stretch
        kappa = d["kappa"] * ((1 - d["wf"]) * own + d["wf"] * wiedemann_franz)
        potentials = (c + s, c - s)
        gradients = (ufl.grad(c) + ufl.grad(s), ufl.grad(c) - ufl.grad(s))
        slope = ufl.grad(h) / SCALE
        forces = tuple(g + e * slope for g, e in zip(gradients, seebeck, strict=True))
        currents = (-sigma[0] * forces[0], -sigma[1] * forces[1])
        heat = -kappa * slope + t * (seebeck[0] * currents[0] + seebeck[1] * currents[1])
        return _Local(t, potentials, sigma, d["flip"] / stretch, kappa, gradients, currents, heat)

    def _drops(self) -> tuple[Any, Any, Any]:
        """Return the steps of phi_up, phi_down and T from side 0 to side 1."""
        c, s, h = (w("+") - w("-") for w in self.w)
        return c + s, c - s, h / SCALE

    def _powers(self, x: _Local) -> dict[str, Any]:
        """Electrical work and entropy production per volume, by mechanism."""
        out: dict[str, Any] = {}
        for k, j, g, sigma in zip(("up", "down"), x.currents, x.gradients, x.sigma, strict=True):
            out[f"work {k}"] = -ufl.inner(j, g)
            out[f"entropy {k}"] = ufl.inner(j, j) / (sigma * x.temperature)
        flip = x.flip * (x.potentials[0] - x.potentials[1]) ** 2
        slope = ufl.grad(self.w[2]) / SCALE
        return out | {
            "work spin flip": flip,
            "entropy spin flip": flip / x.temperature,
            "entropy heat conduction": x.kappa * ufl.inner(slope, slope) / x.temperature**2,
        }

    def _face_powers(self, through: Sequence[Any], drops: Sequence[Any]) -> dict[str, Any]:
        below, above = (self.reference + self.w[2](s) / SCALE for s in _SIDES)
        out: dict[str, Any] = {}
        for k, j, drop in zip(("interface up", "interface down"), through, drops, strict=False):
            out[f"work {k}"] = j * drop
            # Half of the heat is released on either side.
            out[f"entropy {k}"] = 0.5 * j * drop * (1 / below + 1 / above)
        return out | {"entropy interface heat conduction": self.face[2] * drops[2] ** 2 / (below * above)}
