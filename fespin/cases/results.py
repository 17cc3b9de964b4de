"""What every kind of task asks of its results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..errors import SolverError


def require_numbers(owner: str, results: Mapping[str, Any]) -> None:
    """Refuse results that are not numbers.

    Raises
    ------
    SolverError
        With the key of the first.
    """
    for key, value in results.items():
        try:
            json.dumps(value, allow_nan=False)
        except ValueError as error:
            why = f"{owner}: {key} is not finite; try shorter times, a lower barrier or a finer mesh"
            raise SolverError(why) from error
