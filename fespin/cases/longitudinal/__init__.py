"""Cases of longitudinal dynamics: their table, and a module for each task about M and m."""

from typing import Annotated

from pydantic import Field

from ..tasks import classes_of
from .dispersion import Dispersion
from .relaxation import Relaxation
from .response import Response

# Written out, not computed: type checkers read it.
type LongitudinalTask = Annotated[Dispersion | Response | Relaxation, Field(discriminator="kind")]
TASKS = classes_of(LongitudinalTask.__value__)
"""Classes of the tasks by their words."""

__all__ = ["TASKS", "LongitudinalTask"]
