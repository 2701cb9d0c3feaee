"""Guards: one file each, a function ``guard(case, **parameters) -> (passed, reason)`` (`tom_alerce.requests.judge.Guard`).

A new file is found by being here. Parameters are keyword-only, have plain defaults and are given in ``TOM_ALERCE["GUARDS"]``.
"""
