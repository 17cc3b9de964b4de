"""Random macrospins in fields and torques, whose switching is asked for; and the same in spherical harmonics."""

from dataclasses import dataclass

import numpy as np

import fespin as fs
from fespin.macrospin.landscape import survey

from . import harmonics

SIZE = {"volume": 1.7e-24, "saturation_magnetization": 8.2e5, "temperature": 290.0}
MOMENT = SIZE["volume"] * SIZE["saturation_magnetization"] / (1.380649e-23 * SIZE["temperature"])  # Ms v/kT, 1/T
UP = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Problem:
    """A magnet, its torque, and pulses.

    Attributes
    ----------
    number
        Its number in the series of a seed.
    kind
        "uniaxial", "biaxial" or "cubic".
    barrier
        Between two wells without field, kT.
    hard
        Energy of the hard axis, kT; only for a biaxial magnet.
    ratio
        Damping-like torque over its critical value along the easy axis z.
    spin, torque
        Magnet and torque, None for a field alone.
    times
        Lengths of the pulses (s), increasing (n,).
    """

    number: int
    kind: str
    barrier: float
    hard: float
    ratio: float
    spin: fs.Macrospin
    torque: fs.SpinTorque | None
    times: np.ndarray

    def __str__(self) -> str:
        """Return a line of what it is."""
        tilt = f" at {np.degrees(np.arccos(-self.torque.polarizer[2])):.0f} degrees" if self.torque else ""
        return (
            f"{self.number:3d} {self.kind} {self.barrier:.1f} kT{f' ({self.hard:.0f} kT)' if self.hard else ''}, "
            f"damping {self.spin.damping:.4f}, field {np.linalg.norm(self.spin.field):.3g} T, "
            f"torque {self.ratio:.2f} critical{tilt}"
        )


def draw(seed: int, number: int, *, barriers=(1.0, 200.0), dampings=(1e-3, 1.0)) -> Problem:
    """Return one of a series of random problems; each depends on the seed and its number alone.

    Barriers and dampings are log-uniform. Fields reach 0.3 of the anisotropy field, torques three times the critical
    one; polarizers lie within 85 degrees of -z. One in eight has a field alone, up to 1.2 of the anisotropy field, one
    in eight has field and polarizer along z, one in ten is followed for a thousand to a million times longer.
    """
    rng = np.random.default_rng([seed, number])
    barrier, damping = (float(np.exp(rng.uniform(*np.log(x)))) for x in (barriers, dampings))
    kind = str(rng.choice(["uniaxial", "biaxial", "cubic"], p=[0.45, 0.3, 0.25]))
    hard = barrier * float(np.exp(rng.uniform(*np.log((0.3, 8.0))))) if kind == "biaxial" else 0.0
    lot, size, cosine, turn = rng.uniform(), rng.uniform(0.0, 0.3), rng.uniform(-1.0, 1.0), rng.uniform(0, 2 * np.pi)
    ratio, tilt, around = rng.uniform(0, 3), np.radians(rng.uniform(0, 85)), rng.uniform(0, 2 * np.pi)
    like, length, many = rng.uniform(-0.5, 0.5), np.exp(rng.uniform(*np.log((1.0, 30.0)))), rng.uniform()
    many_times = 10 ** rng.uniform(3, 6)
    if kind == "uniaxial":
        terms = [fs.Uniaxial(stability=barrier)]
    elif kind == "biaxial":
        terms = [fs.Biaxial(stability=barrier, hard_stability=hard, axis=(0, 0, 1), hard_axis=(1, 0, 0))]
    else:
        terms = [fs.Cubic(stability=4 * barrier)]
    spin = fs.Macrospin(damping=damping, terms=terms, **SIZE)
    curvatures = next(w for w in survey(spin).wells if w.direction[2] > 0.99).curvatures
    if lot < 0.125:  # the field alone, and more of it
        size, cosine, ratio = 4 * size, -abs(cosine), 0.0
    elif lot < 0.25:
        cosine, tilt = 1.0 - 2.0 * (cosine < 0), 0.0
    sine = np.sqrt(1 - cosine**2)
    field = size * min(curvatures) / MOMENT * np.array([sine * np.cos(turn), sine * np.sin(turn), cosine])
    spin = spin.with_field(tuple(field))
    torque = None
    if ratio:
        # Along z the critical torque is damping times the mean curvature; across it, there is none.
        critical = damping * float(np.mean(curvatures)) / MOMENT
        torque = fs.SpinTorque(
            ratio * critical,
            like * ratio * critical,
            (np.sin(tilt) * np.cos(around), np.sin(tilt) * np.sin(around), -np.cos(tilt)),
        )
    steps = length * (many_times if many < 0.1 else 1.0) * np.array([0.1, 0.25, 0.5, 0.75, 1.0])
    times = steps / (float(np.mean(curvatures)) * spin.diffusion)
    return Problem(number, kind, barrier, hard, float(ratio), spin, torque, times)


def expansion(problem: Problem, lmax: int) -> tuple[harmonics.Harmonics, harmonics.Poly]:
    """Return the problem in spherical harmonics up to lmax, and its energy."""
    spin, torque = problem.spin, problem.torque
    own = {
        "uniaxial": harmonics.uniaxial(problem.barrier),
        "biaxial": harmonics.biaxial(problem.barrier, problem.hard),
        "cubic": harmonics.cubic(4 * problem.barrier),
    }[problem.kind]
    v = harmonics.add(own, harmonics.field([MOMENT * b for b in spin.field]))
    if torque is None:
        return harmonics.Harmonics(lmax, v, spin.damping), v
    a, b, alpha = torque.damping_like, torque.field_like, spin.damping
    along = harmonics.linear(torque.polarizer)
    chi = harmonics.scale(MOMENT * (a - alpha * b) / alpha, along)
    phi = harmonics.scale(MOMENT * (b + alpha * a) / alpha, along)
    return harmonics.Harmonics(lmax, v, alpha, chi, phi), v
