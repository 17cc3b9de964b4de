"""Pictures of devices, of the sphere of directions, and of magnets in space and time.

Names are imported when first used, because PyVista and matplotlib are slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._lazy import lazily

if TYPE_CHECKING:
    from .activation import plot_activation_fit
    from .palette import material_colours, prefixed
    from .sphere import plot_density
    from .sphere_curves import plot_eigenvalues, plot_hysteresis, plot_noise, plot_write_error
    from .surveys import plot_dwell_times, plot_phase_diagram, plot_resonances
    from .transport import plot_device, plot_profiles

__getattr__ = lazily(
    __name__,
    {
        "activation": ("plot_activation_fit",),
        "palette": ("material_colours", "prefixed"),
        "sphere": ("plot_density",),
        "sphere_curves": ("plot_eigenvalues", "plot_hysteresis", "plot_noise", "plot_write_error"),
        "surveys": ("plot_dwell_times", "plot_phase_diagram", "plot_resonances"),
        "transport": ("plot_device", "plot_profiles"),
    },
)

__all__ = [
    "material_colours",
    "plot_activation_fit",
    "plot_density",
    "plot_device",
    "plot_dwell_times",
    "plot_eigenvalues",
    "plot_hysteresis",
    "plot_noise",
    "plot_phase_diagram",
    "plot_profiles",
    "plot_resonances",
    "plot_write_error",
    "prefixed",
]
