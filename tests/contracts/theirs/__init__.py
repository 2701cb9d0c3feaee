"""A third party's plug-ins, for the contract tests and for the proof that a survey is one file."""
