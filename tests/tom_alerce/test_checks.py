"""Each system check is silent in the demo TOM, and says what is wrong where something is."""

import json
import sys
from hashlib import sha256

import pytest
from django.core.checks import run_checks
from django.test import override_settings

from broker_adapters import plugins
from tom_alerce import checks, conf
from tom_alerce.checks import packages, weights
from tom_alerce.requests import facilities


def ids(messages):
    return [m.id for m in messages]


def configured(**settings):
    return override_settings(TOM_ALERCE=settings)


def test_nothing_is_wrong_by_default():
    assert [m for m in run_checks(tags=["tom_alerce"]) if m.id != "tom_alerce.W003"] == []


def test_an_unknown_key_is_suggested_right():
    with configured(CLASIFIERS=["stamp"]):
        (message,) = checks.check_settings()
    assert (message.id, message.hint) == ("tom_alerce.W001", "Did you mean 'CLASSIFIERS'?")


@override_settings(TOM_ALERCE=["stamp"])
def test_a_setting_that_is_no_dictionary():
    assert ids(checks.check_settings()) == ["tom_alerce.E002"]
    assert "tom_alerce.E002" in ids(run_checks(tags=["tom_alerce"]))


@pytest.mark.parametrize(
    "settings",
    [
        {"BROKERS": {"alerse": {}}},
        {"SURVEYS": ["ztff"]},
        {"CLASSIFIERS": ["stamps"]},
        {"CLASSIFIERS": ["no.such.module"]},
        {"TERMS": {"moonn": 1.0}},
        {"FACILITY": {"name": "loc"}},
        {"FACILITY": {"name": 5}},
    ],
)
def test_a_plugin_that_is_not_there(settings):
    with configured(**settings):
        (message,) = checks.check_plugins()
    assert message.id == "tom_alerce.E003"
    assert message.hint


def test_a_third_partys_module_is_found(tmp_path, monkeypatch):
    (tmp_path / "their_classifier.py").write_text("raise RuntimeError('a check does not import')")
    package = tmp_path / "theirs"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "classifier.py").write_text("raise RuntimeError('a check does not import it')")
    monkeypatch.syspath_prepend(tmp_path)
    with configured(CLASSIFIERS=["theirs.classifier"]):
        assert checks.check_plugins() == []


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("SURVEY = Survey(name='far_too_long_a_name')", "up to 11"),
        ("SURVEY = Survey(name='comet', bands=(Band('far too long'),))", "up to 7"),
        ("SURVEY = Survey(name='meteor')\ndef recognises(packet): ...\ndef read(packet): ...", "'comet'"),
        ("SURVEY = 'comet'\ndef recognises(packet): ...\ndef read(packet): ...", "no broker_adapters.records.Survey"),
        ("SURVEY = Survey(name='comet')", "no recognises and no read"),
        ("SURVEY = Survey(nmae='comet')", "nmae"),
        ("import no_such_package", "no_such_package"),
        ("def", "SyntaxError"),
    ],
)
def test_a_third_partys_survey_that_cannot_be_used_says_why(tmp_path, monkeypatch, content, hint):
    package = tmp_path / "their_sky"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "comet.py").write_text(f"from broker_adapters.records import Band, Survey\n{content}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with configured(SURVEYS=["their_sky.comet"]):
        (message,) = checks.check_plugins()
    for name in [m for m in sys.modules if m.startswith("their_sky")]:
        del sys.modules[name]
    assert message.id == "tom_alerce.E003"
    assert hint in message.hint


@pytest.mark.parametrize("settings", [{"SURVEYS": 5}, {"BROKERS": None}, {"SURVEYS": [None]}, "no dictionary"])
def test_a_setting_of_the_wrong_kind_is_left_to_the_checks(settings):
    before = plugins.every("broker_adapters.surveys")
    with override_settings(TOM_ALERCE=settings):
        assert plugins.every("broker_adapters.surveys") == before
        assert any(message.is_serious() for message in checks.check_settings())


def test_tables_say_that_another_package_hides_ours(monkeypatch):
    from django.apps import apps
    from django.core.exceptions import ImproperlyConfigured

    clash = checks.packages.Clash("broker_adapters", None, "'broker_adapters' is imported from /elsewhere", "rename it")
    monkeypatch.setattr(checks, "clashing", lambda: [clash])
    with pytest.raises(ImproperlyConfigured, match="'broker_adapters' is imported from /elsewhere"):
        apps.get_app_config("tom_alerce").import_models()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"SITE": "Atlantis"}, "tom_alerce.E004"),
        ({"SITE": {"name": "x", "latitude": 95.0, "longitude": 0.0}}, "tom_alerce.E004"),
        ({"TERMS": {"moon": {"wieght": 2.0}}}, "tom_alerce.E004"),
        ({"TERMS": {"moon": -1.0}}, "tom_alerce.E004"),
        ({"LIMITS": {"max_airmass": 0.5}}, "tom_alerce.E004"),
        ({"LIMITS": {"max_airmass": float("nan")}}, "tom_alerce.E004"),
        ({"LIMITS": {"max_airmas": 2.0}}, "tom_alerce.E005"),
        ({"LIMITS": {"max_airmass": "2"}}, "tom_alerce.E006"),
        ({"LIMITS": {"max_airmass": None}}, "tom_alerce.E006"),
        ({"FACILITY": {"name": "lco", "filters": "gp"}}, "tom_alerce.E006"),
        ({"FACILITY": {"name": "lco", "snr": True}}, "tom_alerce.E006"),
        ({"FACILITY": {"name": "lco", "facility": "lco"}}, "tom_alerce.E005"),
        ({"FACILITY": {"name": "lco", "propsal": "X"}}, "tom_alerce.E005"),
        ({"FACILITY": {"name": "lco", "instrument": "2M0-NOTHING"}}, "tom_alerce.E004"),
        ({"FACILITY": {"name": "lco", "filters": ["gp", "H"]}}, "tom_alerce.E004"),
        ({"FACILITY": {"name": "lco", "instrument": "2M0-FLOYDS-SCICAM", "filters": ["gp"]}}, "tom_alerce.E004"),
    ],
)
def test_what_nobody_could_follow(settings, expected):
    with configured(**settings):
        assert ids(checks.check_followup()) == [expected]


