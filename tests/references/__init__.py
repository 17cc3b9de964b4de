"""Reference solutions that are independent of the finite-element code."""
