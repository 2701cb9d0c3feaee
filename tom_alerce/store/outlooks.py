"""Stores outlooks of sky objects by their evidence: worked out once, read by every ranking and page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from django.db.models import F, QuerySet

from classifiers.posterior.records import Outlooks
from tom_alerce.models import Outlook, SkyObject


class Prospects(dict[int, bytes]):
    """Sky object -> its outlook, packed."""

    def reader(self, key: int) -> Callable[[], Outlooks | None]:
        """What unpacks the outlook of an object, None where there is none."""
        return lambda: Outlooks.unpack([self[key]]) if key in self else None

    def stacked(self, keys: Iterable[int]) -> Outlooks:
        """The outlooks of these objects, in their order."""
        return Outlooks.unpack([self[key] for key in keys])


def of(skies: QuerySet[SkyObject], at: float) -> Prospects:
    """Outlooks of objects that have one of their present evidence, from measurements until a time (MJD, UTC) alone.

    Those of another layout, which an older or newer version of ours wrote, are left out: a worker replaces them.
    """
    rows = Outlook.objects.filter(sky_object__in=skies.values("pk"), evidence=F("sky_object__evidence"), mjd__lte=at)
    every = ((key, bytes(packed)) for key, packed in rows.values_list("sky_object_id", "packed"))
    return Prospects((key, packed) for key, packed in every if Outlooks.readable(packed))


def unseen(version: str) -> QuerySet[SkyObject]:
    """Sky objects of whose present evidence these weights have not said anything."""
    return SkyObject.objects.exclude(evidence="").exclude(outlook__evidence=F("evidence"), outlook__version=version)


def save(skies: Sequence[SkyObject], outlooks: Outlooks, version: str) -> None:
    """Write the outlooks of n objects, row i of object i; of one of which nothing can be said, that."""
    known = np.isfinite(outlooks.mjd) & np.isfinite(outlooks.peak_cdf).all(axis=(1, 2))
    packed = iter(outlooks[known].pack())
    Outlook.objects.bulk_create(
        (
            Outlook(
                sky_object=sky,
                evidence=sky.evidence,
                version=version,
                mjd=float(outlooks.mjd[i]) if known[i] else None,
                packed=next(packed) if known[i] else b"",
            )
            for i, sky in enumerate(skies)
        ),
        update_conflicts=True,
        unique_fields=["sky_object"],
        update_fields=["evidence", "version", "mjd", "packed", "created"],
        batch_size=500,
    )
