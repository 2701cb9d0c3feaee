"""The commands: what they print, and exit codes that tell the truth."""

from __future__ import annotations

import json
import re
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command, get_commands, load_command_class
from django.test import override_settings
from requests import ConnectTimeout
from tom_dataproducts.models import PhotometryReducedDatum

from broker_adapters.errors import Unavailable
from broker_adapters.packets import read as read_packet
from broker_adapters.sources.files import Packet
from tests.followup.test_lco import portal as portal
from tests.tom_alerce import factories, plugins
from tests.tom_alerce.alerts import MJD, alert, counts, curve
from tests.unguarded import UNGUARDED
from tom_alerce.management import command
from tom_alerce.management.commands import alerce_ingest
from tom_alerce.management.progress import progress
from tom_alerce.models import DeadLetter, FollowupRequest, Ranking, SkyObject, Watermark
from tom_alerce.pipeline import classify, ingest
from tom_alerce.store import targets

pytestmark = pytest.mark.django_db
SITE = {"name": "equator", "latitude": 0.0, "longitude": 0.0, "elevation": 0.0}


@pytest.fixture(autouse=True)
def _fresh():
    classify.classifier.cache_clear()
    yield
    classify.classifier.cache_clear()


def run(name, *args):
    """What the command prints."""
    out = StringIO()
    call_command(name, *args, stdout=out, stderr=StringIO())
    return out.getvalue()


def refused(name, *args):
    """The exit code and the message of a command that fails."""
    with pytest.raises(CommandError) as error:
        run(name, *args)
    return error.value.returncode, str(error.value)


class TestIngest:
    @pytest.fixture
    def night(self, tmp_path):
        """A folder with damaged files."""
        for i, data in enumerate((b"", b"Obj\x01", b"not a packet")):
            (tmp_path / f"{i}.avro").write_bytes(data)
        return tmp_path

    def test_damaged_packets_alone(self, night):
        assert refused("alerce_ingest", night) == (1, "not one of 3 packets could be read; the reasons are in the table of dead letters")
        assert DeadLetter.objects.count() == 3

    @pytest.mark.parametrize(("flags", "code"), [((), 0), (("--strict",), 2)])
    def test_some_damaged_packets(self, night, monkeypatch, flags, code):
        (night / "good").write_bytes(b"good")
        read = read_packet
        monkeypatch.setattr("broker_adapters.packets.read", lambda data: alert() if data == b"good" else read(data))
        if code:
            assert refused("alerce_ingest", night, *flags)[0] == code
        else:
            assert "read 1 ztf; refused 3; new: 1 sky objects" in run("alerce_ingest", night, *flags)
        assert SkyObject.objects.count() == 1

    def test_a_path_that_is_not_there_does_not_keep_the_others_from_being_read(self, night, tmp_path):
        code, message = refused("alerce_ingest", tmp_path / "missing", night)
        assert (code, DeadLetter.objects.count()) == (1, 3)
        assert "no such file" in message

    def test_an_empty_folder_is_fine(self, tmp_path):
        (tmp_path / "empty").mkdir()
        assert "read nothing" in run("alerce_ingest", tmp_path / "empty")


