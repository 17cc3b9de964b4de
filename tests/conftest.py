"""Fixtures, the order of the files, and the mark of fast tests."""

import pytest
from mpi4py import MPI

# Its assertions say what differs, as those of tests do.
pytest.register_assert_rewrite("launch")

# Files that take longest come last, so that failures elsewhere are seen early.
LAST = ("test_pillar", "test_transient", "test_bad_input", "test_meshes", "test_parallel", "test_demos")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: next((i for i, n in enumerate(LAST, 1) if n in item.nodeid), 0))
    for item in items:
        if item.get_closest_marker("slow") is None:
            item.add_marker("fast")


@pytest.fixture
def comm():
    return MPI.COMM_WORLD
