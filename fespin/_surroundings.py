"""Start of the libraries without option files that happen to lie in the working directory.

A case is often run in the folder where it was unpacked. PETSc reads ``.petscrc`` and ``petscrc`` there, DOLFINx
and FFCx ``dolfinx_jit_options.json`` and ``ffcx_options.json`` (flags of the compiler among them), Matplotlib
``matplotlibrc``: any of these can run a program or write over a file. The user's own settings, in the home folder and
the environment, are read as ever.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def start_libraries(comm: Any, *, pictures: bool = True) -> None:
    """Import and configure PETSc, DOLFINx and Matplotlib. Collective; without effect on those that have started.

    Parameters
    ----------
    comm
        All processes of the run.
    pictures
        True if Matplotlib will be needed.
    """
    import petsc4py

    # PETSc reads its options file on one rank, so all ranks must name the same file.
    own = comm.bcast(_own_options() if comm.rank == 0 else None, 0)
    petsc4py.init(["fespin", "-skip_petscrc", *([] if own is None else ["-options_file", own])])
    with _elsewhere():
        import dolfinx.jit
        import ffcx.options

        # Both libraries store what they find at their first call.
        dolfinx.jit.get_options()
        ffcx.options.get_options()
        if pictures:
            import matplotlib  # noqa: F401


def _own_options() -> str | None:
    """Return the user's own file of PETSc options."""
    with contextlib.suppress(RuntimeError):  # the user has no home folder
        path = Path.home() / ".petscrc"
        if path.is_file() and os.access(path, os.R_OK):
            return str(path)
    return None


@contextlib.contextmanager
def _elsewhere() -> Iterator[None]:
    """Work in the folder of this package, which is trusted as the code is."""
    # With O_PATH, a folder can be opened that is not readable.
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY))
    try:
        os.chdir(Path(__file__).parent)
        yield
    finally:
        os.fchdir(here)
        os.close(here)