@pytest.mark.parametrize("name", plugins.names("broker_adapters.brokers"))
def test_an_argument_that_a_broker_does_not_take(name):
    with configured(BROKERS={name: {"tokn": "secret"}}, FACILITY={"name": "fake"}):
        (message,) = run_checks(tags=["tom_alerce"])
    assert message.id == "tom_alerce.E005"
    assert message.msg == f"TOM_ALERCE['BROKERS'][{name!r}] has an unknown key 'tokn'."
    assert "secret" not in f"{message.msg}{message.hint}"
    assert "sleep" not in message.hint


def test_every_argument_with_its_default_is_fine():
    clients = {name: plugins.load("broker_adapters.brokers", name).Client for name in plugins.names("broker_adapters.brokers")}
    with configured(
        BROKERS={name: conf.options(client) for name, client in clients.items()}, FACILITY=facilities.facility_options() | {"name": "fake"}
    ):
        assert run_checks(tags=["tom_alerce"]) == []


def test_a_token_of_the_wrong_kind_is_not_shown():
    with configured(BROKERS={"lasair": {"ztf_token": ["secret"]}}):
        (message,) = checks.check_brokers()
    assert message.msg == "TOM_ALERCE['BROKERS']['lasair']['ztf_token'] is a list, where a text is wanted."


def test_a_tom_without_the_facility(settings):
    """As tom_setup makes one: its LCO is the form at LCO's own site."""
    settings.TOM_FACILITY_CLASSES = ["tom_observations.facilities.lco_redirect.LCORedirectFacility"]
    (message,) = run_checks(tags=["tom_alerce"])
    assert message.id == "tom_alerce.W004"
    assert "tom_observations.facilities.lco.LCOFacility" in message.hint


def test_a_package_that_hides_ours(tmp_path, monkeypatch):
    (tmp_path / "followup").mkdir()
    (tmp_path / "followup" / "__init__.py").write_text("")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    for name in [m for m in sys.modules if m.split(".")[0] == "followup"]:
        monkeypatch.delitem(sys.modules, name)
    (message,) = checks.check_packages()
    assert message.id == "tom_alerce.E001"
    assert str(tmp_path) in message.msg
    # the other checks and the pages do not stumble over it
    assert checks.check_plugins() == checks.check_followup() == checks.check_weights() == []
    from django.apps import apps

    assert apps.get_app_config("tom_alerce").include_url_paths() == []


