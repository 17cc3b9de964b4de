"""Textured wires whose generic and two-band fluxes move them, that tests share."""

import dataclasses

from dolfinx import mesh

from fespin.texture import Electrode, GenericMagnet, Grid, TexturedMagnet, TwoBandMagnet

MAGNET = TexturedMagnet(
    saturation_magnetization=8e5,
    exchange=1.3e-11,
    damping=0.04,
    conductivity=4e6,
    polarization=0.5,
    nonadiabaticity=0.06,
    easy_constant=6e4,
    hard_constant=1.2e5,
)
LENGTH = 300e-9
BANDS = TwoBandMagnet.of(MAGNET, 20e-9)
_HEAT = {"thermal_conductivity": 40.0, "temperature": 310.0}
HOT = {
    "generic": dataclasses.replace(
        GenericMagnet.of(MAGNET), L_sn=1.5e20, L_sM1=-3.1e-7, L_sQ=0.4e-7, L_sM_prime=2.3e-15, C_par=1.3e-13, **_HEAT
    ),
    "bands": dataclasses.replace(
        BANDS,
        L_s_up=1.3e20,
        L_s_down=0.4e20,
        L_sM=-3.4e-7 / 8e5**2,
        L_sM_prime=2.6e-15,
        L_up_down=2e42,
        **_HEAT,
    ),
}


def line(comm, cells=100, length=LENGTH):
    return Grid(mesh.create_interval(comm, cells, [0.0, length]))


def electrodes(law, kelvins=None, current=None):
    """Leads at both ends; the right one is warmer than the left one by some kelvins."""
    warm = "theta" in law.fields
    left = Electrode(lambda x: x[0] < 1e-12, voltage=0.0, temperature=law.temperature if warm else None)
    at = law.temperature + (kelvins or 0.0) if warm else None
    return {"left": left, "right": Electrode(electrodes.right, current=current, temperature=at)}


electrodes.right = lambda x: x[0] > LENGTH - 1e-12
