"""Rows of the plugin's tables for tests of the pages: plausible, seeded, made with the ORM alone."""

from __future__ import annotations

import gzip
import io
from datetime import timedelta
from itertools import count

import numpy as np
from astropy.io import fits
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.utils import timezone
from tom_targets.models import Target

from broker_adapters.healpix import cell
from broker_adapters.records import Kind
from followup.records import Candidate
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import (
    Classification,
    DeadLetter,
    Detection,
    FollowupRequest,
    MatchCandidate,
    Rank,
    Ranking,
    SkyObject,
    Stamps,
    StreamPartition,
    StreamWorker,
    SurveyObject,
)
from tom_alerce.models.places import Places
from tom_alerce.store import lightcurves, rankings

TERMS = ("brightness", "class", "early", "moon", "rising", "visibility")
BANDS = {"ztf": "gr", "atlas": "oc", "lsst": "griz"}
_number = count(1)
#: Seeds of light curves; begun anew for each test, so that what a test sees does not depend on those before it.
seeds = count()


def user(name="observer", **fields):
    return get_user_model().objects.create_user(name, password="stars", **fields)


def roles(user, *names):
    """Give a user roles."""
    user.user_permissions.add(*Permission.objects.filter(codename__in=names, content_type__app_label="tom_alerce"))


def target(name="Target A", ra=150.0, dec=2.0, **fields):
    return Target.objects.create(name=name, type="SIDEREAL", ra=ra, dec=dec, **{"permissions": "PUBLIC", **fields})


def sky_object(ra=150.0, dec=2.0, surveys=("ztf",), n=6, peak=60_000.0, rng=None, images=True, **fields):
    """A sky object with one member in each survey, a light curve that rises and fades, and stamps of its first and latest alerts."""
    rng = rng or np.random.default_rng(next(seeds))
    now = now_mjd()
    healpix = cell(ra, dec)
    place = {"ra": ra, "dec": dec, "position_err": 0.1, "healpix": healpix}
    sky = SkyObject.objects.create(**{**place, "n_detections": n * len(surveys), **fields})
    first, last = np.inf, -np.inf
    for survey in surveys:
        member = SurveyObject.objects.create(
            survey=survey, object_id=object_id(survey), sky_object=sky, **place, method="position" if survey != surveys[0] else "new"
        )
        mjd = np.sort(now - rng.uniform(0.1, 30.0, n))
        light_curve(member, mjd, peak, rng)
        if images:
            for slot, at in {"first": mjd[0], "latest": mjd[-1]}.items():
                stamps(member, slot, float(at), rng)
        member.first_mjd, member.last_mjd, member.n_detections = float(mjd[0]), float(mjd[-1]), n
        member.save()
        first, last = min(first, mjd[0]), max(last, mjd[-1])
    if surveys and n:
        sky.first_mjd, sky.last_mjd = fields.get("first_mjd", float(first)), float(last)
        sky.save()
    return sky


def object_id(survey):
    i = next(_number)
    return {"ztf": f"ZTF26a{i:06d}", "lsst": str(170_028_526_513_684_000 + i), "atlas": f"ATLAS26{i:05d}"}[survey]


def light_curve(member, mjd, peak, rng):
    """Detections, a forced point between each two, and limits before the first."""
    shape = np.exp(-0.5 * ((mjd - mjd.mean()) / 10.0) ** 2)
    bands, error = BANDS[member.survey], {"lsst": 200.0}.get(member.survey, 1200.0)
    rows = []
    for i, (t, share) in enumerate(zip(mjd, shape, strict=True)):
        common = {"survey_object": member, "survey": member.survey, "band": bands[i % len(bands)], "ra": member.ra, "dec": member.dec}
        flux = peak * share + rng.normal(0, error)
        key = f"{member.object_id}-{i}"
        rows.append(
            Detection(**common, source_id=key, kind=Kind.ALERT, mjd=t, flux=flux, flux_err=error, ref_flux=20_000.0, reliability=0.9)
        )
        rows.append(Detection(**common, source_id=key + "f", kind=Kind.FORCED, mjd=t + 0.5, flux=flux * 0.97, flux_err=error))
        rows.append(Detection(**common, source_id=key + "l", kind=Kind.LIMIT, mjd=mjd[0] - 1 - i, flux_err=error))
    Detection.objects.bulk_create(rows)


