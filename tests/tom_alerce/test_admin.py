"""Every table can be looked at in the admin, and none can be edited."""

import pytest
from django.apps import apps
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from broker_adapters.errors import PacketError
from broker_adapters.records import BrokerLabel
from tests.tom_alerce import factories
from tests.tom_alerce.alerts import alert
from tom_alerce.models import (
    Attachment,
    Channel,
    Delivery,
    Drift,
    Event,
    EventCandidate,
    EventVersion,
    Explanation,
    FacilityKey,
    FilterMatch,
    FilterVersion,
    FollowupRequest,
    Halt,
    HostChoice,
    Label,
    Mark,
    MatchCandidate,
    Mention,
    Outlook,
    Override,
    PassedAlert,
    Profile,
    Rank,
    Ranking,
    RequestEvent,
    Rule,
    SavedFilter,
    Scan,
    Seen,
    Series,
    SkyCell,
    SkyEvent,
    SkyObject,
    Stamps,
    SurveyObject,
    Tag,
    TnsName,
    TnsObject,
    Traits,
    Trigger,
    TriggerEntry,
    View,
    Watch,
    WatchEntry,
    WatchMatch,
    WithdrawnMeasurement,
)
from tom_alerce.store import alerts, awaited, beats, dead_letters, disk, incidents, poll_tasks, watermarks
from tom_alerce.store.symptoms import Symptom

MODELS = list(apps.get_app_config("tom_alerce").get_models())


