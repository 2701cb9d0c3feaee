"""Night plans of 10 to 60 targets at one and three sites: the solver, greedy, and astroplan's PriorityScheduler, by the same measure.

Targets are spread over the sky, their scores even between 0.05 and 1, an observation takes 10 to 60 minutes. astroplan gets the same
visibility (airmass, night, Moon), the same lengths and the scores as priorities; for three sites it plans one after the other, with the
targets that are left.
"""

from __future__ import annotations

import warnings
from time import perf_counter

import astropy.units as u
import numpy as np
from astroplan import (
    AirmassConstraint,
    AltitudeConstraint,
    AtNightConstraint,
    FixedTarget,
    MoonSeparationConstraint,
    Observer,
    ObservingBlock,
    PriorityScheduler,
    Schedule,
    Transitioner,
)
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.time import Time
from astropy.utils import iers

from followup.blocks import RATE, Telescope
from followup.night import greedy, solve
from followup.sites import SITES
from followup.visibility import night

NOW = 61367.083
PLACES = ("Cerro Tololo", "Sutherland", "Siding Spring")
SEEDS = range(3)
#: Cases: targets and sites.
CASES = ((10, 1), (30, 1), (60, 1), (60, 3))


def run() -> dict[str, float]:
    """For each case the value of the solver's plan, its ratios to the others and to the relaxation, and seconds; medians."""
    figures: dict[str, float] = {}
    for n, m in CASES:
        rows = [_case(seed, n, m) for seed in SEEDS]
        figures |= {f"{name}_{n}x{m}": float(np.median([row[name] for row in rows])) for name in rows[0]}
    return figures


def _case(seed: int, n: int, m: int) -> dict[str, float]:
    telescopes, ra, dec = field(seed, n, m)
    plan, seconds = _timed(lambda: solve(telescopes, ra, dec))
    simple, simple_seconds = _timed(lambda: greedy(telescopes, ra, dec))
    theirs, their_seconds = _timed(lambda: _astroplan(telescopes, ra, dec))
    return {
        "value": plan.value,
        "of_relaxed": plan.value / plan.relaxed,
        "ratio_to_greedy": plan.value / simple.value,
        "ratio_to_astroplan": plan.value / theirs,
        "solve_s": seconds,
        "greedy_s": simple_seconds,
        "astroplan_s": their_seconds,
    }


def field(seed: int, n: int, m: int) -> tuple[list[Telescope], np.ndarray, np.ndarray]:
    """Telescopes at m sites, and places of n targets."""
    random = np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, n), np.degrees(np.arcsin(random.uniform(-0.95, 0.5, n)))
    scores, seconds = random.uniform(0.05, 1.0, n), random.uniform(600.0, 3600.0, n)
    made = []
    for name in PLACES[:m]:
        seen = night(SITES[name], ra, dec, NOW)
        made.append(Telescope("fake", "camera", seen, seen.observable, seconds, scores, ((),) * n, ("",) * n))
    return made, ra, dec


def _timed(make):  # type: ignore[no-untyped-def]
    begin = perf_counter()
    made = make()
    return made, perf_counter() - begin


def _astroplan(telescopes: list[Telescope], ra: np.ndarray, dec: np.ndarray) -> float:
    """Value of astroplan's plans."""
    left, total = set(range(len(ra))), 0.0
    with iers.conf.set_temp("auto_download", False), iers.conf.set_temp("auto_max_age", None), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for telescope in telescopes:
            done = _scheduled(telescope, ra, dec, sorted(left))
            total += sum(float(telescope.worth(i, np.array([middle]))[0]) for i, middle in done.items())
            left -= set(done)
    return total


def _scheduled(telescope: Telescope, ra: np.ndarray, dec: np.ndarray, left: list[int]) -> dict[int, float]:
    """Target -> middle of its observation (MJD) by astroplan."""
    site, limits, half = telescope.night.site, telescope.night.limits, telescope.night.step / 2.0
    place = EarthLocation.from_geodetic(site.longitude * u.deg, site.latitude * u.deg, site.elevation * u.m)
    constraints = [
        AirmassConstraint(max=limits.max_airmass, boolean_constraint=False),
        AltitudeConstraint(min=0 * u.deg),
        AtNightConstraint.twilight_astronomical(),
        MoonSeparationConstraint(min=limits.moon_separation * u.deg),
    ]
    blocks = [
        ObservingBlock(
            FixedTarget(SkyCoord(ra[i] * u.deg, dec[i] * u.deg), name=str(i)), telescope.seconds[i] * u.s, 1.0 - float(telescope.scores[i])
        )
        for i in left
    ]
    scheduler = PriorityScheduler(
        constraints=constraints,
        observer=Observer(location=place),
        transitioner=Transitioner(RATE * u.deg / u.s),
        time_resolution=120 * u.s,
    )
    times = telescope.night.times
    schedule = Schedule(Time(times[0] - half, format="mjd"), Time(times[-1] + half, format="mjd"))
    scheduler(blocks, schedule)
    return {int(block.target.name): float((block.start_time.mjd + block.end_time.mjd) / 2.0) for block in schedule.observing_blocks}
