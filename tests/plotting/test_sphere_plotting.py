"""Pictures and files of the sphere: what they show is what was computed."""

import numpy as np
import pytest
import ufl
from dolfinx import fem
from launch import python
from matplotlib.image import imread
from mpi4py import MPI

import fespin as fs
from fespin.errors import InputError
from fespin.macrospin.spin import fibonacci
from fespin.plotting import sphere as pictures
from fespin.sigma.dimensionless import DimensionlessDrift
from fespin.sigma.fields import sphere_fields, write_sphere_fields
from fespin.sigma.results import Spectrum

SPIN = fs.Macrospin(1.2e-24, 9e5, 0.1, 300, [fs.Uniaxial(stability=8)])
FLAT = fs.Macrospin(1.2e-24, 9e5, 0.1, 300, [])


@pytest.fixture(scope="module")
def sphere():
    return fs.Sigma(MPI.COMM_WORLD, 0.35)


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(pictures, "_PIXELS", 160)


def equilibrium(surface, spin=SPIN, **options):
    return fs.FokkerPlanck(surface, spin, **options).equilibrium()


@pytest.mark.parametrize("axisymmetric", [False, None])
def test_colours_are_the_density(sphere, axisymmetric):
    """The logarithm at any direction is Boltzmann's, to 1% of a decade."""
    d = equilibrium(sphere, axisymmetric=axisymmetric)
    assert d.surface.dim == (2 if axisymmetric is False else 1)
    density = pictures._logarithm(d, 1e-12, MPI.COMM_WORLD)
    for eye in (np.array([0.6, 0.0, 0.8]), np.array([0.0, 0.0, -1.0])):
        u = fibonacci(3000)
        u = u[u @ eye > 0]
        exact = -SPIN.reduced_energy(u) / np.log(10)
        error = density.evaluate(u, eye) - exact
        assert np.ptp(error) < 0.01
    assert density.high - density.low == pytest.approx(8 / np.log(10), rel=2e-3)


@pytest.mark.parametrize("axisymmetric", [False, None])
def test_arrows_are_the_current(sphere, axisymmetric):
    """A torque along the axis: rho u x grad(Phi + chi/alpha); none in equilibrium."""
    torque = fs.SpinTorque(damping_like=2e-3, field_like=-1.1e-3, polarizer=(0, 0, -1))
    d = fs.FokkerPlanck(sphere, SPIN, torque, axisymmetric=axisymmetric).steady()
    where, current = pictures._current(d, DimensionlessDrift(SPIN, torque), 1e-12, MPI.COMM_WORLD)
    assert len(where) > 400
    alpha, p = SPIN.damping, np.array([0.0, 0.0, -1.0])
    fields = SPIN.gyromagnetic_ratio / (SPIN.diffusion * (1 + alpha**2))
    a, b = 2e-3 * fields, -1.1e-3 * fields
    chi, phi = a - alpha * b, b + alpha * a
    effective = SPIN.reduced_energy(where) - chi * (where @ p)
    top = d.points.max() / np.exp(-(SPIN.reduced_energy(d.surface.points) - chi * (d.surface.points @ p))).max()
    exact = top * np.exp(-effective)[:, None] * np.cross(where, p) * (phi + chi / alpha)
    scale = np.linalg.norm(exact, axis=1).max()
    assert np.abs(current - exact).max() < 0.01 * scale
    still = equilibrium(sphere, axisymmetric=axisymmetric)
    assert len(pictures._current(still, DimensionlessDrift(SPIN), 1e-12, MPI.COMM_WORLD)[0]) == 0


def test_no_current_without_energy(sphere):
    for axisymmetric in (False, None):
        d = equilibrium(sphere, FLAT, axisymmetric=axisymmetric)
        assert len(pictures._current(d, DimensionlessDrift(FLAT), 1e-12, MPI.COMM_WORLD)[0]) == 0


def test_pictures_of_densities(sphere, tmp_path):
    """They are written, and white outside; so is one of negative densities and one of a coarse mesh."""
    coarse = equilibrium(fs.Sigma(MPI.COMM_WORLD, 1.0, degree=1), axisymmetric=False)
    coarse.nodes[3] = -0.1
    torque = fs.SpinTorque.critical(SPIN, 0.5, (0.3, 0, -0.9))
    driven = fs.FokkerPlanck(sphere, SPIN, torque, verify=False).steady()
    for name, d, spin, options in (
        ("driven", driven, SPIN, {"torque": torque, "view": (0, 0, 1)}),
        ("meridian", equilibrium(sphere), SPIN, {"decades": 2.0}),
        ("flat", equilibrium(sphere, FLAT), FLAT, {}),
        ("coarse", coarse, SPIN, {"title": "coarse"}),
    ):
        path = tmp_path / f"{name}.png"
        pictures.plot_density(d, path, spin=spin, **options)
        shown = imread(path)[..., :3]
        assert shown.shape[:2] == (1050, 1800)
        assert (shown[5] == 1).all()
        assert (shown[:, 5] == 1).all()
        assert np.ptp(shown[400, 300:600]) > 0.05 or name == "flat"
    with pytest.raises(InputError, match="decades"):
        pictures.plot_density(driven, path, spin=SPIN, decades=0)


