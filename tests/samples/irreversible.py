"""Generic and two-band magnets that tests share."""

import dataclasses
import math

import numpy as np
from dolfinx import mesh

from fespin.constants import ELEMENTARY_CHARGE
from fespin.texture import (
    Electrode,
    GenericMagnet,
    Grid,
    TwoBandMagnet,
)

LENGTH, T0 = 90e-9, 320.0
SCALE, STEEP = 6e5, 9e7  # |M| in A/m and |grad M|/|M| in 1/m, more or less


# What every coefficient is compared with: those that dissipate alone, at |grad M| and |M| of the tests.
GENERIC = GenericMagnet(
    conductivity=4.1e6,
    A_perp=3.7e4,
    A_par=2.2e4,
    temperature=T0,
    thermal_conductivity=31.0,
    C_par=5e-12,
    C_perp=7e-12,
    C_prime=2e-6,
)
TWO_BAND = TwoBandMagnet(2.9e6, 1.3e6, 1.7e10, 4e52, T0, 31.0)


def shares(rng, names, low=0.02, high=0.09):
    """Parts of what is allowed, of either sign."""
    return dict(zip(names, rng.uniform(low, high, len(names)) * rng.choice([-1, 1], len(names)), strict=True))


def generic(rng):
    """Return a magnet with all coefficients, no two alike."""
    g, e2 = GENERIC, ELEMENTARY_CHARGE**2
    s, k = g.conductivity / e2, g.thermal_conductivity / T0
    damped, diffused = math.sqrt(min(g.A_par, g.A_perp)) * SCALE, math.sqrt(min(g.C_par, g.C_perp)) * SCALE
    slope = SCALE * STEEP
    sizes = {
        "L_sn": math.sqrt(s * k),
        "L_sQ": math.sqrt(k) * diffused / SCALE,
        "L_nQ": math.sqrt(s) * diffused / SCALE,
        **{f"L_s{x}": math.sqrt(k) * damped / slope for x in ("M1", "M2")},
        **{f"L_n{x}": math.sqrt(s) * damped / slope for x in ("M1", "M2")},
        "L_sM_prime": math.sqrt(k) * damped / slope / SCALE,
        "L_nM_prime": math.sqrt(s) * damped / slope / SCALE,
        **{f"L_QN{i}{p}": damped * diffused / slope for i in range(1, 5) for p in ("", "_prime")},
    }
    parts = shares(rng, sizes)
    return dataclasses.replace(g, **{k: parts[k] * size for k, size in sizes.items()})


def two_band(rng):
    b, e2 = TWO_BAND, ELEMENTARY_CHARGE**2
    s, d, k = b.conductivity_up / e2, b.conductivity_down / e2, b.thermal_conductivity / T0
    turned = math.sqrt(b.damping_rate / SCALE) / (SCALE * STEEP)
    sizes = {"L_up_down": math.sqrt(s * d), "L_s_up": math.sqrt(k * s), "L_s_down": math.sqrt(k * d)}
    for name, size in {"L_sM": math.sqrt(k), "L_up_M": math.sqrt(s), "L_down_M": math.sqrt(d)}.items():
        sizes |= {name: size * turned / SCALE, f"{name}_prime": size * turned}
    parts = shares(rng, sizes)
    return dataclasses.replace(b, **{k: parts[k] * size for k, size in sizes.items()})


MAKERS = {"generic": generic, "two-band": two_band}


def texture(x, uniform=True, sign=1.0):
    """M that varies in all directions, of one length or not, as a function of positions (n, 3)."""
    k = 2 * math.pi / LENGTH
    polar = 0.4 + 1.3 * np.sin(0.31 * k * x[:, 0] + 0.2) ** 2 + 0.3 * np.cos(0.5 * k * x[:, 1])
    angle = 0.9 * np.sin(0.4 * k * x[:, 0]) + 0.6 * k * x[:, 2] + 0.3
    m = np.stack([np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar)], axis=1)
    length = np.ones(len(x)) if uniform else 1 + 0.15 * np.sin(0.7 * k * x[:, 0] + k * x[:, 1])
    return sign * SCALE * length[:, None] * m


def pull(x):
    """H with gradients, as a function of positions."""
    k = 2 * math.pi / LENGTH
    across = 0.6 + np.sin(k * x[:, 1] + 0.4 * k * x[:, 2])
    return 0.04 * np.stack([np.cos(0.3 * k * x[:, 0]), across, -0.3 + 0 * x[:, 0]], axis=1)


def grids(comm):
    yield Grid(mesh.create_interval(comm, 40, [0, LENGTH]))
    yield Grid(mesh.create_rectangle(comm, [[0, 0], [LENGTH, LENGTH / 3]], [18, 5]))
    yield Grid(mesh.create_box(comm, [[0, 0, 0], [LENGTH, LENGTH / 4, LENGTH / 5]], [12, 3, 3]))


def ends(length=LENGTH, **right):
    left = {"voltage": 0.0, "temperature": T0}
    return {
        "left": Electrode(lambda x: x[0] < 1e-12, **left),
        "right": Electrode(lambda x: x[0] > length - 1e-12, **right),
    }
