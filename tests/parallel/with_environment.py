"""The command line with a variable of the environment set: with_environment.py NAME VALUE ARGUMENTS."""

import os
import sys

os.environ[sys.argv[1]] = sys.argv[2]

from fespin.cli import main

sys.exit(main(sys.argv[3:]))
