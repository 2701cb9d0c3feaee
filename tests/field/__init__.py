"""Cases from the field: inputs in ``data`` that once did something else than a user expects, each named by its row.

Each file of tests holds the rows of one root. Names of tests begin with the row, as in ``test_row_02_...``.
"""

from pathlib import Path

DATA = Path(__file__).parent / "data"
