"""Features of ALeRCE's newest extractor: its golden values, what is known beforehand, and what must not change them."""

import math

import numpy as np
import pandas as pd
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from broker_adapters.photometry import NJY_PER_UJY, POGSON
from broker_adapters.records import Kind, blank
from classifiers.models.lightcurve import features
from classifiers.models.lightcurve.features import drw, fleet, mhps, microlensing, tail
from classifiers.models.lightcurve.series import light_curve
from tests.classifiers.test_features import extract, rows, same

#: Families that take forced points or difference fluxes.
NEW = features.names_of("forced", "colour_variation", "mhps", "drw", "microlensing", "position")


def watched(n=40, seed=0, ref=True):
    """The same star with forced points of no significance between its alerts, positions and reliabilities."""
    rng = np.random.default_rng(seed)
    found, forced = rows(n, seed, ref), rows(n, seed + 1, ref)
    forced["kind"], forced["source_id"] = Kind.FORCED, [f"forced{i}" for i in range(n)]
    forced["mjd"] = 58790 + np.sort(rng.uniform(0, 170, n))
    forced["flux"] = rng.normal(0, 300, n)
    found["ra"], found["dec"], found["reliability"] = 150.0, 20.0, 0.9
    return np.concatenate([found, forced])


def lens(t, u0=0.2, t_e=25.0, fs=0.8, t0=60.0, mag0=18.0):
    """Magnitudes of a microlensing event."""
    u2 = u0**2 + ((t - t0) / t_e) ** 2
    return mag0 - 2.5 * np.log10(fs * ((u2 + 2) / np.sqrt(u2 * (u2 + 4)) - 1) + 1)


@settings(max_examples=10)
@given(st.permutations(range(80)))
def test_order_of_rows_does_not_matter_with_forced_points(order):
    same(extract(watched()), extract(watched()[list(order)]))


@settings(max_examples=10)
@given(st.lists(st.integers(0, 79), min_size=1, max_size=20))
def test_forced_duplicates_count_once(which):
    same(extract(watched()), extract(np.concatenate([watched(), watched()[which]])))


@pytest.mark.parametrize("factor", [0.01, 37.0])
def test_units_scale_what_has_them(factor):
    scaled = watched(ref=False)
    for name in ("flux", "flux_err"):
        scaled[name] *= factor
    a, b = extract(watched(ref=False)), extract(scaled)
    square = [n for n in NEW if n.startswith("GP_DRW_flux_sigma")]
    linear = [n for n in NEW if "brightness" in n]
    assert len(linear) == 14
    unitless = [n for n in NEW if n not in square + linear and not n.startswith("ulens_mag0")]
    same({n: a[n] for n in unitless if not n.startswith(("ulens_u0", "ulens_tE", "ulens_fs"))}, b, 1e-4)
    same({n: a[n] * factor for n in linear}, b, 1e-9)
    same({n: a[n] * factor**2 for n in square}, b, 1e-4)


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("error", [0.0, 300.0])
def test_few_points_equal_points_and_no_errors_are_safe(n, error):
    for equal in (False, True):
        found = rows(n, band=("g",))
        found["flux_err"] = error
        if equal:
            found["flux"] = 4e4
        values = extract(found)
        assert not np.isinf([values[name] for name in NEW]).any()
        assert math.isnan(values["ulens_u0_g"]) == (n < microlensing.MINIMUM)
        assert math.isnan(values["ulens_chi_g"]) == (n <= microlensing.MINIMUM)
        assert math.isnan(values["GP_DRW_flux_tau_g"]) == (n < drw.MINIMUM or equal)


def test_points_of_one_time_are_safe():
    """Surveys may look at once."""
    found = rows(12, band=("g",))
    found["mjd"], found["flux_err"] = np.repeat(found["mjd"][::2], 2), 0.0
    found["survey"] = np.tile(["ztf", "lsst"], 6)
    values = extract(found)
    assert light_curve(found).n_detections == 12
    assert np.isfinite([values[n] for n in ("GP_DRW_flux_tau_g", "ulens_chi_g", "MHPS_flux_high_g")]).all()


