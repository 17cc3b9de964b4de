"""fespin: spin transport in nanodevices and the statistics of their free layers, with FEniCSx.

Names are imported when first used, so that checking a case does not wait for DOLFINx.

Examples
--------
Examples in docstrings take the following as given: the layers of a spin valve, a macrospin with a barrier of 5 kT, and
permalloy with the mesh of a wire of 400 nm.

>>> import numpy as np
>>> from dolfinx import mesh
>>> from mpi4py import MPI
>>> import fespin as fs
>>> comm = MPI.COMM_SELF
>>> Co, Cu = fs.material("Co"), fs.material("Cu")
>>> face = fs.Interface(area_resistance_star=0.51e-15, gamma=0.77, mixing_conductance=5e14)
>>> fixed, free = fs.Layer(Co, 12e-9, "fixed"), fs.Layer(Co, 3e-9, "free")
>>> outer, spacer = fs.Layer(Cu, 20e-9), fs.Layer(Cu, 6e-9)
>>> stack = fs.Stack(outer, fixed, spacer, free, outer, interfaces={("Co", "Cu"): face})
>>> spin = fs.Macrospin(volume=5e-24, saturation_magnetization=8e5, damping=0.05, terms=[fs.Uniaxial(stability=5)])
>>> anisotropy = {"easy_constant": 6e4, "hard_constant": 1.2e5}  # J/m3
>>> permalloy = fs.TexturedMagnet(8e5, 1.3e-11, 0.04, conductivity=4e6, polarization=0.5, **anisotropy)
>>> wire = mesh.create_interval(comm, 100, [0.0, 400e-9])
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._lazy import lazily
from ._version import __version__ as __version__

if TYPE_CHECKING:
    from .carriers import Bands, Thermal
    from .coupling import (
        Circuit,
        DirectionMap,
        EnergyBalance,
        FilmMap,
        TorqueMap,
        VoltageMap,
        direction_map,
        energy_balance,
        film_map,
        in_groups,
        pumped_damping,
        pumping_matrix,
        solve_turning,
        torque_map,
        voltage_map,
    )
    from .device import Contact, Interface, Layer, Material
    from .domain import Domain
    from .ending import end_together
    from .energy import (
        Biaxial,
        BulkDMI,
        Cubic,
        Density,
        Dipolar,
        Energy,
        Exchange,
        InterfaceAnisotropy,
        InterfacialDMI,
        InterlayerExchange,
        Magnet,
        Shape,
        Uniaxial,
        Zeeman,
    )
    from .energy.demagnetization import ellipsoid_factors, elliptic_cylinder_factors, rectangular_prism_factors
    from .errors import FespinError, InputError, ModelError, SolverError
    from .geometry import from_file, lateral, line, pillar, save_mesh, strip, three_terminal
    from .longitudinal import LongitudinalMagnet, LongitudinalProblem
    from .macrospin import (
        AngularDamping,
        AngularTorque,
        Macrospin,
        Pulse,
        SpinTorque,
        Stage,
        VectorTorque,
        first_passage,
        langevin,
        llg,
        power_spectrum,
        survey,
    )
    from .materials import interfaces, material
    from .normal_metal import NormalMetal
    from .onsager import Terminal
    from .sigma import FokkerPlanck, Sigma, decompose, dwell_times, phase_diagram, resonances
    from .solvers import SolverOptions
    from .stack import Stack
    from .texture import GenericMagnet, IrreversibleProblem, TexturedMagnet, TwoBandMagnet
    from .transport import (
        FourChannel,
        Thermoelectric,
        ThreeChannel,
        TransportProblem,
        TransportSolution,
        TwoChannel,
        Vector,
        band_lengths,
        solve_multilayer,
        thermoelectric_coefficients,
    )
    from .tunnel import BarrierTable, TunnelBarrier

_HOME = {
    "energy": (
        "Biaxial",
        "BulkDMI",
        "Cubic",
        "Density",
        "Dipolar",
        "Energy",
        "Exchange",
        "InterfaceAnisotropy",
        "InterfacialDMI",
        "InterlayerExchange",
        "Magnet",
        "Shape",
        "Uniaxial",
        "Zeeman",
    ),
    "energy.demagnetization": ("ellipsoid_factors", "elliptic_cylinder_factors", "rectangular_prism_factors"),
    "carriers": ("Bands", "Thermal"),
    "coupling": (
        "Circuit",
        "DirectionMap",
        "EnergyBalance",
        "FilmMap",
        "TorqueMap",
        "VoltageMap",
        "direction_map",
        "energy_balance",
        "film_map",
        "in_groups",
        "pumped_damping",
        "pumping_matrix",
        "solve_turning",
        "torque_map",
        "voltage_map",
    ),
    "device": ("Contact", "Interface", "Layer", "Material"),
    "domain": ("Domain",),
    "ending": ("end_together",),
    "errors": ("FespinError", "InputError", "ModelError", "SolverError"),
    "geometry": ("from_file", "lateral", "line", "pillar", "save_mesh", "strip", "three_terminal"),
    "longitudinal": ("LongitudinalMagnet", "LongitudinalProblem"),
    "normal_metal": ("NormalMetal",),
    "macrospin": (
        "AngularDamping",
        "AngularTorque",
        "Macrospin",
        "Pulse",
        "SpinTorque",
        "Stage",
        "VectorTorque",
        "first_passage",
        "langevin",
        "llg",
        "power_spectrum",
        "survey",
    ),
    "materials": ("interfaces", "material"),
    "onsager": ("Terminal",),
    "sigma": ("FokkerPlanck", "Sigma", "decompose", "dwell_times", "phase_diagram", "resonances"),
    "solvers": ("SolverOptions",),
    "stack": ("Stack",),
    "texture": ("GenericMagnet", "IrreversibleProblem", "TexturedMagnet", "TwoBandMagnet"),
    "transport": (
        "FourChannel",
        "Thermoelectric",
        "ThreeChannel",
        "TransportProblem",
        "TransportSolution",
        "TwoChannel",
        "Vector",
        "band_lengths",
        "solve_multilayer",
        "thermoelectric_coefficients",
    ),
    "tunnel": ("BarrierTable", "TunnelBarrier"),
}
__getattr__ = lazily(__name__, _HOME)

__all__ = [
    "AngularDamping",
    "AngularTorque",
    "Bands",
    "BarrierTable",
    "Biaxial",
    "BulkDMI",
    "Circuit",
    "Contact",
    "Cubic",
    "Density",
    "Dipolar",
    "DirectionMap",
    "Domain",
    "Energy",
    "EnergyBalance",
    "Exchange",
    "FespinError",
    "FilmMap",
    "FokkerPlanck",
    "FourChannel",
    "GenericMagnet",
    "InputError",
    "Interface",
    "InterfaceAnisotropy",
    "InterfacialDMI",
    "InterlayerExchange",
    "IrreversibleProblem",
    "Layer",
    "LongitudinalMagnet",
    "LongitudinalProblem",
    "Macrospin",
    "Magnet",
    "Material",
    "ModelError",
    "NormalMetal",
    "Pulse",
    "Shape",
    "Sigma",
    "SolverError",
    "SolverOptions",
    "SpinTorque",
    "Stack",
    "Stage",
    "Terminal",
    "TexturedMagnet",
    "Thermal",
    "Thermoelectric",
    "ThreeChannel",
    "TorqueMap",
    "TransportProblem",
    "TransportSolution",
    "TunnelBarrier",
    "TwoBandMagnet",
    "TwoChannel",
    "Uniaxial",
    "Vector",
    "VectorTorque",
    "VoltageMap",
    "Zeeman",
    "band_lengths",
    "decompose",
    "direction_map",
    "dwell_times",
    "ellipsoid_factors",
    "elliptic_cylinder_factors",
    "end_together",
    "energy_balance",
    "film_map",
    "first_passage",
    "from_file",
    "in_groups",
    "interfaces",
    "langevin",
    "lateral",
    "line",
    "llg",
    "material",
    "phase_diagram",
    "pillar",
    "power_spectrum",
    "pumped_damping",
    "pumping_matrix",
    "rectangular_prism_factors",
    "resonances",
    "save_mesh",
    "solve_multilayer",
    "solve_turning",
    "strip",
    "survey",
    "thermoelectric_coefficients",
    "three_terminal",
    "torque_map",
    "voltage_map",
]
