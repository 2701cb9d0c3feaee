"""The chain as a whole: what one step leaves for the next, and that no item stops the others."""

from __future__ import annotations

import hashlib
import re
import tracemalloc

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tom_targets.models import BaseTarget

from broker_adapters import packets as adapters
from broker_adapters.errors import PacketError, SourceError, Unavailable
from broker_adapters.records import BrokerLabel, Query
from broker_adapters.sources.files import Packet
from followup.records import FollowupError
from tests.tom_alerce import plugins
from tests.tom_alerce.alerts import MJD, alert, counts, curve
from tom_alerce import tasks
from tom_alerce.clock import now
from tom_alerce.models import AwaitedObject, Classification, DeadLetter, Rank, Ranking, SkyObject, Watermark
from tom_alerce.pipeline import classify, ingest, poll, promotion, rank
from tom_alerce.store import targets

pytestmark = pytest.mark.django_db
THIRD = {"CLASSIFIERS": [plugins.NAME]}
SITE = {"name": "equator", "latitude": 0.0, "longitude": 0.0, "elevation": 0.0}


@pytest.fixture(autouse=True)
def _fresh(monkeypatch):
    classify.classifier.cache_clear()
    monkeypatch.setattr(plugins.Model, "seen", [])
    yield
    classify.classifier.cache_clear()


class TestIngest:
    @pytest.fixture(autouse=True)
    def _reader(self, monkeypatch):
        """Packets that are the number of an object; what is not a number is damaged."""

        def read(data):
            if not data.isdigit():
                raise PacketError(f"not a packet: {data[:20]!r}")
            return alert(object_id=f"ZTF{data.decode()}", ra=float(data))

        monkeypatch.setattr("broker_adapters.packets.read", read)

    def packets(self, *data):
        return [Packet("night.tar", f"{i}.avro", d) for i, d in enumerate(data)]

    def test_the_good_ones_around_a_bad_one_are_stored(self):
        report = ingest.ingest(self.packets(b"1", b"\xff\x00damaged", b"2", b"3"))
        assert (report.read["ztf"], report.refused, report.saved.sky_objects) == (3, 1, 3)
        letter = DeadLetter.objects.get()
        assert (letter.source, letter.position, letter.size) == ("night.tar", "1.avro", 9)
        assert letter.digest == hashlib.sha256(b"\xff\x00damaged").hexdigest()
        assert "not a packet" in letter.reason

    def test_the_bytes_of_refused_packets_are_not_kept_in_memory(self):
        """A batch of 200 packets of a megabyte each, none of which can be read."""
        tracemalloc.start()
        with override_settings(TOM_ALERCE={"BATCH": 1000}):
            report = ingest.ingest(Packet("topic", f"0:{i}", bytes(1 << 20)) for i in range(200))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert report.refused == 200
        assert peak < 20 << 20

    def test_a_long_place_keeps_its_end(self):
        ingest.ingest([Packet("/a" * 200 + "/night.tar", "b/" * 200 + "1.avro", b"bad")])
        letter = DeadLetter.objects.get()
        assert (len(letter.source), len(letter.position)) == (300, 255)
        assert (letter.source[-10:], letter.position[-6:]) == ("/night.tar", "1.avro")

    def test_twice_is_once(self):
        ingest.ingest(self.packets(b"1", b"bad"))
        before = counts()
        report = ingest.ingest(self.packets(b"1", b"bad"))
        assert counts() == before
        assert (report.read["ztf"], report.refused, report.saved.detections) == (1, 1, 0)

    def test_a_source_that_breaks_off_keeps_what_came(self):
        def breaking():
            yield from self.packets(b"1", b"2")
            raise SourceError("damaged archive")

        report = ingest.ingest(breaking())
        assert (report.read["ztf"], str(report.problem)) == (2, "damaged archive")
        assert "incomplete: damaged archive" in str(report)

    @override_settings(TOM_ALERCE={"BATCH": 2})
    def test_batches_and_progress(self):
        told = []
        ingest.ingest(self.packets(b"1", b"2", b"bad", b"3", b"4"), told.append)
        assert told == [2, 2, 1]

    def test_a_mistake_of_ours_is_logged_as_such_and_ends_nothing(self, monkeypatch, caplog):
        read = adapters.read

        def failing(data):
            return 1 / 0 if data == b"7" else read(data)

        monkeypatch.setattr("broker_adapters.packets.read", failing)
        report = ingest.ingest(self.packets(b"1", b"7", b"2"))
        assert (report.read["ztf"], report.refused) == (2, 1)
        letter = DeadLetter.objects.get()
        assert (letter.position, letter.size) == ("1.avro", 1)
        (name,) = re.findall(r"a mistake of ours, which the log has as traceback ([0-9a-f]{8}): ZeroDivisionError", letter.reason)
        assert f"night.tar 1.avro: a mistake of ours, traceback {name}" in caplog.text
        assert "in failing" in caplog.text

    def test_a_source_that_fails_by_a_mistake_of_ours_is_a_problem_of_that_source(self, caplog):
        def breaking():
            yield from self.packets(b"1", b"2")
            raise KeyError("x")

        report = ingest.ingest(breaking())
        assert report.read["ztf"] == 2
        assert "a mistake of ours" in report.trouble


