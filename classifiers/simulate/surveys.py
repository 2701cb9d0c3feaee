"""Light curves of a source over months in each survey: cadence, depth, errors and reported measurements.

`classifiers.simulate.observe` has the surveys as designed, for the packets of one night; the numbers here are as measured on real light
curves, for the months that a light curve lasts:

- ZTF: limits that come with 146,000 public alerts; within a night they scatter by .08 to .13 mag;
- ATLAS: forced photometry of 41 supernovae (69,000 exposures of 2016 to 2021): five times the quoted error; it visits 27 to 39 % of the
  nights of a season, mostly every second one (now and then every night), with four exposures in 72 % of them, 10 minutes apart (4 to 18)
  and .6 hours from first to last. One visit in five is in c: half of those nearer than four days to new moon, none beyond ten and a half.
  Eight bright stars scatter by .8 to 1.8 % within a night where .1 to .5 % are quoted. Far from the supernovae in time the fluxes of a
  light curve scatter by 1.0, 1.3 and 5 times the quoted errors (at the 16, 50 and 84 % of the light curves, the last in bright galaxies),
  about a median of -2.5, -.4 and 0 of them: the template's doing. Those are near and in bright galaxies; simulated ones have half of it;
- LSST: alerts of the first season (nine nights in g, six in r), up to a magnitude short of the design (Ivezic et al. 2019, ApJ 873, 111);
  the quoted error of a bright source is .07 % of its flux, and a supernova scatters by .3 to .6 % of the total flux beyond it, as the .5 %
  of the design. The cadence is that of the baseline survey (survey-strategy.lsst.io/baseline/wfd): a field comes back after two to four
  nights for a pair of visits 33 minutes apart in different filters, which are chosen so that the filters share the visits as planned
  (Ivezic et al. 2019, table 1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from broker_adapters.photometry import flux_error_from_limit, flux_from_magnitude
from broker_adapters.records import Detections, Kind, blank
from classifiers.simulate import observe

Floats = NDArray[np.float64]

#: Function that gives the times (MJD) of the exposures in each used band, from the MJD (at UTC midnight) of the nights of visibility.
Cadence = Callable[[Floats, Generator], dict[str, Floats]]

#: Scatter of the depth within a night, magnitudes.
WITHIN = 0.12

#: Largest distance in days between local midnight and culmination, and between culmination and observation.
HOUR, NIGHT = 0.17, 0.1

#: A known new moon (MJD) and the month; days from new moon within which the share `DARK` of ATLAS's visits is in c, and from which none is.
NEW_MOON, MONTH = 51549.76, 29.530588
DARK, DARK_DAYS = 0.5, (4.0, 10.5)


@dataclass(frozen=True, slots=True)
class Survey:
    """Observing parameters of a survey for light curves.

    Attributes
    ----------
    depth : mapping of band to (float, float)
        AB magnitude of 5 sigma, its mean and its scatter from night to night.
    exposures : Cadence
    floor, unquoted : float
        Errors as parts of the total flux: included and not included in the quoted error.
    underrated, offset : float
        Standard deviation of the logarithm of how many times (at least one) the quoted errors of a light curve are too small; and of the
        constant error of its differences, in medians of the quoted errors.
    referenced : float
        Magnitude of the faintest reference source whose flux is given; infinite if it always is, minus infinity if never.
    kinds : (Kind, Kind)
        Kind of a row with at least 5 sigma, and with less; a limit has no flux.
    from_start : bool
        Whether exposures before the first of 5 sigma are reported.
    """

    depth: Mapping[str, tuple[float, float]]
    exposures: Cadence
    floor: float
    unquoted: float
    underrated: float
    offset: float
    referenced: float
    kinds: tuple[Kind, Kind]
    from_start: bool


def _ztf(nights: Floats, rng: Generator) -> dict[str, Floats]:
    """Draw ZTF's exposures: from the public cadence to that of the partners, some fields several times a night."""
    share, repeats = rng.uniform(0.15, 0.6), 10 ** rng.uniform(-2.0, 0.6)
    found = {}
    for band in "gr":
        seen = nights[rng.random(len(nights)) < share]
        seen = np.repeat(seen, 1 + rng.poisson(repeats, len(seen)))
        found[band] = seen + rng.uniform(-NIGHT, NIGHT, len(seen))
    return found


