"""Cases in which the current changes noise and length of a magnet: numbers, dwell times, states, what is refused."""

import json

import numpy as np
import pytest
from case_texts.relaxation import ALONE, LONGITUDINAL
from casefiles import refused, swap
from casefiles import run as run_case
from launch import python
from mpi4py import MPI

import fespin as fs
from fespin.cases.casefile import read
from fespin.cases.layered.run import run_transport
from fespin.cli import main
from fespin.coupling import absorbed_spin_current, d_current, modulus_rate

COMM = MPI.COMM_SELF
HIGH = swap(LONGITUDINAL, ("stability = 5", "stability = 14"))
MODULUS = "[macrospin.modulus]\nrelaxation_time = 2e-10\n"
NOISE = "[macrospin.noise]\ncoefficient = 1.5e-21\n"


def driven_by(tmp_path, text):
    """Return what the device of a case does to its magnet, and the magnet without current."""
    (tmp_path / "case.toml").write_text(text, "utf-8")
    case, _ = read(tmp_path / "case.toml")
    return run_transport(COMM, case, tmp_path, lambda line: None)[1], case.about().spin


def passage(barrier, diffusion, slope=0.0):
    """Return the mean time (s) from one pole to the other over a barrier (kT) and a constant chi' over D."""
    c = np.linspace(-1, 1, 200001)
    w = barrier * c * c + slope * c
    r = np.exp(w - w.max())
    inside = np.concatenate([[0.0], np.cumsum((r[1:] + r[:-1]) / 2 * np.diff(c))])
    k = slice(1, int(0.96 * len(c)))
    return float(np.trapezoid(inside[k] / ((1 - c[k] ** 2) * r[k]), c[k])) / diffusion


def test_the_summary_and_the_dwell_times(tmp_path):
    """Against the Python interface, and against a double integral with T_eff and |u|^2."""
    (tmp_path / "case.toml").write_text(HIGH, "utf-8")
    out = tmp_path / "out"
    assert main(["run", str(tmp_path / "case.toml"), "--output", str(out)]) == 0
    told = json.loads((out / "summary.json").read_text())
    case, _ = read(tmp_path / "case.toml")
    problem = fs.TransportProblem(
        fs.line(COMM, case.make_stack()), fs.ThreeChannel(), contacts={"bottom": "lead", "top": "lead"}
    )
    x = problem.solve(current_density=5e11)
    bare, found = case.about().spin, told["longitudinal"]["state"]
    assert found["d_current"] == pytest.approx(d_current(problem, x, "free"), rel=1e-6, abs=0)
    assert found["temperature"] == pytest.approx(300 + 1.5e-21 * found["d_current"] ** 2, rel=1e-12, abs=0)
    f = modulus_rate(absorbed_spin_current(problem, x, "free"), 8e5, 10e-9)
    assert found["rate"] == pytest.approx(f, rel=1e-6, abs=0)
    assert found["modulus_squared"] == pytest.approx(1 / (1 + 2 * f * 2e-10), rel=1e-6, abs=0)
    assert told["longitudinal"]["reversed_state"] is None  # no other magnet
    assert told["units"]["longitudinal"]["barriers"] == "kT_eff" and "potentials" not in told
    assert told["units"]["tasks"]["dwell"]["drives"] == "A/m2"
    dwell = told["tasks"]["dwell"]
    even = []
    for j, times in zip(dwell["drives"], dwell["dwell_times"], strict=True):
        part = j / 5e11
        heated = 300 + (found["temperature"] - 300) * part**2
        squared = 1 / (1 + 2 * f * part * 2e-10)
        diffusion = bare.diffusion * heated / 300 / squared**0.5
        right = passage(14 * squared * 300 / heated, diffusion)
        assert times == pytest.approx([right, right], rel=1e-4, abs=0)
        even.append(14 * squared * 300 / heated)
    assert found["barriers"] == pytest.approx([even[2]] * 2, rel=1e-6)
    assert found["odd_barriers"] == pytest.approx([(even[2] - even[0]) / 2] * 2, rel=1e-6)
    assert (out / "longitudinal.csv").read_text().count("\n") == 22
    assert (out / "longitudinal.png").stat().st_size > 5000


VALVE = swap(
    LONGITUDINAL,
    ('[[layer]]\nname = "free"', '[[layer]]\nname = "fixed"\nmaterial = "Co"\nthickness = 20e-9\n'
     'magnetization = [0, 0, 1]\n[[layer]]\nname = "spacer"\nmaterial = "Cu"\nthickness = 6e-9\n[[layer]]\n'
     'name = "free"'),
)  # fmt: skip