class TestPoll:
    @pytest.fixture(autouse=True)
    def _tonight(self, monkeypatch):
        monkeypatch.setattr("tom_alerce.pipeline.poll.now", lambda: MJD + 3.0)

    def brokers(self, *answers, **more):
        return override_settings(TOM_ALERCE={"BROKERS": {"fake": {"alerts": answers, **more}}})

    def test_every_survey_that_the_broker_has(self):
        asked = []
        with self.brokers(alert(), alert("lsst", "1", dec=3.0), asked=asked):
            text = run("alerce_poll")
        assert [q.survey for q in asked] == ["ztf", "lsst"]
        assert "read 1 ztf" in text
        assert "read 1 lsst" in text

    def test_options_reach_the_query(self):
        asked = []
        with self.brokers(asked=asked):
            run(
                "alerce_poll",
                "--survey",
                "lsst",
                "--since",
                "60000",
                "--classifier",
                "c",
                "--class",
                "SN",
                "--probability",
                "0.7",
                "--limit",
                "5",
            )
        (q,) = asked
        assert (q.survey, q.since, q.classifier, q.label, q.probability, q.limit) == ("lsst", 60000.0, "c", "SN", 0.7, 5)

    def test_a_service_that_is_down(self):
        with self.brokers(alert(), Unavailable("the service is down")):
            code, message = refused("alerce_poll", "--survey", "ztf")
        assert code == 1
        assert "the service is down" in message
        assert SkyObject.objects.count() == 1

    @override_settings(TOM_ALERCE={"BROKERS": {"lasair": {"ztf_token": ""}, "atlas_forced": {}}})
    def test_who_cannot_be_asked_is_told(self):
        text = run("alerce_poll")
        assert "lasair: not polled" in text
        assert "atlas_forced: not polled" in text
        assert refused("alerce_poll", "--broker", "lasair")[0] == 1
        assert "it has: none with these settings" in refused("alerce_poll", "--broker", "lasair", "--survey", "ztf")[1]

    def test_whom_nobody_knows(self):
        assert "no broker 'nobody'" in refused("alerce_poll", "--broker", "nobody")[1]
        with self.brokers(surveys=["ztf", "lsst"]):
            assert "has no atlas" in refused("alerce_poll", "--survey", "atlas")[1]


class TestSync:
    def test_new_photometry_of_targets_alone(self):
        ingest.ingest_alerts([alert(n=2), alert(object_id="ZTF2", ra=10.0, n=2)])
        target = targets.promote(SkyObject.objects.get(survey_objects__object_id="ZTF26aaaaaaa"))
        answers = [alert(n=5), alert(object_id="ZTF2", ra=10.0, n=5)]
        with override_settings(TOM_ALERCE={"BROKERS": {"fake": {"alerts": answers}}}):
            assert "read 1 ztf; refused 0; new: 0 sky objects, 0 survey objects, 3 measurements" in run("alerce_sync")
        assert PhotometryReducedDatum.objects.filter(target=target).count() == 5

    def test_what_came_without_a_detection_is_asked_for(self):
        """As messages of Lasair do: they name an object, of which the sources have no ids."""
        told = str(ingest.ingest_alerts([alert(rows=curve(n=0)), alert(object_id="ZTF2", ra=10.0)]))
        assert "read 2 ztf (1 without a detection)" in told
        with override_settings(TOM_ALERCE={"BROKERS": {"fake": {"alerts": [alert(n=5), alert(object_id="ZTF2", ra=10.0, n=9)]}}}):
            assert "read 1 ztf; refused 0; new: 0 sky objects, 0 survey objects, 5 measurements" in run("alerce_sync")
            assert run("alerce_sync").startswith("nothing to fetch: of 2 survey objects (surveys: ztf) 0 belong to targets")

    def test_a_service_that_is_down(self):
        ingest.ingest_alerts([alert()])
        targets.promote(SkyObject.objects.get())
        with override_settings(TOM_ALERCE={"BROKERS": {"fake": {"alerts": [Unavailable("the service is down")]}}}):
            assert refused("alerce_sync")[0] == 1


class TestClassify:
    @override_settings(TOM_ALERCE={"CLASSIFIERS": [plugins.NAME], "PROMOTION": [{"label": "SN"}]})
    def test_words_and_targets(self):
        ingest.ingest_alerts([alert()])
        assert "1 objects classified (0 undecided); 1 promoted" in run("alerce_classify")
        assert "nothing new" in run("alerce_classify")

    @override_settings(TOM_ALERCE={"CLASSIFIERS": ["no.such", plugins.NAME]})
    def test_one_that_fails(self):
        ingest.ingest_alerts([alert()])
        code, message = refused("alerce_classify")
        assert (code, SkyObject.objects.get().classifications.count()) == (1, 1)
        assert "no.such" in message