class TestPoll:
    def brokers(self, *answers, **more):
        return override_settings(TOM_ALERCE={"BROKERS": {"fake": {"alerts": answers, **more}}})

    @pytest.fixture(autouse=True)
    def _tonight(self, monkeypatch):
        monkeypatch.setattr(poll, "now", lambda: MJD + 3.0)

    def test_since_the_last_complete_answer_with_a_day_of_overlap(self):
        asked = []
        labels = tuple(BrokerLabel("fake", "third_party", "1", label, 0.9) for label in ("SN", "AGN"))
        with self.brokers(alert(labels=labels), asked=asked):
            assert poll.poll("fake", Query(label="SN")).saved.sky_objects == 1
            poll.poll("fake", Query(label="SN"))
            poll.poll("fake", Query(label="AGN"))
        first, second, other = (q.since for q in asked)
        assert first == other == MJD + 3.0 - 3.0
        assert second == MJD + 2 - 1.0

    def test_a_broken_answer_is_kept_but_not_remembered_as_complete(self):
        with self.brokers(alert(), Unavailable("the service is down"), alert(object_id="ZTF2", ra=10.0)):
            report = poll.poll("fake", Query())
        assert str(report.problem) == "the service is down"
        assert (SkyObject.objects.count(), Watermark.objects.count()) == (1, 0)

    def test_a_cut_answer_is_not_complete(self, caplog):
        with self.brokers(alert(), alert(object_id="ZTF2", ra=10.0)):
            poll.poll("fake", Query(limit=2))
        assert "was cut at 2 objects" in caplog.text
        assert Watermark.objects.count() == 0

    def test_objects_that_the_client_could_not_read_are_dead_letters(self):
        with self.brokers(alert(), rejected=[("ZTF9", PacketError("no position"))]):
            assert poll.poll("fake", Query()).refused == 1
        assert DeadLetter.objects.get().position == "ZTF9"

    def test_objects_that_the_service_did_not_give_are_awaited_and_hold_nothing_back(self):
        with self.brokers(alert(), rejected=[("ZTF9", Unavailable("busy")), ("ZTF9", Unavailable("without stamps"))]):
            report = poll.poll("fake", Query())
        assert (report.refused, report.failed, report.trouble) == (0, 1, "1 objects failed, the first ZTF9: busy")
        assert [(a.survey, a.object_id) for a in AwaitedObject.objects.all()] == [("ztf", "ZTF9")]
        assert Watermark.objects.get().mjd == MJD + 2

    def test_a_watermark_never_passes_now_and_one_that_did_comes_back(self, monkeypatch):
        """A broker that gives a detection in the year 2086, and a watermark that an earlier version left there."""
        Watermark.objects.create(source="fake ztf", mjd=83000.0)
        asked = []
        later = curve(n=3)
        later["mjd"][-1] = 83000.0
        with self.brokers(alert(rows=later, source_id=None), asked=asked):
            poll.poll("fake", Query())
            poll.poll("fake", Query())
        assert [query.since <= now() for query in asked] == [True, True]
        assert Watermark.objects.get().mjd == asked[1].since + 1.0 == MJD + 1

    def test_a_watermark_never_goes_back(self):
        with self.brokers(alert()):
            poll.poll("fake", Query())
        with self.brokers(alert(n=1)):
            poll.poll("fake", Query(since=1.0))
        assert Watermark.objects.get().mjd == MJD + 2

    def test_an_unknown_broker(self):
        with pytest.raises(LookupError):
            poll.poll("nobody", Query())


