import numpy as np
import pytest
from astropy import units as u
from astropy.coordinates import SkyCoord
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tom_targets.models import Target, TargetName

from tom_alerce.match_manager import TransientMatchManager, spellings


@pytest.fixture
def matches():
    manager = TransientMatchManager()
    manager.model = Target
    return manager


def make(name, ra=10.0, dec=10.0, **more):
    return Target.objects.create(name=name, type="SIDEREAL", ra=ra, dec=dec, **more)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("ra", "dec", "other_ra", "other_dec"),
    [
        (0.0001, 0.0, 359.9999, 0.0),  # 0.72 arcsec over the wrap
        (359.9999, 30.0, 0.0001, 30.0),
        (10.0, 85.0, 10.0 + 1.5 / 3600 / np.cos(np.radians(85)), 85.0),
        (0.0, 89.9998, 180.0, 89.9999),  # over the north pole
        (77.0, -90.0, 200.0, -89.9997),
        (-0.0001, 5.0, 0.0001, 5.0),  # a right ascension that somebody wrote below zero
        (0.0001, 5.0, -0.0001, 5.0),
        (10.0, 10.0, 10.0, 10.0),
    ],
)
def test_a_cone_is_right_where_the_toolkits_own_is_not(matches, ra, dec, other_ra, other_dec):
    make("there", other_ra, other_dec)
    found = matches.match_cone_search(ra, dec, 2.0).get()
    expected = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(other_ra, other_dec, unit="deg")).deg
    assert found.separation == pytest.approx(expected, abs=1e-10)
    assert not matches.match_cone_search(ra, dec, max(expected * 3600 * 0.999 - 1e-6, 0)).exists() or expected == 0


positions = st.tuples(st.floats(0, 359.999999), st.floats(-90, 90))


@pytest.mark.django_db
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@example((5e-324, 1e-200), 0.0, 1.0, 0.9)  # a product that is too small for a float is an error in PostgreSQL
@given(positions, st.floats(0, 360), st.floats(0.01, 20000.0), st.sampled_from([0.9, 1.1]))
def test_inside_is_found_and_outside_is_not_anywhere_on_the_sky(position, angle, radius, factor):
    manager = TransientMatchManager()
    manager.model = Target
    centre = SkyCoord(*position, unit="deg")
    place = centre.directional_offset_by(angle * u.deg, radius * factor * u.arcsec)
    Target.objects.all().delete()
    make("here", *position)
    assert manager.match_cone_search(*position, radius).get().separation < 1e-9
    Target.objects.all().delete()
    make("there", place.ra.deg, place.dec.deg)
    assert manager.match_cone_search(*position, radius).exists() == (factor < 1)


@pytest.mark.django_db
def test_no_position_is_near_nothing(matches):
    make("there")
    Target.objects.create(name="comet", type="NON_SIDEREAL")
    for ra, dec, radius in ((None, 1.0, 1.0), (1.0, None, 1.0), (1.0, 1.0, None), (1.0, 91.0, 1.0)):
        assert not matches.match_cone_search(ra, dec, radius).exists()
    assert matches.match_cone_search(10.0, 10.0, 500_000.0).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("SN 2026asx", "AT2026asx"),
        ("AT 2026asx", "2026asx"),
        ("2026asx", "sn_2026ASX"),
        ("ZTF26aacextk", "ztf26AACEXTK"),
        ("LSST 170028526513684557", "170028526513684557"),
        ("M 31 (Andromeda)", "m31-andromeda"),
        ("100% real", "100%REAL"),
        ("Ærø", "Ærø"),
    ],
)
def test_names_that_mean_the_same(matches, name, asked):
    target = make(name)
    other = make("other")
    assert list(matches.match_name(asked)) == [target]
    Target.objects.filter(pk=target.pk).update(name="renamed")
    TargetName.objects.create(target=other, name=name)
    assert list(matches.match_name(asked)) == [other]
    assert spellings(name)[0] == matches.simplify_name(asked)


@pytest.mark.django_db
def test_names_that_do_not(matches):
    make("AT 2026asx")
    make("SN 1987A")
    for asked in ("2026as", "AT 2026asxx", "TDE", "", "%", "_", "SN1987"):
        assert not matches.match_name(asked).exists()


@pytest.mark.django_db
def test_a_target_is_listed_once_however_many_of_its_names_match_and_filters_are_kept(matches):
    target = make("SN 2026asx")
    for alias in ("AT 2026asx", "2026asx"):
        TargetName.objects.create(target=target, name=alias)
    assert matches.match_name("2026asx").count() == 1
    assert matches.match_exact_name("2026asx").get() == target
    assert not matches.match_exact_name("2026ASX").exists()
    assert not matches.match_fuzzy_name("2026asx", Target.objects.none()).exists()
    assert matches.match_fuzzy_name("2026asx", Target.objects.filter(ra=10.0)).get() == target


@pytest.mark.django_db
def test_a_new_target_at_the_place_or_with_an_alias_of_another_is_refused(matches, monkeypatch):
    monkeypatch.setattr(Target, "matches", matches)
    old = make("ZTF26aacextk", 359.9999, 60.0)
    TargetName.objects.create(target=old, name="AT 2026asx")
    for name, ra in (("LSST 170028526513684557", 0.0001), ("SN 2026asx", 120.0)):
        with pytest.raises(ValidationError, match="ZTF26aacextk"):
            Target(name=name, type="SIDEREAL", ra=ra, dec=60.0).full_clean()
    Target(name="elsewhere", type="SIDEREAL", ra=0.01, dec=60.0).full_clean()
    old.full_clean()


@pytest.mark.django_db
def test_the_radius_is_the_settings(matches, settings):
    make("there", 10.0, 10.0)
    near = Target(name="near", type="SIDEREAL", ra=10.0, dec=10.0 + 3.0 / 3600)
    assert matches.is_unique(near)
    settings.TOM_ALERCE = {"MATCH_RADIUS": 4.0}
    assert not matches.is_unique(near)
    comet = Target(name="comet", type="NON_SIDEREAL", ra=10.0, dec=10.0)
    assert matches.is_unique(comet)


@pytest.mark.django_db
def test_names_are_not_compared_in_python(matches, django_assert_num_queries):
    for i in range(30):
        make(f"target {i}", ra=float(i))
    with django_assert_num_queries(1):
        assert [t.name for t in matches.match_name("TARGET7")] == ["target 7"]


def test_the_toolkit_takes_it(tmp_path):
    """The manager is imported while the toolkit's model is being defined, which only a process of its own can show."""
    import subprocess
    import sys

    (tmp_path / "matching_settings.py").write_text(
        'from demo.settings import *\nMATCH_MANAGERS = {"Target": "tom_alerce.match_manager.TransientMatchManager"}\n'
    )
    code = "import django; django.setup(); from tom_targets.models import Target; print(type(Target.matches).__name__)"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={
            "DJANGO_SETTINGS_MODULE": "matching_settings",
            "PYTHONPATH": f"{tmp_path}:.",
            "PATH": "/usr/bin",
            "TOM_ALERCE_DEMO_DATA": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.strip() == "TransientMatchManager", done.stderr