class TestRank:
    @pytest.fixture(autouse=True)
    def _settings(self, settings):
        settings.TOM_ALERCE = {"SITE": SITE}

    def test_the_best_are_printed_with_their_reasons(self):
        ingest.ingest_alerts([alert(ra=40.0)])
        text = run("alerce_rank", "--now", str(MJD + 2.5))
        assert "equator, night of 2025-11-23" in text
        assert re.search(r"1\. ZTF26aaaaaaa +0\.\d{3} +\d+\.\d h left", text)
        assert "moon " in text

    def test_times_may_be_iso(self):
        run("alerce_rank", "--now", "2025-11-23T12:00:00Z")
        assert Ranking.objects.get().now == pytest.approx(MJD + 2.5)

    def test_what_cannot_be_used(self):
        assert "did you mean" in refused("alerce_rank", "--site", "Cerro Pachn")[1]
        assert "neither MJD nor ISO" in refused("alerce_rank", "--now", "tonight")[1]


class TestSubmit:
    NIGHT = ("--now", str(MJD + 2.5))

    @pytest.fixture(autouse=True)
    def _settings(self, settings):
        settings.TOM_ALERCE = {"SITE": SITE, "FACILITY": {"name": "lco", "proposal": "TOM2026", "threshold": 0.0}}

    def test_nothing_is_sent_without_being_told_so(self):
        assert "give --dry-run" in refused("alerce_submit")[1]
        assert "give --dry-run" in refused("alerce_submit", "--dry-run", "--send")[1]

    def test_a_user_without_the_role_makes_no_draft(self, portal):
        user = User.objects.create(username="astronomer")
        ingest.ingest_alerts([alert(ra=40.0)])
        assert "has not the role 'request'" in refused("alerce_submit", "--dry-run", "--user", "astronomer", *self.NIGHT)[1]
        factories.roles(user, "request", "send")
        assert "has not the role 'approve'" in refused("alerce_submit", "--send", "--user", "astronomer", *self.NIGHT)[1]
        assert not FollowupRequest.objects.exists()

    def test_sent_followed_and_not_sent_again(self, settings, tmp_path, monkeypatch):
        monkeypatch.setattr("tom_alerce.clock.now", lambda: MJD + 2.5)
        settings.TOM_ALERCE = {"SITE": SITE, "FACILITY": {"name": "fake", "threshold": 0.0}, "GUARDS": UNGUARDED}
        settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]
        settings.FACILITIES = {"Fake": {"folder": str(tmp_path)}}
        factories.roles(User.objects.create(username="astronomer"), "request", "approve", "send")
        ingest.ingest_alerts([alert(ra=40.0), alert(object_id="ZTF2", ra=50.0)])
        assert "2 requests: 2 submitted" in run("alerce_submit", "--send", "--user", "astronomer", *self.NIGHT)
        assert "requests: 2 scheduled" in run("alerce_sync", "--requests")
        assert "2 requests: 2 scheduled" in run("alerce_submit", "--send", "--user", "astronomer", *self.NIGHT)
        assert len(list(tmp_path.iterdir())) == 2
        assert {row.sender.username for row in FollowupRequest.objects.all()} == {"astronomer"}

    def test_a_portal_that_is_away_leaves_it_to_the_next_synchronisation(self, settings, tmp_path, monkeypatch):
        monkeypatch.setattr("tom_alerce.clock.now", lambda: MJD + 2.5)
        settings.TOM_ALERCE = {"SITE": SITE, "FACILITY": {"name": "fake", "threshold": 0.0}, "GUARDS": UNGUARDED}
        settings.TOM_FACILITY_CLASSES = ["demo.facility.FakeFacility"]
        settings.FACILITIES = {"Fake": {"folder": str(tmp_path)}}
        ingest.ingest_alerts([alert(ra=40.0)])
        with monkeypatch.context() as patch:
            patch.setattr("demo.facility.FakeFacility.submit_observation", lambda self, payload: (_ for _ in ()).throw(ConnectTimeout()))
            assert refused("alerce_submit", "--send", *self.NIGHT) == (1, "not sent yet: no connection (ConnectTimeout)")
        assert "requests: 1 scheduled, 1 submitted" in run("alerce_sync", "--requests")

    def test_valid_requests_are_printed_and_kept(self, portal):
        factories.roles(User.objects.create(username="astronomer"), "request")
        ingest.ingest_alerts([alert(ra=40.0), alert(object_id="ZTF2", ra=50.0)])
        text = run("alerce_submit", "--dry-run", "--user", "astronomer", "--top", "1", *self.NIGHT)
        assert "1 requests: 1 validated" in text
        assert json.loads(text[text.index("{") : text.rindex("}") + 1]) == portal[0]
        row = FollowupRequest.objects.get()
        assert (row.state, row.user.username, row.ranking) == ("validated", "astronomer", Ranking.objects.get())
        before = counts()["FollowupRequest"]
        run("alerce_submit", "--dry-run", "--top", "1", *self.NIGHT)
        assert counts()["FollowupRequest"] == before

    def test_what_was_sent_is_not_checked_again(self, portal):
        ingest.ingest_alerts([alert(ra=40.0)])
        run("alerce_submit", "--dry-run", *self.NIGHT)
        FollowupRequest.objects.update(state="submitted")
        assert "submitted already" in run("alerce_submit", "--dry-run", *self.NIGHT)

    @override_settings(TOM_ALERCE={"SITE": SITE, "FACILITY": {"name": "lco", "threshold": 0.0}})
    def test_an_invalid_request(self):
        ingest.ingest_alerts([alert(ra=40.0)])
        assert refused("alerce_submit", "--dry-run", *self.NIGHT)[0] == 2

    def test_a_portal_that_is_not_there(self, settings):
        settings.FACILITIES = {"LCO": {"portal_url": "http://127.0.0.1:9", "api_key": ""}}
        ingest.ingest_alerts([alert(ra=40.0)])
        code, message = refused("alerce_submit", "--dry-run", *self.NIGHT)
        assert code == 1
        assert "no usable answer" in message

    def test_nothing_worth_asking_for_is_fine(self):
        assert "0 requests: none" in run("alerce_submit", "--dry-run", *self.NIGHT)

    def test_a_target_of_others_is_skipped_and_the_rest_goes_on(self, portal):
        """The better one is somebody's private target, linked already; of the other the user makes a target."""
        user = User.objects.create(username="astronomer")
        factories.roles(user, "request")
        ingest.ingest_alerts([alert(ra=40.0, rows=curve(ra=40.0, flux=1e6)), alert(object_id="ZTF2", ra=50.0)])
        targets.promote(SkyObject.objects.get(survey_objects__object_id="ZTF26aaaaaaa"))
        out = StringIO()
        with pytest.raises(CommandError) as error:
            call_command("alerce_submit", "--dry-run", "--user", "astronomer", *self.NIGHT, stdout=out)
        assert error.value.returncode == 2
        assert "ZTF26aaaaaaa: skipped: ZTF26aaaaaaa is a target that you may not change" in out.getvalue()
        assert "2 requests: 1 skipped, 1 validated" in out.getvalue()
        assert FollowupRequest.objects.get().user == user

    def test_a_tom_without_the_facility(self, settings):
        settings.TOM_FACILITY_CLASSES = ["tom_observations.facilities.lco_redirect.LCORedirectFacility"]
        ingest.ingest_alerts([alert(ra=40.0)])
        code, message = refused("alerce_submit", "--dry-run", *self.NIGHT)
        assert code == 1
        assert "no facility 'LCO'; add its class to TOM_FACILITY_CLASSES" in message
        assert FollowupRequest.objects.get().state == "draft"

    def test_an_unknown_user(self):
        assert "no user" in refused("alerce_submit", "--dry-run", "--user", "nobody")[1]


