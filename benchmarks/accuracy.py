"""Ten stacks against the exact solver of references/, and the observed orders: the table of docs/validation.md.

python benchmarks/accuracy.py
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from references.devices import CU, DOWN, EXAMPLES, PY, RU, UP, l2_error, reference, solve, stack


def main():
    """Print both tables."""
    print(f"{'stack':<36}{'unknowns':>9}{'A R (P)':>10}{'A R (AP)':>10}{'A dR':>10}{'A R_ne':>10}{'balance':>10}")
    for example in EXAMPLES:
        solutions = [solve(s, example.ends) for s in (example.parallel, example.antiparallel)]
        exact = [reference(s, example.ends) for s in (example.parallel, example.antiparallel)]
        area = np.array([x.resistance_area for x in solutions])
        true = np.array([e.resistance_area for e in exact])
        errors = [*(area / true - 1), np.diff(area)[0] / np.diff(true)[0] - 1]
        errors.append(solutions[1].r_nonequilibrium / exact[1].r_nonequilibrium - 1)
        errors.append(max(abs(x.power_balance) for x in solutions))
        print(f"{example.name:<36}{solutions[0].dofs:>9}" + "".join(f"{abs(e):>10.1e}" for e in errors))
    s = stack((CU, 40, None), (PY, 12, UP), (RU, 30, None), (PY, 9, DOWN), (CU, 20, None))
    e = reference(s, ("lead", "reservoir"))
    print("\ndegree  refinement: relative error of A R, of the accumulation (L2); orders between neighbours")
    for degree in (1, 2, 3):
        rows = []
        for refine in (0.125, 0.25, 0.5, 1.0, 2.0):
            x = solve(s, ("lead", "reservoir"), degree=degree, refine=refine)
            rows.append((refine, abs(x.resistance_area / e.resistance_area - 1), l2_error(x, e)))
        for i, (refine, r, d) in enumerate(rows):
            orders = "" if i == 0 else f"   {np.log2(rows[i - 1][1] / r):.2f}  {np.log2(rows[i - 1][2] / d):.2f}"
            print(f"{degree:>6}  {refine:>6}: {r:.1e}  {d:.1e}{orders}")


if __name__ == "__main__":
    main()
