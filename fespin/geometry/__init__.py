"""Meshes of devices, built by gmsh.

Names are imported when first used, because gmsh and the checks of mesh files are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .boxes import bricks
    from .files import from_file
    from .lateral_valve import lateral
    from .layered import line, strip
    from .parallel_files import save_mesh
    from .pillars import pillar
    from .three_terminal import three_terminal

__getattr__ = lazily(
    __name__,
    {
        "boxes": ("bricks",),
        "files": ("from_file",),
        "lateral_valve": ("lateral",),
        "layered": ("line", "strip"),
        "parallel_files": ("save_mesh",),
        "pillars": ("pillar",),
        "three_terminal": ("three_terminal",),
    },
)

__all__ = ["bricks", "from_file", "lateral", "line", "pillar", "save_mesh", "strip", "three_terminal"]