@pytest.mark.parametrize(
    "content", ["", "DISTRIBUTION = 'other'", "from . import nothing_of_the_kind", "def broken(", "DISTRIBUTION: str", "\x00"]
)
def test_a_package_that_overwrites_ours(content, tmp_path, monkeypatch):
    """Two distributions with a package of the same name in one site-packages: the files of the later one are there."""
    for name in packages.PACKAGES:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text('DISTRIBUTION = "tom-alerce"')
        for module in [m for m in sys.modules if m.split(".")[0] == name]:
            monkeypatch.delitem(sys.modules, module)
    (tmp_path / "tom_alerce" / "checks").mkdir(parents=True)
    monkeypatch.setattr(packages, "__file__", str(tmp_path / "tom_alerce" / "checks" / "packages.py"))
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    assert checks.check_packages() == []
    (tmp_path / "classifiers" / "__init__.py").write_text(content)
    (message,) = checks.check_packages()
    assert message.id == "tom_alerce.E001"
    assert "'classifiers'" in message.msg
    assert "installed over" in message.msg


@pytest.mark.parametrize("name", ["tom_alerce", *packages.PACKAGES])
def test_every_package_names_its_distribution(name):
    from importlib import import_module

    assert import_module(name).DISTRIBUTION == "tom-alerce"


class TestThirdParties:
    """A dotted plug-in is checked as one of ours is."""

    @pytest.fixture
    def theirs(self, tmp_path, monkeypatch):
        package = tmp_path / "their_plugins"
        package.mkdir()
        (package / "__init__.py").write_text("")
        (package / "empty.py").write_text("")
        (package / "broker.py").write_text("class Client:\n    def __init__(self, url='', timeout=5.0): ...")
        (package / "facility.py").write_text("FACILITY = 'Theirs'\ndef payload(request, *, target_id, priority=1): ...")
        monkeypatch.syspath_prepend(tmp_path)
        yield
        for name in [m for m in sys.modules if m.split(".")[0] == "their_plugins"]:
            del sys.modules[name]

    @pytest.mark.parametrize("setting", [{"BROKERS": {"their_plugins.empty": {}}}, {"FACILITY": {"name": "their_plugins.empty"}}])
    def test_a_module_of_another_kind(self, theirs, setting):
        with configured(**setting):
            messages = checks.check_plugins()
        assert set(ids(messages)) == {"tom_alerce.E003"}
        assert "names 'their_plugins.empty', which cannot be used" in messages[0].msg
        assert messages[0].hint.startswith("It has no ")

    def test_a_broker_and_a_facility_with_options_of_their_own(self, theirs):
        facility = {"name": "their_plugins.facility", "priority": 3}
        with configured(BROKERS={"their_plugins.broker": {"url": "http://x"}}, FACILITY=facility):
            assert checks.check_plugins() == checks.check_brokers() == checks.check_followup() == []
            assert ids(checks.check_facility()) == ["tom_alerce.W004"]

    def test_an_argument_that_a_broker_does_not_take(self, theirs):
        with configured(BROKERS={"their_plugins.broker": {"url": 5, "tokn": "secret"}}):
            assert ids(checks.check_brokers()) == ["tom_alerce.E005", "tom_alerce.E006"]

    def test_an_option_that_a_facility_does_not_take(self, theirs):
        with configured(FACILITY={"name": "their_plugins.facility", "proposal": "X"}):
            assert ids(checks.check_followup()) == ["tom_alerce.E005"]


