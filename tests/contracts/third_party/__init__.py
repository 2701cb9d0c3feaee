"""Plug-ins of a third party, for the contract tests and for the proof that a survey is one file."""
