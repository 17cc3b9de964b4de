"""Meshes of devices, built by gmsh."""

from .files import from_file
from .lateral_valve import lateral
from .layered import line, strip
from .pillars import pillar

__all__ = ["from_file", "lateral", "line", "pillar", "strip"]