class TestInterrupted:
    """Ctrl-C in the middle: whole batches are kept, and the same command does the rest."""

    def packets(self, stop):
        for i in range(6):
            if i == stop:
                raise KeyboardInterrupt
            yield Packet("night.tar", f"{i}", str(i).encode())

    @override_settings(TOM_ALERCE={"BATCH": 2})
    def test_ingest(self, monkeypatch, tmp_path, capsys):
        stop = [3]
        monkeypatch.setattr("broker_adapters.sources.files.packets", lambda paths: self.packets(stop[0]))
        monkeypatch.setattr("broker_adapters.packets.read", lambda data: alert(object_id=f"ZTF{data.decode()}", ra=10.0 * float(data)))
        monkeypatch.setattr("django.db.connections.close_all", lambda: None)
        with pytest.raises(SystemExit) as end:
            alerce_ingest.Command().run_from_argv(["manage.py", "alerce_ingest", str(tmp_path)])
        assert end.value.code == 130
        said = capsys.readouterr()
        assert "Interrupted: what is done is stored" in said.err
        assert "Traceback" not in said.err
        assert SkyObject.objects.count() == 2
        stop[0] = None
        assert "read 6 ztf; refused 0; new: 4 sky objects" in run("alerce_ingest", tmp_path)

    def test_poll(self, monkeypatch):
        monkeypatch.setattr("tom_alerce.pipeline.poll.now", lambda: MJD + 3.0)
        answers = [alert(), KeyboardInterrupt(), alert(object_id="ZTF2", ra=10.0)]
        brokers = {"BROKERS": {"fake": {"alerts": answers}}, "BATCH": 1}
        with override_settings(TOM_ALERCE=brokers), pytest.raises(KeyboardInterrupt):
            run("alerce_poll", "--survey", "ztf")
        assert (SkyObject.objects.count(), Watermark.objects.count()) == (1, 0)

    def test_nobody_listens(self, monkeypatch, capfd):
        """``alerce_rank | head -1`` is no traceback."""

        def unheard(*args, **options):
            raise BrokenPipeError

        monkeypatch.setattr(alerce_ingest.Command, "handle", unheard)
        monkeypatch.setattr("django.db.connections.close_all", lambda: None)
        monkeypatch.setattr(command.os, "dup2", lambda *files: None)
        with pytest.raises(SystemExit) as end:
            alerce_ingest.Command().run_from_argv(["manage.py", "alerce_ingest", "/"])
        assert end.value.code == 141
        assert capfd.readouterr().err == ""

    def test_every_command_of_ours(self):
        ours = [name for name, app in get_commands().items() if app == "tom_alerce"]
        assert len(ours) >= 7
        assert all(isinstance(load_command_class("tom_alerce", name), command.Command) for name in ours)


