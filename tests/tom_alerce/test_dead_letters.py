"""Dead letters keep their bytes within limits, give them back, and are tried again."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.urls import reverse

from broker_adapters.errors import PacketError
from broker_adapters.sources.archives import Packet
from tom_alerce.models import DeadLetter, SurveyObject
from tom_alerce.pipeline import ingest, retry
from tom_alerce.store import alerts as store
from tom_alerce.store import dead_letters
from tom_alerce.store.dead_letters import Refused

pytestmark = pytest.mark.django_db
ZTF = sorted((Path(__file__).parents[1] / "data" / "ztf").rglob("*.avro"))[0]


def refuse(n=1, data=b"no packet", error=None):
    dead_letters.save([Refused.of("topic", f"0:{i}", data, error or PacketError("damaged")) for i in range(n)])


@pytest.fixture
def broken(monkeypatch):
    """A packet that a mistake of ours kept out of the tables; the mistake is mended when the test begins."""
    with monkeypatch.context() as patch:
        patch.setattr(store, "identify", lambda alerts: 1 / 0)
        assert ingest.ingest([Packet("topic", "0:7", ZTF.read_bytes())]).refused == 1
    return DeadLetter.objects.get()


def test_the_bytes_and_the_traceback_are_kept(broken):
    assert dead_letters.message(broken) == ZTF.read_bytes()
    assert broken.traceback
    assert broken.traceback in broken.reason
    refuse()
    assert DeadLetter.objects.latest("pk").traceback == ""


def test_a_letter_that_was_changed_gives_nothing(broken):
    DeadLetter.objects.update(digest="0" * 64)
    assert dead_letters.message(DeadLetter.objects.get()) is None


def test_bytes_are_bounded_in_size_and_in_all(monkeypatch):
    monkeypatch.setattr(dead_letters, "MESSAGE", 30)
    refuse(data=bytes(range(100)))
    assert DeadLetter.objects.get().data is None
    DeadLetter.objects.all().delete()
    refuse(n=3)
    size = DeadLetter.objects.first().held
    monkeypatch.setattr(dead_letters, "ALL", 3 * size)
    refuse(n=5)
    assert [bool(letter.data) for letter in DeadLetter.objects.order_by("pk")] == [False, False, True, True, True]
    assert DeadLetter.objects.filter(data=None, held=0).count() == 2


def test_what_can_be_stored_now_is_and_what_cannot_remains(broken):
    refuse()
    DeadLetter.objects.create(source="topic", position="1:1", digest="x", size=3, reason="old")
    out = StringIO()
    call_command("alerce_retry", "--dry-run", stdout=out)
    assert out.getvalue() == "3 dead letters\n"
    with pytest.raises(CommandError, match="some dead letters remain"):
        call_command("alerce_retry", stdout=out, stderr=StringIO())
    assert "1 stored; 1 refused again; 1 of which the bytes are not kept" in out.getvalue()
    assert SurveyObject.objects.count() == 1
    assert DeadLetter.objects.count() == 2
    assert not DeadLetter.objects.filter(pk=broken.pk).exists()


def test_letters_are_chosen_by_reason_and_source(broken):
    refuse()
    assert retry.wanted(broken.traceback) == [broken.pk]
    assert retry.wanted(source="elsewhere") == []
    assert len(retry.wanted(source="TOPIC")) == 2


def test_the_admin_gives_the_bytes_and_tries_again(client, broken):
    client.force_login(User.objects.create_superuser("boss"))
    address = reverse("admin:tom_alerce_deadletter_bytes", args=[broken.pk])
    listed = reverse("admin:tom_alerce_deadletter_changelist")
    assert address in client.get(listed).content.decode()
    answer = client.get(address)
    assert answer.content == ZTF.read_bytes()
    assert (answer["Content-Type"], answer["X-Content-Type-Options"]) == ("application/octet-stream", "nosniff")
    assert answer["Content-Disposition"].startswith("attachment")
    assert client.get(reverse("admin:tom_alerce_deadletter_bytes", args=[0])).status_code == 404
    client.post(listed, {"action": "try_again", "_selected_action": [broken.pk]})
    assert not DeadLetter.objects.exists()
    client.force_login(User.objects.create(username="clerk", is_staff=True))
    assert client.get(address).status_code in (302, 403)