def stamps(member, slot="first", mjd=60000.0, rng=None, side=63):
    """Three gzipped FITS images: a galaxy with a source, the galaxy, the source."""
    rng = rng or np.random.default_rng(0)
    y, x = np.mgrid[:side, :side] - side // 2
    galaxy = 300.0 * np.exp(-np.hypot(x / 7.0, (y - 4) / 4.0)) + 100.0
    source = 250.0 * np.exp(-0.5 * (x**2 + y**2) / 1.6**2)
    noise = lambda: rng.normal(0, 6.0, (side, side))  # noqa: E731
    images = {"science": galaxy + source + noise(), "template": galaxy + noise() / 3, "difference": source + noise()}
    return Stamps.objects.create(
        survey_object=member, slot=slot, source_id=f"{member.object_id}-{slot}", mjd=mjd, **{k: fits_gz(v) for k, v in images.items()}
    )


def fits_gz(pixels):
    buffer = io.BytesIO()
    fits.PrimaryHDU(pixels.astype(np.float32)).writeto(buffer)
    return gzip.compress(buffer.getvalue())


def classification(sky, classifier="stamp", origin="local", probabilities=None, **fields):
    probabilities = probabilities or {"SN": 0.81, "AGN": 0.09, "VS": 0.06, "asteroid": 0.03, "bogus": 0.01}
    label = max(probabilities, key=lambda name: probabilities[name] or 0.0)
    return Classification.objects.create(
        **{
            "sky_object": sky,
            "origin": origin,
            "classifier": classifier,
            "version": "1.0.0",
            "evidence": f"{next(_number):064d}",
            "label": label,
            "probability": probabilities[label] or 0.0,
            "probabilities": probabilities,
            "n_detections": sky.n_detections,
            **fields,
        }
    )


def ranking(site="Cerro Pachon", now=None):
    now = now_mjd() if now is None else now
    return Ranking.objects.create(site=site, night=timezone.now().date().isoformat(), now=now, weights=dict.fromkeys(TERMS, 1.0))


def rank(ranking, sky, place=1, score=None, terms=None, rng=None):
    rng = rng or np.random.default_rng(place)
    if terms is None:
        reasons = (
            "r 18.4",
            "SN 0.81 (stamp)",
            "first seen 3.2 d ago",
            "Moon 61° away, 34 %",
            "0.21 mag/d brighter",
            "4.1 h above airmass 2",
        )
        terms = {
            n: {"score": round(float(s), 3), "weight": 1.0, "reason": r}
            for n, s, r in zip(TERMS, rng.uniform(0.3, 1, 6), reasons, strict=True)
        }
    times = ranking.now + np.linspace(0.02, 0.36, 48)
    hour = (times - times[24]) * 24 * 15 + rng.uniform(-50, 50)
    altitude = 20 + 55 * np.cos(np.radians(hour))
    up = altitude > 30
    curve = lightcurves.read(sky.survey_objects.values_list("pk", flat=True))
    visibility = {
        "altitude": altitude,
        "moon_altitude": 40 - 120 * (times - times[0]) / 0.36,
        "moon_separation": float(rng.uniform(25, 120)),
    }
    led_to(ranking, place, terms, times, **visibility)
    return Rank.objects.create(
        ranking=ranking,
        sky_object=sky,
        magnitude=rankings.magnitude(
            Candidate(str(sky.pk), "", sky.ra, sky.dec, lightcurves.merged(found := lightcurves.split(curve), found)), ranking.now
        ),
        place=place,
        score=float(np.exp(np.mean(np.log([t["score"] or 1e-9 for t in terms.values()])))) if score is None else score,
        hours=float(up.sum() * (times[1] - times[0]) * 24),
    )