class TestClassify:
    @pytest.fixture(autouse=True)
    def _settings(self, settings):
        settings.TOM_ALERCE = THIRD

    def test_only_what_is_new_is_seen_and_nothing_is_overwritten(self):
        ingest.ingest_alerts([alert(), alert(object_id="ZTF2", ra=10.0)])
        assert classify.classify().classified == {plugins.NAME: 2}
        assert classify.classify().classified == {}
        ingest.ingest_alerts([alert(n=1, first=5)])
        assert classify.count_unseen() == 1
        assert classify.classify().classified == {plugins.NAME: 1}
        assert plugins.Model.seen == [2, 1]
        assert Classification.objects.count() == 3

    def test_who_cannot_say_is_not_asked_again(self):
        ingest.ingest_alerts([alert(n=1)])
        done = classify.classify()
        assert (done.classified, done.undecided) == ({plugins.NAME: 1}, {plugins.NAME: 1})
        assert classify.count_unseen() == 0

    def test_a_new_version_sees_everything_again(self, monkeypatch):
        ingest.ingest_alerts([alert()])
        classify.classify()
        monkeypatch.setattr(plugins.Model, "version", "2")
        assert classify.classify().classified == {plugins.NAME: 1}

    def test_a_link_is_new_evidence(self):
        from tom_alerce.models import SurveyObject
        from tom_alerce.store import linking

        ingest.ingest_alerts([alert(), alert("lsst", "1", dec=3.0)])
        classify.classify()
        linking.link(SurveyObject.objects.get(object_id="1"), SurveyObject.objects.get(survey="ztf").sky_object)
        assert classify.classify().classified == {plugins.NAME: 1}

    def test_these_objects_alone(self):
        ingest.ingest_alerts([alert(), alert(object_id="ZTF2", ra=10.0)])
        assert classify.classify([SkyObject.objects.first().pk]).classified == {plugins.NAME: 1}

    def test_a_classifier_that_fails_does_not_stop_the_others(self, monkeypatch, settings):
        settings.TOM_ALERCE = {"CLASSIFIERS": ["no.such", "taxonomy", plugins.NAME]}
        ingest.ingest_alerts([alert()])
        done = classify.classify()
        assert set(done.problems) == {"no.such", "taxonomy"}
        assert done.classified == {plugins.NAME: 1}
        monkeypatch.setattr(plugins.Model, "broken", True)
        ingest.ingest_alerts([alert(n=1, first=5)])
        assert classify.classify().problems[plugins.NAME] == "out of order"

    def test_queries_do_not_grow_with_objects(self):
        def queries(n, start):
            ingest.ingest_alerts([alert(object_id=f"ZTF{i}", ra=float(i)) for i in range(start, start + n)])
            with CaptureQueriesContext(connection) as context:
                classify.classify()
            return len(context)

        assert queries(2, 0) == queries(50, 10)


