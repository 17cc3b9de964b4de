"""One rank fails, or hears a signal, while the others wait for it: ending.py HOW RANK ERROR [SIGNAL TO]."""

import ctypes
import os
import signal
import subprocess
import sys
import time

from fespin.ending import end_together, guard_program, reclaim_signals
from fespin.errors import InputError

HOW, RANK, ERROR, SIGNAL, TO = (*sys.argv[1:], "", "")[:5]
ERRORS = {
    "input": InputError("no such thing"),
    "exit": SystemExit(7),
    "success": SystemExit(0),
    "interrupt": KeyboardInterrupt(),
    "bug": ZeroDivisionError("a\nb"),
}
if SIGNAL:
    # A shell in the background, or nohup, may have told us to ignore it.
    signal.signal(int(SIGNAL), signal.default_int_handler if int(SIGNAL) == signal.SIGINT else signal.SIG_DFL)
    guard_program(4.0)

from mpi4py import MPI  # noqa: E402

reclaim_signals()
COMM = MPI.COMM_WORLD


def fail():
    if RANK in ("all", str(COMM.rank)):
        raise ERRORS[ERROR]


def work():
    if HOW == "raises":
        fail()
    elif HOW == "twice":  # the second block fails, not the first
        with end_together(COMM):
            COMM.barrier()
        with end_together(COMM):
            fail()
            COMM.barrier()
    elif HOW == "late":  # where the others are done already
        if str(COMM.rank) == RANK:
            time.sleep(1.0)
            fail()
        return
    else:
        COMM.barrier()
        until = time.monotonic() + 0.3  # all messages of the barrier go out
        while time.monotonic() < until:
            COMM.iprobe()
        if str(COMM.rank) == TO:
            subprocess.Popen(["sh", "-c", f"sleep 0.5; kill -s {signal.Signals(int(SIGNAL)).name[3:]} {os.getpid()}"])
        if str(COMM.rank) == RANK:
            if HOW == "busy":  # in code that holds Python's lock
                ctypes.PyDLL(None).sleep(300)
            time.sleep(300)
    COMM.barrier()


with end_together(COMM):
    work()
