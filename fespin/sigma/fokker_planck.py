"""Brown's Fokker-Planck equation for a macrospin: the questions people ask, and the method for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path

import numpy as np
from mpi4py import MPI

from ..constants import VACUUM_PERMEABILITY
from ..energy.on_sphere import Array
from ..errors import InputError, SolverError
from ..macrospin.scales import reduced_time
from ..macrospin.spin import Macrospin
from ..macrospin.stages import Stage, checked_stages
from ..macrospin.torque import Torque
from ..petsc import Options
from ..progress import Progress
from ..quantities import direction
from . import escape as escaping
from . import linear_response
from . import switching as courses
from .cost import Forecast, cost_of_a_course
from .dimensionless import DimensionlessDrift
from .distribution import Distribution, Surface, mean_change, power
from .estimates import compared, drowned, neighbourhoods, observed_change, relative_errors
from .evolution import Evolution, evolve, path_change
from .fourier import Fourier
from .meridian import Meridian
from .orders import refuse, require_even_rings
from .passage import log_first_passage
from .passes import beyond_triangles, is_high
from .resolution import remedy, require_resolution
from .results import Escape, Spectrum, Switching, escape_times, rate_changes, switched
from .schedule import axes_of, builder, checked_times, directions, samples, staged
from .space import Density, Sigma
from .stationary import steady_state
from .surfaces import Method, Surfaces
from .symmetry import checked, shares

# Errors at which answers on rings need no more orders: of curves, as a multiple of what the time integration is asked
# for, of rates, modes, responses, mean directions, and paths of these.
_CURVE, _RATE, _MODE, _RESPONSE, _MEAN, _PATH = 20.0, 1e-5, 1e-6, 1e-5, 1e-6, 1e-4
# Agreement asked of the time integration on rings and elsewhere; times relative to a sample that rings are compared at.
_ON_RINGS, _ELSEWHERE = 1e-5, 1e-6
_NEIGHBOURS = (0.9, 1.0)
# Estimates below which two degrees do not agree by chance.
_AGREED = 1e-3
# How much a difference of work and dissipation counts beside that of mean directions.
_UNBALANCED = 2e-4
# The largest part of Boltzmann's distribution that interpolation between nodes may misplace.
_BLUR = 1e-4
# The factor on the difference of two rungs' rates that makes it an estimate.
_DOUBTED = 3.0
# How much the changes of other rates than the fastest count.
_SLOWER = 1e-3


class FokkerPlanck(Surfaces):
    """The statistics of a macrospin's direction.

    The constructor is collective, as are all methods. Problems that are symmetric about an axis are recognised and
    solved in the polar angle alone, on every rank.

    Parameters
    ----------
    sigma
        The sphere; or a communicator: a sphere is then made when it is needed, of a size that fits the problem.
    spin
        The macrospin.
    torque
        The spin torque, or None.
    axisymmetric
        None: find out. False: always use the sphere.
    method
        "fourier": rings around an axis, Fourier series times elements of the polar angle (:class:`Fourier`), for
        problems whose wells lie near one axis. "sphere": elements on triangles (:class:`Sigma`). "automatic": rings
        where 16 orders or fewer resolve the answer, else triangles. Default: "sphere" if one is given, else automatic.
        Problems that are symmetric need no order at all.
    verify
        Estimate errors by a second solve with a degree less, of switching a degree more, and refuse what is
        worthless; not for evolutions. On rings errors are always estimated, by more orders and a degree more.
    sphere
        Makes the sphere when it is needed, if `sigma` is a communicator; default: of a size that fits.
    fitted
        Give rates over high barriers without torque a sphere of their own, fine at the passes; default: unless
        a sphere is given.
    options
        PETSc options of the factorizations, without prefix.
    say
        Called with a line before what takes minutes or gigabytes.

    Raises
    ------
    InputError
        If `axisymmetric` is True and the problem is not; if the method is unknown, or contradicts a sphere.

    Examples
    --------
    >>> solver = fs.FokkerPlanck(comm, spin, fs.SpinTorque.critical(spin, -2.0))
    >>> round(solver.steady().mean[2].item(), 3)
    -0.966
    >>> solver.spectrum(3).reduced[1:].real.round(3)
    array([21.268, 31.142])
    >>> solver.switching([0.0, 5e-9, 10e-9]).not_switched.round(3)
    array([1.   , 0.866, 0.509])
    """

    def __init__(
        self,
        sigma: Sigma | MPI.Intracomm,
        spin: Macrospin,
        torque: Torque | None = None,
        *,
        axisymmetric: bool | None = None,
        method: Method | None = None,
        verify: bool = True,
        sphere: Callable[[], Sigma] | None = None,
        fitted: bool | None = None,
        options: Options | None = None,
        say: Callable[[str], None] | None = None,
    ) -> None:
        super().__init__(
            sigma, spin, torque, axisymmetric=axisymmetric, method=method, sphere=sphere, fitted=fitted, say=say
        )
        self.verify, self.options, self.free = verify, options, DimensionlessDrift(spin)

    # ---- questions
    def equilibrium(self) -> Distribution:
        """Return Boltzmann's distribution, without torque. Collective."""

        def solve(surface: Surface) -> Distribution:
            return steady_state(surface, self.free, self.options)

        # The mean of Boltzmann's distribution is exact on all rings. Its nodes may be asked for, too.
        found = self._on_rings(solve, lambda a, b: a.blur, _BLUR)
        return found.answer if found is not None else solve(self.surface())

    def steady(self) -> Distribution:
        """Return the stationary distribution under the torque. Collective."""

        def solve(surface: Surface) -> Distribution:
            return steady_state(surface, self.drift, self.options)

        def change(found: Distribution, other: Distribution) -> float:
            # Dissipation sees small densities, of which means know nothing.
            both = power(found, self.drift)
            largest = max(abs(both["work"]), abs(both["dissipation"]), 1e-300)
            return max(mean_change(found, other), _UNBALANCED * abs(both["work"] - both["dissipation"]) / largest)

        if not self.drift.has_torque:
            return self.equilibrium()
        found = self._on_rings(solve, change, _MEAN)
        if found is not None:
            return dataclasses.replace(found.answer, error_estimate=mean_change(found.answer, found.check))
        surface = self.surface()
        distribution = solve(surface)
        if not self.verify:
            return distribution
        difference = mean_change(distribution, solve(surface.coarser))
        require_resolution(surface, "the steady state", difference, self.spin)
        return dataclasses.replace(distribution, error_estimate=difference)

    def power(self, distribution: Distribution) -> dict[str, float]:
        """Return the power that the torque does on a distribution and the one it dissipates (W). Collective."""
        reduced = power(distribution, self.drift)
        return {k: self.spin.thermal_energy * self.spin.diffusion * x for k, x in reduced.items()}

    def spectrum(self, count: int = 6, *, near: float | None = None) -> Spectrum:
        """Return the eigenvalues of lowest real part. Collective.

        On the sphere they are sought near zero and near the resonance of each well, at its precession
        frequency; on a meridian all azimuthal orders are solved densely. Slow ones come from the rates of escape.

        Parameters
        ----------
        count
            Number of eigenvalues, zero included.
        near
            A frequency (Hz): seek the modes nearest to it instead.

        Raises
        ------
        InputError
            If `count` is not between 1 and 500, or the frequency not positive.
        """
        if not isinstance(count, int) or not 1 <= count <= 500:
            raise InputError(f"spectrum: count is {count!r}; it must be an integer from 1 to 500")
        if near is not None and not (np.isfinite(near) and near > 0):
            raise InputError(f"spectrum: the frequency is {near!r}; it must be positive (Hz)")
        return self._modes(count, None if near is None else 2j * np.pi * near)

    def modes_near(self, target: complex, count: int) -> Spectrum:
        """Return the modes whose decay rates are nearest to a complex number (1/s). Collective.

        Parameters
        ----------
        target
            Decay rate, with an angular frequency as imaginary part (1/s).
        count
            Number of eigenvalues.
        """
        return self._modes(count, target)

    def _modes(self, count: int, target: complex | None) -> Spectrum:
        """Return the eigenvalues of lowest real part, or nearest to a complex number (1/s). Collective."""
        from .modes import find_spectrum, mode_errors  # loads SLEPc

        def solve(surface: Surface) -> Spectrum:
            return find_spectrum(surface, self.drift, count, target, verify=False, options=self.options)

        def change(found: Spectrum, other: Spectrum) -> float:
            return float(mode_errors(found, other).max(initial=0.0))

        # Modes at the end of one list may be missing from another that is as long.
        alone = target is None and count == 1 and self.method != "fourier"
        more = None if alone else self._on_rings(solve, change, _MODE)
        if more is not None:
            return dataclasses.replace(more.answer, error_estimate=mode_errors(more.answer, more.check))
        return find_spectrum(self.surface(), self.drift, count, target, verify=self.verify, options=self.options)

    def escape(self) -> Escape:
        """Return the rates between the metastable states, with torque if there is one. Collective.

        Raises
        ------
        InputError
            If there are fewer than two.
        """

        def solve(surface: Surface) -> escaping.Rates:
            found = escaping.rates_on(surface, self.drift, self.options)
            if len(found.states) > 2 and isinstance(surface, Fourier):
                raise SolverError("escape: rings are for two states")
            if np.isneginf(found.log_rates).all():
                raise SolverError("escape: all rates are lost in rounding; try a finer mesh")
            return found

        def change(found: escaping.Rates, other: escaping.Rates) -> float:
            # A rate that is smaller by many powers of ten may be lost, as its estimate tells.
            # What rates say is uncertain by as much as they are themselves.
            changes = np.maximum(rate_changes(found, other) - found.rates.max(), 0.0)
            # What both have lost more orders do not bring back.
            changes[np.isneginf(found.log_rates) & np.isneginf(other.log_rates)] = 0.0
            return float(max(changes.flat[np.argmax(found.log_rates)], _SLOWER * np.minimum(changes, 1.0).max()))

        refinement = 1.0 if self._orders is None else self._orders.refinement_for_rates
        # Powers of ten between two rungs say nothing about the next, and a rung costs no evolution.
        on_rings = self._on_rings(solve, change, _RATE, refinement=refinement, patient=True)
        if on_rings is not None:
            # The check has an error of its own, which for rates may be as large as the difference.
            return escape_times(on_rings.answer, on_rings.check, self.spin, factor=_DOUBTED)
        surface = self._surface_for_rates()
        try:
            rates = solve(surface)
        except SolverError as error:
            if isinstance(surface, Sigma) and self.drift.has_torque and is_high(self.spin):
                raise SolverError(beyond_triangles(self.spin, rings=self.method == "sphere")) from error
            raise
        if np.isnan(rates.log_populations).any():
            require_resolution(surface, "the rate of escape", np.inf, self.spin)
            raise SolverError("escape: the rate out of a state is lost in rounding; try a finer mesh")
        if not self.verify:
            return escape_times(rates, None, self.spin)
        coarser = solve(surface.coarser)
        fastest = np.unravel_index(np.argmax(rates.log_rates), rates.rates.shape)
        require_resolution(surface, "the rate of escape", float(rate_changes(rates, coarser)[fastest]), self.spin)
        return escape_times(rates, coarser, self.spin)

    def switching(
        self,
        times: Sequence[float] | Array,
        *,
        start: Sequence[float] = (0.0, 0.0, 1.0),
        observables: Mapping[str, Density] | None = None,
        rtol: float | None = None,
        rest: Macrospin | None = None,
    ) -> Switching:
        """Return the probability that the direction has not left its hemisphere: the write-error rate. Collective.

        The magnet is in equilibrium within the hemisphere u.start > 0; at t = 0 the torque is switched on. Each
        sample has its own estimate of the error; those that are not resolved are nan.

        Parameters
        ----------
        times
            Seconds since then, not negative, increasing (n,).
        start
            Axis of the hemisphere.
        observables
            Functions of u (n, 3) whose means are wanted, by name.
        rtol
            Relative agreement asked of the time integration; default 1e-6, and 1e-5 on rings, whose orders rise until
            errors are below twenty times that.
        rest
            The macrospin before, in whose equilibrium the magnet is at first, where the drive changes its energy too.

        Raises
        ------
        InputError
            If the times are impossible, or the mesh is too coarse for all of them; the message names a size that would
            do.
        """
        t, axis = checked_times(times), direction(start, "switching", "start")
        watched = checked(observables or {})
        s = t * self.spin.diffusion
        free = self.free if rest is None else DimensionlessDrift(rest)
        axes: list[Array] = [np.asarray(axis), *axes_of([] if rest is None else [Stage(float(t[-1]), rest)])]

        def solve(space: Surface) -> courses.Course:
            on_rings = isinstance(space, Fourier)
            when = neighbourhoods(s, _NEIGHBOURS)[0] if on_rings else neighbourhoods(s)[0]
            wanted = rtol or (_ON_RINGS if on_rings else _ELSEWHERE)
            functions = list(watched.values())
            return courses.course(
                space, when, axis, functions, wanted, free=free, drift=self.drift, options=self.options
            )

        def errors(course: courses.Course, finer: courses.Course | None, coarser: courses.Course | None) -> Array:
            above, below = (None if x is None else x.probability for x in (finer, coarser))
            return relative_errors(course.probability, above, below, course.error, index)

        def change(course: courses.Course, finer: courses.Course) -> float:
            # What rounding hides more orders do not show.
            seen = (course.error[index].max(axis=1) < tolerance) & (t > 0)
            if not seen.any():
                return np.inf
            # Rings may resolve the hemisphere and not yet a steep observable.
            observed = observed_change(course.observables, finer.observables, list(watched.values()))
            return max(float(errors(course, finer, None)[seen].max()), observed)

        index, tolerance = neighbourhoods(s, _NEIGHBOURS)[1], _CURVE * (rtol or _ON_RINGS)
        on_rings = self._on_rings(solve, change, tolerance, axes, list(watched.values()))
        if on_rings is None:
            index = neighbourhoods(s)[1]
        if on_rings is not None:
            surface: Surface = on_rings.surface
            course = on_rings.answer
            finer: courses.Course | None = on_rings.check
            coarser: courses.Course | None = None
        else:
            surface = self.surface(axes, list(watched.values()))
            if self._say is not None and isinstance(surface, Sigma):
                cost = cost_of_a_course(surface, self.drift, self.options, verify=self.verify)
                if cost is not None:
                    self._say(cost)
            try:
                course = solve(surface)

                def enough(other: courses.Course | None) -> bool:
                    return other is not None and bool((errors(course, other, None) < _AGREED).all())

                finer = coarser = None
                if self.verify:
                    finer, coarser = compared(solve, surface, enough)
            except SolverError:
                if self.verify:
                    require_resolution(surface, "the write-error rate", np.inf, self.spin)
                raise
        solutions = [x for x in (course, finer, coarser) if x is not None]
        error = np.where(t > 0, errors(course, finer, coarser), 0.0)  # at the start it is exact
        if on_rings is not None:
            # Errors grow with time; a smaller difference than before is that of two curves that cross.
            error = np.maximum(error, np.maximum.accumulate(np.where(error < _AGREED, error, 0.0)))
        result = switched(solutions, error, index[:, -1], t, self.reduced_time, list(watched))
        if result.resolved.all():
            return result
        deep = drowned(t, solutions[0].probability[index[:, -1]], error, result.resolved)
        k, well = int(np.argmax(deep)), np.flatnonzero(result.resolved & (t > 0))
        last = float(t[well[-1]]) if len(well) else None
        integrated = float(solutions[0].error[index[k, -1]])
        what = remedy(surface, "the write-error rate", float(error[k]), float(deep[k]), integrated, last, self.spin)
        if last is None:
            raise InputError(what)
        lost = np.count_nonzero(~result.resolved)
        return dataclasses.replace(result, advice=f"{lost} of {len(t)} samples are not resolved; {what}")

    @cached_property
    def reduced_time(self) -> float:
        """Return alpha gamma mu0 H_K/(1 + alpha^2) (1/s), H_K of the deepest well without applied field."""
        return reduced_time(self.spin)

    def evolve(
        self,
        times: Sequence[float] | Array,
        *,
        start: Sequence[float] = (0.0, 0.0, 1.0),
        initial: Distribution | None = None,
        field: Callable[[float], Sequence[float]] | None = None,
        drive: Callable[[float], float] | None = None,
        stages: Sequence[Stage] | None = None,
        rest: Macrospin | None = None,
        observables: Mapping[str, Density] | None = None,
        tolerance: float = 1e-5,
        breakpoints: Sequence[float] = (),
        progress: Progress | None = None,
        checkpoint: Path | None = None,
        every: float = 60.0,
        resume: bool = False,
    ) -> Evolution:
        """Follow the density while the field and the torque vary. Collective.

        Parameters
        ----------
        times
            When to look (s), increasing (n,).
        start
            Axis of the hemisphere whose probability is followed; without `initial` the evolution starts
            with its equilibrium in ``field(0)``, without torque.
        initial
            The density at t = 0, such as ``fp.equilibrium()``.
        field
            Takes t (s), returns a field in addition to the macrospin's (T).
        drive
            Takes t (s), returns the factor on the torque; default 1.
        stages
            Conditions one after the other, instead of `field` and `drive` and of the solver's own spin and torque,
            which still decide where it is solved.
        rest
            The macrospin before, in whose equilibrium the evolution starts; default the solver's.
        observables
            Functions of u (n, 3) whose means are wanted, by name.
        tolerance
            Largest error of a step: the mass that may be in the wrong place.
        breakpoints
            Times at which field or drive jump (s).
        progress
            Called with the part that is done, 0 to 1.
        checkpoint
            A file to which the state is written `every` seconds, and from which it goes on if `resume`.

        Raises
        ------
        InputError
            If an argument is impossible or the checkpoint is of another problem.
        """
        t, axis = checked_times(times), direction(start, "evolve", "start")
        if not 0 < tolerance < 0.1:
            raise InputError(f"evolve: the tolerance is {tolerance!r}; it must lie between 0 and 0.1")
        rate, watched = self.spin.diffusion, checked(observables or {})

        breakpoints, weighted = list(breakpoints), self.torque is None
        if stages is None:
            build = builder(self.spin, self.torque, field, drive)
        else:
            if field is not None or drive is not None:
                raise InputError("evolve: give stages, or field and drive, not both")
            stages = checked_stages(stages, float(t[-1]), "evolve")
            build, weighted = staged(stages, rate), all(x.torque is None for x in stages)
            breakpoints += [x.until for x in stages if x.until < t[-1]]
        stops = np.concatenate([samples(t[-1] * rate), t * rate, np.asarray(breakpoints, dtype=float) * rate])
        before = self.spin if rest is None else rest
        axes: list[Array] = [np.asarray(axis), *directions(build, stops), *axes_of(stages or [])]
        axes += [] if rest is None else axes_of([Stage(float(t[-1]), rest)])
        functions = list(watched.values())

        def solve(surface: Surface) -> Evolution:
            if initial is not None:
                load = surface.load(initial.at(surface))
            else:
                free = DimensionlessDrift(before, field=build(0.0).field)
                load = courses.hemisphere_equilibrium(free, surface, axis)
            file, again = checkpoint, ""
            if isinstance(surface, Fourier):
                again = f" with {surface.orders} Fourier orders, and more with each of more orders that follow"
                if weighted:
                    require_even_rings(surface, map(build, stops))
                if checkpoint is not None:  # each order has a state of its own
                    file = checkpoint.with_name(f"{checkpoint.name}.{surface.orders}")
            return evolve(
                surface, build, load, t * rate, weighted=weighted, axis=axis, observables=watched,
                tolerance=tolerance, breakpoints=[b * rate for b in breakpoints], progress=progress,
                checkpoint=file, every=every, resume=resume, options=self.options, comm=self.comm,
                forecast=None if self._say is None else Forecast(self.comm, surface.dofs, self._say, again),
            )  # fmt: skip

        if self.method == "fourier" and initial is not None and isinstance(initial.surface, Sigma):
            raise refuse("the initial distribution lives on triangles")
        if initial is None or isinstance(initial.surface, Fourier):

            def change(found: Evolution, other: Evolution) -> float:
                means, others = (np.array(list(x.observables.values())).T for x in (found, other))
                return max(path_change(found, other), observed_change(means, others, functions))

            on_rings = self._on_rings(solve, change, max(_PATH, tolerance), axes, functions)
            if on_rings is not None:
                return dataclasses.replace(on_rings.answer, times=t, error_estimate=on_rings.change)
        there = None if initial is None or isinstance(initial.surface, Fourier) else initial.surface
        surface = self.surface(axes, functions) if there is None else there
        if initial is not None and surface.dim < 2 and not shares(surface.axis, axes, functions):
            raise InputError(
                "evolve: the initial distribution lives on a meridian, but field, start or observables are not "
                "symmetric about its axis; make it with axisymmetric=False"
            )
        return dataclasses.replace(solve(surface), times=t)

    def mean_first_passage(
        self,
        start: Sequence[float],
        target: Sequence[float] | None = None,
        *,
        cosine: float = 0.0,
    ) -> float:
        """Return the mean time (s) from a direction until u.target > cosine. Collective.

        Parameters
        ----------
        start
            Direction; the nearest node of the mesh is taken.
        target
            Axis of a cap; default: opposite to the start.
        cosine
            Cosine of the cap's opening angle; 0 is a hemisphere. On the sphere a cap is made of the nodes
            inside it: its edge lies up to a node's distance inside, a few percent for fast passages; in
            wells it does not matter.

        Raises
        ------
        InputError
            If the start lies in the target, or the target is empty.
        """
        with np.errstate(over="ignore"):
            return float(np.exp(np.log(10.0) * self.log10_mean_first_passage(start, target, cosine=cosine)))

    def log10_mean_first_passage(
        self,
        start: Sequence[float],
        target: Sequence[float] | None = None,
        *,
        cosine: float = 0.0,
    ) -> float:
        """Return the decimal logarithm of :meth:`mean_first_passage` (s), which no number may hold. Collective."""
        u = np.asarray(direction(start, "first passage", "start"))
        goal = -u if target is None else np.asarray(direction(target, "first passage", "target"))
        if not -1 < cosine < 1:
            raise InputError(f"first passage: the cosine is {cosine!r}; it must lie between -1 and 1")
        surface = self.surface([u, goal])
        if isinstance(surface, Meridian):
            edge = np.arccos(cosine if goal @ surface.axis > 0 else -cosine)
            surface = Meridian(surface.axis, surface.cells, degree=surface.degree, corner=float(edge))

        def solve(surface: Surface) -> float:
            return log_first_passage(surface, self.drift, u, surface.nodes @ goal >= cosine - 1e-12, self.options)

        found = solve(surface)
        if self.verify:
            with np.errstate(over="ignore"):
                estimate = abs(np.expm1(solve(surface.coarser) - found))
            require_resolution(surface, "the first passage", estimate, self.spin)
        return float((found - np.log(self.spin.diffusion)) / np.log(10.0))

    def susceptibility(
        self, frequencies: Sequence[float] | Array, direction_of_field: Sequence[float], *, rtol: float = 1e-6
    ) -> linear_response.Susceptibility:
        """Return the linear response of the mean direction to a small alternating field. Collective.

        Parameters
        ----------
        frequencies
            Hz, positive, increasing (n,).
        direction_of_field
            Direction of the field (3,).
        """
        f = linear_response.checked_frequencies(frequencies)
        e = np.asarray(direction(direction_of_field, "susceptibility", "direction"))
        omegas = 2 * np.pi * f / self.spin.diffusion
        solve = partial(linear_response.susceptibility, self.drift, e, omegas, rtol, self.options)

        def changes(found: tuple[Array, Array], other: tuple[Array, Array]) -> Array:
            scale = np.linalg.norm(found[0], axis=1)
            return np.asarray(np.linalg.norm(other[0] - found[0], axis=1) / np.where(scale > 0, scale, 1.0))

        on_rings = self._on_rings(solve, lambda a, b: float(changes(a, b).max()), _RESPONSE, [e])
        if on_rings is not None:
            surface: Surface = on_rings.surface
            values, error = on_rings.answer
            error = error + changes(on_rings.answer, on_rings.check)
        else:
            surface = self.surface([e])
            values, error = solve(surface)
            if self.verify:
                error = error + changes((values, error), solve(surface.coarser))
                require_resolution(surface, "the susceptibility", float(np.median(error)), self.spin)
        values = values * self.spin.moment / self.spin.thermal_energy
        scale = VACUUM_PERMEABILITY * self.spin.saturation_magnetization
        return linear_response.Susceptibility(f, values, e, scale * values, error, surface)

    def noise(
        self, observable: Density, frequencies: Sequence[float] | Array, *, rtol: float = 1e-6
    ) -> linear_response.Noise:
        """Return the one-sided power spectral density of an observable in the stationary state. Collective.

        Parameters
        ----------
        observable
            Takes u (n, 3), returns R (n,).
        frequencies
            Hz, positive, increasing (n,).
        """
        f = linear_response.checked_frequencies(frequencies)
        checked({"R": observable})
        omegas = 2 * np.pi * f / self.spin.diffusion
        solve = partial(linear_response.noise, self.drift, observable, omegas, rtol, self.options)

        def changes(found: Array, other: Array) -> Array:
            return np.asarray(np.abs(other - found) / np.maximum(np.abs(found), 1e-300))

        on_rings = self._on_rings(
            solve, lambda a, b: float(changes(a[0], b[0]).max()), _RESPONSE, functions=[observable]
        )
        if on_rings is not None:
            surface: Surface = on_rings.surface
            density, mean, variance, error = on_rings.answer
            error = error + changes(density, on_rings.check[0])
        else:
            surface = self.surface([], [observable])
            density, mean, variance, error = solve(surface)
            if self.verify:
                error = error + changes(density, solve(surface.coarser)[0])
                require_resolution(surface, "the noise", float(np.median(error)), self.spin)
        return linear_response.Noise(f, density / self.spin.diffusion, mean, variance, error, surface)
