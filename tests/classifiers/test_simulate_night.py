"""A simulated night: schema-true packets of the same sky in every survey, which merge to the truth, and trouble that is refused."""

from __future__ import annotations

import json
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broker_adapters.association import associate
from broker_adapters.brokers import lasair
from broker_adapters.cutouts import decode
from broker_adapters.errors import PacketError
from broker_adapters.packets import read as read_packet
from broker_adapters.photometry import flux_from_magnitude, magnitude_from_flux
from broker_adapters.records import Kind
from classifiers.simulate import names
from classifiers.simulate.night import main, simulate, truth
from classifiers.simulate.observe import SURVEYS, covers, observe, visits
from classifiers.simulate.sources import MIXTURE, Constant, Source, Transient, population, source
from classifiers.taxonomy import LIGHTCURVE_CLASSES, STAMP

NOW = 61367.5
FEW = 30


@pytest.fixture(scope="module")
def files():
    return dict(simulate(seed=5, now=NOW, n=FEW))


@pytest.fixture(scope="module")
def alerts(files):
    return {name: read_packet(data) for name, data in files.items() if name.split("/")[0] in SURVEYS}


@pytest.fixture(scope="module")
def rows(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("night")
    (folder / "truth.csv").write_bytes(files["truth.csv"])
    return truth(folder)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(files):
    again = dict(simulate(seed=5, now=NOW, n=FEW))
    assert again == files
    assert set(dict(simulate(seed=6, now=NOW, n=3))) != set(files)


def test_every_packet_is_read_as_what_it_was_written_for(files, alerts, rows):
    named = {(row["survey"], row["object_id"]) for row in rows}
    assert {alert.survey for alert in alerts.values()} == set(SURVEYS)
    for name, alert in alerts.items():
        assert name.startswith(f"{alert.survey}/{alert.object_id}")
        assert alert.key in named
        assert alert.mjd < NOW
        trigger = alert.detections[alert.detections["source_id"] == alert.source_id]
        assert abs(trigger["flux"][0]) > 4.9 * trigger["flux_err"][0]


def test_stamps_have_the_sizes_of_the_surveys(alerts):
    for survey, size in (("ztf", 63), ("atlas", 61), ("lsst", 51)):
        alert = next(a for a in alerts.values() if a.survey == survey)
        shapes = {k: i.shape for k, i in zip(("science", "template", "difference"), _images(alert), strict=True) if i is not None}
        assert set(shapes.values()) == {(size, size)}
        assert ("template" in shapes) == (survey != "atlas")


def _images(alert):
    cut = alert.cutouts
    return [None if data is None else decode(data) for data in (cut.science, cut.template, cut.difference)]


def test_association_finds_the_truth(alerts, rows):
    """Sources that stand still become one object each, whatever the surveys call them; no two sources become one."""
    fixed = list({a.key: a for a in alerts.values() if not a.moving}.values())
    associated = associate([a.survey for a in fixed], *np.array([(a.ra, a.dec, a.position_err) for a in fixed]).T)
    members = defaultdict(set)
    for alert, group in zip(fixed, associated.group.tolist(), strict=True):
        members[group].add(alert.key)
    found = {frozenset(m) for m in members.values()}
    expected = defaultdict(set)
    for row in rows:
        if row["label"] != "asteroid":
            expected[row["source"]].add((row["survey"], row["object_id"]))
    assert {frozenset(m) for m in expected.values()} <= found
    assert max(len({s for s, _ in m}) for m in expected.values()) == 3
    assert associated.ambiguous == ()


def test_known_asteroids_are_moving_and_every_visit_is_another_object(alerts, rows):
    asteroids = {(r["survey"], r["object_id"]): int(r["source"]) for r in rows if r["label"] == "asteroid"}
    assert asteroids
    for alert in alerts.values():
        known = alert.key in asteroids and asteroids[alert.key] % 2 == 0 and alert.survey != "atlas"
        assert alert.moving == known
        if alert.key in asteroids:
            assert (alert.detections["kind"] == Kind.ALERT).sum() == 1


def test_trouble_is_refused_with_a_reason_and_the_duplicate_is_one_that_came_before(files):
    trouble = {name: data for name, data in files.items() if name.startswith("trouble/")}
    assert len(trouble) >= 10
    reasons = {}
    for name, data in trouble.items():
        if "duplicate" in name:
            assert data in [d for n, d in files.items() if not n.startswith("trouble/")]
            continue
        with pytest.raises(PacketError) as caught:
            read_packet(data)
        reasons[name] = str(caught.value)
    assert "filter: 9" in reasons["trouble/unknown-filter.avro"]
    assert "truncated" in reasons["trouble/truncated.avro"]


def test_lasair_speaks_of_the_same_objects(files, alerts, rows):
    named = {row["object_id"] for row in rows}
    messages = [json.loads(data) for name, data in files.items() if name.startswith("lasair/")]
    assert {str(m.get("objectId") or m["diaObjectId"]) for m in messages} <= named
    assert any("objectId" in m for m in messages)
    for name, data in files.items():
        if name.startswith("lasair/"):
            alert = lasair.read(data)
            assert alert.key in {(row["survey"], row["object_id"]) for row in rows}
            assert len(alert.detections) > 0 or alert.survey == "ztf"
    heard = {i for name, data in files.items() if name.startswith("lasair/lsst") for i in lasair.read(data).detections["source_id"]}
    assert heard & {alert.source_id for alert in alerts.values()}  # the same measurement, through two brokers


def test_most_of_it_is_up_at_the_site_in_the_night_that_follows(rows):
    from followup.sites import SITES
    from followup.visibility import night

    ra, dec = (np.array([float(row[name]) for row in rows]) for name in ("ra", "dec"))
    assert (night(SITES["Cerro Pachon"], ra, dec, NOW).hours > 1).mean() > 0.7


def test_the_command_writes_the_folder(tmp_path, capsys):
    main(["--seed", "5", "--out", str(tmp_path), "--now", str(NOW), "--sources", "3"])
    assert "files in" in capsys.readouterr().out
    assert (tmp_path / "truth.csv").is_file()
    assert list(tmp_path.glob("trouble/*"))


@pytest.mark.parametrize("label", MIXTURE)
def test_every_class_is_of_our_taxonomy_and_its_light_is_positive_and_changes(label):
    assert label in LIGHTCURVE_CLASSES + STAMP
    one = source(2, label, (10.0, -20.0), NOW, np.random.default_rng(1))
    mjd = np.linspace(NOW - 60, NOW, 200)
    for band in ("u", "g", "r", "i", "z", "y", "c", "o"):
        flux = one.light(mjd, band)
        assert np.isfinite(flux).all()
        assert (flux >= 0).all()
    if label not in ("asteroid", "bogus"):
        assert np.ptp(magnitude_from_flux(np.maximum(one.light(mjd, "r"), 1.0))) > 0.02


def test_a_transient_is_villars_function_in_r_and_reddens():
    light = Transient(NOW, 1000.0, 0.01, 20.0, 3.0, 30.0, 14e3, 6e3, 15.0)
    t = np.array([-30.0, 0.0, 10.0, 20.0, 50.0])
    early = (1 - 0.01 * np.minimum(t, 20)) * np.exp(-np.maximum(t - 20, 0) / 30) / (1 + np.exp(-t / 3))
    np.testing.assert_allclose(light(NOW + t, "r"), 1000 * early, rtol=1e-12)
    colour = magnitude_from_flux(light(NOW + t, "g")) - magnitude_from_flux(light(NOW + t, "r"))
    assert (np.diff(colour[1:]) > 0).all()
    assert -0.3 < colour[1] < 0.1  # a black body of 14,000 K has g - r of about -0.2
    assert 0.3 < colour[-1] < 0.7  # of 6,000 K about 0.5


@pytest.mark.parametrize("survey", SURVEYS)
def test_noise_is_as_deep_as_the_survey(survey):
    """A source at the limit is detected in about half of the visits, and pulls of forced photometry are standard normal."""
    random = np.random.default_rng(4)
    how = SURVEYS[survey]
    band = next(iter(how.depth))
    mjd = np.linspace(NOW - 30, NOW, 4000)
    at_limit = Source(0, "SNIa", 10.0, -10.0, NOW, Constant(how.depth[band]), {}, 0)
    rows = observe(at_limit, survey, mjd, np.full(4000, band, "U2"), random)
    seen = rows[:4000]["kind"] == Kind.ALERT
    assert 0.4 < seen.mean() < 0.6
    assert np.isnan(rows["flux"][:4000][~seen]).all()
    forced = rows[4000:]
    pull = (forced["flux"] - flux_from_magnitude(how.depth[band])) / forced["flux_err"]
    assert abs(pull.mean()) < 0.1
    assert 0.9 < pull.std() < 1.1


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), survey=st.sampled_from(sorted(SURVEYS)), now=st.floats(59000, 65000))
def test_visits_are_in_order_in_the_past_and_in_bands_of_the_survey(seed, survey, now):
    mjd, band = visits(survey, now, 30.0, np.random.default_rng(seed))
    assert (np.diff(mjd) > 0).all()
    assert ((mjd < now) & (mjd > now - 31.0)).all()
    assert set(band) <= set(SURVEYS[survey].depth)
    assert 10 <= len(mjd) <= 4 * 16


def test_nobody_sees_beyond_its_sky_or_what_saturates_it():
    one = Source(0, "RRL", 10.0, -40.0, NOW, Constant(18.0), {"r": float(flux_from_magnitude(15.0))}, 0)
    assert not covers("ztf", one)
    assert covers("atlas", one)
    assert not covers("lsst", one)  # 15 mag saturates Rubin


def test_a_population_has_every_class_and_the_number_that_was_asked_for():
    random = np.random.default_rng(2)
    for n in (1, 15, 150):
        labels = population(n, random)
        assert len(labels) == n
    assert set(labels) == set(MIXTURE)


@given(st.integers(0, 26**7 - 1), st.integers(0, 26**7 - 1))
def test_names_of_ztf_objects_differ(i, j):
    assert (names.ztf_object(i, 2026) == names.ztf_object(j, 2026)) == (i == j)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.99999999, -0.5), (150.1, 89.9), (10.0, -30.0)])
def test_names_of_atlas_objects_have_nineteen_digits(ra, dec):
    name = names.atlas_object(ra, dec)
    assert len(name) == 19
    assert name.isdigit()