def test_a_lens_is_found_again():
    rng = np.random.default_rng(0)
    for u0, t_e, fs in ((0.05, 12.0, 1.0), (0.3, 25.0, 0.8), (0.8, 40.0, 0.5)):
        t = np.sort(rng.uniform(0, 200, 80))
        m = lens(t, u0, t_e, fs, 90.0) + rng.normal(0, 0.02, 80)
        found = dict(zip(microlensing.NAMES, microlensing.one_band(t, m, np.full(80, 0.02)), strict=True))
        assert found["t0"] == pytest.approx(90, abs=1.0)
        assert found["mag0"] == pytest.approx(18, abs=0.05)
        assert found["chi"] < 0.7  # errors and 0.01: 4/9 of a chi squared
        assert found["u0"] * found["tE"] == pytest.approx(u0 * t_e, rel=0.6)  # nearly degenerate with fs


@settings(max_examples=40)
@given(st.integers(0, 10**6))
def test_no_event_that_stands_out_fits_worse_than_the_true_one(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(6, 100))
    t, t0 = np.sort(rng.uniform(0, 200, n)), rng.uniform(0, 200)
    m, e = lens(t, rng.uniform(0.01, 1.5), 10 ** rng.uniform(0.7, 2), rng.uniform(0.1, 1), t0), rng.uniform(0.01, 0.1, n)
    measured, s = m + rng.normal(0, e), 1 / (e + microlensing.SOFTENING)
    assume(np.ptp(m) > 0.3)
    assert microlensing.fit(t, measured, s)[1] <= 1.01 * (((measured - m) * s) ** 2).sum()


def test_forced_points_are_the_baseline_of_a_lens():
    found = blank(40)
    found["survey"], found["band"], found["source_id"] = "ztf", "g", [str(i) for i in range(40)]
    found["mjd"] = 59000 + 3.0 * np.arange(40)
    total = 10 ** (-0.4 * (lens(found["mjd"] - 59000) - 31.4))
    found["ref_flux"], found["flux_err"] = 10 ** (-0.4 * (18 - 31.4)), 2e3
    found["flux"] = total - found["ref_flux"]
    found["kind"] = np.where(found["flux"] > 5 * found["flux_err"], Kind.ALERT, Kind.FORCED)
    found = found[(found["kind"] == Kind.FORCED) | (np.arange(40) % 2 == 0)]
    values = extract(found)
    assert values["ulens_mag0_g"] == pytest.approx(18.0, abs=0.01)
    assert values["ulens_t0_g"] == pytest.approx(60.0, abs=0.5)


def test_what_was_there_before_and_after():
    found = rows(20, ref=False, band=("g",))
    found["flux"] = 5e4
    forced = rows(5, band=("g",))
    forced["kind"], forced["source_id"] = Kind.FORCED, list("abcde")
    start = found["mjd"].min()
    forced["mjd"], forced["flux"] = start + np.array([-9.0, -5.0, -1.0, 200.0, 210.0]), [100.0, -400.0, 900.0, 250.0, 350.0]
    values = extract(np.concatenate([found, forced]))
    expected = {
        "n_forced_phot_band_before": 3, "last_brightness_before_band": 0.9, "max_brightness_before_band": 0.9,
        "median_brightness_before_band": 0.1, "dbrightness_first_det_band": 49.1, "dbrightness_forced_phot_band": 49.9,
        "n_forced_phot_band_after": 2, "max_brightness_after_band": 0.35, "median_brightness_after_band": 0.3,
    }  # fmt: skip
    assert {name: values[f"{name}_g"] for name in expected} == pytest.approx(expected)
    assert all(math.isnan(values[f"{name}_r"]) for name in expected)


