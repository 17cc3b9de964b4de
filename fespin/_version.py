"""Version of the package, importable without the rest of it."""

__version__ = "0.2.0"
