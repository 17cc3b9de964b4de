"""Meshes of devices, built by gmsh."""

from .boxes import bricks
from .files import from_file
from .lateral_valve import lateral
from .layered import line, strip
from .pillars import pillar

__all__ = ["bricks", "from_file", "lateral", "line", "pillar", "strip"]
