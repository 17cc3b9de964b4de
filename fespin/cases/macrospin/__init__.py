"""Cases of a macrospin: its tables, and a module for each question about it."""
