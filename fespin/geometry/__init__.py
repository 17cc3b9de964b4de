"""Meshes of devices, built by gmsh."""

from .files import from_file
from .lateral_valve import lateral
from .layered import line, pillar, strip

__all__ = ["from_file", "lateral", "line", "pillar", "strip"]