@pytest.fixture
def admin(client, db):
    client.force_login(User.objects.create_superuser("boss"))
    alerts.save([alert(labels=(BrokerLabel("alerce", "lc", "1", "SN", 0.9),))])
    sky = SkyObject.objects.get()
    ranking = Ranking.objects.create(site="x", night="2026-11-22", now=61000.0, weights={})
    Rank.objects.create(ranking=ranking, sky_object=sky, place=1, score=0.5, hours=1.0)
    MatchCandidate.objects.create(survey_object=SurveyObject.objects.get(), sky_object=sky, separation=1.0)
    request = FollowupRequest.objects.create(key="k", sky_object=sky, facility="LCO", payload={})
    RequestEvent.objects.create(request=request, after="draft", reason="<script>alert(1)</script>")
    Override.objects.create(request=request, token=request.token, guard="moon", reason="<script>alert(1)</script>")
    FacilityKey.objects.create(user=User.objects.get(username="boss"), facility="LCO", secret="t0ps3cret")
    Series.objects.create(every=1.0, most=2, until=timezone.now(), message="<script>alert(1)</script>")
    trigger = Trigger.objects.create(name="<script>alert(1)</script>", facility="lco")
    TriggerEntry.objects.create(trigger=trigger, sky_object=sky, night="2026-11-22", score=0.9, outcome="stopped")
    Halt.objects.create(reason="<script>alert(1)</script>")
    Mark.objects.create(kind="note", sky_object=sky, text="<script>alert(1)</script>")
    Profile.objects.create(name="<script>alert(1)</script>", version=1, body="{}")
    Outlook.objects.create(sky_object=sky, evidence="e", version="1")
    named = TnsObject.objects.create(
        objid=1, prefix="SN", name="2026abc", ra=1.0, dec=2.0, healpix=0, type="<script>alert(1)</script>", digest=1
    )
    TnsName.objects.create(name="<script>alert(1)</script>", tns_object=named)
    SkyCell.objects.create(catalogue="gaia", healpix=0, rows=b"npy", fetched=timezone.now())
    HostChoice.objects.create(sky_object=sky, galaxy="<script>alert(1)</script>")
    dead_letters.save([dead_letters.Refused.of("topic", "1:2", b"x", PacketError("<script>alert(1)</script>"))])
    awaited.save([awaited.Named("lsst", "1", "topic", "<script>alert(1)</script>")])
    watermarks.advance("alerce ztf", 61000.0)
    poll_tasks.add([poll_tasks.Wanted("fetch", "alerce", "ztf", "<script>alert(1)</script>")])
    PassedAlert.objects.create(survey="ztf", object_id="<script>alert(1)</script>", mjd=61000.0, ra=1.0, dec=2.0, healpix=0)
    WithdrawnMeasurement.objects.create(survey_object=SurveyObject.objects.get(), source_id="1")
    factories.stream("night", problem="<script>alert(1)</script>")
    beats.ran("alerce_rank", timezone.now(), "<script>alert(1)</script>")
    disk.measure()
    incidents.note([Symptom("letters", "<script>alert(1)</script>")])
    watch = Watch.objects.create(name="<script>alert(1)</script>")
    entry = WatchEntry.objects.create(watch=watch, name="<script>alert(1)</script>", ra=1.0, dec=2.0)
    WatchMatch.objects.create(watch=watch, entry=entry, sky_object=sky)
    event = Event.objects.create(event="new", key="1", title="<script>alert(1)</script>", sky_object=sky)
    owner = {"owner": User.objects.get(username="boss"), "name": "<script>alert(1)</script>"}
    channel = Channel.objects.create(kind="slack", address={"to": "nobody-sees"}, secret="nobody-sees", **owner)
    rule = Rule.objects.create(events=["new"], **owner)
    Delivery.objects.create(event=event, rule=rule, channel=channel, why="new", due=timezone.now())
    Traits.objects.create(sky_object=sky, mjd=61000.0, evidence="e", classes={"<script>alert(1)</script>": 1.0})
    kept = SavedFilter.objects.create(name="<script>alert(1)</script>", owner=owner["owner"])
    FilterVersion.objects.create(saved=kept, version=1, body={"field": "<script>alert(1)</script>"})
    FilterMatch.objects.create(saved=kept, version=1, sky_object=sky, mjd=61000.0)
    heard = SkyEvent.objects.create(name="<script>alert(1)</script>", messenger="neutrino", role="observation")
    EventVersion.objects.create(event=heard, digest="d", stage="<script>alert(1)</script>", issued=61000.0)
    EventCandidate.objects.create(event=heard, sky_object=sky, level=0.5, delay=1.0, text="<script>alert(1)</script>")
    Drift.objects.create(classifier="stamp", version="1", night="2026-11-22", n=50, classes={"SN": 1.0}, psi={"fwhm": 0.3})
    seen = {"classifier": "stamp", "version": "1", "label": "SN", "probability": 0.9, "weights": b"map"}
    Seen.objects.create(user=User.objects.first(), sky_object=sky, evidence="<script>alert(1)</script>")
    Label.objects.create(sky_object=sky, label="<script>alert(1)</script>")
    Tag.objects.create(sky_object=sky, name="<script>alert(1)</script>")
    Mention.objects.create(mark=Mark.objects.first(), user=User.objects.first())
    Attachment.objects.create(sky_object=sky, name="<script>alert(1)</script>", content=b"x", size=1)
    Scan.objects.create(sky_object=sky, profile="<script>alert(1)</script>", night="2026-11-28", expires=timezone.now())
    View.objects.create(owner=User.objects.first(), name="<script>alert(1)</script>")
    Explanation.objects.create(stamps=Stamps.objects.first(), source_id="1", **seen)
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.__name__)
def test_list_and_page(admin, model):
    name = f"admin:tom_alerce_{model._meta.model_name}"
    searchable = bool(site.get_model_admin(model).search_fields)
    listed = admin.get(reverse(f"{name}_changelist"), {"q": "a"} if searchable else {})
    assert listed.status_code == 200
    assert b"<script>alert(1)" not in listed.content
    row = model.objects.first()
    page = admin.get(reverse(f"{name}_change", args=[row.pk]))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    assert b"nobody-sees" not in listed.content + page.content
    # the toolkit turns "forbidden" into a redirect with a message
    assert admin.post(reverse(f"{name}_change", args=[row.pk]), {}).status_code in (302, 403)
    assert admin.get(reverse(f"{name}_add")).status_code in (302, 403)
