"""Choices about solvers that tests share."""

import fespin as fs

# Where fields and currents are compared more closely than the default solver needs to know them.
TO_ROUNDING = fs.SolverOptions(rtol=1e-16)