class TestProgress:
    def test_a_bar_on_a_terminal(self):
        terminal = StringIO()
        terminal.isatty = lambda: True
        with progress("ingest", "packets", 10, terminal) as done:
            done(10)
        assert "10/10" in terminal.getvalue()

    def test_lines_elsewhere(self, monkeypatch):
        clock = iter([0.0, 10.0, 40.0, 40.0, 41.0])
        monkeypatch.setattr("tom_alerce.management.progress.time.monotonic", lambda: next(clock))
        log = StringIO()
        with progress("ingest", "packets", None, log) as done:
            for _ in range(3):
                done(5)
        assert log.getvalue() == "ingest: 10 packets\n"


@pytest.mark.parametrize(
    "words",
    [
        ("alerce_poll", "--limit", "-3"),
        ("alerce_poll", "--limit", "0"),
        ("alerce_poll", "--since", "nan"),
        ("alerce_rank", "--now", "NaN"),
        ("alerce_rank", "--now", "1e300"),
        ("alerce_rank", "--now", "yesterday"),
        ("alerce_submit", "--dry-run", "--top", "-1"),
    ],
)
def test_numbers_that_mean_nothing_are_refused_before_any_work(words):
    _, message = refused(*words)
    assert repr(words[-1]) in message
    assert not Ranking.objects.exists()