class TestPromotion:
    def promoted(self, rule):
        with override_settings(TOM_ALERCE={**THIRD, "PROMOTION": [rule]}):
            return classify.classify().promoted

    @pytest.mark.parametrize(
        ("rule", "expected"),
        [
            ({"classifier": "third", "label": "SN", "probability": 0.8}, True),
            ({"classifier": "third", "label": "SN", "probability": 0.95}, False),
            ({"classifier": "third", "label": "SN", "n_detections": 4}, False),
            ({"classifier": "other", "label": "SN"}, False),
            ({"label": "SN"}, True),
            ({"label": "AGN"}, False),
            ({"label": "SN", "origin": "alerce"}, False),
            ({"n_detections": 3}, True),
            ({"n_detections": 4}, False),
            ({}, False),
        ],
    )
    def test_rules(self, rule, expected):
        ingest.ingest_alerts([alert()])
        assert self.promoted(rule) == (["ZTF26aaaaaaa"] if expected else [])
        assert BaseTarget.objects.count() == expected

    def test_a_word_of_a_broker_that_comes_later_is_heard(self):
        """It brings no evidence, so that no classifier of ours looks again."""
        with override_settings(TOM_ALERCE={**THIRD, "PROMOTION": [{"origin": "alerce", "label": "SN"}], "RANK_DAYS": 10_000}):
            ingest.ingest_alerts([alert()])
            assert classify.classify().promoted == []
            ingest.ingest_alerts([alert(labels=(BrokerLabel("alerce", "lc", "1", "SN", 0.9),))])
            assert classify.count_unseen() == 0
            assert classify.classify().promoted == ["ZTF26aaaaaaa"]
            assert classify.classify().promoted == []

    def test_a_new_rule_holds_for_what_was_seen_lately(self):
        ingest.ingest_alerts([alert()])
        assert self.promoted({"label": "AGN"}) == []
        with override_settings(TOM_ALERCE={**THIRD, "PROMOTION": [{"label": "SN"}], "RANK_DAYS": 1.0}):
            assert classify.classify().promoted == []
            assert classify.classify([SkyObject.objects.get().pk]).promoted == ["ZTF26aaaaaaa"]

    def test_a_target_that_was_deleted_is_not_made_again(self):
        ingest.ingest_alerts([alert()])
        assert self.promoted({"label": "SN"}) == ["ZTF26aaaaaaa"]
        BaseTarget.objects.all().delete()
        ingest.ingest_alerts([alert(n=1, first=5)])
        assert self.promoted({"label": "SN"}) == []
        targets.promote(SkyObject.objects.get())
        assert BaseTarget.objects.count() == 1, "a person may"

    def test_rules_hold_without_classifiers(self):
        ingest.ingest_alerts([alert()])
        with override_settings(TOM_ALERCE={"CLASSIFIERS": [], "PROMOTION": [{"n_detections": 3}], "RANK_DAYS": 10_000}):
            assert classify.classify().promoted == ["ZTF26aaaaaaa"]

    def test_moving_objects_are_left(self):
        ingest.ingest_alerts([alert("lsst", "ss", moving=True)])
        assert self.promoted({"label": "SN"}) == []

    def test_a_branch_of_the_hierarchy_and_a_brokers_words(self):
        word = Classification(probabilities={"SNIa": 0.4, "SNII": 0.3, "QSO": 0.2, "RRLab": 0.1, "odd": None})
        assert promotion.probability(word, "Transient") == pytest.approx(0.7)
        assert promotion.probability(word, "RRL") == promotion.probability(word, "RRLab") == pytest.approx(0.1)
        assert promotion.probability(word, "asteroid") == 0.0


