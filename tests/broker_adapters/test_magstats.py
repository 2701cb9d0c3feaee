"""Statistics against pandas, band by band and object by object, and against hand-made cases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker_adapters import photometry
from broker_adapters.correction import correct
from broker_adapters.magstats import BAND, by_band, by_object
from broker_adapters.records import Kind, blank


def light_curves(seed, n=60, owners=3):
    random = np.random.default_rng(seed)
    rows = blank(n)
    rows["survey"], rows["band"] = random.choice(["ztf", "lsst"], n), random.choice(["g", "r"], n)
    rows["kind"] = random.choice([Kind.ALERT, Kind.ALERT, Kind.FORCED, Kind.LIMIT], n)
    rows["mjd"] = random.permutation(n) + random.uniform(0, 0.9, n)
    rows["flux"] = np.where(rows["kind"] == Kind.LIMIT, np.nan, random.normal(0, 1e4, n))
    rows["flux_err"] = random.uniform(100, 1000, n)
    rows["ref_flux"] = np.where(random.random(n) < 0.6, random.uniform(1e3, 1e5, n), np.nan)
    rows["ref_flux_err"] = rows["ref_flux"] / 100
    rows["ra"], rows["dec"] = random.normal(0, 1e-5, n) % 360, random.normal(80, 1e-5, n)
    rows["position_err"] = random.uniform(0.05, 0.3, n)
    return rows, random.integers(0, owners, n) * 10


@given(st.integers(0, 10**6))
def test_against_pandas(seed):
    rows, owner = light_curves(seed)
    total = correct(rows, owner)
    table = pd.DataFrame({"owner": owner, "survey": rows["survey"], "band": rows["band"], "mjd": rows["mjd"]})
    table["mag"] = photometry.magnitude_from_flux(np.abs(rows["flux"]))
    table["mag_corr"], table["dubious"], table["corrected"] = total.magnitude, total.dubious, total.corrected
    table = table[rows["kind"] == Kind.ALERT].sort_values("mjd")
    found = by_band(rows, owner)
    groups = table.groupby(["owner", "survey", "band"])
    assert [tuple(k) for k in found[["owner", "survey", "band"]].tolist()] == list(groups.groups)
    for statistics, (_, group) in zip(found, groups, strict=True):
        assert statistics["ndet"] == len(group)
        assert statistics["ndubious"] == group["dubious"].sum()
        assert statistics["corrected"] == group["corrected"].iloc[0]
        for column in ("mag", "mag_corr"):
            values, suffix = group[column].dropna(), column.removeprefix("mag")
            expected = [getattr(values, name)() for name in ("mean", "median", "max", "min")] + [values.std(ddof=0)]
            expected += [values.iloc[0], values.iloc[-1]] if len(values) else [np.nan] * 2
            names = ("mean", "median", "max", "min", "sigma", "first", "last")
            assert [statistics[f"mag{n}{suffix}"] for n in names] == pytest.approx(expected, nan_ok=True, abs=1e-9)
        assert [statistics["firstmjd"], statistics["lastmjd"]] == [group["mjd"].min(), group["mjd"].max()]


@given(st.integers(0, 10**6))
def test_order_does_not_matter_and_batches_are_their_members(seed):
    rows, owner = light_curves(seed)
    order = np.random.default_rng(seed).permutation(len(rows))
    for function in (by_band, by_object):
        whole, shuffled = function(rows, owner), function(rows[order], owner[order])
        for name in whole.dtype.names:
            np.testing.assert_array_equal(shuffled[name], whole[name])
        for one in set(owner.tolist()):
            alone = function(rows[owner == one])
            for name in alone.dtype.names[1:]:
                np.testing.assert_array_equal(alone[name], whole[whole["owner"] == one][name])


def test_objects():
    rows, owner = light_curves(7)
    seen = rows["kind"] == Kind.ALERT
    for statistics in by_object(rows, owner):
        mine = rows[(owner == statistics["owner"]) & seen]
        mine = mine[np.argsort(mine["mjd"])]
        assert statistics["ndet"] == len(mine)
        assert statistics["diffpos"] == (mine["flux"][0] > 0)
        assert statistics["corrected"] == np.isfinite(mine["ref_flux"][0])
        assert statistics["deltamjd"] == mine["mjd"][-1] - mine["mjd"][0]
        weight = mine["position_err"] ** -2.0
        assert statistics["meandec"] == pytest.approx(np.average(mine["dec"], weights=weight), abs=1e-9)
        east = np.average((mine["ra"] + 180) % 360 - 180, weights=weight)  # they lie on both sides of RA 0
        assert (statistics["meanra"] + 180) % 360 - 180 == pytest.approx(east, abs=1e-9)
        assert statistics["sigmara"] == pytest.approx(weight.sum() ** -0.5)
        bands = by_band(mine)
        ztf = {b["band"]: b for b in bands if b["survey"] == "ztf"}
        assert statistics["g_r_mean"] == pytest.approx(ztf["g"]["magmean"] - ztf["r"]["magmean"])
        assert statistics["g_r_max"] == pytest.approx(ztf["g"]["magmin"] - ztf["r"]["magmin"])


def test_rise_since_the_last_limits():
    rows = blank(5)
    rows["survey"], rows["band"], rows["mjd"] = "ztf", "g", [10.0, 9.8, 8.0, 5.0, 11.0]
    rows["kind"] = [Kind.ALERT, *[Kind.LIMIT] * 3, Kind.ALERT]
    rows["flux"][[0, 4]] = photometry.flux_from_magnitude([19.0, 18.0])
    rows["flux_err"][[0, 4]] = photometry.flux_error(rows["flux"][[0, 4]], 0.1)
    rows["flux_err"][1:4] = photometry.flux_error_from_limit([20.5, 20.0, 20.5])
    (found,) = by_band(rows)
    # the limit 0.2 d before is too near; (19.0 + 0.1 - 20.0) / 2 = -0.45 is below (19.1 - 20.5) / 5 = -0.28
    assert [found[n] for n in ("dmdt_first", "dm_first", "sigmadm_first", "dt_first")] == pytest.approx([-0.45, -1.0, 0.1, 2.0])
    (alone,) = by_band(rows[[0, 4]])
    assert np.isnan([alone[n] for n in ("dmdt_first", "dm_first", "sigmadm_first", "dt_first")]).all()


def test_saturation():
    rows = blank(4)
    rows["survey"], rows["band"], rows["mjd"] = "ztf", "g", np.arange(4.0)
    rows["flux"] = 1.0
    rows["flux_err"] = 1.0
    rows["ref_flux"][:3] = photometry.flux_from_magnitude([13.0, 13.1, 14.0])
    assert by_band(rows)["saturation_rate"] == pytest.approx([2 / 3])
    assert np.isnan(by_band(rows[3:])["saturation_rate"]).all()


def test_nothing_seen():
    limits = blank(3)
    limits["survey"], limits["band"], limits["kind"], limits["flux_err"], limits["mjd"] = "ztf", "g", Kind.LIMIT, 1.0, np.arange(3.0)
    for rows in (blank(0), limits):
        assert len(by_band(rows)) == len(by_object(rows)) == 0
    assert by_band(limits).dtype == BAND