def _atlas(nights: Floats, rng: Generator) -> dict[str, Floats]:
    """Draw ATLAS's exposures: groups in one filter, every second night, or every night if it is clear."""
    every = rng.choice([1, 2], p=[0.25, 0.75])
    seen = nights[(nights % every == 0) & (rng.random(len(nights)) < 0.6)]
    age = (seen - NEW_MOON) % MONTH
    near, far = DARK_DAYS
    dark = DARK * np.clip((far - np.minimum(age, MONTH - age)) / (far - near), 0.0, 1.0)
    in_c = rng.random(len(seen)) < dark
    number = rng.choice([2, 3, 4, 5, 8], len(seen), p=[0.07, 0.05, 0.74, 0.06, 0.08])
    first, pause = rng.uniform(-NIGHT, NIGHT, len(seen)), rng.uniform(0.0045, 0.011, len(seen))
    turn = np.concatenate([np.arange(n) for n in number]) if len(seen) else np.empty(0)
    times = np.repeat(seen + first, number) + turn * np.repeat(pause, number)
    return {"c": times[np.repeat(in_c, number)], "o": times[~np.repeat(in_c, number)]}


#: LSST's pairs of filters, and how often each is chosen.
PAIRS = ("ug", "ur", "gr", "ri", "iz", "zy", "yy")
CHOSEN = (0.09, 0.05, 0.11, 0.28, 0.16, 0.23, 0.08)

#: Days between the two visits of a pair.
PAUSE = 33.0 / 1440.0


def _lsst(nights: Floats, rng: Generator) -> dict[str, Floats]:
    """Draw LSST's exposures: pairs of visits, of which those in g and r are kept."""
    if not nights.size:
        return {}
    visits = nights[0] + np.cumsum(rng.integers(2, 5, len(nights)))
    visits = visits[np.isin(visits, nights) & (rng.random(len(visits)) < 0.9)]
    pair = rng.choice(len(PAIRS), len(visits), p=CHOSEN)
    times = visits + rng.uniform(-NIGHT, NIGHT, len(visits))
    found = {}
    for band in "gr":
        has = np.array([[filters == band for filters in PAIRS[p]] for p in pair.tolist()], bool).reshape(-1, 2)
        found[band] = np.concatenate([times[has[:, 0]], times[has[:, 1]] + PAUSE])
    return found


SURVEYS = MappingProxyType(
    {
        "ztf": Survey(
            MappingProxyType({"g": (20.1, 0.6), "r": (20.0, 0.6)}), _ztf,
            floor=0.012, unquoted=0.0, underrated=0.0, offset=0.0, referenced=22.5, kinds=(Kind.ALERT, Kind.LIMIT), from_start=True,
        ),
        "atlas": Survey(
            MappingProxyType({"c": (19.46, 0.6), "o": (18.95, 0.6)}), _atlas,
            floor=0.003, unquoted=0.011, underrated=0.3, offset=0.5, referenced=-np.inf, kinds=(Kind.FORCED, Kind.FORCED), from_start=True,
        ),
        "lsst": Survey(
            MappingProxyType({"g": (23.7, 0.8), "r": (23.8, 0.4)}), _lsst,
            floor=0.001, unquoted=0.005, underrated=0.0, offset=0.0, referenced=np.inf, kinds=(Kind.ALERT, Kind.FORCED), from_start=False,
        ),
    }
)  # fmt: skip

