"""Magnets, stacks and devices that several test files use."""
