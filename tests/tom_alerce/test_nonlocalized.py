"""The exchange with tom_nonlocalizedevents, whose tables are imitated here: it needs PostgreSQL and a gigabyte of packages."""

from __future__ import annotations

from datetime import datetime, timezone
from types import SimpleNamespace

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from broker_adapters.errors import PacketError
from broker_adapters.notice import Messenger, Role
from followup import regions
from tests.tom_alerce import factories
from tests.tom_alerce.test_events import MAP, said, thing
from tom_alerce.models import EventCandidate, SkyEvent
from tom_alerce.store import counterparts, events, nonlocalized

pytestmark = pytest.mark.django_db

ISSUED = datetime(2026, 11, 20, 12, tzinfo=timezone.utc)
DETAILS = {"time": "2026-11-20T11:57:00.5Z", "far": 1e-9, "classification": {"BNS": 0.9}, "instruments": ["H1"], "pipeline": "gstlal"}


class Table(list):
    """As much of a manager as is asked for here."""

    def __init__(self, rows=()):
        super().__init__(rows)
        self.written = {}

    def chosen(self, *_, **__):
        return self

    filter = exclude = order_by = select_related = chosen

    def values_list(self, *names):
        return [tuple(getattr(row, name) for name in names) for row in self]

    def update_or_create(self, defaults, **key):
        self.written[key["target_id"]] = defaults


def tiles(made=MAP):
    mean, error = regions.Distances(made.mu, made.sigma, made.norm).moments()
    shift = 2 * (29 - made.order)
    ranges = zip((made.cell << shift).tolist(), ((made.cell + 1) << shift).tolist(), strict=True)
    columns = zip(ranges, made.density, mean, error, strict=True)
    return Table(
        SimpleNamespace(tile=SimpleNamespace(lower=a, upper=b), probdensity=p, distance_mean=m, distance_std=s)
        for (a, b), p, m, s in columns
    )


def row(name="S1", state="ACTIVE", details=DETAILS):
    sequence = SimpleNamespace(
        details=details, event_subtype="INITIAL", created=ISSUED, sequence_id=1, localization=SimpleNamespace(tiles=tiles())
    )
    return SimpleNamespace(event_id=name, event_type="GW", state=state, modified=ISSUED, sequences=Table([sequence]))


@pytest.fixture
def theirs(monkeypatch):
    """Their tables: a candidate of ours goes to `written`."""
    tables = {"NonLocalizedEvent": Table(), "EventCandidate": Table()}
    models = {name: SimpleNamespace(objects=table) for name, table in tables.items()}
    monkeypatch.setattr(nonlocalized, "apps", SimpleNamespace(get_model=lambda app, name: models[name]))
    monkeypatch.setattr(nonlocalized, "installed", lambda: True)
    return tables


def test_events_are_read_with_their_maps_once(theirs):
    theirs["NonLocalizedEvent"].extend([row(), row("MS2", details={})])
    assert nonlocalized.read() == 1
    assert nonlocalized.read() == 0
    event = SkyEvent.objects.get()
    assert (event.name, event.messenger, event.role) == ("S1", Messenger.WAVES.value, Role.OBSERVATION.value)
    at = np.linspace(140.0, 160.0, 40), np.zeros(40)
    np.testing.assert_allclose(events.region(event).level(*at), regions.prepare(MAP).level(*at), atol=1e-6)
    np.testing.assert_allclose(events.region(event).distances([150.0], [2.0]).mu, 80.0, rtol=0.02)
    theirs["NonLocalizedEvent"][0].state = "RETRACTED"
    assert nonlocalized.read() == 1
    assert nonlocalized.read() == 0
    assert SkyEvent.objects.get().retracted


def test_a_sequence_that_says_nothing_is_none():
    with pytest.raises(PacketError, match="time"):
        nonlocalized.notice(row(details=None), row(details=None).sequences[0], [])
    with pytest.raises(PacketError, match="no map"):
        nonlocalized.notice(row(), row().sequences[0], [])


def test_candidates_that_are_targets_are_written_but_no_private_ones(theirs):
    theirs["NonLocalizedEvent"].append(row())
    event, _ = events.save(said())
    targets = [factories.target(f"T{i}", permissions=seen) for i, seen in enumerate(("PUBLIC", "OPEN", "PRIVATE"))]
    skies = [thing(ra=150.0 + 0.1 * i, target=target) for i, target in enumerate([*targets, None])]
    counterparts.match_event(event)
    counterparts.decide(EventCandidate.objects.get(sky_object=skies[1]), "rejected", factories.user("Ada"), "a nova")
    assert nonlocalized.write() == 2
    written = theirs["EventCandidate"].written
    assert {key: one["viable"] for key, one in written.items()} == {targets[0].pk: True, targets[1].pk: False}
    assert "rejected by Ada: a nova; at the" in written[targets[1].pk]["viability_reason"]


def test_the_command_needs_it(theirs, monkeypatch, capsys):
    call_command("alerce_notices", "--exchange")
    assert "0 versions read, 0 candidates written" in capsys.readouterr().out
    monkeypatch.setattr(nonlocalized, "installed", lambda: False)
    with pytest.raises(CommandError, match="INSTALLED_APPS"):
        call_command("alerce_notices", "--exchange")
