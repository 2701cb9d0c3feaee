"""Observation requests: stored as drafts, checked by the facility's form, later sent.

Nothing is sent yet. `draft` reaches the state DRAFT and `validate` the states VALIDATED and INVALID; no code sets SUBMITTING, SUBMITTED,
FAILED or UNCERTAIN. They are drawn and tested in `states` for the sender that is to come.
"""
