"""Brown's Fokker-Planck equation for a macrospin: the questions people ask, and the method for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from mpi4py import MPI

from ..constants import VACUUM_PERMEABILITY
from ..device import direction
from ..errors import InputError
from ..macrospin.energy import field_vector
from ..macrospin.landscape import survey, symmetry_axis
from ..macrospin.pointwise import Array
from ..macrospin.scales import reduced_time, suggested_mesh_size
from ..macrospin.spin import Macrospin, fibonacci
from ..macrospin.torque import Torque
from . import escape as escaping
from . import response
from . import switching as courses
from .distribution import Distribution, Surface, power
from .evolution import Evolution, evolve
from .factor import Options
from .meridian import Meridian
from .operator import Operator
from .passage import mean_first_passage
from .reduced import Reduced
from .resolution import meridian_cells, require_resolution
from .results import Escape, Spectrum, Switching
from .space import Density, Sigma
from .switching import Course

# Longer pulses than this (2 tau_N) on metastable states are followed by the rates of escape.
_LONG = 100.0


class FokkerPlanck:
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
    verify
        Estimate the error of each result by a second solve with a degree less, at about half the cost again.
    sphere
        Makes the sphere when it is needed, if `sigma` is a communicator; default: of a size that fits.
    options
        PETSc options of the factorizations, without prefix.

    Raises
    ------
    InputError
        If `axisymmetric` is True and the problem is not.
    """

    def __init__(
        self,
        sigma: Sigma | MPI.Intracomm,
        spin: Macrospin,
        torque: Torque | None = None,
        *,
        axisymmetric: bool | None = None,
        verify: bool = True,
        sphere: Callable[[], Sigma] | None = None,
        options: Options | None = None,
    ) -> None:
        self._make = sphere
        self.spin, self.torque, self.verify, self.options = spin, torque, verify, options
        self.comm = sigma.comm if isinstance(sigma, Sigma) else sigma
        self._sigma = sigma if isinstance(sigma, Sigma) else None
        self.free, self.driven = Reduced(spin), Reduced(spin, torque)
        self.axis = None if axisymmetric is False else self._find_axis()
        if axisymmetric and self.axis is None:
            raise InputError(
                "sphere: the problem is not symmetric about an axis; energy, field and torque must share one"
            )

    # ---- where to solve
    def _find_axis(self) -> Array | None:
        candidates: list[Array] = [np.asarray(t.axis) for t in self.spin.terms if hasattr(t, "axis")]
        candidates += [np.asarray(self.spin.field)] if any(self.spin.field) else []
        candidates += [np.eye(3)[k] for k in (2, 0, 1)]
        if self.torque is not None:
            if self.torque.axis is None:
                return None
            candidates = [np.asarray(self.torque.axis)]
        return symmetry_axis(self.spin, candidates)

    @cached_property
    def sphere(self) -> Sigma:
        """Return the sphere, made if need be. Collective."""
        if self._sigma is not None:
            return self._sigma
        if self._make is not None:
            return self._make()
        wells = survey(self.spin).wells
        axis = wells[0].direction if wells else np.array([0.0, 0.0, 1.0])
        return Sigma(self.comm, suggested_mesh_size(self.spin), axis=tuple(axis), refine=self.spin)

    @cached_property
    def meridian(self) -> Meridian:
        """Return the polar angle about the axis of symmetry."""
        assert self.axis is not None
        return Meridian(self.axis, meridian_cells(self.driven))

    def surface(self, axes: Sequence[Sequence[float] | Array] = (), functions: Sequence[Density] = ()) -> Surface:
        """Return where to solve when these axes and functions play a role, too. Collective."""
        if self.axis is None:
            return self.sphere
        if any(abs(np.asarray(a, dtype=float) @ self.axis) < 1 - 1e-12 for a in axes):
            return self.sphere
        u = fibonacci(40)
        around = 2 * (u @ self.axis)[:, None] * self.axis - u  # half a turn; then some other angles
        for turned in (around, _turned(u, self.axis, 0.7), _turned(u, self.axis, 2.2)):
            if any(np.abs(f(u) - f(turned)).max() > 1e-10 * (1 + np.abs(f(u)).max()) for f in functions):
                return self.sphere
        return self.meridian

    def _operator(self, surface: Surface, reduced: Reduced, *, weighted: bool = True) -> Operator:
        return Operator(surface, reduced, weighted=weighted, options=self.options)

    # ---- questions
    def equilibrium(self) -> Distribution:
        """Return Boltzmann's distribution, without torque. Collective."""
        operator = self._operator(self.surface(), self.free)
        found = courses.stationary_state(operator)
        operator.destroy()
        return found

    def steady(self) -> Distribution:
        """Return the stationary distribution under the torque. Collective."""
        surface = self.surface()
        found = courses.steady_state(surface, self.driven, self.options)
        if not self.verify or not self.driven.driven:
            return found
        other = courses.steady_state(surface.coarser, self.driven, self.options)
        difference = float(np.linalg.norm(found.mean - other.mean))
        require_resolution(surface, "the steady state", difference, self.spin)
        return dataclasses.replace(found, error_estimate=difference)

    def power(self, distribution: Distribution) -> dict[str, float]:
        """Return the power that the torque does on a distribution and the one it dissipates (W). Collective."""
        found = power(distribution, self.driven)
        return {k: self.spin.thermal_energy * self.spin.diffusion * x for k, x in found.items()}

    def spectrum(self, count: int = 6, *, near: float | None = None) -> Spectrum:
        """Return the eigenvalues of lowest real part. Collective.

        On the sphere they are sought near zero and near the resonance of each well, at its precession
        frequency; on a meridian all azimuthal orders are solved densely. Slow ones come from the rates of escape.

        Parameters
        ----------
        count
            How many, zero included.
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
        from .modes import find_spectrum

        return find_spectrum(self, count, near)

    def escape(self) -> Escape:
        """Return the rates between the metastable states, with torque if there is one. Collective.

        Raises
        ------
        InputError
            If there are fewer than two.
        """
        surface = self.surface()
        found = self._rates(surface)
        scale, estimate = self.spin.diffusion, None
        if self.verify:
            other = self._rates(surface.coarser)
            with np.errstate(divide="ignore", invalid="ignore"):
                estimate = np.nan_to_num(np.abs(other.rates / found.rates - 1), posinf=1.0)
            out = np.argmax(found.rates)
            require_resolution(surface, "the rate of escape", float(estimate.flat[out]), self.spin)
        wells = survey(self.spin).wells
        barriers = [min(wells, key=lambda w: -float(w.direction @ u)).height for u in found.states]
        with np.errstate(divide="ignore"):
            dwell = 1 / (scale * found.rates.sum(axis=1))
        return Escape(
            found.states,
            scale * found.rates,
            found.populations,
            dwell,
            scale * np.real(found.eigenvalues()),
            np.array(barriers),
            estimate,
        )

    def _rates(self, surface: Surface) -> escaping.Escape:
        operator = self._operator(surface, self.driven)
        found = escaping.escape(operator)
        operator.destroy()
        return found

    def switching(
        self,
        times: Sequence[float] | Array,
        *,
        start: Sequence[float] = (0.0, 0.0, 1.0),
        observables: Mapping[str, Density] | None = None,
        rtol: float = 1e-6,
    ) -> Switching:
        """Return the probability that the direction has not left its hemisphere: the write-error rate. Collective.

        The magnet is in equilibrium within the hemisphere u.start > 0; at t = 0 the torque is switched on.

        Parameters
        ----------
        times
            Seconds since then, not negative, increasing (n,).
        start
            Axis of the hemisphere.
        observables
            Functions of u (n, 3) whose means are wanted, by name.
        rtol
            Relative agreement asked of the time integration.

        Raises
        ------
        InputError
            If the times are impossible, or the mesh is too coarse; the message names a size that would do.
        """
        t, axis = _checked_times(times), direction(start, "switching", "start")
        watched = dict(observables or {})
        surface = self.surface([axis], list(watched.values()))
        course = self._course(surface, t, axis, watched, rtol)
        error = course.error.copy()
        if self.verify:
            other = self._course(surface.coarser, t, axis, watched, rtol)
            error = error + np.abs(other.probability - course.probability) / np.maximum(
                np.abs(course.probability), 1e-300
            )
            require_resolution(surface, "the write-error rate", float(error.max()), self.spin)
        return Switching(
            t,
            t * self.reduced_time,
            course.probability,
            course.observables[:, :3],
            {k: course.observables[:, 3 + i] for i, k in enumerate(watched)},
            course.stationary,
            course.method,
            error,
            course.final.mass_error,
            course.final,
        )

    def _course(
        self, surface: Surface, times: Array, axis: Sequence[float], watched: Mapping[str, Density], rtol: float
    ) -> Course:
        s = times * self.spin.diffusion
        start = courses.hemisphere_equilibrium(self.free, surface, axis)
        functions: list[Density] = [lambda u, k=k: u[:, k] for k in range(3)]  # type: ignore[misc]
        functions += watched.values()
        if s[-1] > _LONG and len(escaping.stable_points(self.driven)) > 1:
            operator = self._operator(surface, self.driven)
            if escaping.escape(operator).rates.max() < 1e-3:
                course = courses.kinetic_course(operator, start, s, axis, functions)
                operator.destroy()
                return course
            operator.destroy()
        return courses.krylov_course(surface, self.driven, start, s, axis, functions, rtol=rtol, options=self.options)

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
        observables: Mapping[str, Density] | None = None,
        tolerance: float = 1e-5,
        breakpoints: Sequence[float] = (),
        progress: Callable[[float], None] | None = None,
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
        observables
            Functions of u (n, 3) whose means are wanted, by name.
        tolerance
            Of each step, relative to the density's norm.
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
        t, axis = _checked_times(times), direction(start, "evolve", "start")
        if not 0 < tolerance < 0.1:
            raise InputError(f"evolve: the tolerance is {tolerance!r}; it must lie between 0 and 0.1")
        rate, watched = self.spin.diffusion, dict(observables or {})

        def build(s: float) -> Reduced:
            b = (0.0, 0.0, 0.0) if field is None else field_vector(tuple(field(s / rate)), "evolve: field")
            factor = 1.0 if drive is None else float(drive(s / rate))
            return Reduced(self.spin, self.torque, factor, b)

        probes = [np.asarray(build(x).field) for x in np.linspace(0, t[-1] * rate, 17)]
        axes = [axis, *(b for b in (p / (np.linalg.norm(p) or 1.0) for p in probes) if b.any())]
        surface = initial.surface if initial is not None else self.surface(axes, list(watched.values()))
        if initial is not None:
            load = surface.load(initial.points)
        else:
            load = courses.hemisphere_equilibrium(Reduced(self.spin, field=build(0.0).field), surface, axis)
        found = evolve(
            surface, build, load, t * rate, weighted=self.torque is None, axis=axis, observables=watched,
            tolerance=tolerance, breakpoints=[b * rate for b in breakpoints], progress=progress,
            checkpoint=checkpoint, every=every, resume=resume,
        )  # fmt: skip
        return Evolution(
            t,
            found.mean,
            found.probability,
            found.observables,
            found.mass_error,
            found.steps,
            found.rejected,
            found.final,
        )

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
            Of the cap's opening angle; 0 is a hemisphere. On the sphere the edge of a cap runs through the
            nodes nearest to it, which makes a few percent for fast passages; in wells it does not matter.

        Raises
        ------
        InputError
            If the start lies in the target, or the target is empty.
        """
        u = np.asarray(direction(start, "first passage", "start"))
        goal = -u if target is None else np.asarray(direction(target, "first passage", "target"))
        if not -1 < cosine < 1:
            raise InputError(f"first passage: the cosine is {cosine!r}; it must lie between -1 and 1")
        surface = self.surface([u, goal])
        if isinstance(surface, Meridian):
            edge = np.arccos(cosine if goal @ surface.axis > 0 else -cosine)
            surface = Meridian(surface.axis, surface.cells, degree=surface.degree, corner=float(edge))
        operator = self._operator(surface, self.driven)
        time = mean_first_passage(operator, u, surface.nodes @ goal >= cosine - 1e-12)
        operator.destroy()
        return time / self.spin.diffusion

    def susceptibility(
        self, frequencies: Sequence[float] | Array, direction_of_field: Sequence[float], *, rtol: float = 1e-6
    ) -> response.Susceptibility:
        """Return the linear response of the mean direction to a small alternating field. Collective.

        Parameters
        ----------
        frequencies
            Hz, positive, increasing (n,).
        direction_of_field
            Its direction (3,).
        """
        f = response.checked_frequencies(frequencies)
        e = np.asarray(direction(direction_of_field, "susceptibility", "direction"))
        surface = self.surface([e])
        steady = courses.steady_state(surface, self.driven, self.options)
        # Tails do not matter here; under torque the plain form has the smaller error.
        operator = self._operator(surface, self.driven, weighted=not self.driven.driven)
        values, error = response.susceptibility(operator, steady, e, 2 * np.pi * f / self.spin.diffusion, rtol=rtol)
        operator.destroy()
        values = values * self.spin.moment / self.spin.thermal_energy
        scale = VACUUM_PERMEABILITY * self.spin.saturation_magnetization
        return response.Susceptibility(f, values, e, scale * values, error)

    def noise(self, observable: Density, frequencies: Sequence[float] | Array, *, rtol: float = 1e-6) -> response.Noise:
        """Return the one-sided power spectral density of an observable in the stationary state. Collective.

        Parameters
        ----------
        observable
            Takes u (n, 3), returns R (n,).
        frequencies
            Hz, positive, increasing (n,).
        """
        f = response.checked_frequencies(frequencies)
        surface = self.surface([], [observable])
        steady = courses.steady_state(surface, self.driven, self.options)
        # Tails do not matter here; under torque the plain form has the smaller error.
        operator = self._operator(surface, self.driven, weighted=not self.driven.driven)
        density, mean, variance, error = response.noise(
            operator, steady, observable, 2 * np.pi * f / self.spin.diffusion, rtol=rtol
        )
        operator.destroy()
        return response.Noise(f, density / self.spin.diffusion, mean, variance, error)


def _turned(u: Array, axis: Array, angle: float) -> Array:
    along = (u @ axis)[:, None] * axis
    return np.asarray(along + np.cos(angle) * (u - along) + np.sin(angle) * np.cross(axis, u))


def _checked_times(times: Sequence[float] | Array) -> Array:
    t = np.atleast_1d(np.asarray(times, dtype=float))
    if t.ndim != 1 or not len(t) or not np.isfinite(t).all() or t[0] < 0 or (np.diff(t) <= 0).any() or t[-1] <= 0:
        raise InputError("times: they must be finite, not negative and increasing, and end after zero (s)")
    return t
