"""Run the transport of a case: from tables to solutions, numbers, files and pictures."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from mpi4py import MPI

from .. import output
from ..coupling.circuit import Circuit
from ..coupling.directions import has_fixed_direction
from ..coupling.groups import Groups
from ..coupling.maps import TorqueMap, torque_map
from ..coupling.report import DrivenMap
from ..coupling.sphere_map import DirectionMap, direction_map
from ..device import Contact
from ..domain import Domain
from ..onsager.terminals import Terminal
from ..plotting.profiles import d_accumulation
from ..plotting.transport import plot_device, plot_profiles
from ..progress import ProgressBar
from ..sigma.symmetry import find_axis
from ..solvers import SolverOptions
from ..stack import Stack
from ..transport import MultilayerSolution, Profile, TransportProblem, TransportSolution, solve_multilayer
from ..transport.seebeck import ThermoelectricCoefficients, thermoelectric_coefficients
from .case import Case
from .checkpoints import Checkpoints
from .layer_notes import unchecked_interfaces
from .macrospin_case import make_spin
