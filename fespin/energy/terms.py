"""The energies that fespin knows, a frozen class each; :mod:`fespin.energy.declaration` says what one consists of.

Energies given by a function of the user's are in :mod:`fespin.energy.functions`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from ..constants import DIPOLAR_MEMORY, VACUUM_PERMEABILITY
from ..errors import InputError
from ..quantities import AnyVector, direction, require_positive
from .declaration import Face, Scales, dot, field_vector
from .term_numbers import (
    require_face,
    require_finite,
    require_one_constant,
    set_floats,
    set_perpendicular,
    supplied,
    with_constants,
    with_magnetization,
)


# ---- local terms
@dataclass(frozen=True)
class Uniaxial:
    """Uniaxial anisotropy, -K (m.axis)^2; K < 0 makes an easy plane.

    Attributes
    ----------
    constant
        K (J/m3).
    axis
        Easy axis; its length is not used.
    stability
        K v / kT of a macrospin, instead of the constant.

    Raises
    ------
    InputError
        If not exactly one of `constant` and `stability` is given, or the axis is zero.

    Examples
    --------
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[fs.Uniaxial(constant=3e5, axis=(0, 0, 1))])
    >>> print(f"{bit.energy(np.eye(3))[2]:.3e}")  # J, along the easy axis
    -1.500e-18
    >>> fs.Uniaxial(stability=60).stability  # K v/kT instead of K, for a macrospin
    60.0
    """

    constant: float | None = None
    axis: AnyVector = (0.0, 0.0, 1.0)
    stability: float | None = None
    local: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_one_constant("uniaxial anisotropy", self.constant, self.stability)
        object.__setattr__(self, "axis", direction(self.axis, "uniaxial anisotropy", "axis"))
        set_floats(self, "constant", "stability")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        along = dot(self.axis, m)
        return -supplied("uniaxial anisotropy", self.constant) * along * along

    @property
    def thermal(self) -> bool:
        """Return whether all its numbers are given in kT."""
        return self.stability is not None

    def resolved(self, scales: Scales) -> Uniaxial:
        """Return the term with its constant."""
        return with_constants("uniaxial anisotropy", self, scales, {"constant": "stability"})


@dataclass(frozen=True)
class Biaxial:
    """Easy and hard axis, -K (m.axis)^2 + K_hard (m.hard_axis)^2.

    Attributes
    ----------
    constant, stability
        K (J/m3) of the easy axis or, for a macrospin, K v / kT.
    hard_constant, hard_stability
        K_hard of the hard axis, likewise.
    axis, hard_axis
        Perpendicular to each other.

    Raises
    ------
    InputError
        If a constant is missing or given twice, or the axes are not perpendicular.

    Examples
    --------
    >>> bar = fs.Biaxial(constant=2e4, hard_constant=2e5, axis=(1, 0, 0), hard_axis=(0, 0, 1))
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[bar])
    >>> [f"{energy:.1e}" for energy in bit.energy(np.eye(3))]  # J, along x, y and z
    ['-1.0e-19', '0.0e+00', '1.0e-18']
    """

    constant: float | None = None
    hard_constant: float | None = None
    axis: AnyVector = (1.0, 0.0, 0.0)
    hard_axis: AnyVector = (0.0, 0.0, 1.0)
    stability: float | None = None
    hard_stability: float | None = None
    local: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_one_constant("biaxial anisotropy", self.constant, self.stability)
        require_one_constant("biaxial anisotropy, hard axis", self.hard_constant, self.hard_stability)
        set_perpendicular("biaxial anisotropy", self, "axis", "hard_axis")
        set_floats(self, "constant", "hard_constant", "stability", "hard_stability")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        k, k_hard = (supplied("biaxial anisotropy", x) for x in (self.constant, self.hard_constant))
        easy, hard = dot(self.axis, m), dot(self.hard_axis, m)
        return -k * easy * easy + k_hard * hard * hard

    @property
    def thermal(self) -> bool:
        """Return whether all its numbers are given in kT."""
        return self.stability is not None and self.hard_stability is not None

    def resolved(self, scales: Scales) -> Biaxial:
        """Return the term with its constants."""
        pairs = {"constant": "stability", "hard_constant": "hard_stability"}
        return with_constants("biaxial anisotropy", self, scales, pairs)


@dataclass(frozen=True)
class Cubic:
    """Cubic anisotropy, K1 (a^2 b^2 + b^2 c^2 + c^2 a^2) + K2 a^2 b^2 c^2, with a, b, c the parts of m on three axes.

    Attributes
    ----------
    constant, stability
        K1 (J/m3) or, for a macrospin, K1 v / kT; either sign.
    second
        K2 (J/m3).
    axis, second_axis
        Two of the cubic axes; the third is perpendicular to both.

    Raises
    ------
    InputError
        If not exactly one of `constant` and `stability` is given, or the axes are not perpendicular.

    Examples
    --------
    >>> iron = fs.Macrospin(1e-24, 1.7e6, 0.01, terms=[fs.Cubic(constant=4.8e4)])
    >>> len(fs.survey(iron).wells)  # the cubic axes
    6
    """

    constant: float | None = None
    axis: AnyVector = (0.0, 0.0, 1.0)
    second_axis: AnyVector = (1.0, 0.0, 0.0)
    second: float = 0.0
    stability: float | None = None
    local: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_one_constant("cubic anisotropy", self.constant, self.stability)
        set_perpendicular("cubic anisotropy", self, "axis", "second_axis")
        if not math.isfinite(self.second):
            raise InputError(f"cubic anisotropy: the second constant is {self.second!r}; it must be finite")
        set_floats(self, "constant", "second", "stability")

    @property
    def degree(self) -> int:
        """Return the degree of the polynomial."""
        return 6 if self.second else 4

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        p, q = self.axis, self.second_axis
        third = (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])
        a, b, c = (dot(axis, m) ** 2 for axis in (p, q, third))
        return supplied("cubic anisotropy", self.constant) * (a * b + b * c + c * a) + self.second * a * b * c

    @property
    def thermal(self) -> bool:
        """Return whether all its numbers are given in kT."""
        return self.stability is not None and not self.second

    def resolved(self, scales: Scales) -> Cubic:
        """Return the term with its constant."""
        return with_constants("cubic anisotropy", self, scales, {"constant": "stability"})


@dataclass(frozen=True)
class Shape:
    """Shape anisotropy, (mu0 Ms^2 / 2) sum_i N_i m_i^2, exact for a uniform ellipsoid along the axes of space.

    Attributes
    ----------
    factors
        Demagnetizing factors (N_x, N_y, N_z); they add up to one. See
        :func:`fespin.ellipsoid_factors` and :func:`fespin.elliptic_cylinder_factors`.
    saturation_magnetization
        Ms (A/m); None: the magnet's.

    Raises
    ------
    InputError
        If the factors are negative or do not add up to one.

    Examples
    --------
    >>> factors = fs.ellipsoid_factors(60e-9, 30e-9, 3e-9)
    >>> bit = fs.Macrospin(2e-23, 8e5, 0.02, terms=[fs.Shape(factors)])
    >>> round(fs.survey(bit).barrier, 1)  # kT, from the long to the middle axis
    99.7
    """

    factors: AnyVector
    saturation_magnetization: float | None = None
    local: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        n = np.asarray(self.factors, dtype=float)
        if n.shape != (3,) or not np.isfinite(n).all() or (n < -1e-9).any() or abs(n.sum() - 1) > 1e-6:
            raise InputError(
                f"shape anisotropy: the demagnetizing factors are {list(self.factors)}; "
                "they must be three, not negative, and add up to 1"
            )
        object.__setattr__(self, "factors", tuple(float(x) for x in n))
        set_floats(self, "saturation_magnetization")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        ms = supplied("shape anisotropy", self.saturation_magnetization)
        return VACUUM_PERMEABILITY / 2 * ms**2 * sum(self.factors[i] * m[i] ** 2 for i in range(3))

    def resolved(self, scales: Scales) -> Shape:
        """Return the term with Ms."""
        return with_magnetization(self, scales)


@dataclass(frozen=True)
class Zeeman:
    """A constant field, -Ms B.m, in addition to the one that a macrospin or a motion has as its own.

    Attributes
    ----------
    field
        B = mu0 H (T).
    saturation_magnetization
        Ms (A/m); None: the magnet's.

    Raises
    ------
    InputError
        If the field is not three finite numbers.

    Examples
    --------
    >>> bit = fs.Macrospin(5e-24, 8e5, 0.02, terms=[fs.Uniaxial(stability=20), fs.Zeeman((0, 0, 1e-2))])
    >>> round(fs.survey(bit).barrier, 2)
    11.5
    """

    field: AnyVector
    saturation_magnetization: float | None = None
    local: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", field_vector(self.field, "Zeeman term"))
        set_floats(self, "saturation_magnetization")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        return -supplied("Zeeman term", self.saturation_magnetization) * dot(self.field, m)

    def resolved(self, scales: Scales) -> Zeeman:
        """Return the term with Ms."""
        return with_magnetization(self, scales)


# ---- terms of the gradient
@dataclass(frozen=True)
class Exchange:
    """Exchange, A |grad m|^2: the sum of A (d_j m_i)^2 over all i and j.

    Attributes
    ----------
    stiffness
        A (J/m), positive.

    Raises
    ------
    InputError
        If it is not positive.

    Examples
    --------
    >>> cobalt = fs.Magnet(1.4e6, 0.01, [fs.Exchange(2.8e-11), fs.Uniaxial(5e5)])
    >>> print(f"{(2.8e-11 / 5e5) ** 0.5:.2e}")  # m, the width parameter of its walls
    7.48e-09
    """

    stiffness: float
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_positive("exchange", "stiffness", self.stiffness)
        set_floats(self, "stiffness")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        return self.stiffness * sum(grad[i, j] * grad[i, j] for i in range(3) for j in range(3))


@dataclass(frozen=True)
class InterfacialDMI:
    """Dzyaloshinskii-Moriya interaction of a film, D [(m.n) div m - (m.grad)(m.n)], n the normal.

    With n = z it is D [m_z div m - (m.grad) m_z]. A wall of Neel's kind has the energy 4 sqrt(A K) -+ pi D, and at a
    free edge m tilts by arcsin(D/(2 sqrt(A K))).

    Attributes
    ----------
    constant
        D (J/m2), of either sign.
    normal
        n; its length is not used.

    Raises
    ------
    InputError
        If D is not finite or the normal is zero.

    References
    ----------
    A. Thiaville, S. Rohart, E. Jue, V. Cros, A. Fert, EPL 100, 57002 (2012); S. Rohart, A. Thiaville, Phys. Rev. B 88,
    184422 (2013).

    Examples
    --------
    >>> film = fs.Magnet(1.1e6, 0.02, [fs.Exchange(1.6e-11), fs.Uniaxial(9e5), fs.InterfacialDMI(1.5e-3)])
    >>> print(f"{4 * (1.6e-11 * 9e5) ** 0.5 - np.pi * 1.5e-3:.2e}")  # J/m2, the energy of its walls
    1.05e-02
    """

    constant: float
    normal: AnyVector = (0.0, 0.0, 1.0)
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_finite("interfacial DMI", "constant", self.constant)
        object.__setattr__(self, "normal", direction(self.normal, "interfacial DMI", "normal"))
        set_floats(self, "constant")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        along = sum(self.normal[i] * grad[i, j] * m[j] for i in range(3) for j in range(3))
        return self.constant * (dot(self.normal, m) * sum(grad[i, i] for i in range(3)) - along)


@dataclass(frozen=True)
class BulkDMI:
    """Dzyaloshinskii-Moriya interaction of a chiral crystal, D m.(curl m).

    A wall of Bloch's kind has the energy 4 sqrt(A K) -+ pi D; without anisotropy the ground state is a helix of the
    period 4 pi A/|D|.

    Attributes
    ----------
    constant
        D (J/m2), of either sign.

    Raises
    ------
    InputError
        If D is not finite.

    Examples
    --------
    >>> helimagnet = fs.Magnet(3.8e5, 0.05, [fs.Exchange(8.8e-12), fs.BulkDMI(1.6e-3)])
    >>> print(f"{4 * np.pi * 8.8e-12 / 1.6e-3:.2e}")  # m, the period of its helix
    6.91e-08
    """

    constant: float
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_finite("bulk DMI", "constant", self.constant)
        set_floats(self, "constant")

    def density(self, m: Any, grad: Any, x: Any) -> Any:
        """Return the energy density (J/m3)."""
        curl = (grad[2, 1] - grad[1, 2], grad[0, 2] - grad[2, 0], grad[1, 0] - grad[0, 1])
        return self.constant * dot(curl, m)


# ---- terms of faces
@dataclass(frozen=True)
class InterfaceAnisotropy:
    """Anisotropy of a face, -K_s (m.axis)^2 per area; K_s > 0 favours the axis, which is mostly the normal.

    Attributes
    ----------
    constant
        K_s (J/m2), of either sign.
    axis
        Direction; its length is not used.
    face
        Function of positions (3, n) that says which points belong to the face; "all": the whole surface of the mesh,
        the sides of a film included. Space needs `face` or `thickness`; a macrospin takes one face.
    thickness
        Thickness (m) of a film over which the energy is spread evenly, K_s/t in J/m3: for films that are thinner than
        an exchange length, and meshes that have no such face, as a plane. A macrospin has its own.

    Raises
    ------
    InputError
        If a number is impossible.

    Examples
    --------
    >>> film = fs.InterfaceAnisotropy(constant=1.3e-3)
    >>> bit = fs.Macrospin(5e-24, 1e6, 0.01, terms=[film], thickness=1.2e-9)
    >>> print(f"{bit.energy(np.eye(3))[2] / bit.thermal_energy:.1f}")
    -1307.8
    """

    constant: float
    axis: AnyVector = (0.0, 0.0, 1.0)
    face: Face | None = None
    thickness: float | None = None
    local: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        require_finite("interface anisotropy", "constant", self.constant)
        object.__setattr__(self, "axis", direction(self.axis, "interface anisotropy", "axis"))
        require_face("interface anisotropy", self.face, self.thickness)
        set_floats(self, "constant", "thickness")

    def surface_density(self, m: Any, x: Any) -> Any:
        """Return the energy (J/m2) of the face."""
        return -self.constant * dot(self.axis, m) ** 2


@dataclass(frozen=True)
class InterlayerExchange:
    """Exchange with a neighbour that does not move, -J m.p - J_2 (m.p)^2 per area, across a spacer.

    The neighbour's direction p is fixed: a pinned layer, or one that is much harder. Two magnets that both move are
    two problems, of which each would need the other's m at its face; this term does not couple them.

    Attributes
    ----------
    constant
        J (J/m2); J > 0 favours m parallel to p.
    direction
        p; its length is not used.
    biquadratic
        J_2 (J/m2); J_2 < 0 favours m perpendicular to p.
    face
        Function of positions (3, n) that says which points belong to the face; "all": the whole surface of the mesh,
        the sides of a film included. Space needs `face` or `thickness`; a macrospin takes one face.
    thickness
        Thickness (m) of a film over which the energy is spread evenly, as in :class:`InterfaceAnisotropy`.

    Raises
    ------
    InputError
        If a number is impossible.

    Examples
    --------
    >>> pinned = fs.InterlayerExchange(constant=-2e-4, direction=(0, 0, 1))
    >>> bit = fs.Macrospin(5e-24, 1e6, 0.01, terms=[pinned], thickness=2e-9)
    >>> print(fs.survey(bit).wells[0].direction[2].round(3))  # antiparallel to the neighbour
    -1.0
    """

    constant: float
    direction: AnyVector = (0.0, 0.0, 1.0)
    biquadratic: float = 0.0
    face: Face | None = None
    thickness: float | None = None
    local: ClassVar[bool] = True
    quadratic: ClassVar[bool] = True
    symbolic: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for key in ("constant", "biquadratic"):
            require_finite("interlayer exchange", key, getattr(self, key))
        object.__setattr__(self, "direction", direction(self.direction, "interlayer exchange", "direction"))
        require_face("interlayer exchange", self.face, self.thickness)
        set_floats(self, "constant", "biquadratic", "thickness")

    def surface_density(self, m: Any, x: Any) -> Any:
        """Return the energy (J/m2) of the face."""
        along = dot(self.direction, m)
        return -self.constant * along - self.biquadratic * along**2


# ---- the dipolar field
DIPOLAR_METHODS = ("auto", "bricks", "boundary")
"""Ways to the dipolar field of a body, :class:`fespin.energy.DipolarField`."""

COMPRESSED_FROM = 5000
"""Nodes on a surface from which the matrix of its boundary elements is compressed, if nothing else is said."""


def boundary_bytes(nodes: float) -> float:
    """Return the bytes that the default matrix of boundary elements takes, for a number of nodes on the surface.

    For a compressed matrix this is an upper estimate: 16 kB a node were measured at 41 000 nodes, 19 kB at 99 000.
    """
    return 8 * nodes**2 if nodes < COMPRESSED_FROM else 25e3 * nodes


@dataclass(frozen=True)
class Dipolar:
    """The magnet's own dipolar field in space, :class:`fespin.energy.DipolarField`: an operator, not a density.

    It needs a body of tetrahedra. A macrospin, whose field does not vary in space, takes :class:`Shape` instead.

    Attributes
    ----------
    memory
        Bytes that the matrix of boundary elements may take, on all ranks together.
    method
        "bricks", "boundary" or "auto", as in :class:`fespin.energy.DipolarField`.

    Examples
    --------
    >>> disc = fs.Magnet(8e5, 0.02, [fs.Exchange(1.3e-11), fs.Dipolar(memory=2e9)])
    >>> [type(term).__name__ for term in disc.terms]
    ['Exchange', 'Dipolar']
    """

    memory: float = DIPOLAR_MEMORY
    method: str = "auto"

    def __post_init__(self) -> None:
        require_positive("dipolar field", "memory", self.memory)
        if self.method not in DIPOLAR_METHODS:
            raise InputError(f"dipolar field: method is {self.method!r}; allowed: {', '.join(DIPOLAR_METHODS)}")
