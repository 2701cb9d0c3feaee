"""At the place of a star of the catalogues."""

from __future__ import annotations

import numpy as np

from followup.batch import Batch
from followup.records import Candidates, Night, Reasons, Vetoes


def veto(candidates: Candidates, night: Night, *, within: float = 1.5) -> Vetoes:
    """Against what is within so many arcseconds of a star, shape (n,); catalogues that were not read know of none.

    A star is what a catalogue calls so, or what has a parallax or a proper motion above five standard deviations and is no galaxy.
    """
    places = Batch.of(candidates).places
    near = places.star_separation <= within
    return Vetoes(
        np.where(near, np.inf, np.nan),
        Reasons(
            len(places),
            lambda i: (
                f"{places.star_separation[i]:.1f} arcsec from {places.star[i]}" if places.star[i] else "no catalogued star at its place"
            ),
        ),
    )