def led_to(ranking, place, terms, times=(), altitude=(), moon_altitude=(), moon_separation=np.nan):
    """Pack what led to one place into its ranking, beside that of the other places."""
    old = Ranking.objects.get(pk=ranking.pk).places
    n = max(place, len(old.altitude))
    names = list(dict.fromkeys([*old.reasons, *terms]))
    scores = {name: np.zeros(n, np.float32) for name in names}
    reasons = {name: [""] * n for name in names}
    for name in old.reasons:
        scores[name][: len(old.scores[name])], reasons[name][: len(old.reasons[name])] = old.scores[name], old.reasons[name]
    for name, term in terms.items():
        scores[name][place - 1], reasons[name][place - 1] = term["score"], term["reason"]
    t = len(times)
    altitudes, separations = np.full((n, t), np.nan), np.full(n, np.nan)
    if old.altitude.shape[1:] == (t,):
        altitudes[: len(old.altitude)], separations[: len(old.altitude)] = old.altitude, old.moon_separation
    altitudes[place - 1], separations[place - 1] = altitude, moon_separation
    ranking.packed = Places(scores, reasons, np.asarray(times, float), np.asarray(moon_altitude, float), altitudes, separations).pack()
    ranking.weights = ranking.weights | {name: term["weight"] for name, term in terms.items()}
    ranking.save()
    ranking.__dict__.pop("places", None)


def request(sky, state="validated", **fields):
    payload = {"name": str(sky.pk), "ipp_value": 1.05, "exposure_time": 120, "filter": "rp", "instrument_type": "2M0-SCICAM-MUSCAT"}
    key = f"{next(_number):032d}"
    fields.setdefault("target", sky.target or target(f"Target of request {key}", sky.ra, sky.dec))
    return FollowupRequest.objects.create(
        **{"key": key, "sky_object": sky, "facility": "LCO", "payload": payload, "prepared": payload, "state": state, **fields}
    )


def candidate(member, sky, separation=1.3):
    return MatchCandidate.objects.create(survey_object=member, sky_object=sky, separation=separation)


def dead_letter(**fields):
    return DeadLetter.objects.create(
        **{
            "source": "night/ztf_0001.avro",
            "position": "0/17",
            "digest": f"{next(_number):064d}",
            "size": 4096,
            "reason": "truncated",
            **fields,
        }
    )


def stream(name, host="a", beat=5.0, started=3600.0, waits=None, **fields):
    """A worker of a stream, with a partition in which packets wait since ``waits`` seconds."""
    now = timezone.now()
    seconds = timedelta(seconds=1)
    worker = StreamWorker.objects.create(
        name=f"{name} {host}:1", stream=name, host=host, beat=now - beat * seconds, started=now - started * seconds, **fields
    )
    since = None if waits is None else now - waits * seconds
    row = {"topic": "alerts", "partition": 0, "offset": 10, "end": 10 if waits is None else 30, "worker": worker.name}
    StreamPartition.objects.update_or_create(stream=name, topic="alerts", partition=0, defaults=row | {"seen": now, "waits": since})
    return worker


def board(n=25, seed=1):
    """A ranking of n objects of all kinds."""
    rng = np.random.default_rng(seed)
    night = ranking()
    surveys = [("ztf",), ("lsst", "ztf"), ("ztf", "atlas"), ("lsst",), ("lsst", "ztf", "atlas")]
    for i in range(n):
        peak = float(10 ** rng.uniform(3.8, 5.2))
        sky = sky_object(
            rng.uniform(0, 360), np.degrees(np.arcsin(rng.uniform(-1, 1))), surveys[i % 5], int(rng.integers(2, 25)), peak, rng
        )
        classification(sky)
        classification(sky, "lightcurve", probabilities={"SNIa": 0.55, "SNII": 0.3, "SNIbc": 0.1, "SLSN": 0.05})
        classification(sky, "lc_classifier", "alerce", {"SNIa": 0.62, "SNII": 0.38})
        rank(night, sky, i + 1, float(np.exp(-0.06 * i) * 0.9), rng=rng)
        if i % 4 == 1:
            request(sky, ("validated", "submitted", "unknown", "failed")[i // 4 % 4])
        if i % 6 == 2:
            other = sky_object(sky.ra, min(sky.dec + 1.2 / 3600, 90.0), ("ztf",), 2, peak, rng)
            candidate(other.survey_objects.get(), sky)
    return night
