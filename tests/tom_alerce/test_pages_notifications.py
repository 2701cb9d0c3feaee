"""The page of notifications: what one was told and why, rules and channels, and the link that ends a rule."""

from __future__ import annotations

import pytest
from django.urls import reverse

from tests.tom_alerce import factories
from tests.tom_alerce.telling import channel, gone, happens, person, rule, service, slack, watched
from tom_alerce.models import Channel, Delivery, Rule
from tom_alerce.pipeline import messages
from tom_alerce.pipeline.deliver import deliver

pytestmark = pytest.mark.django_db
__all__ = ["service"]


@pytest.fixture
def sky(db):
    return factories.sky_object(images=False, n=1)


def url(name, *args):
    return reverse(f"tom_alerce:{name}", args=args)


def text(response):
    return response.content.decode()


def test_an_observer_makes_a_channel_and_a_rule_is_told_and_sees_why(client, observer, sky):
    watch = watched(observer, sky, name="<Mine>")
    assert client.post(url("channel-new"), {"kind": "in_app", "name": "TOM"}).status_code == 302
    made = Channel.objects.get(owner=observer)
    form = {"name": "<b>Young", "events": ["class", "rises"], "watch": watch.pk, "channels": [made.pk], "pace": "now", "quiet": ""}
    numbers = {"rise": "0.3", "brighter": "0.5", "top": "10", "per_hour": "20"}
    assert client.post(url("rule-new"), {f"new-{key}": value for key, value in (form | numbers).items()}).status_code == 302
    happens(sky)
    deliver()
    assert "1" in text(client.get(url("notifications-unread")))
    page = text(client.get(url("notifications")))
    assert "event 1" in page
    assert "&lt;b&gt;Young" in page
    assert "<b>Young" not in page
    why = text(client.get(url("notification", Delivery.objects.get().message)))
    assert "changes its class, in the list of positions &#x27;&lt;Mine&gt;&#x27;" in why
    client.post(url("notifications-read"))
    assert text(client.get(url("notifications-unread"))).strip() == ""


def test_a_rule_that_cannot_be_kept_is_refused_with_the_reason(client, observer, sky):
    made = channel(observer)
    numbers = {"rise": "0.3", "brighter": "0.5", "top": "10", "per_hour": "20", "pace": "now", "quiet": ""}
    others = watched(person("berta"), sky, name="hers")
    for fields, reason in (
        ({"events": ["class"], "channels": [made.pk]}, "choose the objects"),
        ({"events": ["top"], "channels": [made.pk]}, "choose a profile"),
        ({"events": ["drift"], "channels": []}, "Through: This field is required"),
        ({"events": [], "channels": [made.pk]}, "This field is required"),
        ({"events": ["drift"], "channels": [channel(person("carl")).pk]}, "not one of the available"),
        ({"events": ["class"], "watch": others.pk, "channels": [made.pk]}, "not one of the available"),
    ):
        answer = client.post(url("rule-new"), {f"new-{k}": v for k, v in ({"name": "x"} | numbers | fields).items()}, follow=True)
        assert reason in text(answer)
    assert not Rule.objects.exists()


def test_nobody_sees_or_changes_what_is_anothers(client, observer, sky, service):
    berta = person("berta")
    through = slack(berta)
    theirs = rule(berta, through, watch=watched(berta, sky))
    happens(sky)
    deliver()
    assert "event 1" not in text(client.get(url("notifications")))
    for name in ("channel-save", "channel-test", "channel-switch", "channel-remove"):
        assert client.post(url(name, through.pk)).status_code == 404
    for name in ("rule-save", "rule-switch", "rule-remove"):
        assert client.post(url(name, theirs.pk)).status_code == 404
    assert client.get(url("notification", Delivery.objects.get().message or "0")).status_code == 404


def test_no_secret_is_on_the_page_and_what_one_may_not_see_any_more_is_hidden(client, observer):
    slack(observer)
    sky = factories.sky_object(images=False, n=1, target=factories.target(permissions="PRIVATE"))
    request = factories.request(sky, user=observer)
    rule(observer, channel(observer), events=["request"])
    happens(sky, event="request", request=request)
    deliver()
    assert "event 1" in text(client.get(url("notifications")))
    request.user = None
    request.save()
    page = text(client.get(url("notifications"))) + text(client.get(url("notification", Delivery.objects.get().message)))
    assert "event 1" not in page
    assert "may not see any more" in page
    assert "secret-secret" not in page


def test_many_rules_cost_no_more_queries_than_few(client, observer, sky, django_assert_max_num_queries):
    through, watch = channel(observer), watched(observer, sky)
    for i in range(12):
        rule(observer, through, name=f"r{i}", watch=watch)
        happens(sky, str(i))
    deliver()
    with django_assert_max_num_queries(32):
        page = text(client.get(url("notifications")))
    assert page.count("<summary>Change</summary>") == 13


def test_switching_and_removing(client, observer):
    through = channel(observer)
    one = rule(observer, through, events=["drift"])
    client.post(url("rule-switch", one.pk), {"active": "0"})
    client.post(url("channel-switch", through.pk), {"active": "0"})
    assert not Rule.objects.get().active
    assert not Channel.objects.get().active
    client.post(url("rule-remove", one.pk))
    client.post(url("channel-remove", through.pk))
    assert not Rule.objects.exists()
    assert not Channel.objects.exists()


def test_a_test_that_does_not_arrive_says_why(client, observer, service):
    through = slack(observer)
    service.error = gone()
    answer = client.post(url("channel-test", through.pk), follow=True)
    assert "Slack: HTTP 500" in text(answer)
    assert "secret-secret" not in text(answer)
    assert Channel.objects.get().problem
    assert "has taken the test" in text(client.post(url("channel-test", channel(observer).pk), follow=True))


def test_the_link_of_a_message_ends_its_rule_without_logging_in_and_nothing_else(client, sky, django_user_model):
    ada = person("ada")
    one, two = channel(ada, "one"), channel(ada, "two")
    mine = rule(ada, one, two, watch=watched(ada, sky))
    link = url("unsubscribe", messages.token(mine.pk, one.pk))
    assert "Yes, end it" in text(client.get(link))
    assert mine.channels.count() == 2
    assert client.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert list(mine.channels.all()) == [two]
    assert Rule.objects.get().active
    client.post(url("unsubscribe", messages.token(mine.pk, two.pk)))
    assert not Rule.objects.get().active


@pytest.mark.parametrize("token", ["x", "a:b:c", "9" * 500, "WzEsMV0:1:x"])
def test_a_link_that_is_none_of_ours_ends_nothing(client, token):
    assert client.post(url("unsubscribe", token)).status_code == 404