class TestRank:
    """A site on the equator at longitude 0; MJD 61000.0 is midnight there."""

    def rank(self, **more):
        with override_settings(TOM_ALERCE={"SITE": SITE, **more}):
            return rank.rank(at=MJD + 2.5)

    def objects(self, n=3):
        ingest.ingest_alerts([alert(object_id=f"ZTF{i}", ra=40.0 + 5.0 * i, dec=2.0) for i in range(n)])

    def test_places_terms_and_the_night_are_kept(self):
        self.objects()
        row = self.rank().row
        assert (row.site, row.now) == ("equator", MJD + 2.5)
        ranks = list(Rank.objects.filter(ranking=row))
        assert [r.place for r in ranks] == [1, 2, 3]
        assert [r.score for r in ranks] == sorted((r.score for r in ranks), reverse=True)
        for r in ranks:
            assert set(r.terms) == set(row.weights)
            assert all({"score", "weight", "reason"} == set(term) for term in r.terms.values())
            assert len(r.visibility["times"]) == len(r.visibility["altitude"]) > 10
            assert -90.0 <= min(r.visibility["altitude"]) <= max(r.visibility["altitude"]) <= 90.0

    def test_the_board_the_page_and_the_ranking_say_the_same_brightness(self, client):
        """A variable below its reference: the difference would say 18.2 mag; a telescope sees what is left of 16 mag."""
        rows = curve(n=3, flux=[20_000.0, -180_000.0, -190_000.0], ref_flux=1_445_440.0, band="r")
        ingest.ingest_alerts([alert(rows=rows, ra=40.0)])
        rank = self.rank().row.ranks.get()
        total = 31.4 - 2.5 * np.log10(1_445_440.0 - 190_000.0)
        assert rank.magnitude == pytest.approx(total, abs=1e-6)
        assert rank.terms["brightness"]["reason"].startswith(f"r = {total:.1f} now")
        client.force_login(User.objects.create(username="observer"))
        for page in (reverse("tom_alerce:board"), reverse("tom_alerce:object", args=[rank.sky_object_id])):
            assert f"<b>{total:.2f}</b> <abbr" in client.get(page, {"ranking": rank.ranking_id}).content.decode()
        for limit, found in ((16.1, 0), (16.2, 1)):
            response = client.get(reverse("tom_alerce:board"), {"magnitude": limit, "ranking": rank.ranking_id})
            assert len(response.context.get("rows", ())) == found

    def test_what_is_old_or_moves_is_not_ranked(self):
        self.objects()
        assert len(self.rank(RANK_DAYS=0.1).candidates) == 0
        ingest.ingest_alerts([alert("lsst", "ss", moving=True)])
        assert len(self.rank().candidates) == 3

    def test_what_was_not_seen_yet_is_not_ranked(self):
        """A night of the past is ranked as it was then."""
        self.objects()
        ingest.ingest_alerts([alert(object_id="later", ra=80.0, first=5)])
        assert {c.name for c in self.rank().candidates} == {"ZTF0", "ZTF1", "ZTF2"}

    def test_an_empty_sky_is_an_empty_ranking(self):
        assert self.rank().row.ranks.count() == 0

    def test_the_best_are_kept(self):
        self.objects()
        assert self.rank(RANK_LIMIT=2).row.ranks.count() == 2

    def test_these_objects_whatever_their_age(self):
        self.objects()
        ids = [SkyObject.objects.first().pk]
        with override_settings(TOM_ALERCE={"SITE": SITE}):
            assert [c.key for c in rank.compute(at=MJD + 500.0, sky_object_ids=ids).candidates] == [str(ids[0])]
        assert not Ranking.objects.exists()

    def test_a_spectrum_makes_a_candidate_classified(self):
        ingest.ingest_alerts([alert(names=("SN 2026asx",)), alert(object_id="ZTF2", ra=10.0, names=("AT 2026aaa",))])
        assert {c.name: c.classified for c in self.rank().candidates} == {"SN 2026asx": True, "AT 2026aaa": False}

    def test_an_unknown_site(self):
        with pytest.raises(FollowupError):
            rank.rank("Atlantis")


class TestTasks:
    """Both backends of the toolkit; what a task takes and gives must be JSON."""

    @pytest.fixture
    def chain(self, settings):
        settings.TOM_ALERCE = {**THIRD, "SITE": SITE}
        ingest.ingest_alerts([alert()])

        def use(backend):
            settings.TASKS = {"default": {"BACKEND": f"django_tasks.backends.{backend}", "ENQUEUE_ON_COMMIT": False}}
            return [task.enqueue() for task in (tasks.classify, tasks.rank)]

        return use

    def test_at_once(self, chain):
        classified, ranked = chain("immediate.ImmediateBackend")
        assert classified.return_value["classified"] == {plugins.NAME: 1}
        assert ranked.return_value == Ranking.objects.get().pk

    def test_by_a_worker(self, chain):
        from django_tasks.backends.database.management.commands.db_worker import Worker
        from django_tasks.backends.database.models import DBTaskResult

        chain("database.DatabaseBackend")
        assert Classification.objects.count() == Ranking.objects.count() == 0
        worker = Worker(queue_names=["*"], interval=0, batch=True, backend_name="default", startup_delay=False)
        for waiting in DBTaskResult.objects.order_by("enqueued_at"):
            waiting.claim()
            worker.run_task(waiting)
        assert set(DBTaskResult.objects.values_list("status", flat=True)) == {"SUCCEEDED"}
        assert Classification.objects.count() == Ranking.objects.count() == 1
