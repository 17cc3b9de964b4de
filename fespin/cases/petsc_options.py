"""PETSc options that a case may give: those that say how a system is solved, none that read, write or import.

PETSc options can open files, run shells and import Python modules. A case file is data: what it may say is listed here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from ..errors import InputError, nearest

type Value = str | int | float | bool


def _names(text: str) -> list[str]:
    return text.split()


_KRYLOV = "preonly none richardson chebyshev cg fcg pipecg groppcg cgne minres symmlq gmres fgmres lgmres dgmres \
pgmres bcgs bcgsl fbcgs ibcgs bicg cr gcr tfqmr tcqmr cgs lsqr"
_PRECONDITIONERS = "none jacobi pbjacobi bjacobi sor eisenstat ilu icc lu cholesky qr svd asm gasm hypre gamg mg \
fieldsplit redundant"
_FACTORS = "mumps superlu superlu_dist petsc umfpack klu cholmod strumpack mkl_pardiso pastix"
_SIDES = "left right symmetric"
_NORMS = "none preconditioned unpreconditioned natural"

# Options that choose by name.
_WORDS: dict[str, str] = {
    "ksp_type": _KRYLOV,
    "ksp_norm_type": _NORMS,
    "ksp_pc_side": _SIDES,
    "ksp_gmres_cgs_refinement_type": "refine_never refine_ifneeded refine_always",
    "pc_type": _PRECONDITIONERS,
    "pc_side": _SIDES,
    "pc_factor_mat_solver_type": _FACTORS,
    "pc_factor_mat_ordering_type": "natural nd 1wd rcm qmd rowlength wbm spectral amd metisnd external",
    "pc_factor_shift_type": "none nonzero positive_definite inblocks",
    "pc_jacobi_type": "diagonal rowl1 rowmax rowsum",
    "pc_asm_type": "basic restrict interpolate none",
    "pc_asm_local_type": "additive multiplicative",
    "pc_fieldsplit_type": "additive multiplicative symmetric_multiplicative schur gkb",
    "pc_fieldsplit_schur_fact_type": "diag lower upper full",
    "pc_fieldsplit_schur_precondition": "self selfp a11 full",
    "pc_mg_type": "multiplicative additive full kaskade",
    "pc_mg_cycle_type": "v w",
    "pc_gamg_type": "agg geo classical",
    "pc_hypre_type": "boomeramg euclid pilut parasails",
    "pc_hypre_boomeramg_cycle_type": "V W",
    "pc_hypre_boomeramg_coarsen_type": "CLJP Ruge-Stueben modifiedRuge-Stueben Falgout PMIS HMIS",
    "pc_hypre_boomeramg_interp_type": "classical direct multipass multipass-wts ext+i ext+i-cc standard standard-wts \
block block-wtd FF FF1 ext ad-wts ext-mm ext+i-mm ext+e-mm",
    "pc_hypre_boomeramg_measure_type": "local global",
    "pc_hypre_boomeramg_smooth_type": "ILU Schwarz-smoothers Pilut ParaSails Euclid",
    "snes_type": "newtonls newtontr newtontrdc nrichardson ksponly anderson ngmres qn",
    "snes_linesearch_type": "basic bt l2 cp nleqerr none secant",
    "snes_linesearch_order": "1 2 3 linear quadratic cubic",
}
# hypre's choices with a slash in their names are left out: no value of a case may have one.
_RELAXATIONS = "Jacobi sequential-Gauss-Seidel seqboundary-Gauss-Seidel Gaussian-elimination l1-Gauss-Seidel \
backward-l1-Gauss-Seidel CG Chebyshev FCF-Jacobi l1scaled-Jacobi"
_WORDS |= {f"pc_hypre_boomeramg_relax_type_{x}": _RELAXATIONS for x in ("all", "down", "up", "coarse")}

_NUMBERS = _names("""
ksp_rtol ksp_atol ksp_divtol ksp_max_it ksp_min_it ksp_gmres_restart ksp_gmres_preallocate ksp_gmres_haptol
ksp_gmres_modifiedgramschmidt ksp_gmres_classicalgramschmidt ksp_fgmres_modifypcnochange ksp_lgmres_augment
ksp_bcgsl_ell ksp_bcgsl_cxpoly ksp_fcg_mmax ksp_gcr_restart ksp_richardson_scale ksp_richardson_self_scale
ksp_chebyshev_eigenvalues ksp_chebyshev_esteig ksp_chebyshev_esteig_steps ksp_chebyshev_esteig_noisy
ksp_initial_guess_nonzero ksp_initial_guess_knoll ksp_reuse_preconditioner ksp_diagonal_scale ksp_diagonal_scale_fix
ksp_lag_norm ksp_check_norm_iteration ksp_converged_maxits ksp_error_if_not_converged
pc_use_amat pc_sor_omega pc_sor_its pc_sor_lits pc_sor_diagonal_shift pc_sor_symmetric pc_sor_backward
pc_sor_local_symmetric pc_factor_levels pc_factor_fill pc_factor_shift_amount pc_factor_zeropivot
pc_factor_reuse_ordering pc_factor_reuse_fill pc_factor_diagonal_fill pc_factor_in_place pc_factor_pivot_in_blocks
pc_factor_nonzeros_along_diagonal pc_factor_allow_diagonal_fill
pc_jacobi_abs pc_jacobi_fixdiagonal pc_bjacobi_blocks pc_bjacobi_local_blocks pc_asm_blocks pc_asm_local_blocks
pc_asm_overlap pc_gasm_overlap pc_gasm_total_subdomains pc_redundant_number
pc_fieldsplit_diag_use_amat pc_fieldsplit_off_diag_use_amat
pc_mg_levels pc_mg_galerkin pc_mg_multiplicative_cycles pc_mg_distinct_smoothup
pc_gamg_threshold pc_gamg_threshold_scale pc_gamg_agg_nsmooths pc_gamg_square_graph pc_gamg_aggressive_coarsening
pc_gamg_aggressive_square_graph pc_gamg_aggressive_mis_k pc_gamg_mis_k_minimum_degree_ordering
pc_gamg_coarse_eq_limit pc_gamg_process_eq_limit pc_gamg_sym_graph pc_gamg_symmetrize_graph pc_gamg_repartition
pc_gamg_reuse_interpolation pc_gamg_use_sa_esteig pc_gamg_recompute_esteig pc_gamg_use_parallel_coarse_grid_solver
pc_gamg_parallel_coarse_grid_solver pc_gamg_asm_use_agg pc_gamg_cpu_pin_coarse_grids pc_gamg_low_memory_threshold_filter
pc_gamg_injection_index pc_gamg_eigenvalues
pc_hypre_boomeramg_max_levels pc_hypre_boomeramg_max_iter pc_hypre_boomeramg_tol pc_hypre_boomeramg_numfunctions
pc_hypre_boomeramg_truncfactor pc_hypre_boomeramg_P_max pc_hypre_boomeramg_agg_nl
pc_hypre_boomeramg_agg_num_paths pc_hypre_boomeramg_strong_threshold pc_hypre_boomeramg_max_row_sum
pc_hypre_boomeramg_grid_sweeps_all pc_hypre_boomeramg_grid_sweeps_down pc_hypre_boomeramg_grid_sweeps_up
pc_hypre_boomeramg_grid_sweeps_coarse pc_hypre_boomeramg_nodal_coarsen pc_hypre_boomeramg_nodal_coarsen_diag
pc_hypre_boomeramg_vec_interp_variant pc_hypre_boomeramg_vec_interp_qmax pc_hypre_boomeramg_vec_interp_smooth
pc_hypre_boomeramg_interp_refine pc_hypre_boomeramg_smooth_num_levels pc_hypre_boomeramg_relax_weight_all
pc_hypre_boomeramg_outer_relax_weight_all pc_hypre_boomeramg_no_CF pc_hypre_boomeramg_keeptranspose
pc_hypre_boomeramg_rap2 pc_hypre_boomeramg_mod_rap2
pc_hypre_euclid_level pc_hypre_euclid_bj pc_hypre_euclid_droptolerance pc_hypre_pilut_maxiter pc_hypre_pilut_tol
pc_hypre_pilut_factorrowsize pc_hypre_parasails_nlevels pc_hypre_parasails_thresh pc_hypre_parasails_filter
pc_hypre_parasails_loadbal pc_hypre_parasails_reuse
snes_rtol snes_atol snes_stol snes_divergence_tolerance snes_max_it snes_max_funcs snes_max_fail
snes_max_linear_solve_fail snes_force_iteration snes_lag_jacobian snes_lag_preconditioner snes_linesearch_damping
snes_linesearch_maxstep snes_linesearch_minlambda snes_linesearch_max_it snes_linesearch_maxlambda
snes_linesearch_rtol snes_linesearch_atol snes_linesearch_ltol snes_linesearch_alpha snes_ksp_ew snes_ksp_ew_version
snes_ksp_ew_rtol0 snes_ksp_ew_rtolmax snes_ksp_ew_gamma snes_ksp_ew_alpha snes_tr_delta0 snes_tr_deltatol
""")
# MUMPS: orderings, scaling, memory, pivoting. Not the units it prints to (1 to 4) nor what it writes to disk (22).
_NUMBERS += [f"mat_mumps_icntl_{i}" for i in (6, 7, 8, 10, 11, 12, 13, 14, 23, 24, 28, 29, 35, 36, 38)]
_NUMBERS += [f"mat_mumps_cntl_{i}" for i in (1, 2, 3, 4, 5, 7)]

OPTIONS = frozenset([*_WORDS, *_NUMBERS])
# Solvers within solvers: of a field, of a level, of a block, of an estimate of eigenvalues.
_WITHIN = re.compile(
    r"(?:fieldsplit_[0-9]{1,3}_|mg_levels_(?:[0-9]{1,2}_)?|mg_coarse_(?:sub_)?|sub_(?:[0-9]{1,3}_)?|"
    r"redundant_|esteig_|ksp_chebyshev_esteig_|pc_gamg_esteig_|gamg_est_)"
)


def check_petsc(owner: str, options: Mapping[str, Value]) -> None:
    """Refuse PETSc options that are not on the list.

    Parameters
    ----------
    owner
        The key that holds them.
    options
        Values by name, without leading hyphen and prefix.

    Raises
    ------
    InputError
        With one line that names the option, what was found and what is allowed.

    Examples
    --------
    >>> check_petsc("transport.solver.petsc", {"fieldsplit_0_pc_type": "hypre", "ksp_rtol": 1e-10})
    """
    for name, value in options.items():
        base, prefix = name, ""
        while base not in OPTIONS and (within := _WITHIN.match(base)):
            base, prefix = base[within.end() :], prefix + within[0]
        key = f"{owner}.{name}"
        if base not in OPTIONS:
            near = nearest(base.lstrip("-"), OPTIONS)
            near = near if near.startswith("did") else "see the list in docs/safety.md"
            raise InputError(
                f"{key}: found {value!r}; a case may not set this option; allowed: types of solvers, tolerances and "
                f"numbers of preconditioners; {near}"
            )
        _check_value(key, base, value)


def _check_value(key: str, base: str, value: Value) -> None:
    words = _names(_WORDS.get(base, ""))
    if words:
        if str(value) not in words:
            raise InputError(f"{key}: found {value!r}; {nearest(value, words)}")
        return
    if isinstance(value, bool) or (isinstance(value, int | float) and math.isfinite(value)):
        return
    numbers = str(value).split(",")
    try:
        finite = all(math.isfinite(float(x)) for x in numbers)
    except ValueError:
        finite = str(value) in ("", "true", "false")
    if not finite:
        raise InputError(f"{key}: found {value!r}; allowed: a number, numbers with commas between them, true or false")