@pytest.mark.parametrize("axisymmetric", [False, None])
def test_fields(sphere, tmp_path, axisymmetric):
    """The surface is the unit sphere, once; integral, values and file are right."""
    d = equilibrium(sphere, axisymmetric=axisymmetric)
    density, logarithm, energy = sphere_fields(d, SPIN, 2.0, MPI.COMM_WORLD)
    mesh = density.function_space.mesh
    assert np.abs(np.linalg.norm(mesh.geometry.x, axis=1) - 1).max() < 1e-12
    one = fem.Constant(mesh, 1.0)
    assert fem.assemble_scalar(fem.form(one * ufl.dx)) == pytest.approx(4 * np.pi, rel=0.005)
    assert fem.assemble_scalar(fem.form(density * ufl.dx)) == pytest.approx(1, rel=0.01)
    x = density.function_space.tabulate_dof_coordinates()
    assert np.abs(energy.x.array - SPIN.reduced_energy(x)).max() < 1e-10
    exact = -energy.x.array / np.log(10)
    exact = np.maximum(exact - exact.max(), -2.0)
    assert np.abs(logarithm.x.array - logarithm.x.array.max() - exact).max() < 1e-3
    write_sphere_fields(tmp_path / "sphere.bp", d, SPIN)
    assert b"log10_density" in b"".join(f.read_bytes() for f in (tmp_path / "sphere.bp").iterdir())


def test_curves(comm, tmp_path):
    """Every curve is drawn: with zeros, points, complex values, one value, nothing."""
    t = np.linspace(0, 1e-8, 20)
    w = np.exp(-t / 4e-10)
    w[-1] = 0.0
    points = {"a": (t[:3], [1.0, 0.2, 0.0], [0.0, 0.3, 0.0]), "c": (t[:2], w[:2], 0.1 * w[:2])}
    pictures.plot_write_error(comm, tmp_path / "1.png", {"a": (t, w), "b": (t, 2 * w)}, points=points, title="t")
    pictures.plot_write_error(comm, tmp_path / "2.png", {"": ([0.0, 1e-6], [0.0, 0.0])}, unit="us")
    f = np.geomspace(1e8, 1e10, 30)
    pictures.plot_noise(comm, tmp_path / "3.png", {"a": (f, 1 / f)}, points={"a": (f[:2], 1 / f[:2], 0.1 / f[:2])})
    pictures.plot_noise(comm, tmp_path / "4.png", {"": (f[-5:], 1 / (1 + 1j * f[-5:]))}, ylabel="chi")
    x = np.linspace(-1, 1, 15)
    loop = (np.r_[x, x[::-1]], np.tanh(np.r_[5 * x - 2, 5 * x[::-1] + 2]))
    pictures.plot_hysteresis(comm, tmp_path / "5.png", {"a": loop, "b": ([0.0], [0.5])}, title="loop")
    for k, values in enumerate(([0, 1e-3, 1e9 + 2e10j, 1e9 - 2e10j], [0, 1e9, 2e9], [])):
        z = np.array(values, dtype=complex)
        spectrum = Spectrum(z, z, ("?",) * len(z), 0 * z.real, 0 * z.real, ())
        pictures.plot_eigenvalues(comm, tmp_path / f"{6 + k}.png", {"a": spectrum, "b": spectrum})
    for k in range(1, 9):
        shown = imread(tmp_path / f"{k}.png")
        assert shown.shape[:2] == (750, 1110)
        assert (shown[[0, -1], :, :3] == 1).all()
    with pytest.raises(InputError, match="unit"):
        pictures.plot_write_error(comm, tmp_path / "1.png", {}, unit="h")


SCRIPT = """
import sys
from pathlib import Path
import numpy as np
from mpi4py import MPI
import fespin as fs
from fespin.plotting import sphere as pictures
from fespin.sigma.fields import sphere_fields, write_sphere_fields
from fespin.sigma.dimensionless import DimensionlessDrift
comm, folder = MPI.COMM_WORLD, Path(sys.argv[1])
pictures._PIXELS = 160
spin = fs.Macrospin(1.2e-24, 9e5, 0.1, 300, [fs.Uniaxial(stability=8)])
for axisymmetric in (False, None):
    d = fs.FokkerPlanck(fs.Sigma(comm, 0.35), spin, axisymmetric=axisymmetric).equilibrium()
    pictures.plot_density(d, folder / f"{axisymmetric}.png", spin=spin)
    write_sphere_fields(folder / f"{axisymmetric}.bp", d, spin)
    density, logarithm, energy = sphere_fields(d, spin, 16.0, comm)
    x = density.function_space.tabulate_dof_coordinates()
    off = np.log(density.x.array) + spin.reduced_energy(x)
    assert max(comm.allgather(np.ptp(off))) < 1e-3, np.ptp(off)
    assert np.abs(energy.x.array - spin.reduced_energy(x)).max() < 1e-10
"""


@pytest.mark.slow
def test_two_ranks(sphere, tmp_path):
    """The pictures are the ones of one rank."""
    script = tmp_path / "pictures.py"
    script.write_text(SCRIPT)
    process = python(2, script, tmp_path, timeout=120)
    assert process.returncode == 0, process.stderr
    for axisymmetric in (False, None):
        alone = tmp_path / "alone.png"
        pictures.plot_density(equilibrium(sphere, axisymmetric=axisymmetric), alone, spin=SPIN)
        difference = np.abs(imread(alone) - imread(tmp_path / f"{axisymmetric}.png"))
        assert difference.mean() < 1e-3
        assert (tmp_path / f"{axisymmetric}.bp").is_dir()
