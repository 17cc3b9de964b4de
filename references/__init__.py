"""Reference solutions that are independent of the finite elements: tests and benchmarks compare with them.

They are checked on their own, in ``tests/references``, against closed forms and higher precision.
"""
