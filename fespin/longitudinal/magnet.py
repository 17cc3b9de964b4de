r"""The parameters of a magnet near equilibrium, and what follows from them without a mesh.

M is the magnetization of the magnetic state, m the spin accumulation (Saslow, Sun and Xu 2021, SSX). With the
deviations Delta M = M - M0 - chi_M H and Delta m = m, the potentials of the two are a = dM_/chi_M and
b = dm_/chi_m, with dM_ = Delta M + Delta m and dm_ = Delta m + xi Delta M (their Eqs. 8 and 9; a = -H*, b = -h*).
In terms of them (Delta M, Delta m) = S (a, b), and Eqs. (28, 29) are

    S d(a, b)/dt = -R (a, b) + (0, D chi_m lap b)

    S = 1/(1 - xi) [[chi_M, -chi_m], [-chi_m, chi_m]]
    R = L [[1, -1], [-1, 1]] + diag(w_M chi_M, w_m chi_m),     L = chi_m/tau_mM

with symmetric matrices: S is positive if xi < 1, R is never negative. The free energy is (mu0/2) (a, b) S (a, b).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ModelError
from ..quantities import is_finite, require_positive

type Array = NDArray[np.float64]
type Complex = NDArray[np.complex128]


@dataclass(frozen=True)
class LongitudinalMagnet:
    """A magnet, or a paramagnet, with the longitudinal variables M and m.

    Attributes
    ----------
    xi
        chi_m/chi_M, between 0 and 1.
    tau_mM
        Time in which m decays to M (s).
    diffusion
        D, of m (m2/s).
    tau_ML, tau_mL
        Times in which M and m decay to the lattice (s); infinite: they do not.
    susceptibility
        chi_M. Energies and the scale of potentials depend on it, rates do not.

    Raises
    ------
    ModelError
        If the magnet is unstable, chi_m >= chi_M.
    InputError
        If a value is out of range otherwise.

    Examples
    --------
    >>> magnet = fs.LongitudinalMagnet(xi=0.3, tau_mM=1e-12, diffusion=2e-3, tau_mL=30e-12, susceptibility=0.01)
    >>> slow, fast = magnet.decay_rates(np.array([0.0, magnet.k_M]))
    >>> print(f"{magnet.k_M:.3e} {slow[1]:.3e} {fast[1]:.3e}")
    1.871e+07 1.170e+11 1.316e+12
    """

    xi: float
    tau_mM: float
    diffusion: float
    tau_ML: float = math.inf
    tau_mL: float = math.inf
    susceptibility: float = 1.0

    def __post_init__(self) -> None:
        require_positive("magnet", "xi", self.xi)
        if self.xi >= 1:
            raise ModelError(
                f"magnet: xi = chi_m/chi_M is {self.xi!r}; a stable magnet has chi_m <= chi_M, and xi = 1 leaves "
                "a fluctuation that costs no energy: give 0 < xi < 1"
            )
        for key in ("tau_mM", "diffusion", "susceptibility"):
            require_positive("magnet", key, getattr(self, key))
        for key in ("tau_ML", "tau_mL"):
            value = getattr(self, key)
            if not (is_finite(value) and value > 0) and value != math.inf:
                raise ModelError(f"magnet: {key} is {value!r}; it must be positive, or infinite for no decay")

    @property
    def chi_m(self) -> float:
        """Susceptibility of m."""
        return self.xi * self.susceptibility

    @property
    def exchange(self) -> float:
        """L = chi_m/tau_mM, Onsager's coefficient of the decay of M to m and back (1/s), Eq. (27)."""
        return self.chi_m / self.tau_mM

    @property
    def rate(self) -> float:
        """R = (1 - xi)/tau_mM, at which M and m exchange (1/s), Eq. (31)."""
        return (1 - self.xi) / self.tau_mM

    @property
    def k_M(self) -> float:
        """sqrt(r/D), the natural wavenumber (1/m), Eq. (31)."""
        return math.sqrt(self.rate / self.diffusion)

    @property
    def w_M(self) -> float:
        """Rate of decay of M to the lattice (1/s), Eq. (38)."""
        return 1 / self.tau_ML

    @property
    def w_m(self) -> float:
        """Rate of decay of m to the lattice (1/s), Eq. (38)."""
        return 1 / self.tau_mL

    @property
    def storage(self) -> Array:
        """S (2, 2)."""
        M, m = self.susceptibility, self.chi_m
        return np.asarray(np.array([[M, -m], [-m, m]]) / (1 - self.xi))

    @property
    def relaxation(self) -> Array:
        """R (2, 2), 1/s."""
        lattice = np.diag([self.w_M * self.susceptibility, self.w_m * self.chi_m])
        return np.asarray(self.exchange * np.array([[1.0, -1.0], [-1.0, 1.0]]) + lattice)

    @property
    def stiffness(self) -> float:
        """D chi_m, of the diffusion of m (m2/s)."""
        return self.diffusion * self.chi_m

    @property
    def rate_between(self) -> float:
        """w_M + xi (r - w_M), no slow mode's rate above and no fast one's below it, at any wavenumber (1/s).

        It is the rate at which M decays while dm_ is held at zero. Holding one variable of a symmetric problem leaves a
        rate between the two that it had (Cauchy's interlacing), and this one does not depend on the wavenumber.
        """
        return float(self.relaxation[0, 0] / self.storage[0, 0])

    def potentials(self, M: Array, m: Array) -> tuple[Array, Array]:
        """Return a and b (A/m) of Delta M and Delta m (A/m), Eqs. (8, 9)."""
        return np.asarray((M + m) / self.susceptibility), np.asarray((m + self.xi * M) / self.chi_m)

    def generator(self, k: float) -> Array:
        """Return Gamma (2, 2), with d(dM, dm)/dt = Gamma (dM, dm) at a wavenumber k (1/m), Eq. (33); 1/s."""
        r, w, q = self.rate, self.w_M, self.w_m + self.diffusion * k * k
        return np.array([[-w, r - w], [-self.xi * q, -r - q]])

    def mode_ratio(self, k: ArrayLike) -> tuple[Array, Array]:
        """Return dm/dM of the slow and of the fast mode, (gamma - w_M)/(w_M - r) by Eq. (34).

        Without lattice that of the slow mode begins as -xi k^2/k_M^2, and the fast one is dm = -dM at k = 0.

        Parameters
        ----------
        k
            Wavenumbers (1/m), any shape.

        Returns
        -------
        tuple
            Two arrays of that shape; not finite where w_M = r, since M then decays alone.
        """
        slow, fast = self.decay_rates(k)
        with np.errstate(divide="ignore", invalid="ignore"):
            return tuple(np.asarray((rate - self.w_M) / (self.w_M - self.rate)) for rate in (slow, fast))  # type: ignore[return-value]

    def field_susceptibility(self, omega: ArrayLike, k: ArrayLike = 0.0) -> Complex:
        """Return chi(omega) = (dM + dm)/H of a field H exp(i omega t) cos(k x) along M.

        M follows the field by relaxing to M0 + chi_M H: without decay to the lattice M + m is kept where the field is
        uniform, and chi is 0 at any frequency other than 0. At k = 0 and frequency 0 it is chi_M.

        Parameters
        ----------
        omega, k
            Angular frequencies (1/s) and wavenumbers (1/m), of shapes that broadcast.
        """
        s, k = np.broadcast_arrays(1j * np.asarray(omega, dtype=float), np.asarray(k, dtype=float))
        chi, xi, r, w = self.susceptibility, self.xi, self.rate, self.w_M
        q = self.w_m + self.diffusion * k**2
        # (s - Gamma)(Delta M, m) = (-s chi H, 0) for the deviations from the equilibrium that the field shifts.
        below = (s + w) * (s + r + q) + xi * q * (r - w)
        # M + m = chi H + Delta M + m, on one denominator: no difference of nearly equal numbers.
        above = w * (s + r + q) + xi * q * (r - w) + s * xi * q
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.where(below == 0, chi * (s == 0), chi * above / np.where(below == 0, 1.0, below))
        return np.asarray(found, dtype=complex)

    def decay_rates(self, k: ArrayLike) -> tuple[Array, Array]:
        """Return the slow and the fast rate of decay of a fluctuation exp(i k x - gamma t), Eqs. (36) and (39).

        2 gamma = w_m + w_M + D k^2 + r -+ sqrt((w_m - w_M + D k^2 + r)^2 - 4 xi (r - w_M) (D k^2 + w_m))

        Parameters
        ----------
        k
            Wavenumbers (1/m), any shape.

        Returns
        -------
        tuple
            Two arrays of that shape (1/s).
        """
        r, w, xi = self.rate, self.w_M, self.xi
        q = self.w_m + self.diffusion * np.asarray(k, dtype=float) ** 2
        # The same as 4 (product of the rates) below, without taking a difference.
        product = w * r + (1 - xi) * w * q + xi * r * q
        total = q + w + r
        root = np.sqrt(np.maximum((q + r - w) ** 2 - 4 * xi * (r - w) * q, 0.0))
        fast = (total + root) / 2
        return np.asarray(product / fast), np.asarray(fast)

    def wavenumber(self, omega: ArrayLike) -> Complex:
        """Return k of the response exp(i omega t - i k x) that decays towards large x, Eqs. (41) and (44).

        D k^2 = -w_m - (i omega + r) (i omega + w_M) / (i omega + (1 - xi) w_M + xi r)

        Parameters
        ----------
        omega
            Angular frequencies (1/s), any shape. The printed Eq. (41) is for exp(-i omega t), and gives -k*.

        Returns
        -------
        array
            (1/m), with Im k <= 0; Re k has the sign of omega.
        """
        s = 1j * np.asarray(omega, dtype=float)
        # M stands still at s = 0 without lattice: the limit of (0/0) there is that of D k^2 = 0.
        below = s + (1 - self.xi) * self.w_M + self.xi * self.rate
        minus = (self.w_m + (s + self.rate) * (s + self.w_M) / below) / self.diffusion
        return np.asarray(-1j * np.sqrt(minus))
