"""Linear response of M and m to alternating fluxes and accumulations at the boundary."""

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
        if not any(b.flux or b.accumulation for b in about.boundary.values()):
            raise InputError(
                f"{owner}: nothing drives it; give a [longitudinal.boundary.NAME] a flux or an accumulation other "
                "than 0"
            )
        held = any(b.accumulation is not None for b in about.boundary.values())
        if self.frequency == 0 and not held and about.tau_ML is None and about.tau_mL is None:
            raise InputError(
                f"{owner}.frequency: found 0, and nothing takes up a steady injection; give tau_ML, tau_mL or a "
                "boundary with an accumulation"
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
            responses.append(respond(shared.problem, f, shared.conditions))
            bar.at(i / len(frequencies), f"response at {f:.4g} Hz")
        bar.clear()
        driven = [k for k, b in shared.table.boundary.items() if b.flux or b.accumulation]
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
                out.picture(f"response.{name}.png", lambda f: plot_spectrum(f, g, responses, impedances, fitted, title))
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
            "inward_flux": {part: _pairs([r.inward[part] for r in responses]) for part in shared.conditions},
            "mean_accumulation": {
                part: _pairs([r.mean_accumulation[part] for r in responses]) for part in shared.conditions
            },
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the impedances at the first frequency."""
        dimension = summary["longitudinal"]["dimension"]
        power = "" if dimension == 1 else str(dimension)
        z = ", ".join(
            f"{k}: {v[0][0]:.5g} {'+' if v[0][1] >= 0 else '-'} {abs(v[0][1]):.5g}i s/m{power}"
            for k, v in results["impedance"].items()
        )
        return (
            f"at {results['frequencies'][0]:.4g} Hz, impedance {z or 'none'}; "
            f"power balance {results['power_balance']:.1e}"
        )


def _fitted(p: Shared, found: Solution) -> complex | None:
    """Return k of the response in a line, from points between which its phase or size changes; None elsewhere."""
    from ...longitudinal import fitted_wavenumber

    if p.table.geometry.shape != "line" or p.body.cells < 8:
        return None
    k = abs(complex(p.problem.magnet.wavenumber(2 * math.pi * found.frequency)))
    cells, cell = p.body.cells, p.body.size
    apart = min(max(1, round(0.5 / (k * cell))), cells // 4) if k else cells // 4
    # Beyond some lengths of decay nothing is left to fit.
    count = max(1, min(cells // apart - 1, 30, math.floor(8 / (k * cell * apart)) if k else 30))
    left = p.table.boundary.get("left")
    driven = left is not None and bool(left.flux or left.accumulation)
    # From the end where the wave is large.
    start = 0.0 if driven else (cells - (count + 1) * apart) * cell
    return fitted_wavenumber(p.problem, found, start, apart * cell, count)


def _parts(name: str, unit: str, values: Array) -> dict[str, Any]:
    return {f"{name}_real_{unit}": values.real, f"{name}_imag_{unit}": values.imag}


def _pairs(values: Sequence[complex] | Array) -> list[list[float]]:
    return [[float(z.real), float(z.imag)] for z in values]
