"""``python -m fespin``."""

from .cli import program

program()
