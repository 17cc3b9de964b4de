"""Values at directions that cannot change: what is dear to evaluate is evaluated once."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from ..energy.on_sphere import Array


class Remembered:
    """Memory of the values that functions have at arrays of directions.

    Only arrays that own their numbers and are read-only count, such as the quadrature points of a surface; their values
    are forgotten with them. A copy begins with nothing.

    Examples
    --------
    >>> from fespin.macrospin.remembered import Remembered
    >>> u = np.eye(3)
    >>> u.flags.writeable = False
    >>> remembered = Remembered()
    >>> first = remembered("squares", u, lambda: u**2)
    >>> remembered("squares", u, lambda: u**2) is first
    True
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[object, weakref.ref[Array], Any]] = {}

    def __call__[T](self, owner: object, u: Array, work: Callable[[], T]) -> T:
        """Return the values at directions u, worked out only if the owner has none there yet.

        Parameters
        ----------
        owner
            What has the values.
        u
            Directions (n, 3).
        work
            Returns the values, which nobody may change.
        """
        if u.flags.writeable or u.base is not None:
            return work()
        key = id(owner), id(u)
        known = self._known.get(key)
        if known is not None and known[0] is owner and known[1]() is u:
            return known[2]  # type: ignore[no-any-return]
        value = work()
        self._known[key] = owner, weakref.ref(u, lambda _: self._known.pop(key, None)), value
        return value

    def __reduce__(self) -> tuple[type[Remembered], tuple[()]]:
        return Remembered, ()
