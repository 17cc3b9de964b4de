"""Heat and two spin channels against the exact solutions, linear and not, and the laws of thermodynamics."""

import pytest
from samples.thermoelectric import DRIVES, STACKS, T0, problem_of, reference


@pytest.mark.parametrize("name", STACKS)
@pytest.mark.parametrize("drive", DRIVES)
def test_linear_against_the_exact_solution(name, drive):
    problem, ends = problem_of(name)
    x, e = problem.solve(terminals=DRIVES[drive]), reference(problem.stack, ends, DRIVES[drive])
    assert x.voltage == pytest.approx(e.voltages[0] - e.voltages[1], rel=1e-7, abs=0)
    assert x.heats["bottom"] == pytest.approx(T0 * e.thermal[0], rel=1e-7, abs=0)
    assert x.heats["top"] == pytest.approx(T0 * e.thermal[1], rel=1e-7, abs=0)
    assert abs(x.power_balance) < 1e-10
    profile = x.profile(7)
    for i in range(len(problem.stack.layers)):
        at = profile.layer == i
        right = e.w(profile.position[at], i).real
        for k, (channel, scale) in enumerate((("up", abs(x.voltage)), ("down", abs(x.voltage)), ("temperature", 1.0))):
            assert profile.potentials[channel][at] == pytest.approx(right[:, k], rel=0, abs=1e-6 * scale)