def test_colour_that_stays_and_colour_that_changes():
    found = rows(120, ref=False)
    found["flux"] = np.where(found["band"] == "g", 1e4, 2e4)
    assert extract(found)["color_variation"] == pytest.approx(0, abs=1e-9)
    cooling = found["band"] == "g"
    found["flux"][cooling] *= np.exp(-(found["mjd"][cooling] - 58800) / 100)
    assert 0.2 < extract(found)["color_variation"] < 0.8
    assert extract(found)["Timespan"] == pytest.approx(np.ptp(found["mjd"]))


def test_where_it_is():
    values = extract(watched())
    galactic = SkyCoord(150.0, 20.0, unit="deg").galactic
    assert (values["gal_l"], values["gal_b"]) == pytest.approx((galactic.l.deg, galactic.b.deg), abs=1e-4)
    assert math.hypot(values["Coordinate_x"], values["Coordinate_y"], values["Coordinate_z"]) == pytest.approx(1)
    assert values["rb"] == pytest.approx(0.9)
    assert math.isnan(extract(rows())["gal_b"])


@pytest.fixture(scope="module")
def newest(real_data):
    """ALeRCE's newest values, by (object, band), and the reference points in g and r, in time order."""
    points = pd.read_csv(real_data / "reference" / "lc_reference_inputs_new.csv.gz")
    expected = pd.read_csv(real_data / "reference" / "lc_reference_features_new.csv")
    table = expected.pivot_table(index=["object", "fid"], columns="name", values="value", dropna=False)
    whole = expected[expected.fid.isna() | (expected.fid == "g,r")].pivot_table(
        index="object", columns="name", values="value", dropna=False
    )
    return table, whole, points[points.fid.isin(["g", "r"])].sort_values("mjd", kind="stable")


def bands(points, unit, kinds=("detection", "forced")):
    """(object, band), times, brightnesses and errors of a unit and kinds."""
    for name, part in points[(points.unit == unit) & points.kind.isin(kinds)].groupby(["object", "fid"]):
        yield name, *(part[c].to_numpy(float) for c in ("mjd", "brightness", "e_brightness"))


def observed(part):
    """Rows of `DETECTION` of one object's difference fluxes."""
    found = blank(len(part))
    found["survey"], found["source_id"], found["band"] = "ztf", [str(i) for i in range(len(part))], part.fid
    found["kind"] = np.where(part.kind == "forced", Kind.FORCED, Kind.ALERT)
    found["mjd"], found["flux"], found["flux_err"] = part.mjd, NJY_PER_UJY * part.brightness, NJY_PER_UJY * part.e_brightness
    found["ra"], found["dec"] = part.ra, part.dec
    return found


@pytest.mark.real_data
def test_golden_tail_and_fleet(newest):
    table, _, points = newest
    equal, n = 0, 0
    for name, t, flux, e in bands(points, "diff_flux"):
        expected = table.loc[name]
        m, m_err = -2.5 * np.log10(np.abs(flux)), POGSON * e / np.abs(flux)
        slope, mag0, chi = tail.one_band(t, m + 23.9, m_err)
        close = (slope, mag0, chi) == pytest.approx((expected.TDE_decay, expected.TDE_mag0, expected.TDE_decay_chi), rel=1e-3)
        equal, n = equal + close, n + 1
        bright = flux > 1
        ours = fleet.one_band(t[bright], m[bright] + 23.9, m_err[bright])
        if name[0] == "tde":  # the only one that FLEET was made for
            assert close
            assert ours[2] == pytest.approx(expected.fleet_chi, rel=0.01)
            assert (ours[0], ours[1]) == pytest.approx((expected.fleet_a, expected.fleet_w), rel=0.05)
    assert equal >= 0.6 * n


