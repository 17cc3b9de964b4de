"""Macrospins: parts of cases that are put together, and whole ones."""

from casefiles import swap, task

MAGNET = """\
[macrospin]
volume = 1.4e-24
saturation_magnetization = 8e5
damping = 0.1
temperature = 300
"""
UNIAXIAL = '[[macrospin.anisotropy]]\nkind = "uniaxial"\nstability = 40\n'
BIAXIAL = '[[macrospin.anisotropy]]\nkind = "biaxial"\nstability = 10\nhard_stability = 15\n'
TORQUE = "[torque]\ncritical_ratio = 2.0\npolarizer = [0, 0, -1]\n"
SPHERE = "[sphere]\nmesh_size = 0.3\ngraded = false\ndegree = 2\naxisymmetric = false\n"
PILLAR = """\
[geometry]
shape = "pillar"
diameter = 20e-9
[[layer]]
name = "fixed"
material = "Co"
thickness = 6e-9
[[layer]]
material = "Cu"
thickness = 10e-9
[[layer]]
name = "free"
material = "Co"
thickness = 3e-9
"""
SPECTRUM = task("spectrum", "count = 3")
SWITCHING = task("switching", "reduced_time = 10", "samples = 6")
SWEEP = task("hysteresis", "direction = [0, 0, 1]", "range = [0.3, -0.3]", "rate = 1e7")
BAND = task("susceptibility", "direction = [0, 0, 1]", "frequencies = [1e6, 1e12]")
NOISE = task("noise", "observable = [0, 0, 1]", "frequencies = [1e6, 1e12]")
PASSAGE = task("first-passage", "start = [0, 0, 1]")
BASE = MAGNET + UNIAXIAL
GOOD = BASE + TORQUE + SWITCHING
OF_LAYER = MAGNET.replace("volume = 1.4e-24", 'layer = "free"') + UNIAXIAL + SPECTRUM
COARSE = MAGNET.replace("0.1", "0.01") + BIAXIAL.replace("10", "40") + "[sphere]\nmesh_size = 0.9\n" + task("escape")
WRITE = swap(GOOD, ("stability = 40", "stability = 60")) + task(
    "langevin", 'name = "dice"', "reduced_time = 3", "samples = 2", "ensemble = 2000", "seed = 7"
)
ALONG = (
    MAGNET
    + UNIAXIAL.replace("40", "3")
    + task("hysteresis", "direction = [0, 0, 1]", "range = [0.05, -0.05]", "rate = 1e7", "samples = 5", "loop = false")
    + "tolerance = 1e-2\n"
)
OBLIQUE = (
    swap(MAGNET, ("0.1", "0.5"))
    + UNIAXIAL.replace("40", "4")
    + "[torque]\ndamping_like = 0.002\npolarizer = [0.3, 0, -1]\n"
    + "[sphere]\nmesh_size = 0.8\ndegree = 2\nverify = false\n"
    + task(
        "hysteresis",
        'name = "sweep"',
        "direction = [0.5, 0, 1]",
        "range = [0.02, -0.02]",
        "rate = 1e7",
        "samples = 3",
        "loop = false",
        "tolerance = 1e-2",
    )
)
QUESTIONS = (
    task("steady")
    + SPECTRUM
    + task("escape")
    + swap(SWITCHING, ("samples = 6", "samples = 2"))
    + task("susceptibility", "direction = [1, 0, 0]", "frequencies = [1e7, 1e9]", "samples = 2")
    + task("noise", "observable = [1, 0, 0]", "frequencies = [1e7, 1e9]", "samples = 2")
    + PASSAGE
)
