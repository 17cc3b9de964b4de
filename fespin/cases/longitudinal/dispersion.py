"""Decay rates of waves of M and m against the wavenumber."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from ...errors import InputError
from ..schema import Wavenumber
from ..tasks import Outlet, Results, Task, check_increasing
from .tables import OWNER, LongitudinalTable, default_cell

if TYPE_CHECKING:
    from .shared import Shared


class Dispersion(Task):
    """Both branches of decay rates, from the discretised operator and in closed form."""

    at_most_one = (("wavenumbers", "range", "count"),)
    units: ClassVar[Mapping[str, str]] = {
        "wavenumbers": "1/m",
        "rates": "1/s",
        "closed_form": "1/s",
        "dm_per_dM": "1",
        "largest_deviation": "1",
        "largest_residual": "1",
    }
    kind: Literal["dispersion"] = Field(description="decay rates against the wavenumber")
    wavenumbers: Annotated[list[Wavenumber], Field(min_length=1, max_length=200)] | None = Field(
        None, description="instead of range and count (1/m)"
    )
    range: Annotated[list[Wavenumber], Field(min_length=2, max_length=2)] | None = Field(
        None, description="[from, to] (1/m)"
    )
    count: Annotated[int, Field(ge=1, le=200)] = Field(8, description="of a line: the first modes, n pi/length (1)")
    samples: Annotated[int, Field(ge=2, le=10000)] = Field(12, description="how many wavenumbers of the range (1)")

    def unused(self) -> set[str]:
        """Return the keys that nothing uses beside those that are given."""
        if self.wavenumbers is not None:
            return {"count", "samples"}
        return {"count"} if self.range is not None else {"samples"}

    def check(self, owner: str, about: LongitudinalTable) -> None:
        """Refuse wavenumbers that are given twice, are not there, or need smaller cells."""
        super().check(owner, about)
        keys = [k for k in ("wavenumbers", "range", "count") if k in self.model_fields_set]
        line = about.geometry.shape == "line"
        if len(keys) > 1:
            raise InputError(f"{owner}: give one of wavenumbers, range and count; found {' and '.join(keys)}")
        if not keys and not line:
            raise InputError(f"{owner}.wavenumbers: missing; give them, or range = [from, to] (1/m)")
        if "count" in keys and not line:
            raise InputError(f"{owner}.count: its modes are those of a line; give wavenumbers or range (1/m)")
        if "samples" in self.model_fields_set and self.range is None:
            raise InputError(f"{owner}.samples: belongs to range; it is missing")
        if self.range is not None:
            check_increasing(owner, "range", self.range, "1/m")
        self._check_cells(f"{owner}.{keys[0] if keys else 'count'}", about)

    def _check_cells(self, key: str, about: LongitudinalTable) -> None:
        """Refuse waves that the cells do not resolve."""
        body = about.geometry
        largest = max(self.wavenumbers or self.range or [0.0])
        if body.shape == "line" and not largest:
            largest = self.count * math.pi / body.extents[0]
        size = body.cell(default_cell(about))
        most = about.degree * math.pi / 2
        if body.shape is not None and largest * size > most:
            raise InputError(
                f"{key}: a wave of k = {largest:.4g} 1/m needs smaller cells than {size:g} m "
                f"({OWNER}.mesh_size); up to {most / size:.4g} 1/m they will do"
            )

    def _wavenumbers(self, shared: Shared) -> list[float]:
        """Return the wavenumbers to look for; in a line those of its modes."""
        length = shared.table.geometry.extents[0] if shared.table.geometry.shape else 0.0
        if self.wavenumbers is not None:
            wanted = self.wavenumbers
        elif self.range is not None:
            wanted = [float(x) for x in np.linspace(self.range[0], self.range[1], self.samples)]
        else:
            wanted = [n * math.pi / length for n in range(1, self.count + 1)]
        if shared.body.dimension == 1 and length:
            orders = sorted({round(k * length / math.pi) for k in wanted})
            return [n * math.pi / length for n in orders]
        return sorted(set(wanted))

    def run(self, shared: Shared, name: str, out: Outlet) -> Results:
        """Solve near every wavenumber, write and draw."""
        from ... import output
        from ...longitudinal import Mode, decay_modes
        from ...plotting.longitudinal import plot_dispersion
        from ...progress import ProgressBar

        wanted = self._wavenumbers(shared)
        bar, nearest = ProgressBar(shared.problem.comm, len(wanted)), list[Mode]()
        for i, k in enumerate(wanted, 1):
            nearest += decay_modes(shared.problem, [k])
            bar.at(i / len(wanted), f"modes near {k:.4g} 1/m")
        bar.clear()
        # Two wavenumbers asked for may have the same nearest mode.
        distinct: dict[tuple[str, str], Mode] = {}
        for mode in nearest:
            distinct.setdefault((mode.branch, f"{mode.wavenumber:.9e}"), mode)
        modes = sorted(distinct.values(), key=lambda m: (m.branch != "slow", m.wavenumber))
        g = shared.problem.magnet
        exact = [float(g.decay_rates(m.wavenumber)[m.branch == "fast"]) for m in modes]
        output.write_csv(
            shared.problem.comm,
            out.path / f"dispersion.{name}.csv",
            {
                "branch": [m.branch for m in modes],
                "wavenumber_1_per_m": [m.wavenumber for m in modes],
                "rate_1_per_s": [m.rate for m in modes],
                "closed_form_1_per_s": exact,
                "dm_per_dM": [m.ratio for m in modes],
            },
        )
        if shared.problem.comm.rank == 0:
            out.picture(f"dispersion.{name}.png", lambda f: plot_dispersion(f, g, modes, shared.heading(name)))
        deviations = [abs(m.rate - x) / max(x, 1e-3 * g.rate) for m, x in zip(modes, exact, strict=True)]
        return {
            "branches": {
                branch: {
                    "wavenumbers": [m.wavenumber for m in modes if m.branch == branch],
                    "rates": [m.rate for m in modes if m.branch == branch],
                    "closed_form": [x for m, x in zip(modes, exact, strict=True) if m.branch == branch],
                    "dm_per_dM": [m.ratio for m in modes if m.branch == branch],
                }
                for branch in ("slow", "fast")
            },
            # Relative; a rate of zero has no relative error, and counts for a thousandth of r.
            "largest_deviation": max(deviations),
            "largest_residual": max(m.residual for m in modes),
        }

    @staticmethod
    def line(results: Results, summary: Results) -> str:
        """Return the number of rates and how near they are to the closed form."""
        n = sum(len(b["rates"]) for b in results["branches"].values())
        return f"{n} rates of decay, within {results['largest_deviation']:.1e} of the closed form"