class TestWeights:
    @pytest.fixture
    def folder(self, tmp_path):
        tmp_path = tmp_path / "whole"
        tmp_path.mkdir()
        (tmp_path / "weights.npz").write_bytes(b"weights")
        (tmp_path / "card.json").write_text(json.dumps({"sha256": sha256(b"weights").hexdigest()}))
        return tmp_path

    def test_as_the_card_says(self, folder):
        assert list(weights.weights_problems(folder)) == []

    @pytest.mark.parametrize(
        ("name", "content", "problem"),
        [
            ("card.json", None, "there is no"),
            ("weights.npz", None, "has 0 files"),
            ("more.npz", b"", "has 2 files"),
            ("weights.npz", b"other", "is not the file"),
            ("card.json", b"{", "cannot be read"),
            ("card.json", b"{}", "cannot be read"),
            ("card.json", b"[]", "cannot be read"),
            ("card.json", b"\xff", "cannot be read"),
        ],
    )
    def test_missing_changed_or_damaged(self, folder, name, content, problem):
        (folder / name).unlink(missing_ok=True)
        if content is not None:
            (folder / name).write_bytes(content)
        (found,) = weights.weights_problems(folder)
        assert problem in found

    def test_an_installation_without_weights_is_a_warning(self, tmp_path, monkeypatch):
        monkeypatch.setattr(weights, "WEIGHTS", tmp_path)
        with configured(CLASSIFIERS=["stamp"]):
            (message,) = checks.check_weights()
        assert message.id == "tom_alerce.W003"
        assert "python -m classifiers train stamp" in message.hint

    def test_a_classifier_that_needs_no_weights_is_no_warning(self, folder, monkeypatch):
        monkeypatch.setattr(weights, "WEIGHTS", folder.parent)
        with configured(CLASSIFIERS=["stamp", "tests.test_plugins"]):
            assert checks.check_weights() == []

    def test_damaged_weights_of_a_classifier_in_use_are_a_warning(self, folder, monkeypatch):
        (folder / "card.json").unlink()
        folder = folder.rename(folder.with_name("stamp"))
        monkeypatch.setattr(weights, "WEIGHTS", folder.parent)
        for names, expected in ((["stamp"], ["tom_alerce.W003"]), (["lightcurve"], [])):
            with configured(CLASSIFIERS=names):
                assert ids(checks.check_weights()) == expected

    def test_tensorflow_is_not_imported(self):
        import subprocess

        code = (
            "import os, sys; os.environ['DJANGO_SETTINGS_MODULE'] = 'demo.settings'; import django; django.setup()\n"
            "from django.core.checks import run_checks; run_checks()\n"
            "sys.exit(sum(m in sys.modules for m in ('tensorflow', 'keras')))"
        )
        assert subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, timeout=120).returncode == 0


@pytest.mark.parametrize(
    "setting",
    [
        {"FACILITY": "lco"},
        {"BROKERS": ["alerce"]},
        {"BROKERS": {"alerce": None}},
        {"BROKERS": {"lasair": "token"}},
        {"BROKERS": {"lasair": {"ztf_token": None}}},
        {"BROKERS": {"alerce": {"timeout": "30"}}},
        {"BROKERS": {"alerce": {"forced": 1}}},
        {"SURVEYS": "ztf"},
        {"SURVEYS": [1]},
        {"PROFILES": "default"},
        {"PROFILES": []},
        {"PROMOTION": {"label": "SN"}},
        {"PROMOTION": ["SN"]},
        {"BATCH": 0},
        {"BATCH": 0.5},
        {"RANK_LIMIT": True},
        {"MATCH_RADIUS": float("nan")},
        {"RANK_DAYS": float("inf")},
        {"POLL_DAYS": "x"},
        {"SITE": 5},
        {"TARGET_LIST": None},
        {"EVERYBODY": "view"},
        {"EVERYBODY": ["king"]},
        {"KEEP_DAYS": 30},
        {"KEEP_DAYS": {"rankings": 0}},
        {"KEEP_DAYS": {"stars": 1}},
    ],
)
def test_a_value_of_another_kind_is_one_sentence(setting):
    with override_settings(TOM_ALERCE=setting):
        messages = [m for m in run_checks(tags=["tom_alerce"]) if m.id not in ("tom_alerce.W003", "tom_alerce.W006")]
    assert [m.id for m in messages] == ["tom_alerce.E006"]
    assert repr(next(iter(setting))) in messages[0].msg


