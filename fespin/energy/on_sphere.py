"""UFL expressions of the direction u, evaluated with their derivatives by NumPy."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cached_property
from typing import Any

import basix.ufl
import numpy as np
import ufl
from numpy.typing import NDArray
from ufl.algorithms import expand_derivatives
from ufl.algorithms.expand_indices import expand_indices

from ..errors import InputError
from .collection import AnyTerm, resolve, volume_density
from .declaration import Scales

type Array = NDArray[Any]
"""Numbers, most often float64; shapes are in the docstrings."""

type Function = Callable[[Any], Any]
"""Takes u as a UFL vector of three components, returns a UFL scalar."""

_MESH = ufl.Mesh(basix.ufl.element("Lagrange", "triangle", 1, shape=(3,)))
_SYMBOL = ufl.Constant(_MESH, shape=(3,))

_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "Sum": np.add,
    "Product": np.multiply,
    "Division": np.divide,
    "Power": np.power,
    "Atan2": np.arctan2,
    "MinValue": np.minimum,
    "MaxValue": np.maximum,
    "EQ": np.equal,
    "NE": np.not_equal,
    "LT": np.less,
    "LE": np.less_equal,
    "GT": np.greater,
    "GE": np.greater_equal,
    "AndCondition": np.logical_and,
    "OrCondition": np.logical_or,
}
_UNARY: dict[str, Callable[[Any], Any]] = {
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Ln": np.log,
    "Cos": np.cos,
    "Sin": np.sin,
    "Tan": np.tan,
    "Cosh": np.cosh,
    "Sinh": np.sinh,
    "Tanh": np.tanh,
    "Acos": np.arccos,
    "Asin": np.arcsin,
    "Atan": np.arctan,
    "Abs": np.abs,
    "Sign": np.sign,
    "NotCondition": np.logical_not,
    "Real": np.real,  # UFL writes them around absolute values
    "Conj": np.conj,
}


# A step of differences of fourth order: truncation and rounding are both about 1e-12.
_STEP = 1e-3


class Pointwise:
    """A scalar function of the direction, from a UFL expression.

    The expression may use all three components of u; derivatives are those along the sphere.

    Parameters
    ----------
    function
        Called once with u as a UFL vector; returns a UFL scalar or a number.
    owner
        Name of the function, for messages.

    Raises
    ------
    InputError
        If the function does not return a scalar that UFL can differentiate.

    Examples
    --------
    >>> from fespin.energy import Pointwise
    >>> energy = Pointwise(lambda u: -(u[2] ** 2))
    >>> energy(np.array([[0.6, 0.0, 0.8]])), energy.gradient(np.array([[0.6, 0.0, 0.8]])).round(3)
    (array([-0.64]), array([[ 0.768,  0.   , -0.576]]))
    """

    def __init__(self, function: Function, owner: str = "function") -> None:
        # Each component is a variable of its own: UFL's expansion of indices mixes up components of a single one.
        self._symbols = [ufl.variable(_SYMBOL[i]) for i in range(3)]
        try:
            self._expression = ufl.as_ufl(function(ufl.as_vector(self._symbols)))
            shape = self._expression.ufl_shape
        except Exception as error:  # whatever the user's function raises
            why = f"{type(error).__name__}: {error}"
            raise InputError(
                f"{owner}: it must take a UFL vector u and return a UFL scalar; it raised {why}"
            ) from error
        if shape != ():
            raise InputError(f"{owner}: it must return a scalar; found shape {shape}")
        self.owner = owner
        self._value = _compile(self._expression, owner)

    def __call__(self, u: Array) -> Array:
        """Return the values at directions u (n, 3)."""
        return _evaluate(self._value, u)

    @cached_property
    def _slope(self) -> list[Any]:
        return [_compile(ufl.diff(self._expression, x), self.owner) for x in self._symbols]

    @cached_property
    def _second(self) -> list[list[Any]]:
        slopes = [ufl.diff(self._expression, x) for x in self._symbols]
        return [[_compile(ufl.diff(slope, x), self.owner) for x in self._symbols] for slope in slopes]

    def ambient_gradient(self, u: Array) -> Array:
        """Return the gradient in space of the expression (n, 3)."""
        return np.stack([_evaluate(c, u) for c in self._slope], axis=-1)

    def gradient(self, u: Array) -> Array:
        """Return the gradient along the sphere (n, 3)."""
        g = self.ambient_gradient(u)
        return np.asarray(g - np.sum(g * u, axis=-1, keepdims=True) * u)

    def hessian(self, u: Array, frame: Array) -> Array:
        """Return the covariant second derivatives (n, 2, 2) in orthonormal tangent frames (n, 2, 3)."""
        h = np.stack([np.stack([_evaluate(c, u) for c in row], axis=-1) for row in self._second], axis=-2)
        radial = np.sum(self.ambient_gradient(u) * u, axis=-1)
        return np.asarray(np.einsum("nai,nij,nbj->nab", frame, h, frame) - radial[:, None, None] * np.eye(2))

    def laplacian(self, u: Array) -> Array:
        """Return the Laplace-Beltrami operator of the function (n,)."""
        return np.asarray(np.trace(self.hessian(u, tangent_frame(u)), axis1=-2, axis2=-1))


def macrospin_energy(term: AnyTerm, u: Any, scales: Scales, thickness: float | None = None) -> Any:
    """Return the energy (J) of a term in a macrospin, v e(u, 0), as a UFL expression of the UFL vector u.

    Parameters
    ----------
    scales
        Numbers of the macrospin, all of them.
    thickness
        Thickness (m) of the film, which energies of faces need.
    """
    flat = ufl.zero(3, 3)
    if getattr(term, "thermal", False):
        # A volume of one is taken: dividing by the true one and multiplying by it again would round.
        (term,) = resolve([term], dataclasses.replace(scales, volume=1.0))
        return volume_density(term, u, flat, None)
    assert scales.volume is not None
    (term,) = resolve([term], scales)
    return multiplied(ufl.as_ufl(volume_density(term, u, flat, None, thickness)), scales.volume)


def multiplied(expression: Any, factor: float) -> Any:
    """Return a UFL expression times a number, merged into the number that each summand has already.

    So a macrospin's energies (J) are the same to the last digit as if their constants had been given for its volume.

    Examples
    --------
    >>> multiplied(ufl.as_ufl(2.0), 3.0)
    FloatValue(6.0)
    """
    if isinstance(expression, ufl.algebra.Sum):
        return sum(
            (multiplied(part, factor) for part in expression.ufl_operands[1:]),
            multiplied(expression.ufl_operands[0], factor),
        )
    if isinstance(expression, ufl.algebra.Division):
        numerator, denominator = expression.ufl_operands
        if isinstance(denominator, ufl.constantvalue.ScalarValue) and float(denominator) == factor:
            return numerator
    joined = _joined(expression, factor)
    return factor * expression if joined is None else joined


def _joined(expression: Any, factor: float) -> Any | None:
    """Return a product with its number multiplied by the factor; None if there is no number in it."""
    if isinstance(expression, ufl.constantvalue.ScalarValue):
        return ufl.as_ufl(float(expression) * factor)
    if isinstance(expression, ufl.algebra.Product):
        a, b = expression.ufl_operands
        for part, other in ((a, b), (b, a)):
            joined = _joined(part, factor)
            if joined is not None:
                return joined * other
    return None


def tangent_frame(u: Array) -> Array:
    """Return two orthonormal tangent vectors (n, 2, 3) at directions u (n, 3)."""
    helper = np.eye(3)[np.argmin(np.abs(u), axis=-1)]
    first = np.cross(helper, u)
    first /= np.linalg.norm(first, axis=-1, keepdims=True)
    return np.stack([first, np.cross(u, first)], axis=-2)


def linearized(velocity: Callable[[Array], Array], u: Array) -> Array:
    """Return the matrix (2, 2) of a tangential velocity's linearization in the tangent frame at a direction (3,).

    At a fixed point its eigenvalues are the rates at which small deviations grow.
    """
    frame = tangent_frame(u[None])[0]
    steps = _STEP * np.array([1.0, -1.0, 2.0, -2.0])
    columns = []
    for e in frame:
        near = np.cos(steps)[:, None] * u + np.sin(steps)[:, None] * e
        v = velocity(near) @ frame.T
        columns.append((8 * (v[0] - v[1]) - (v[2] - v[3])) / (12 * _STEP))
    return np.array(columns).T


def divergence(velocity: Callable[[Array], Array], u: Array) -> float:
    """Return the divergence along the sphere of a tangential velocity at a direction (3,)."""
    return float(np.trace(linearized(velocity, u)))


def _evaluate(code: Any, u: Array) -> Array:
    with np.errstate(all="ignore"):  # whoever needs finite values checks them
        return np.broadcast_to(np.asarray(code(u, {}), dtype=float), u.shape[:-1]).copy()


def _compile(expression: Any, owner: str) -> Any:
    """Return a function of (u, memo) that evaluates an expression, every node once."""
    return _node(expand_indices(expand_derivatives(expression)), owner, {})


def _node(e: Any, owner: str, known: dict[Any, Any]) -> Any:
    if e not in known:
        plain = _leaf(e, owner, known)
        key = len(known)

        def memoized(u: Array, memo: dict[int, Any]) -> Any:
            if key not in memo:
                memo[key] = plain(u, memo)
            return memo[key]

        known[e] = memoized
    return known[e]


def _leaf(e: Any, owner: str, known: dict[Any, Any]) -> Any:
    name = type(e).__name__
    if name == "Variable":
        return _node(e.ufl_operands[0], owner, known)
    if name == "Zero":
        return lambda u, memo: 0.0
    if isinstance(e, ufl.constantvalue.ScalarValue):
        value = float(e)
        return lambda u, memo: value
    if name == "Indexed":
        tensor, index = e.ufl_operands
        while type(tensor).__name__ == "Variable":
            tensor = tensor.ufl_operands[0]
        if tensor == _SYMBOL:
            i = int(index[0])
            return lambda u, memo: u[..., i]
    parts = [_node(x, owner, known) for x in e.ufl_operands] if name in _BINARY or name in _UNARY else []
    if name in _BINARY:
        binary, (a, b) = _BINARY[name], parts
        return lambda u, memo: binary(a(u, memo), b(u, memo))
    if name in _UNARY:
        unary, a = _UNARY[name], parts[0]
        return lambda u, memo: unary(a(u, memo))
    if name == "Conditional":
        test, a, b = (_node(x, owner, known) for x in e.ufl_operands)
        return lambda u, memo: np.where(test(u, memo), a(u, memo), b(u, memo))
    raise InputError(f"{owner}: UFL's {name} cannot be evaluated as a function of the direction")
