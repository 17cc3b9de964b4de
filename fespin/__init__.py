"""fespin: spin transport in nanodevices and the statistics of their free layers, with FEniCSx.

Names are imported when first used, so that checking a case does not wait for DOLFINx.
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
        TorqueMap,
        direction_map,
        energy_balance,
        in_groups,
        pumped_damping,
        pumping_matrix,
        solve_turning,
        torque_map,
    )
    from .demagnetization import ellipsoid_factors, elliptic_cylinder_factors, rectangular_prism_factors
    from .device import Contact, Interface, Layer, Material
    from .domain import Domain
    from .ending import end_together
    from .errors import FespinError, InputError, ModelError, SolverError
    from .geometry import from_file, lateral, line, pillar, strip
    from .longitudinal import LongitudinalMagnet, LongitudinalProblem
    from .macrospin import (
        AngularDamping,
        AngularTorque,
        Biaxial,
        Cubic,
        Energy,
        Macrospin,
        Shape,
        SpinTorque,
        Uniaxial,
        VectorTorque,
        Zeeman,
        first_passage,
        langevin,
        llg,
        power_spectrum,
        survey,
    )
    from .materials import interfaces, material
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

_HOME = {
    "demagnetization": ("ellipsoid_factors", "elliptic_cylinder_factors", "rectangular_prism_factors"),
    "carriers": ("Bands", "Thermal"),
    "coupling": (
        "Circuit",
        "DirectionMap",
        "EnergyBalance",
        "TorqueMap",
        "direction_map",
        "energy_balance",
        "in_groups",
        "pumped_damping",
        "pumping_matrix",
        "solve_turning",
        "torque_map",
    ),
    "device": ("Contact", "Interface", "Layer", "Material"),
    "domain": ("Domain",),
    "ending": ("end_together",),
    "errors": ("FespinError", "InputError", "ModelError", "SolverError"),
    "geometry": ("from_file", "lateral", "line", "pillar", "strip"),
    "longitudinal": ("LongitudinalMagnet", "LongitudinalProblem"),
    "macrospin": (
        "AngularDamping",
        "AngularTorque",
        "Biaxial",
        "Cubic",
        "Energy",
        "Macrospin",
        "Shape",
        "SpinTorque",
        "Uniaxial",
        "VectorTorque",
        "Zeeman",
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
}
__getattr__ = lazily(__name__, _HOME)

__all__ = [
    "AngularDamping",
    "AngularTorque",
    "Bands",
    "Biaxial",
    "Circuit",
    "Contact",
    "Cubic",
    "DirectionMap",
    "Domain",
    "Energy",
    "EnergyBalance",
    "FespinError",
    "FokkerPlanck",
    "FourChannel",
    "GenericMagnet",
    "InputError",
    "Interface",
    "IrreversibleProblem",
    "Layer",
    "LongitudinalMagnet",
    "LongitudinalProblem",
    "Macrospin",
    "Material",
    "ModelError",
    "Shape",
    "Sigma",
    "SolverError",
    "SolverOptions",
    "SpinTorque",
    "Stack",
    "Terminal",
    "TexturedMagnet",
    "Thermal",
    "Thermoelectric",
    "ThreeChannel",
    "TorqueMap",
    "TransportProblem",
    "TransportSolution",
    "TwoBandMagnet",
    "TwoChannel",
    "Uniaxial",
    "Vector",
    "VectorTorque",
    "Zeeman",
    "band_lengths",
    "decompose",
    "direction_map",
    "dwell_times",
    "ellipsoid_factors",
    "elliptic_cylinder_factors",
    "end_together",
    "energy_balance",
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
    "solve_multilayer",
    "solve_turning",
    "strip",
    "survey",
    "thermoelectric_coefficients",
    "torque_map",
]
