"""Writers of alert packets as the surveys send them: the inverse of ``broker_adapters.surveys``, one module for each survey.

Each has ``write(rows, *, object_id, stamps=None, metadata={}, ...) -> bytes``: ``rows`` are the truth as rows of `DETECTION` of that
survey, of which the latest `Kind.ALERT` raises the alert and the others are its history; ``stamps`` are science, template and
difference, shape (3, height, width), NaN for a missing one; ``metadata`` are fields of the triggering measurement under the survey's
own names. What comes back from ``broker_adapters.surveys.read`` is the same rows, to the precision of the format.
"""
