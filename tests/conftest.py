"""Fixtures, and the order of the files: fast ones first."""

import pytest
from mpi4py import MPI

# Its assertions say what differs, as those of tests do.
pytest.register_assert_rewrite("launch")

SLOW = ("test_pillar", "test_transient", "test_bad_input", "test_meshes", "test_parallel", "test_demos")


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: next((i for i, n in enumerate(SLOW, 1) if n in item.nodeid), 0))


@pytest.fixture
def comm():
    return MPI.COMM_WORLD
