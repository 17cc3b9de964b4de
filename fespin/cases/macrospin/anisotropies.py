"""Terms of a macrospin's energy in a case file, one class for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from ...errors import InputError
from ..schema import Direction, EnergyDensity, Length, Stability, Table

if TYPE_CHECKING:
    from ...macrospin import Biaxial, Cubic, Shape, Uniaxial


class UniaxialTable(Table):
    """Easy axis, or easy plane: E = -K v (u.axis)^2."""

    exactly_one = (("constant", "stability"),)
    kind: Literal["uniaxial"] = Field(description="an easy axis, or an easy plane")
    constant: EnergyDensity | None = Field(None, description="K; an easy plane where it is negative (J/m3)")
    stability: Stability | None = Field(
        None, description="instead of constant: K v/kT, so that K grows with macrospin.temperature (kT)"
    )
    axis: Direction = Field([0.0, 0.0, 1.0], description="easy axis, of any length (1)")

    def term(self) -> Uniaxial:
        """Return the term of the energy."""
        from ...macrospin import Uniaxial

        return Uniaxial(self.constant, self.axis, self.stability)


class BiaxialTable(Table):
    """Easy axis and hard axis."""

    exactly_one = (("constant", "stability"), ("hard_constant", "hard_stability"))
    kind: Literal["biaxial"] = Field(description="an easy axis and a hard axis")
    constant: EnergyDensity | None = Field(None, description="K of the easy axis (J/m3)")
    stability: Stability | None = Field(
        None, description="instead of constant: K v/kT, so that K grows with macrospin.temperature (kT)"
    )
    axis: Direction = Field([1.0, 0.0, 0.0], description="easy axis, of any length (1)")
    hard_constant: EnergyDensity | None = Field(None, description="K of the hard axis (J/m3)")
    hard_stability: Stability | None = Field(None, description="instead of hard_constant: K v/kT of the hard axis (kT)")
    hard_axis: Direction = Field([0.0, 0.0, 1.0], description="hard axis, of any length (1)")

    def term(self) -> Biaxial:
        """Return the term of the energy."""
        from ...macrospin import Biaxial

        if (self.hard_constant is None) == (self.hard_stability is None):
            found = "neither" if self.hard_constant is None else "both"
            raise InputError(f"give exactly one of hard_constant (J/m3) and hard_stability (kT); found {found}")
        return Biaxial(
            self.constant, self.hard_constant, self.axis, self.hard_axis, self.stability, self.hard_stability
        )


class CubicTable(Table):
    """Cubic anisotropy."""

    exactly_one = (("constant", "stability"),)
    kind: Literal["cubic"] = Field(description="three easy axes, or four")
    constant: EnergyDensity | None = Field(None, description="K1 (J/m3)")
    stability: Stability | None = Field(
        None, description="instead of constant: K1 v/kT, so that K1 grows with macrospin.temperature (kT)"
    )
    axis: Direction = Field([0.0, 0.0, 1.0], description="one of the cubic axes, of any length (1)")
    second_axis: Direction = Field([1.0, 0.0, 0.0], description="another of the cubic axes (1)")
    second_constant: EnergyDensity = Field(0.0, description="K2 (J/m3)")

    def term(self) -> Cubic:
        """Return the term of the energy."""
        from ...macrospin import Cubic

        return Cubic(self.constant, self.axis, self.second_axis, self.second_constant, self.stability)


class ShapeTable(Table):
    """Anisotropy of the magnet's own demagnetizing field."""

    exactly_one = (("factors", "body"),)
    kind: Literal["shape"] = Field(description="the magnet's own demagnetizing field")
    factors: Direction | None = Field(None, description="demagnetizing factors, which add up to 1; instead of body (1)")
    body: Literal["ellipsoid", "elliptic-cylinder", "prism"] | None = Field(
        None, description="whose demagnetizing factors are taken"
    )
    size: Annotated[list[Length], Field(min_length=3, max_length=3)] | None = Field(
        None, description="of the body: ellipsoid semi-axes; elliptic cylinder semi-axes and thickness; prism edges (m)"
    )

    def term(self) -> Shape:
        """Return the term of the energy."""
        from ...energy import demagnetization
        from ...macrospin import Shape

        if (self.factors is None) == (self.body is None):
            found = "neither" if self.factors is None else "both"
            raise InputError(f"give exactly one of factors and body (with its size); found {found}")
        if self.factors is not None:
            if self.size is not None:
                raise InputError("size: belongs to body, found with factors")
            return Shape(self.factors)
        if self.size is None:
            raise InputError("size: missing; a body needs three lengths (m)")
        bodies = {
            "ellipsoid": demagnetization.ellipsoid_factors,
            "elliptic-cylinder": demagnetization.elliptic_cylinder_factors,
            "prism": demagnetization.rectangular_prism_factors,
        }
        assert self.body is not None
        return Shape(bodies[self.body](*self.size))


# Written out, not computed: type checkers read it.
type AnisotropyTable = Annotated[UniaxialTable | BiaxialTable | CubicTable | ShapeTable, Field(discriminator="kind")]