#: Surveys that observe an object -> share of objects, the same for all classes.
WATCHES = MappingProxyType({("ztf",): 0.6, ("ztf", "atlas"): 0.15, ("atlas",): 0.08, ("ztf", "lsst"): 0.08, ("lsst",): 0.09})

#: Magnitudes by which objects of LSST alone are fainter than ZTF's, uniform, up to most of the difference of the depths.
FAINTER = (0.0, 3.0)


#: The same shares without ZTF alone.
OTHERS = MappingProxyType({who: share for who, share in WATCHES.items() if who != ("ztf",)})


def watch(rng: Generator, watches: Mapping[tuple[str, ...], float] = WATCHES) -> tuple[str, ...]:
    """Draw the surveys that observe an object."""
    shares = np.array(list(watches.values()))
    return list(watches)[rng.choice(len(watches), p=shares / shares.sum())]


def fainter(watching: tuple[str, ...], rng: Generator) -> float:
    """Draw the magnitudes by which an object is fainter than ZTF's objects."""
    return float(rng.uniform(*FAINTER)) if watching == ("lsst",) else 0.0


def exposures(watching: tuple[str, ...], nights: Floats, rng: Generator) -> Iterator[tuple[str, str, Floats]]:
    """Yield (survey, band, times) of all exposures of an object that is visible on these nights (MJD at UTC midnight, whole numbers)."""
    hour = rng.uniform(-HOUR, HOUR)
    for survey in watching:
        for band, times in SURVEYS[survey].exposures(nights, rng).items():
            yield survey, band, np.sort(times + observe.SURVEYS[survey].midnight + hour)


def measure(survey: str, band: str, mjd: Floats, difference: Floats, reference: float, rng: Generator) -> Detections:
    """Simulate the measurements of a survey in one band, shape (m,), m ≤ n.

    At times (n,) the source differs by `difference` (n,) from `reference`, nJy. Exposures in which it saturates are left out. `joined`
    combines the bands.
    """
    how = SURVEYS[survey]
    mean, nightly = how.depth[band]
    night, where = np.unique(np.floor(mjd - observe.SURVEYS[survey].midnight + 0.5), return_inverse=True)
    depth = rng.normal(mean, np.sqrt(nightly**2 - WITHIN**2), len(night))[where] + rng.normal(0.0, WITHIN, len(mjd))
    total = np.abs(difference + reference)
    error = np.hypot(flux_error_from_limit(depth), how.floor * total)
    scatter = np.hypot(error * np.exp(abs(rng.normal(0.0, how.underrated))), how.unquoted * total)
    offset = rng.normal(0.0, how.offset) * np.median(error) if len(mjd) else 0.0
    flux = difference + offset + rng.normal(0.0, 1.0, len(mjd)) * scatter
    seen = np.abs(flux) >= observe.THRESHOLD * error
    rows = blank(len(mjd))
    rows["survey"], rows["band"], rows["mjd"] = survey, band, mjd
    rows["kind"] = np.where(seen, *how.kinds)
    rows["flux"] = np.where(rows["kind"] == Kind.LIMIT, np.nan, flux)
    rows["flux_err"] = error
    rows["ref_flux"] = reference if reference > 0 and reference >= flux_from_magnitude(how.referenced) else np.nan
    kept: Detections = rows[total < flux_from_magnitude(observe.SURVEYS[survey].bright)]
    return kept


def joined(parts: list[Detections]) -> Detections:
    """Rows of all bands and surveys in time order, without those before the first alert where a survey does not report them."""
    rows = np.concatenate([blank(0), *parts])
    rows = rows[np.argsort(rows["mjd"], kind="stable")]
    kept = np.ones(len(rows), bool)
    for name in (name for name, how in SURVEYS.items() if not how.from_start):
        own = rows["survey"] == name
        alerts = rows["mjd"][own & (rows["kind"] == Kind.ALERT)]
        kept &= ~own | (rows["mjd"] >= (alerts[0] if alerts.size else np.inf))
    found: Detections = rows[kept]
    return found
