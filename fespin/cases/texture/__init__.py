"""Cases of textured magnets: their table, and a module for each task about them."""

from typing import Annotated

from pydantic import Field

from ..tasks import classes_of
from .dynamics import TextureDynamics
from .electromotive_force import ElectromotiveForce

# Written out, not computed: type checkers read it.
type TextureTask = Annotated[ElectromotiveForce | TextureDynamics, Field(discriminator="kind")]
TASKS = classes_of(TextureTask.__value__)
"""Classes of the tasks by their words."""

__all__ = ["TASKS", "TextureTask"]
