"""Linear response of M and m to what alternates at the boundary, and to an alternating field."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Frequency, FrequencyOrZero
from ..tasks import Outlet, Results, Task, check_increasing
from .tables import LongitudinalTable, per_extent

if TYPE_CHECKING:
    from ...longitudinal import Response as Solution
    from .shared import Array, Shared


class Response(Task):
    """Impedances, wavenumbers and dissipation at one frequency or several."""

    exactly_one = (("frequency", "frequencies"),)
    rules = ({"dependentRequired": {"samples": ["frequencies"]}},)
    units: ClassVar[Mapping[str, str]] = {
        "wavenumber": "1/m",
        "fitted_wavenumber": "1/m",
        "power_balance": "1",
    }
    kind: Literal["response"] = Field(description="response to what drives the boundary, at frequencies")
    frequency: FrequencyOrZero | None = Field(None, description="0 is steady (Hz)")
    frequencies: Annotated[list[Frequency], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[from, to], evenly in the logarithm; instead of frequency (Hz)"
    )
    samples: Annotated[int, Field(ge=2, le=10000)] = Field(25, description="how many frequencies of the range (1)")

    def unused(self) -> set[str]:
        """Return the keys that nothing uses beside those that are given."""
        return set() if self.frequencies is not None else {"samples"}

    def check(self, owner: str, about: LongitudinalTable) -> None:
        """Refuse frequencies that are not there or given twice, and a boundary that does not drive."""
        super().check(owner, about)
        if (self.frequency is None) == (self.frequencies is None):
            found = "neither" if self.frequency is None else "both"
            raise InputError(f"{owner}: give exactly one of frequency and frequencies = [from, to] (Hz); found {found}")
        if "samples" in self.model_fields_set and self.frequencies is None:
            raise InputError(f"{owner}.samples: belongs to frequencies; found with frequency")
        if self.frequencies is not None:
            check_increasing(owner, "frequencies", self.frequencies, "Hz")
        if not about.driven:
            raise InputError(
                f"{owner}: nothing drives it; give a [longitudinal.boundary.NAME] a flux, an accumulation or a "
                "current_density other than 0, or a [longitudinal.field]"
            )
        held = any(b.flux is None for b in about.boundary.values())
        if self.frequency == 0 and not held and about.tau_ML is None and about.tau_mL is None:
            raise InputError(
                f"{owner}.frequency: found 0, and nothing takes up a steady injection; give tau_ML, tau_mL or a "
                "boundary with an accumulation or a metal"
            )

    @classmethod
    def units_of(cls, results: Results, summary: Results) -> Mapping[str, str]:
        """Return the units: those of powers and fluxes depend on the dimension of the body."""
        lack = 3 - summary["longitudinal"]["dimension"]
        power = f"W/{per_extent(lack)}" if lack else "W"
        whole = summary["longitudinal"]["dimension"]
        own = {
            "impedance": f"s/{per_extent(whole)}",
            "dissipation": power,
            "work": power,
            "inward_flux": "A/s" if whole == 1 else f"A {per_extent(whole - 1)}/s",
            "mean_accumulation": "A/m",
            "field_work": power,
            "susceptibility": "1",
            "susceptibility_closed_form": "1",
            "spin_current": "A/m2",
            "outside": "V",
            "inside": "V",
            "spin_resistance": "ohm m2",
        }
        return {**cls.units, **own}

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve at every frequency, write and draw."""
        from ... import output
        from ...longitudinal import Response as Solution
        from ...longitudinal import State, respond
        from ...plotting.longitudinal import plot_spectrum
        from ...plotting.palette import prefixed
        from ...progress import ProgressBar
        from .shared import draw_space, write_fields

        if self.frequencies is not None:
            low, high = self.frequencies
            frequencies = [float(x) for x in np.geomspace(low, high, self.samples)]
        else:
            assert self.frequency is not None
            frequencies = [self.frequency]
        g, bar, responses = shared.problem.magnet, ProgressBar(shared.problem.comm, len(frequencies)), list[Solution]()
        for i, f in enumerate(frequencies, 1):
            responses.append(respond(shared.problem, f, shared.conditions, shared.field()))
            bar.at(i / len(frequencies), f"response at {f:.4g} Hz")
        bar.clear()
        driven = [k for k, b in shared.table.boundary.items() if b.drives]
        impedances = {part: np.array([r.impedance(part) for r in responses]) for part in driven}
        fits = [_fitted(shared, r) for r in responses]
        k = np.array([complex(g.wavenumber(2 * math.pi * f)) for f in frequencies])
        kept = [x for x in fits if x is not None]
        fitted = np.array(kept) if kept else None
        if float(np.abs(k).max()) * shared.body.size > 0.7 * shared.problem.space.element.basix_element.degree:
            size, largest = shared.body.size, np.abs(k).max()
            out.say(f"note: task {name}: cells of {size:.3g} m are coarse for waves of |k| = {largest:.3g} 1/m")
        columns: dict[str, Any] = {"frequency_Hz": frequencies, **_parts("wavenumber", "1_per_m", k)}
        if fitted is not None:
            columns |= _parts("fitted_wavenumber", "1_per_m", fitted)
        for part, z in impedances.items():
            columns |= _parts(f"impedance_{part}", "A_per_m_per_flux", z)
        applied = shared.table.field is not None
        chi = np.array([r.susceptibility for r in responses], dtype=complex) if applied else None
        exact = _closed_form(shared, frequencies)
        if chi is not None:
            columns |= _parts("susceptibility", "1", chi)
        contacts = {part: [r.contacts[part] for r in responses] for part in responses[0].contacts}
        for part, states in contacts.items():
            columns |= _parts(f"spin_current_{part}", "A_per_m2", np.array([x.spin_current for x in states]))
            columns |= _parts(f"accumulation_outside_{part}", "V", np.array([x.outside for x in states]))
        heat = {k: [r.dissipation[k] for r in responses] for k in responses[0].dissipation}
        columns |= {f"dissipation_{k.replace(' ', '_')}_W": v for k, v in heat.items()}
        output.write_csv(shared.problem.comm, out.path / f"response.{name}.csv", columns)
        last = responses[-1]
        parts = [State(f(last.M).copy(), f(last.m).copy()) for f in (np.real, np.imag)]
        labels = ("real", "imag")
        write_fields(shared, out.path / f"fields.{name}.bp", [0.0], [dict(zip(labels, parts, strict=True))])
        if len(responses) > 1:
            if shared.problem.comm.rank == 0:
                title = shared.heading(name)
                out.picture(
                    f"response.{name}.png", lambda f: plot_spectrum(f, g, responses, impedances, fitted, exact, title)
                )
        else:
            moments = [("in phase", parts[0]), ("quarter period earlier", parts[1])]
            unit, of = prefixed(frequencies[0] or 1.0, "Hz")
            heading = ", ".join(x for x in (shared.heading(name), f"{frequencies[0] / unit:.4g} {of}") if x)
            draw_space(shared, f"response.{name}.png", moments, out, heading)
        return {
            "frequencies": frequencies,
            "impedance": {part: _pairs(z) for part, z in impedances.items()},
            "wavenumber": _pairs(k),
            "fitted_wavenumber": None if fitted is None else _pairs(fitted),
            "dissipation": heat,
            "work": [r.work for r in responses],
            "power_balance": max(abs(r.balance) for r in responses),
            "field_work": [r.field_work for r in responses],
            "susceptibility": None if chi is None else _pairs(chi),
            "susceptibility_closed_form": None if exact is None else _pairs(exact),
            "contacts": {
                part: {
                    key: _pairs([getattr(x, key) for x in states])
                    for key in ("spin_current", "outside", "inside", "spin_resistance")
                }
                for part, states in contacts.items()
            },
            "inward_flux": {part: _pairs([r.inward[part] for r in responses]) for part in shared.conditions},
            "mean_accumulation": {
                part: _pairs([r.mean_accumulation[part] for r in responses]) for part in shared.conditions
            },
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the impedances and the susceptibility at the first frequency."""
        dimension = summary["longitudinal"]["dimension"]
        power = "" if dimension == 1 else str(dimension)
        z = ", ".join(
            f"{k}: {v[0][0]:.5g} {'+' if v[0][1] >= 0 else '-'} {abs(v[0][1]):.5g}i s/m{power}"
            for k, v in results["impedance"].items()
        )
        chi = results["susceptibility"]
        follows = "" if chi is None else f", chi {chi[0][0]:.5g} {'+' if chi[0][1] >= 0 else '-'} {abs(chi[0][1]):.5g}i"
        return (
            f"at {results['frequencies'][0]:.4g} Hz, impedance {z or 'none'}{follows}; "
            f"power balance {results['power_balance']:.1e}"
        )


def _fitted(p: Shared, found: Solution) -> complex | None:
    """Return k of the response in a line, from points between which its phase or size changes; None elsewhere."""
    from ...longitudinal import fitted_wavenumber

    if p.table.geometry.shape != "line" or p.body.cells < 8 or p.table.field is not None:
        return None
    k = abs(complex(p.problem.magnet.wavenumber(2 * math.pi * found.frequency)))
    cells, cell = p.body.cells, p.body.size
    apart = min(max(1, round(0.5 / (k * cell))), cells // 4) if k else cells // 4
    # Beyond some lengths of decay nothing is left to fit.
    count = max(1, min(cells // apart - 1, 30, math.floor(8 / (k * cell * apart)) if k else 30))
    left = p.table.boundary.get("left")
    driven = left is not None and left.drives
    # From the end where the wave is large.
    start = 0.0 if driven else (cells - (count + 1) * apart) * cell
    return fitted_wavenumber(p.problem, found, start, apart * cell, count)


def _closed_form(p: Shared, frequencies: Sequence[float]) -> Array | None:
    """Return chi of a closed body in a uniform field, or of a closed line in a wave that fits it; None elsewhere."""
    table, field = p.table, p.table.field
    if field is None or table.boundary or field.shape not in ("uniform", "wave"):
        return None
    k = field.wavenumber or 0.0
    if k:
        halves = k * table.geometry.extents[0] / math.pi if table.geometry.shape == "line" else 0.5
        if abs(halves - round(halves)) > 1e-9 * halves:
            return None
    return np.asarray(p.problem.magnet.field_susceptibility(2 * np.pi * np.asarray(frequencies), k))


def _parts(name: str, unit: str, values: Array) -> dict[str, Any]:
    return {f"{name}_real_{unit}": values.real, f"{name}_imag_{unit}": values.imag}


def _pairs(values: Sequence[complex] | Array) -> list[list[float]]:
    return [[float(z.real), float(z.imag)] for z in values]