def test_states_of_a_valve(tmp_path):
    """T_eff is even in the current in either state and differs between them; the length is odd."""
    told = {}
    for name, changes in {
        "P": [],
        "P back": [("current_density = 5e11", "current_density = -5e11")],
        "AP": [("thickness = 10e-9\nmagnetization = [0, 0, 1]", "thickness = 10e-9\nmagnetization = [0, 0, -1]")],
    }.items():
        driven, bare = driven_by(tmp_path, swap(VALVE, *changes))
        along = driven.along
        told[name] = [
            (m.temperature, 1 / (m.saturation_magnetization / bare.saturation_magnetization) ** 2 - 1)
            for m in (along.magnet(driven.circuit, bare, x) for x in (along.response, along.reversed))
        ]
    for there, back in zip(told["P"], told["P back"], strict=True):
        assert back == pytest.approx((there[0], -there[1]), rel=1e-9, abs=0)
    assert told["AP"] == [pytest.approx(x, rel=1e-9) for x in told["P"][::-1]]
    (p, _), (ap, _) = told["P"]
    assert abs(p - ap) > 1.0


def test_dwell_times_of_both_states(tmp_path):
    """Each with the T_eff and the length of its own state, whichever of the two the layer is in."""
    high = swap(VALVE, ("stability = 5", "stability = 16"), ('[[task]]\nkind = "escape"\n', ""))
    back = swap(high, ("thickness = 10e-9\nmagnetization = [0, 0, 1]", "thickness = 10e-9\nmagnetization = [0, 0, -1]"))
    there, again = (run_case(tmp_path, x)[0] for x in (high, back))
    dwell = np.array(there["tasks"]["dwell"]["dwell_times"])
    assert np.array(again["tasks"]["dwell"]["dwell_times"]) == pytest.approx(dwell, rel=1e-6, abs=0)
    shares = np.array(there["tasks"]["dwell"]["populations"])
    assert shares == pytest.approx(dwell / dwell.sum(axis=1)[:, None], rel=1e-12)
    diffusion = fs.Macrospin(1.3e-23, 8e5, 0.02, 300.0).diffusion
    for k, (state, j) in enumerate((("state", 2), ("reversed_state", 2))):
        found = there["longitudinal"][state]
        heated, squared = found["temperature"], found["modulus_squared"]
        right = passage(16 * squared * 300 / heated, diffusion * heated / 300 / squared**0.5)
        assert dwell[j, k] == pytest.approx(right, rel=1e-4, abs=0)
    assert np.abs(np.log(dwell[:, 0] / dwell[:, 1])).max() > 0.1


def test_times_of_m_and_the_halves_of_the_layer(tmp_path):
    """Inline times instead of one; the papers' f_par acts on M, spins that are absorbed enter m."""
    from fespin.coupling import longitudinal_time

    inline = "[macrospin.modulus]\nlongitudinal = { xi = 0.1, tau_mM = 1e-12, tau_mL = 5e-12, tau_ML = 2e-10 }\n"
    times = (0.1, 1e-12, 5e-12, 2e-10)
    for further, into in (("", "m"), ('source = "s-d halves"\nshare = 0.8\n', "M")):
        driven, bare = driven_by(tmp_path, swap(LONGITUDINAL, (MODULUS, inline + further)))
        along = driven.along
        assert along.relaxation_time == pytest.approx(longitudinal_time(*times, into=into), rel=1e-12)
        assert along.share == (0.8 if further else 1.0)
        assert driven.magnet(bare).saturation_magnetization != bare.saturation_magnetization


def test_a_given_torque_follows_the_current(tmp_path):
    """It is that at the case's drive; with the length the torque turns another moment."""
    given = '[torque]\ndamping_like = 2e-4\nfield_like = 1e-4\n[[task]]\nkind = "escape"'
    driven, bare = driven_by(tmp_path, swap(LONGITUDINAL, ('[[task]]\nkind = "escape"', given)))
    assert driven.torque(bare).damping_like == 2e-4
    half = driven.at(-2.5e11)
    assert half.torque(bare).damping_like == -1e-4 and half.torque(bare).field_like == -0.5e-4
    assert half.magnet(bare).saturation_magnetization < bare.saturation_magnetization


def test_with_the_torque_of_the_faces(tmp_path):
    """chi, the length and T_eff together: tilt and barrier of a magnet alone are those of each, in closed form."""
    faces = '[torque]\nsource = "relaxation"\nprocess = "s-d"\nrelative_cross = { "free|above" = 0.004 }\n'
    higher = swap(LONGITUDINAL, ("stability = 5", "stability = 20"))
    text = swap(higher, ('[[task]]\nkind = "escape"', faces + '[[task]]\nkind = "escape"'))
    driven, bare = driven_by(tmp_path, text)
    for j in (5e11, -5e11):
        here = driven.at(j)
        spin = here.magnet(bare)
        torque = here.torque(spin)
        slope = float(spin.gyromagnetic_ratio * torque.damping_like(1.0))  # times c
        assert abs(slope) > 0.1 * spin.diffusion
        barrier = fs.survey(spin).wells[0].height
        found = fs.FokkerPlanck(COMM, spin, torque).escape().dwell_times
        right = passage(barrier + slope / 2 / spin.diffusion, spin.diffusion)
        assert found == pytest.approx([right, right], rel=1e-4, abs=0)


