"""Features: analytic values, ALeRCE's golden values, and what must not change them."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from broker_adapters.photometry import POGSON
from broker_adapters.records import Kind, blank
from classifiers.models.lightcurve import features
from classifiers.models.lightcurve.features import drw, fleet, folded, mhps, tail, variability
from classifiers.models.lightcurve.series import light_curve


def rows(n=40, seed=0, ref=True, band=("g", "r")):
    """Alerts of a variable star with a period of 0.61 d."""
    rng = np.random.default_rng(seed)
    found = blank(n)
    found["survey"], found["source_id"], found["kind"] = "ztf", [str(i) for i in range(n)], Kind.ALERT
    found["mjd"] = 58800 + np.sort(rng.uniform(0, 150, n))
    found["band"] = rng.choice(band, n)
    found["flux"] = 3e4 * np.sin(2 * np.pi * found["mjd"] / 0.61) + rng.normal(0, 300, n)
    found["flux_err"] = 300.0
    found["ref_flux"] = 2e5 if ref else np.nan
    return found


def extract(r):
    return features.one(light_curve(r))


def same(a, b, rtol=1e-6, skip=()):
    for name in a:
        if not name.startswith(skip):
            assert a[name] == pytest.approx(b[name], rel=rtol, abs=1e-7, nan_ok=True), name


def test_names_and_values_come_together():
    found = extract(rows())
    assert tuple(found) == features.names()
    assert features.matrix([light_curve(rows()), light_curve(blank(0))]).shape == (2, len(features.names()))
    assert all(isinstance(v, float) for v in found.values())


def test_of_nothing_everything_is_nan_or_a_count():
    found = extract(blank(0))
    assert all(math.isnan(v) or (v == 0 and name.startswith("n_")) for name, v in found.items())


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_points_do_not_fail_and_give_no_infinity(n):
    assert not np.isinf(features.matrix([light_curve(rows(n))])).any()
    assert math.isnan(extract(rows(n))["Skew_r"])


@settings(max_examples=10)
@given(st.permutations(range(40)))
def test_order_of_rows_does_not_matter(order):
    same(extract(rows()), extract(rows()[list(order)]))


@settings(max_examples=10)
@given(st.integers(-3000, 3000))
def test_only_time_differences_matter(shift):
    moved = rows()
    moved["mjd"] += shift
    same(
        extract(rows()), extract(moved), 2e-3, ("Harmonics", "Multiband", "Period_band", "delta_period", "Power_rate", "Psi", "PPE", "SPM")
    )


@settings(max_examples=10)
@given(st.lists(st.integers(0, 39), min_size=1, max_size=20))
def test_duplicates_count_once(which):
    same(extract(rows()), extract(np.concatenate([rows(), rows()[which]])))


@pytest.mark.parametrize("factor", [0.01, 37.0])
def test_a_common_factor_changes_magnitudes_alone(factor):
    scaled = rows()
    for name in ("flux", "flux_err", "ref_flux"):
        scaled[name] *= factor
    invariant = (
        "MHPS_",
        "Psi",
        "Harmonics_mag",
        "Std_",
        "Amplitude",
        "Skew",
        "GP_DRW_sigma",
        "fade_",
        "fitted_colour",
        "g-r",
        "phase_",
        "PPE",
        "ulens_chi",
        "ulens_t0",
        "color_variation",
    )
    a, b = extract(rows()), extract(scaled)
    same({k: v for k, v in a.items() if k.startswith(invariant)}, b, 1e-5)
    assert b["Mean_r"] - a["Mean_r"] == pytest.approx(-2.5 * math.log10(factor), abs=1e-9)


def test_zero_errors_are_safe():
    perfect = rows()
    perfect["flux_err"] = 0.0
    values = features.matrix([light_curve(perfect)])
    assert np.isfinite(values).mean() > 0.6


def test_a_forced_row_is_a_detection_or_a_limit_and_never_a_second_alert():
    forced = rows(5)
    forced["kind"], forced["survey"] = Kind.FORCED, "ztf"
    twins = light_curve(np.concatenate([rows(5), forced]))
    assert twins.n_detections == light_curve(rows(5)).n_detections
    forced["flux"] = 100.0
    weak = light_curve(forced)
    assert weak.n_detections == 0
    assert len(weak.g.limit) + len(weak.r.limit) == 5
    assert np.concatenate([weak.g.limit, weak.r.limit]) == pytest.approx(5 * 300.0)


def test_surveys_are_merged_by_family_and_unreliable_alerts_dropped():
    found = rows(30, band=("r",))
    found["survey"][::2], found["band"][::2] = "atlas", "o"
    found["ref_flux"][::2] = 3e5
    found["reliability"][:4] = 0.1
    curve = light_curve(found)
    assert curve.surveys == ("atlas", "ztf")
    assert len(curve.r.t) == 26
    steady = np.median(curve.r.mag[::2]) - np.median(curve.r.mag[1::2])
    assert abs(steady) < 0.2  # the references differ by 0.44 mag


def test_variability_against_other_implementations():
    rng = np.random.default_rng(3)
    t, m, e = np.sort(rng.uniform(0, 300, 60)), rng.normal(18, 0.3, 60), np.full(60, 0.05)
    found = variability.one_band(t, m, e)
    assert found["Skew"] == pytest.approx(stats.skew(m))
    assert found["SmallKurtosis"] == pytest.approx(stats.kurtosis(m, bias=False), rel=0.2)
    assert found["LinearTrend"] == pytest.approx(stats.linregress(t, m).slope)
    light_curve_package = pytest.importorskip("light_curve")
    for ours, theirs in (("StetsonK", "StetsonK"), ("MedianAbsDev", "MedianAbsoluteDeviation")):
        assert found[ours] == pytest.approx(getattr(light_curve_package, theirs)()(t, m, e)[0], rel=0.02)


def test_stetson_k_of_a_sine_is_the_analytic_one():
    t = np.arange(1000.0)
    found = variability.one_band(t, 18 + 0.2 * np.sin(2 * np.pi * t / 1000), np.full(1000, 0.01))
    assert found["StetsonK"] == pytest.approx(math.sqrt(8) / math.pi, rel=1e-3)


def test_harmonics_give_back_the_series():
    t = np.sort(np.random.default_rng(0).uniform(0, 200, 120))
    phase = 2 * np.pi * t / 3.7
    m = 17 + 0.5 * np.cos(phase - 1.0) + 0.2 * np.cos(2 * phase - 2.5)
    found = folded.one_band(t, m, np.full(120, 0.02), 3.7)
    assert found["Harmonics_mag_1"] == pytest.approx(0.5)
    assert found["Harmonics_mag_2"] == pytest.approx(0.2)
    assert found["Harmonics_phase_2"] == pytest.approx(0.5)
    assert found["Harmonics_mse"] == pytest.approx(0, abs=1e-12)


def test_random_walk_likelihood_is_that_of_the_dense_matrix():
    rng = np.random.default_rng(1)
    t, y, e = np.sort(rng.uniform(0, 50, 30)), rng.normal(0, 0.2, 30), rng.uniform(0.01, 0.1, 30)
    a, c = 0.05, 0.3
    k = a * np.exp(-c * np.abs(t[:, None] - t)) + np.diag(e**2)
    dense = 0.5 * (y @ np.linalg.solve(k, y) + np.linalg.slogdet(k)[1])
    x = math.log(a), math.log(c)
    value, by_a, by_c, *_ = drw.minus_log_likelihood(x, t, y, e**2)
    assert value == pytest.approx(dense)
    for slope, (da, dc) in ((by_a, (1e-5, 0.0)), (by_c, (0.0, 1e-5))):
        above, below = (drw.minus_log_likelihood((x[0] + k * da, x[1] + k * dc), t, y, e**2)[0] for k in (1, -1))
        assert slope == pytest.approx((above - below) / 2e-5, rel=1e-5)


def test_a_random_walk_is_found_again_in_any_unit():
    rng = np.random.default_rng(2)
    t = np.sort(rng.uniform(0, 2000, 1500))
    walk = np.zeros(1500)
    for i, p in enumerate(np.exp(-np.diff(t) / 20.0), 1):
        walk[i] = p * walk[i - 1] + math.sqrt(1 - p**2) * rng.normal()
    y, e = 0.3 * walk + rng.normal(0, 0.05, 1500), np.full(1500, 0.05)
    variance, tau = drw.fit(t, y, e)
    assert variance == pytest.approx(0.09, rel=0.3)
    assert tau == pytest.approx(20.0, rel=0.4)
    assert drw.fit(t, 1e7 * y + 3e8, 1e7 * e) == pytest.approx((1e14 * variance, tau), rel=1e-6)


def test_irregular_autoregression_is_the_best_of_the_exact_likelihood():
    rng = np.random.default_rng(4)
    t, m, e = np.sort(rng.uniform(0, 80, 50)), np.cumsum(rng.normal(0, 0.1, 50)), np.full(50, 0.03)
    scale = m.std(ddof=1)

    def dense(phi):
        k = phi ** np.abs(t[:, None] - t) + np.diag((e / scale) ** 2)
        y = (m - m.mean()) / scale
        return (y @ np.linalg.solve(k, y) + np.linalg.slogdet(k)[1]) / len(t)

    best = minimize_scalar(dense, bounds=(0, 1), method="bounded", options={"xatol": 1e-9}).x
    assert variability.iar_phi(t, m, e) == pytest.approx(best, abs=1e-4)


#: ALeRCE's features that ours equal, and the relative tolerance: their MHPS is in float32 (differences of smoothed series lose up to three
#: digits), their random walk stops early on flat likelihoods.
GOLDEN = dict.fromkeys(variability.one_band(np.zeros(0), np.zeros(0), np.zeros(0)), 1e-8) | {
    "MHPS_low": 5e-4, "MHPS_high": 5e-3, "MHPS_ratio": 5e-3, "MHPS_non_zero": 0, "MHPS_PN_flag": 0,
    "Psi_CS": 1e-8, "Psi_eta": 1e-8, "Harmonics_mse": 1e-6, "GP_DRW_sigma": 1e-4,
    **{f"Harmonics_mag_{k}": 1e-4 for k in range(1, 8)}, **{f"Harmonics_phase_{k}": 1e-3 for k in range(2, 8)},
}  # fmt: skip


@pytest.fixture(scope="module")
def golden(real_data):
    """(object, band, times, magnitudes, errors, ALeRCE's values) of the reference light curves."""
    detections = pd.read_csv(real_data / "reference" / "lc_reference_inputs_old_detections.csv.gz")
    expected = pd.read_csv(real_data / "reference" / "lc_reference_features_old.csv").set_index("oid")
    found = []
    for (oid, band), part in detections.groupby(["oid", "band"]):
        part = part.sort_values("time")
        t, m, e = (np.ascontiguousarray(part[c], float) for c in ("time", "magnitude", "error"))
        found.append((oid, band, t, m, e, expected.loc[oid]))
    return found


@pytest.mark.real_data
def test_golden_values_of_alerce(golden):
    compared = 0
    for oid, band, t, m, e, expected in golden:
        flux = 10 ** (-0.4 * m)
        powers = {f"MHPS_{name}": value for name, value in mhps.one_band(t, flux, flux * e / POGSON).items()}
        ours = variability.one_band(t, m, e) | powers | folded.one_band(t, m, e, expected.Multiband_period)
        ours["GP_DRW_sigma"] = drw.fit(t, m, e)[0] if len(t) > drw.MINIMUM else math.nan
        for name, tolerance in GOLDEN.items():
            if name != "IAR_phi":  # theirs pairs each point with the error of the next
                assert ours[name] == pytest.approx(expected[f"{name}_{band}"], rel=tolerance, abs=1e-10, nan_ok=True), (oid, band, name)
                compared += 1
    assert compared > 700


@pytest.mark.real_data
def test_alerces_autoregression_is_ours_with_their_slip(golden):
    def slipped(phi, t, y, e):
        state, variance, total = 0.0, 1.0, 0.0
        for i in range(len(y) - 1):  # the last point is not used, the error is the next point's
            innovation = variance + e[i + 1] ** 2
            total += math.log(innovation) + (y[i] - state) ** 2 / innovation
            f = phi ** (t[i + 1] - t[i])
            gain = f * variance / innovation
            state, variance = f * state + gain * (y[i] - state), f * f * variance + (1 - f * f) - gain * f * variance
        return total / len(y)

    _, band, t, m, e, expected = next(g for g in golden if g[0] == "ZTF17aaaizej" and g[1] == 2)
    scale = m.std(ddof=1)
    theirs = minimize_scalar(slipped, args=(t, (m - m.mean()) / scale, e / scale), bounds=(0, 1), method="bounded").x
    assert theirs == pytest.approx(expected[f"IAR_phi_{band}"], abs=1e-4)
    assert abs(variability.iar_phi(t, m, e) - theirs) > 1e-3


def test_a_tail_of_five_thirds_is_found():
    t = np.arange(0, 150.0, 5)
    m = 17 + 5 / 3 * 2.5 * np.log10((t + 40) / 40)
    slope, _, chi = tail.one_band(t, m, np.full(len(t), 0.05))
    assert slope == pytest.approx(5 / 3)
    assert chi == pytest.approx(0, abs=1e-12)
    assert np.isnan(tail.one_band(t[:3], m[:3], np.full(3, 0.05))).all()


@pytest.mark.parametrize(("a", "w"), [(0.3, -0.08), (0.2, -0.15)])
def test_fleet_finds_rise_and_decline_again(a, w):
    t = 58000 + np.arange(0, 80.0, 2)
    x = w * (t - t[0] - 12.0)
    m = np.exp(x) - a * x + 18.0
    found = dict(zip(fleet.NAMES, fleet.one_band(t, m, np.full(len(t), 0.02)), strict=True))
    assert found["chi"] < 0.5
    assert found["w"] == pytest.approx(w, rel=0.15)
    assert found["a"] == pytest.approx(a, rel=0.3)
    assert found["m0"] == pytest.approx(18, abs=0.1)
    assert found["t0"] == pytest.approx(12, abs=1.5)