@pytest.mark.real_data
def test_golden_of_whole_rows(newest):
    """Through `light_curve`: colours, forced photometry, places. Of the disruption they count the forced twins of three alerts as well."""
    table, whole, points = newest
    compared = 0
    for name, part in points[points.unit == "diff_flux"].groupby("object"):
        ours = extract(observed(part))
        for key in ("color_variation", "Timespan", "Coordinate_x", "Coordinate_y", "Coordinate_z"):
            if (name, key) != ("train5", "Timespan"):  # theirs goes on in the i band
                assert ours[key] == pytest.approx(whole[key][name], rel=1e-9, abs=1e-7, nan_ok=True), (name, key)
        for key in [k[:-2] for k in features.names_of("forced") if k.endswith("_g")] + ["positive_fraction"]:
            for band in "gr":
                if not (name == "tde" and "after" in key):
                    assert ours[f"{key}_{band}"] == pytest.approx(table.loc[name, band][key], rel=1e-9, nan_ok=True), (name, band, key)
                    compared += math.isfinite(ours[f"{key}_{band}"])
    assert np.isfinite(whole["color_variation"]).sum() == 12
    assert compared > 100


@pytest.mark.real_data
def test_golden_places_of_the_older_extractor(real_data):
    """To 0.05": their Galactic frame is not quite that of Hipparcos."""
    table = pd.read_csv(real_data / "reference" / "lc_reference_inputs_old_detections.csv.gz")
    expected = pd.read_csv(real_data / "reference" / "lc_reference_features_old.csv").set_index("oid")
    for name, part in table.groupby("oid"):
        found = blank(len(part))
        found["survey"], found["source_id"], found["band"] = "ztf", [str(i) for i in range(len(part))], np.where(part.band == 1, "g", "r")
        found["mjd"], found["flux"], found["flux_err"] = part.time, 1e4 * part.isdiffpos, 1e3
        found["ra"], found["dec"], found["reliability"] = part.ra, part.dec, part.rb
        ours = extract(found)
        for key in ("gal_b", "gal_l", "rb"):
            assert ours[key] == pytest.approx(expected[key][name], abs=2e-5), (name, key)


@pytest.mark.real_data
def test_golden_power_spectrum_of_the_difference_flux(newest):
    """Theirs rounds times and fluxes to float32: what they rounded to agrees ten times better for what is slow."""
    table, _, points = newest
    for name, t, flux, e in bands(points, "diff_flux", ["detection"]):
        ours = mhps.one_band(t, flux, e)
        for key, value in ours.items():
            assert value == pytest.approx(table.loc[name][f"MHPS_{key}"], rel=1e-3, nan_ok=True), (name, key)
        rounded = mhps.one_band(*(a.astype(np.float32).astype(float) for a in (t, flux, e)))
        assert rounded["low_365"] == pytest.approx(table.loc[name].MHPS_low_365, rel=1e-5, nan_ok=True)


@pytest.mark.real_data
def test_golden_random_walk_of_the_difference_flux(newest):
    """Equal, but where theirs ends at its upper bound, in uJy^2, or in a maximum that is lower."""
    table, _, points = newest
    equal = 0
    for name, t, flux, e in bands(points, "diff_flux", ["detection"]):
        expected = table.loc[name]
        variance, tau = drw.fit(t, flux, e)
        close = (variance, tau) == (pytest.approx(expected.GP_DRW_sigma, rel=1e-4), pytest.approx(expected.GP_DRW_tau, rel=1e-3))
        equal += close
        off = flux - flux.mean()
        ours, theirs = (
            drw.minus_log_likelihood((math.log(a), -math.log(c)), t, off, e**2)[0]
            for a, c in ((variance, tau), (expected.GP_DRW_sigma, expected.GP_DRW_tau))
        )
        assert ours < theirs + (1e-5 if close else -0.1), name
    assert equal == 23


@pytest.mark.real_data
def test_golden_microlensing_is_never_worse(newest):
    table, _, points = newest
    ratios = []
    for name, t, m, e in bands(points, "magnitude"):
        used = e < 1
        if used.sum() > microlensing.MINIMUM:
            chi = microlensing.one_band(t[used] - t[0], m[used], e[used])[microlensing.NAMES.index("chi")]
            ratios.append(chi / table.loc[name].ulens_chi)
    assert len(ratios) == 27
    assert max(ratios) < 1.01
