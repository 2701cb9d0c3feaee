"""Laws of the store: what it holds depends on what was sent, not on the order, the batches, the broker, or links that were undone.

Each history is delivered twice: at once, and in random pieces with repeats, classifications, links and unlinks in between. Then the light
curves, digests, counts, stamps, positions, groups and current classes must be the same.
"""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from broker_adapters.records import BrokerLabel, Cutouts
from classifiers import records
from tests.tom_alerce.alerts import ERROR, alert, curve
from tom_alerce.models import Classification, SkyObject, Stamps, SurveyObject
from tom_alerce.store import alerts, classifications, linking, sky

ARCSEC = 1.0 / 3600.0
#: Survey, object id and offset in arcseconds from the source of each object; the two sources are 8 arcseconds apart.
OBJECTS = (
    ("ztf", "ZTF26a", 0.0),
    ("lsst", "11", 0.3),
    ("atlas", "A1", -0.5),
    ("ztf", "ZTF26b", 8.0),
    ("lsst", "12", 8.2),
)


def history(seed):
    """Alerts of two sources through several brokers, in no order: copies differ in what they leave out."""
    rng = np.random.default_rng(seed)
    sent = []
    for survey, object_id, offset in OBJECTS:
        if rng.random() < 0.2:
            continue
        nights = int(rng.integers(1, 6))
        dec = 2.0 + ARCSEC * (offset + 0.3 * ERROR[survey] * rng.standard_normal(nights))
        rows = curve(survey, object_id, n=nights, dec=dec)
        near = rng.random(nights) < (0.3 if survey == "ztf" else 0.0)
        for last in range(nights):
            for _ in range(rng.integers(1, 3)):
                sent.append(copy(rng, survey, object_id, rows[: last + 1], bool(near[last])))
    return sent


def copy(rng, survey, object_id, rows, moving):
    """The alert of the last of these detections as one broker relays it."""
    rows = rows.copy()
    rows["flux"][: int(rng.integers(0, len(rows)))] = np.nan  # a history without fluxes
    if rng.random() < 0.4:
        rows["reliability"] = np.nan
    if rng.random() < 0.3:
        rows = rows[-1:]
    source_id, day = str(rows["source_id"][-1]), int(rows["mjd"][-1])
    images = [f"{source_id} {name}".encode() for name in ("science", "template", "difference")]
    return alert(
        survey,
        object_id,
        rows=rows,
        dec=float(rows["dec"][-1]),
        moving=moving,
        cutouts=[None, Cutouts(), Cutouts(*images), Cutouts(difference=images[2])][rng.integers(4)],
        metadata={"rb": 0.9} if rng.random() < 0.5 else {"rb": 0.9, "classtar": 0.1},
        labels=(BrokerLabel("alerce", "lc", "1", f"class {day % 3}", 0.5 + 0.1 * (day % 3)),) if rng.random() < 0.7 else (),
        names=("AT 2026xyz", "SN 2026xyz")[: rng.integers(3)],
        broker=str(rng.choice([survey, "lasair", "alerce"])),
    )


def classify():
    """Classify what was not: the class says how many measurements have a flux, and how many images there are."""
    skies = list(classifications.unseen("count", "1").order_by("pk"))
    for one, content in zip(skies, sky.load([s.pk for s in skies], stamps=True), strict=True):
        images = sum(a.cutouts is not None and a.cutouts.science is not None for a in content.alerts)
        label = f"{np.isfinite(content.detections['flux']).sum()} fluxes, {images} images"
        classifications.save(records.Classification("count", "1", (label,), np.ones((1, 1))), [one])


def state():
    """All that is to depend on contents alone, by the members of each sky object."""
    classify()
    skies = list(SkyObject.objects.prefetch_related("survey_objects"))
    current = classifications.latest([s.pk for s in skies])
    found = {}
    for one, content in zip(skies, sky.load([s.pk for s in skies]), strict=True):
        found[content.members] = (
            (one.n_detections, one.moving, one.evidence, round(one.ra, 9), round(one.dec, 9), one.first_mjd, one.last_mjd),
            content.detections.tobytes(),
            sorted((c.origin, str(c.survey_object), c.label, c.mjd) for c in current.get(one.pk, ())),
            sorted((m.object_id, m.n_detections, m.moving, m.evidence, tuple(m.names)) for m in one.survey_objects.all()),
        )
    fields = ("survey_object__object_id", "slot", "source_id", "science", "difference", "metadata")
    return found, sorted(str([bytes(v) if isinstance(v, memoryview) else v for v in row]) for row in Stamps.objects.values_list(*fields))


def forget():
    Classification.objects.all().delete()
    SurveyObject.objects.all().delete()
    SkyObject.objects.all().delete()


def link_and_unlink(between):
    """Link an object of one source to the other, do something, and unlink it again; nothing where there is only one source."""
    moved, heir = (SurveyObject.objects.filter(object_id=name).first() for name in ("12", "11"))
    if moved is None or heir is None or moved.sky_object.survey_objects.count() > 1:
        return
    linking.link(moved, heir.sky_object)
    between()
    linking.unlink(SurveyObject.objects.get(pk=moved.pk))


class TestLaws(TestCase):
    @settings(max_examples=30, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.integers(0, 10**9), st.integers(0, 10**9).map(Random))
    def test_contents_decide(self, seed, random):
        sent = history(seed)
        forget()
        alerts.save(sent)
        expected = state()
        forget()
        again = [*sent, *random.sample(sent, k=len(sent) // 3)]
        random.shuffle(again)
        while again:
            size = random.randint(1, len(again))
            alerts.save(again[:size])
            again = again[size:]
            if random.random() < 0.3:
                classify()
        assert state() == expected

    @settings(max_examples=20, suppress_health_check=list(HealthCheck), deadline=None)
    @given(st.integers(0, 10**9), st.integers(0, 10**9).map(Random))
    def test_links_that_are_undone_leave_nothing(self, seed, random):
        # an object that a person has set apart is not linked again: so the second source is of one object
        sent = [one for one in history(seed) if one.object_id != "ZTF26b"]
        forget()
        alerts.save(sent)
        expected = state()
        forget()
        half = random.randint(0, len(sent))
        alerts.save(sent[:half])
        for _ in range(random.randint(1, 3)):
            link_and_unlink(random.choice([classify, lambda: None, lambda: alerts.save(sent[half:])]))
            random.choice([classify, lambda: None])()
        alerts.save(sent)
        assert state() == expected
