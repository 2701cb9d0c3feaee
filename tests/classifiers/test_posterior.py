"""The posterior: points of any survey, curves, draws, doubt and what is inferred with the shipped weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import genpareto

from broker_adapters.photometry import flux_from_magnitude
from broker_adapters.records import Kind, blank
from classifiers.models.lightcurve import supernova
from classifiers.models.lightcurve.series import light_curve
from classifiers.posterior import curves, doubt, infer, storage, tables
from classifiers.posterior.draws import draw
from classifiers.posterior.inputs import inputs
from classifiers.posterior.points import LATEST, MOST, combined, padded, table
from classifiers.posterior.records import DAYS, DOUBTFUL
from classifiers.records import WeightsError

#: Transformed parameters of a supernova: those of `supernova.MEAN` in r, the mean of the differences in g.
G, R = supernova.MEAN[:6] + supernova.MEAN[6:], supernova.MEAN[:6]


def rows(days: np.ndarray, peak: float = 18.0, survey: str = "ztf", bands: str = "gr", error: float = 0.05):
    """Rows of a supernova whose g-like band is at its peak 0 days from MJD 60000, measured in turn in two bands."""
    at, height = curves.peak_of(G)
    found = blank(len(days))
    found["survey"], found["mjd"] = survey, 60000.0 + days
    found["source_id"] = np.arange(len(days)).astype(str)
    found["band"] = np.array(list(bands))[np.arange(len(days)) % len(bands)]
    blue = np.isin(found["band"], ("g", "c"))
    flux = np.where(blue, supernova.model(G, days + at), supernova.model(R, days + at)) / height * flux_from_magnitude(peak)
    found["flux"], found["flux_err"], found["kind"] = flux, error * flux, Kind.ALERT
    found["ra"], found["dec"] = 10.0, 20.0
    return found


def test_points_of_one_night_are_combined_and_limits_beside_them_dropped():
    columns = np.array([[0.1, 0.2, 0.3, 1.1, 1.2], [472.0] * 5, [10.0, 20.0, np.nan, np.nan, np.nan], [1.0, 1.0, 0.1, 2.0, 3.0]])
    t, wavelength, flux, error = combined(columns)
    assert t == pytest.approx([0.15, 1.1])
    assert wavelength.tolist() == [472.0, 472.0]
    assert flux == pytest.approx([15.0, np.nan], nan_ok=True)
    assert error == pytest.approx([np.hypot(0.5**0.5, 0.02 * 15), 2.0])
    assert combined(columns[:, :0]).shape == (4, 0)


@pytest.mark.parametrize(
    ("survey", "bands", "wavelengths"), [("ztf", "gr", (472, 634)), ("atlas", "co", (533, 679)), ("lsst", "iz", (754, 869))]
)
def test_every_survey_and_band_has_its_wavelength(survey, bands, wavelengths):
    found = padded(table([rows(np.arange(-8.0, 4.0), survey=survey, bands=bands)], np.array([np.inf])))
    assert sorted(set(found.wavelength[0])) == pytest.approx(wavelengths, abs=6)


def test_of_many_points_the_latest_measurements_are_kept_and_some_of_the_others():
    many = rows(np.linspace(-10, 190, 200))
    many["kind"][-5:], many["flux"][-5:] = Kind.LIMIT, np.nan
    found = padded(table([rows(np.arange(-5.0, 0.0)), many], np.array([np.inf, np.inf])))
    assert found.t.shape == (2, MOST)
    assert found.count.tolist() == [5, MOST]
    assert np.isfinite(found.flux[1]).all()
    assert (np.diff(found.t[1]) > 0).all()
    assert found.t[1, -LATEST:] == pytest.approx(many["mjd"][-5 - LATEST : -5])
    assert np.diff(found.t[1]).max() < 12.0


def test_peak_of_the_curve_and_back_from_its_parameters():
    times = np.arange(-40.0, 120.0, 0.01)
    for q in (G, R, np.array([0.3, -5.0, 2.0, -2.0, 0.5, 3.0])):
        flux = supernova.model(q, times)
        at, height = curves.peak_of(q)
        assert at == pytest.approx(times[flux.argmax()], abs=0.3)
        assert height == pytest.approx(flux.max(), rel=2e-3)
    z = curves.of_fit(supernova.MEAN[None], 3.0)[0]
    q, peaks = curves.families(z)
    shifted = [G + 3.0 * np.eye(6)[1], R + 3.0 * np.eye(6)[1]]
    assert q == pytest.approx(np.array(shifted), abs=1e-9)
    assert peaks[0, 0] == pytest.approx(curves.peak_of(G)[0] + 3.0)


def test_between_the_families_the_logarithm_of_the_flux_is_linear():
    z = curves.of_fit(supernova.MEAN[None], 0.0)[0]
    g, c, r = curves.rendered(z, np.zeros(3), np.array([480.0, 560.0, 640.0]))
    assert c == pytest.approx(np.sqrt(g * r))


@pytest.mark.parametrize("k", [0.2, 0.5, 1.0])
def test_shape_of_a_pareto_tail(k):
    log_weight = np.log(genpareto.rvs(k, size=(40, 4000), random_state=np.random.default_rng(1)))
    assert np.median(doubt.pareto(log_weight)) == pytest.approx(k, abs=0.08)


def test_equal_weights_leave_no_doubt():
    assert doubt.pareto(np.zeros((1, 64)) + 1e-6 * np.arange(64))[0] < DOUBTFUL


def test_draws_are_of_the_mixture():
    found = padded(table([rows(np.arange(-12.0, 0.0, 2.0))], np.array([np.inf])))
    weights, x = replace(storage.shipped(), temper=np.ones(1)), inputs(found)
    mixture = weights.mixture(x)
    drawn = draw(mixture, weights, 1024)
    peak = curves.WARP * np.sinh(drawn.parameters[0, :, 0])
    cdf = (mixture.classes[0] @ tables.peak_cdf(mixture, weights, DAYS[None])[0]).ravel()
    assert np.quantile(peak, (0.1, 0.5, 0.9)) == pytest.approx(np.interp((0.1, 0.5, 0.9), cdf, DAYS), abs=0.4)


def test_the_order_of_points_does_not_matter_and_objects_do_not_see_each_other():
    some = [rows(np.arange(-12.0, k)) for k in (-8.0, -2.0, 6.0)]
    together = infer(some)
    for i, one in enumerate(some):
        alone = infer([one[::-1]])
        assert alone.peak() == pytest.approx(together[i].peak(), abs=1e-3)
        assert alone.magnitude == pytest.approx(together[i].magnitude, abs=1e-3)


def test_only_what_was_measured_until_then_counts():
    whole = rows(np.arange(-12.0, 20.0))
    assert infer([whole], 59995.5).peak() == pytest.approx(infer([whole[whole["mjd"] <= 59995.5]]).peak())


def test_a_rows_outlook_and_that_of_its_light_curve_agree():
    found = rows(np.arange(-12.0, 0.0))
    assert infer([light_curve(found)]).peak() == pytest.approx(infer([found]).peak(), abs=0.7)


def test_peak_of_a_rise_and_of_a_whole_curve():
    early, late = infer([rows(np.arange(-12.0, -5.0)), rows(np.arange(-12.0, 20.0))])[:2].peak() - 60000.0
    assert abs(early[1]) < 6.0
    assert late[1] == pytest.approx(0.5, abs=2.0)
    assert late[2] - late[0] < early[2] - early[0]


def test_of_an_old_one_the_peak_is_what_was_said_when_it_had_settled():
    whole = rows(np.arange(-12.0, 150.0, 2.0))
    late, early = infer([whole]), infer([whole[whole["mjd"] <= 60025.0]])
    assert late.mjd[0] == 60148.0
    assert late.peak() == pytest.approx(early.peak(), abs=0.3)
    assert late.peak()[0, 1] == pytest.approx(60000.5, abs=2.0)
    assert late.explosion + late.mjd == pytest.approx(early.explosion + early.mjd, abs=2.0)
    assert np.diff(late.before(np.arange(59900.0, 60160.0))).min() >= 0
    assert late.before([59900.0, 60148.0])[0] == pytest.approx([0.0, 1.0], abs=1e-3)


def test_temperature_widens_the_table_of_the_peak_alone():
    curve = rows(np.arange(-12.0, -5.0))
    cold, hot = (infer([curve], weights=replace(storage.shipped(), temper=np.array([t]))) for t in (1.0, 2.0))
    assert np.diff(hot.peak()[0, [0, 2]]) > 1.3 * np.diff(cold.peak()[0, [0, 2]])
    assert hot.magnitude == pytest.approx(cold.magnitude)


def test_quantiles_ascend_and_light_comes_before_the_peak():
    one = infer([rows(np.arange(-12.0, -5.0))])
    assert (np.diff(one.magnitude, axis=2) >= 0).all()
    assert (np.diff(one.peak_magnitude, axis=2) >= 0).all()
    assert one.explosion[0, 1] < -5.0
    assert one.classes.sum() == pytest.approx(1.0, abs=1e-5)
    assert (np.diff(one.peak_cdf, axis=2) >= 0).all()


def test_one_without_a_detection_has_no_outlook_and_the_others_have():
    nothing = rows(np.arange(-12.0, -5.0))
    nothing["kind"], nothing["flux"] = Kind.LIMIT, np.nan
    found = infer([nothing, rows(np.arange(-12.0, -5.0)), nothing[:0]])
    assert np.isfinite(found.mjd).tolist() == [False, True, False]
    assert found.near_peak(np.array([60000.0]))[[0, 2]].tolist() == [[0.0], [0.0]]
    assert len(infer([])) == 0


def test_a_single_detection_is_enough():
    one = infer([rows(np.array([-10.0]))])
    assert np.isfinite(one.peak()).all()
    assert np.isfinite(one.magnitude).all()


def test_changed_weights_are_refused(tmp_path):
    (tmp_path / storage.FILE).write_bytes((storage.SHIPPED / storage.FILE).read_bytes() + b"x")
    (tmp_path / storage.CARD).write_bytes((storage.SHIPPED / storage.CARD).read_bytes())
    with pytest.raises(WeightsError, match="SHA-256"):
        storage.load(tmp_path)
    with pytest.raises(WeightsError, match="no posterior 'other'"):
        storage.load(storage.SHIPPED, "other")
    with pytest.raises(WeightsError, match="no posterior in"):
        storage.load(tmp_path / "none")