@pytest.mark.parametrize(
    ("rule", "expected", "hint"),
    [
        ({"label": "SN"}, [], ""),
        ({"label": "SN", "classifier": "stamp", "probability": 0.9, "n_detections": 3}, [], ""),
        ({"label": "Transient", "classifier": "lightcurve", "probability": 1}, [], ""),
        ({"label": "SNIa", "probability": 0}, [], ""),
        ({"n_detections": 2}, [], ""),
        ({"origin": "alerce", "label": "whatever they call it", "classifier": "stamp_classifier"}, [], ""),
        ({"lable": "SN"}, ["W002"], "'label'"),
        ({"label": "SN", "probability": 90}, ["E006"], ""),
        ({"label": "SN", "probability": -0.1}, ["E006"], ""),
        ({"label": "SN", "probability": float("nan")}, ["E006"], ""),
        ({"label": "SN", "probability": "0.9"}, ["E006"], ""),
        ({"label": "SN", "probability": True}, ["E006"], ""),
        ({"label": 5}, ["E006"], ""),
        ({"label": "SN", "n_detections": 0}, ["E006"], ""),
        ({"label": "SN", "n_detections": 2.5}, ["E006"], ""),
        ({"label": "SN", "classifier": "stmap"}, ["E004"], "'stamp'"),
        ({"label": "SNla", "classifier": "lightcurve"}, ["E004"], "'SNIa'"),
        ({"label": "SNIa", "classifier": "stamp"}, ["E004"], "no class 'SNIa'"),
        ({"label": "Supernova"}, ["E004"], "a class 'Supernova'"),
        ({"probability": 0.9, "n_detections": 2}, ["E004"], "no label"),
        ({"classifier": "stamp"}, ["E004"], "no label"),
        ({}, ["E004"], "needs a label"),
        ({"label": "SN", "classifier": "stmap", "probability": 2, "lable": "x"}, ["W002", "E006", "E004"], ""),
    ],
)
def test_a_promotion_rule_is_judged_whole(rule, expected, hint):
    with configured(PROMOTION=[{"label": "SN"}, rule]):
        messages = checks.check_promotion()
    assert sorted(ids(messages)) == sorted(f"tom_alerce.{one}" for one in expected)
    assert hint in " ".join(f"{m.msg} {m.hint}" for m in messages)
    assert all("PROMOTION" in m.msg for m in messages)


def test_the_words_of_a_third_partys_classifier_are_not_judged():
    with configured(PROMOTION=[{"label": "Kilonova", "classifier": "amplitude"}], CLASSIFIERS=["stamp", "tests.test_plugins"]):
        assert checks.check_promotion() == []


@pytest.mark.django_db
def test_a_group_that_is_not_there_is_named():
    from django.contrib.auth.models import Group

    Group.objects.create(name="transients")
    with configured(GROUPS=["transients", "transient"]):
        (message,) = checks.check_groups()
    assert message.id == "tom_alerce.W005"
    assert "'transient'" in message.msg
    assert message.hint == "Did you mean 'transients'?"


@pytest.mark.parametrize("trouble", ["no table", "no database"])
def test_groups_wait_for_the_database(trouble, monkeypatch):
    from django.db import OperationalError, connection

    def names():
        if trouble == "no database":
            raise OperationalError
        return []

    monkeypatch.setattr(connection.introspection, "table_names", names)
    with configured(GROUPS=["transients"]):
        assert checks.check_groups() == []


@pytest.mark.parametrize("facility", [{"name": "lco"}, {"name": "lco", "proposal": ""}])
def test_a_missing_proposal_names_the_setting(facility):
    with configured(FACILITY=facility):
        (message,) = checks.check_facility()
    assert message.id == "tom_alerce.W006"
    assert "TOM_ALERCE['FACILITY']['proposal']" in message.msg
    with configured(FACILITY={"name": "lco", "proposal": "LCO2026B-001"}):
        assert checks.check_facility() == []


def test_a_tom_without_time_zones(settings):
    assert checks.check_time_zones() == []
    settings.USE_TZ = False
    (message,) = checks.check_time_zones()
    assert (message.id, message.is_serious()) == ("tom_alerce.E007", True)
    assert "USE_TZ = True" in message.hint


def test_everything_that_is_wrong_is_told_at_once():
    wrong = {
        "CLASIFIERS": [],
        "BATCH": 0,
        "SITE": "Atlantis",
        "TERMS": {"moon": -1.0, "youth": {"wieght": 2.0}},
        "LIMITS": {"max_airmass": 0.5, "moon_separation": 400.0, "airmass": 2.0},
        "BROKERS": {"alerse": {}, "lasair": {"tokn": "x"}},
        "PROMOTION": [{"label": "SN", "probability": 2}],
        "FACILITY": {"name": "lco", "filters": ["H", "K"], "propsal": "x"},
    }
    with override_settings(TOM_ALERCE=wrong):
        told = [f"{m.msg} {m.hint}" for m in run_checks(tags=["tom_alerce"])]
    for part in (
        "CLASIFIERS",
        "BATCH",
        "Atlantis",
        "weight of term 'moon'",
        "wieght",
        "max_airmass=0.5",
        "moon_separation=400.0",
        "'airmass'",
    ):
        assert any(part in one for one in told), part
    for part in ("alerse", "tokn", "['PROMOTION'][0]['probability']", "H, K", "propsal", "['FACILITY']['proposal']"):
        assert any(part in one for one in told), part
