"""A run in which no file may grow beyond 100 kB: full_disk.py asked|found CASE OUTPUT."""

import resource
import sys

from mpi4py import MPI

from fespin import output
from fespin.cli import main

HOW, CASE, OUT = sys.argv[1:]
if HOW == "found":
    output.FieldFile._require_room = lambda self, size: None
MPI.COMM_WORLD.barrier()  # MPI has its own files by now
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
sys.exit(main(["run", CASE, "--output", OUT, "--no-pictures"]))
