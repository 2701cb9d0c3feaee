from types import SimpleNamespace

import pytest
from django.test import override_settings

from tom_alerce import conf


def test_defaults_stand_where_the_settings_say_nothing():
    with override_settings(TOM_ALERCE={"MATCH_RADIUS": 1.0}):
        assert conf.get("MATCH_RADIUS") == 1.0
        assert conf.get("CLASSIFIERS") == ("stamp", "lightcurve")
    with override_settings(TOM_ALERCE={}):
        assert conf.get("MATCH_RADIUS") == conf.DEFAULTS["MATCH_RADIUS"]


@pytest.mark.parametrize("settings", [object(), SimpleNamespace(TOM_ALERCE=None), SimpleNamespace(TOM_ALERCE={})])
def test_a_tom_without_the_setting_has_the_defaults(monkeypatch, settings):
    monkeypatch.setattr(conf, "settings", settings)
    conf._merged.cache_clear()
    assert {key: conf.get(key) for key in conf.DEFAULTS} == dict(conf.DEFAULTS)
    conf._merged.cache_clear()


def test_an_unknown_key_is_an_error():
    with pytest.raises(KeyError):
        conf.get("MATCH_RADUIS")


def test_brokers():
    with override_settings(TOM_ALERCE={"BROKERS": {"lasair": {"token": "t"}}}):
        assert conf.broker("lasair") == {"token": "t"}
        with pytest.raises(LookupError, match="which has: lasair"):
            conf.broker("alerce")


def test_every_default_is_documented():
    """Each key has a comment of its own above it: the settings page of the documentation is made of them."""
    import inspect

    lines = inspect.getsource(conf).splitlines()
    for key in conf.DEFAULTS:
        (place,) = [i for i, line in enumerate(lines) if line.strip().startswith(f'"{key}":')]
        assert lines[place - 1].strip().startswith("#:"), key