def test_a_drive_beyond_the_length_is_missing(tmp_path):
    """A point that is refused costs no other point."""
    text = swap(LONGITUDINAL, ("relaxation_time = 2e-10", "relaxation_time = 3e-9"))
    text = swap(text, ("drives = [-5e11, 5e11]", "drives = [0, 1.2e12]"))
    (tmp_path / "case.toml").write_text(text, "utf-8")
    main(["run", str(tmp_path / "case.toml"), "--output", str(tmp_path / "out"), "--no-pictures"])
    told = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert told["longitudinal"]["state"]["modulus_squared"] > 1
    dwell = told["tasks"]["dwell"]
    assert [x[0] is None for x in dwell["dwell_times"]] == [False, False, True]
    assert "the length grows for ever" in dwell["missing"][-1]


BAD = {
    "two channels": (
        ALONE, [("[torque]", NOISE + "[torque]")], "macrospin.noise: T_eff is of d electrons, transport.model ="
    ),
    "no d electrons": (
        ALONE, [("[torque]", MODULUS + 'source = "s-d halves"\n[torque]')],
        'macrospin.modulus.source: "s-d halves" needs d electrons',
    ),
    "share": (LONGITUDINAL, [(MODULUS, MODULUS + "share = 0.5\n")], "macrospin.modulus.share: belongs to source ="),
    "both times": (
        LONGITUDINAL, [(MODULUS, MODULUS + "longitudinal = { xi = 0.1, tau_mM = 1e-12, tau_mL = 1e-11 }\n")],
        "macrospin.modulus: give exactly one of relaxation_time and longitudinal; found both",
    ),
    "no time": (LONGITUDINAL, [("relaxation_time = 2e-10\n", "")], "relaxation_time and longitudinal; found neither"),
    "no decay": (
        LONGITUDINAL, [("relaxation_time = 2e-10", "longitudinal = { xi = 0.1, tau_mM = 1e-12 }")],
        "macrospin.modulus.longitudinal: modulus: neither M nor m decays to the lattice; give tau_mL or tau_ML",
    ),
    "no transport": (
        "[macrospin]" + LONGITUDINAL.partition("[macrospin]")[2], [('layer = "free"\n', "")],
        "[macrospin.noise]: the table [transport] is missing",
    ),
    "no layer": (LONGITUDINAL, [('layer = "free"\n', "")], "[macrospin.noise]: needs macrospin.layer, the free layer"),
    "no magnet": (LONGITUDINAL, [('layer = "free"', 'layer = "above"')], "'above'"),
    "a sweep of the torque": (
        LONGITUDINAL,
        [('[[task]]\nkind = "escape"', '[torque]\nfield_like = 1e-4\n[[task]]\nkind = "hysteresis"\nsweep = "torque"\n'
          "range = [-1, 1]\nrate = 1e6")],
        "with [macrospin.noise] the magnet follows the current; sweep the field at drives",
    ),
    "resistance": (
        LONGITUDINAL, [('kind = "escape"', 'kind = "noise"\nobservable = "resistance"\nfrequencies = [1e6, 1e9]')],
        '"resistance" needs a torque of the device',
    ),
    "negative noise": (LONGITUDINAL, [("= 1.5e-21", "= -1e-21")], "macrospin.noise.coefficient"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input(name, tmp_path, capsys):
    text, changes, message = BAD[name]
    (tmp_path / "case.toml").write_text(swap(text, *changes), "utf-8")
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], [message])
    assert not (tmp_path / "out").exists()


def test_a_length_that_grows_for_ever_is_refused(tmp_path, capsys):
    text = swap(LONGITUDINAL, ("current_density = 5e11", "current_density = 5e12"), ("= 2e-10", "= 2e-9"))
    (tmp_path / "case.toml").write_text(text, "utf-8")
    refused(capsys, ["run", tmp_path / "case.toml", "--output", tmp_path / "out"], ["it must exceed -1/2"])


@pytest.mark.slow
def test_three_ranks(tmp_path):
    text = swap(LONGITUDINAL, ('[[task]]\nkind = "escape"\n', ""))
    one, _ = run_case(tmp_path, text)
    run = python(
        3, "-m", "fespin", "run", str(tmp_path / "case.toml"), "--output", str(tmp_path / "out"), "--no-pictures"
    )
    assert run.returncode == 0, run.stderr
    several = json.loads((tmp_path / "out" / "summary.json").read_text())
    for x, y in zip(*(np.array(t["tasks"]["dwell"]["dwell_times"]) for t in (one, several)), strict=True):
        assert y == pytest.approx(x, rel=1e-8, abs=0)
    for key in ("d_current", "temperature", "rate", "modulus_squared"):
        assert several["longitudinal"]["state"][key] == pytest.approx(one["longitudinal"]["state"][key], rel=1e-9)
