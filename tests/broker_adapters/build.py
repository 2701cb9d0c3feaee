"""Light curves to write packets from, and the packets."""

from __future__ import annotations

import numpy as np

from broker_adapters.records import Kind, blank, frozen
from classifiers.simulate.packets import atlas, lsst, ztf

ZTF, LSST, ATLAS = "ZTF26abcdefg", "170028526513684557", "1032155561403819520"
CANDID = 2695378462115010012
DIA_SOURCE = 170028526513684557
MJD = 61100.3  # of 2026, so that TAI - UTC is 37 s


def rows(survey, n=4, *, ra=150.0, dec=2.2, mjd=MJD, bands=None, kinds=None, flux=None, seed=0):
    """n rows of one object, a day apart, the last one a detection; positive unless flux says otherwise."""
    random = np.random.default_rng(seed)
    bands = bands or {"ztf": "gri", "lsst": "ugrizy", "atlas": "oc"}[survey]
    table = blank(n)
    table["survey"] = survey
    table["kind"] = Kind.ALERT if kinds is None else kinds
    table["mjd"] = np.round(mjd + np.arange(n), 7) + 15 / 86400
    table["band"] = [bands[k % len(bands)] for k in range(n)]
    table["flux"] = random.uniform(3e4, 9e4, n) if flux is None else flux
    table["flux_err"] = random.uniform(1e3, 3e3, n)
    table["ra"], table["dec"] = (ra + random.normal(0, 2e-5, n)) % 360, dec + random.normal(0, 2e-5, n)
    table["position_err"] = 0.1
    table["reliability"] = 0.9
    table["source_id"] = {
        "ztf": [str(CANDID + 1_000_000_000_000 * k) for k in range(n)],
        "lsst": [str(DIA_SOURCE + 7 * k) for k in range(n)],
        "atlas": [f"01a{int(mjd) + k}o0123o_{42:06d}" for k in range(n)],
    }[survey]
    limit = table["kind"] == Kind.LIMIT
    table["flux"][limit] = np.nan
    for name in ("ra", "dec", "position_err", "reliability"):
        table[name][table["kind"] != Kind.ALERT] = np.nan
    return table


def stamps(side=63, seed=0):
    """Science, template and difference of a star on noise, shape (3, side, side)."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - side // 2
    star = 500 * np.exp(-0.5 * (x**2 + y**2) / 1.5**2)
    template = random.normal(100, 3, (side, side)) + star
    science = random.normal(100, 3, (side, side)) + 3 * star
    return np.round([science, template, science - template]).astype(np.float32)


def packet(survey, table=None, **options):
    """A packet of this survey with stamps."""
    writer, object_id, side = {"ztf": (ztf, ZTF, 63), "lsst": (lsst, LSST, 30), "atlas": (atlas, ATLAS, 61)}[survey]
    options.setdefault("object_id", object_id)
    options.setdefault("stamps", stamps(side))
    return writer.write(frozen(rows(survey)) if table is None else table, **options)
