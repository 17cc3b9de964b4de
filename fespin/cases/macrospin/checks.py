"""Refusals of a sphere and of tasks about a macrospin, before anything is solved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ...errors import InputError
from ..tasks import Task, owners_of
from .about import About
from .first_passage import FirstPassage
from .tables import SphereTable

if TYPE_CHECKING:
    from ...macrospin import Macrospin


def check_sphere(table: SphereTable, spin: Macrospin) -> None:
    """Refuse a mesh of directions that is given twice, or too coarse for the energy.

    Raises
    ------
    InputError
        With one line that names the key.
    """
    if table.mesh is not None and table.mesh_size is not None:
        raise InputError("sphere: give one of mesh (a file) and mesh_size; found both")
    if table.method == "fourier":
        if table.triangles or table.axisymmetric is False:
            other = table.triangles[0] if table.triangles else "axisymmetric = false"
            raise InputError(f'sphere.method: "fourier" has no triangles; leave out {other}, or write "sphere"')
        from ...macrospin.landscape import wells_axis

        if wells_axis(spin) is None:
            raise InputError(
                'sphere.method: "fourier" needs wells near one axis, and those of this energy are not; write "sphere", '
                "or leave it out"
            )
    if table.mesh_size is not None and table.axisymmetric is False:
        from ...macrospin.scales import suggested_mesh_size

        enough = suggested_mesh_size(spin) * (table.degree / 4)
        if table.mesh_size > 4 * enough:
            raise InputError(
                f"sphere.mesh_size: found {table.mesh_size:g}; too coarse for this energy and damping, "
                f"about {enough:.2g} would do"
            )


def check_method(table: SphereTable, tasks: Sequence[Task], about: About) -> None:
    """Refuse Fourier series for tasks that are solved on triangles; a torque from transport is not known yet.

    Raises
    ------
    InputError
        With one line that names the task.
    """
    passages = [(owner, x) for owner, x in zip(owners_of(tasks), tasks, strict=True) if isinstance(x, FirstPassage)]
    if table.method != "fourier" or not passages or about.from_transport:
        return
    from ...quantities import direction
    from ...sigma.symmetry import find_axis, shares

    axis = find_axis(about.spin, about.torque)
    for owner, task in passages:
        ends = [direction(x, owner) for x in (task.start, task.goal)]
        if axis is None or not shares(axis, ends, []):
            raise InputError(
                f'sphere.method: "fourier" has no first passages ({owner}) where start, target, energy and torque '
                'share no axis; write "sphere", or leave it out'
            )


def check_tasks(tasks: Sequence[Task], about: About) -> None:
    """Refuse tasks that cannot be, and names that are none.

    Raises
    ------
    InputError
        With one line that names the task and the key.
    """
    for owner, task in zip(owners_of(tasks), tasks, strict=True):
        task.check(owner, about)
