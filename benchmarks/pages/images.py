"""Stamps of the objects that are ranked, all with one picture."""

from __future__ import annotations

import gzip
import io
from collections.abc import Sequence

import numpy as np
from astropy.io import fits

from tom_alerce.models import Stamps, SurveyObject


def stamps(members: Sequence[SurveyObject]) -> None:
    """First and latest stamps of each."""
    buffer = io.BytesIO()
    fits.PrimaryHDU(np.random.default_rng(0).normal(100.0, 6.0, (63, 63)).astype(np.float32)).writeto(buffer)
    picture = gzip.compress(buffer.getvalue())
    images = dict.fromkeys(("science", "template", "difference"), picture)
    Stamps.objects.bulk_create(
        [
            Stamps(survey_object=one, slot=slot, source_id=f"{one.object_id}-{slot}", mjd=mjd or 0.0, **images)
            for one in members
            for slot, mjd in (("first", one.first_mjd), ("latest", one.last_mjd))
        ],
        batch_size=200,
    )
