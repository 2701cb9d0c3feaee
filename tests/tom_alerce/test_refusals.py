"""Who lacks a role reads which one, on a page with status 403, in a TOM with the middleware that the toolkit gives it."""

from __future__ import annotations

import pytest
from django.conf import settings as django
from django.contrib.auth.models import Permission
from django.urls import reverse

from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tom_alerce import urls
from tom_alerce.checks import check_refusals
from tom_alerce.models import FollowupRequest, Halt, Mark, SkyObject, Trigger

pytestmark = pytest.mark.django_db
OURS, THEIRS = "tom_alerce.pages.refusals.RefusalMiddleware", "tom_common.middleware.Raise403Middleware"

#: Every POST of ours, by the role that it takes; '' for those that take none but ``view``.
POSTS = {
    "decide": (
        "promote",
        "place",
        "link",
        "unlink",
        "accept",
        "dismiss",
        "explain",
        "mark",
        "host",
        "host-undo",
        "event-decide",
        "attach",
        "label",
        "tag",
        "filter-switch",
        "hunter-next",
        "hunter-decide",
    ),
    "request": (
        *("dry-run", "apply", "requests-plan", "request-save", "request-check", "request-ask", "request-cancel", "request-reopen"),
        *("night-requests", "triggers-stop", "series-begin", "series-stop", "keys-save"),
    ),
    "approve": ("request-approve",),
    "send": ("request-send",),
    "override": ("request-override",),
    "configure": (
        *("trigger-new", "trigger-save", "trigger-switch", "triggers-release"),
        *("profile-import", "profile-save", "profile-use", "profile-retire", "unmark"),
    ),
    "": (
        *("bulk-confirm", "profile-order", "profile-caught", "theme", "unsubscribe", "notifications-read"),
        *("board-bulk", "view-save", "view-delete", "look", "unlabel", "event-watch"),
        *("filter-save", "filter-try", "filter-share", "filter-delete"),
        *("watch-new", "watch-save", "watch-switch", "watch-remove"),
        *("rule-new", "rule-save", "rule-switch", "rule-remove"),
        *("channel-new", "channel-save", "channel-test", "channel-switch", "channel-remove"),
    ),
}
ROLE = {name: role for role, names in POSTS.items() for name in names}
GETS = (
    *("board", "object", "night", "night-table", "night-calendar", "requests", "bulk", "request", "request-portal", "triggers", "yield"),
    *(
        "scoreboard",
        "events",
        "event",
        "event-region",
        "compare",
        "later",
        "rank-more",
        "sites",
        "views",
        "api",
        "api-schema",
        "health",
        "health-json",
        "metrics",
        "ready",
    ),
    *("profiles", "profile", "profile-export", "drift", "review", "target", "stamps", "explanation", "plotly"),
    *("attachment", "everything", "figures", "explorer", "explorer-file", "filter", "filters", "keys", "mentions"),
    *("hunter", "hunter-report", "hunt"),
    *("notifications", "notifications-unread", "notification", "watches", "watch", "watch-export"),
)

#: Those for viewers alone: colours and a script are for everybody, probes and those who collect metrics have no account, and who has
#: the link of a message may end its rule.
EVERY = sorted({*GETS, *ROLE} - {"theme", "plotly", "ready", "metrics", "unsubscribe"})


@pytest.fixture
def rows(settings):
    """One row of each kind, by what the addresses are named for, seen by everybody."""
    settings.TOM_ALERCE = {"FACILITY": {"name": "fake"}}
    sky, other = (factories.sky_object(surveys=("ztf", "lsst"), target=factories.target(f"T {i}"), images=i == 0) for i in range(2))
    row = factories.request(sky, "draft", facility="Fake")
    trigger = Trigger.objects.create(name="young", facility="fake")
    mark = Mark.objects.create(sky_object=sky, kind="pin", author=factories.user("ada"))
    member = sky.survey_objects.first()
    return {
        **dict.fromkeys(
            (
                "promote",
                "place",
                "link",
                "dry-run",
                "apply",
                "explain",
                "mark",
                "host",
                "host-undo",
                "object",
                "attach",
                "label",
                "tag",
                "look",
                "everything",
                "figures",
            ),
            sky.pk,
        ),
        **{"unlink": member.pk, "unmark": mark.pk, "target": sky.target_id, "stamps": member.stamps.first().pk},
        **dict.fromkeys(("accept", "dismiss"), factories.candidate(other.survey_objects.first(), sky).pk),
        **{name: row.pk for name in (*ROLE, *GETS) if name == "request" or name.startswith(("request-", "series-"))},
        **{name: trigger.pk for name in ROLE if name in ("trigger-save", "trigger-switch")},
        **{name: "default" for name in (*ROLE, *GETS) if name.startswith("profile") and name not in ("profiles", "profile-import")},
        **{"explanation": 1, "plotly": "1", "notification": "0", "unsubscribe": "0"},
        **dict.fromkeys(
            ("watch", "watch-export", "view-delete", "event", "event-region", "event-decide", "event-watch", "attachment", "unlabel"), 1
        ),
        "explorer-file": "csv",
        **dict.fromkeys(("hunt", "hunter-decide"), 1),
        "rank-more": factories.rank(factories.ranking(), sky).pk,
        **{
            name: 1
            for name in (*ROLE, *GETS)
            if name.startswith(("rule-", "channel-", "watch-", "filter"))
            and not name.endswith(("-new", "filters", "filter-save", "watch-export"))
        },
    }


def address(name, rows):
    return reverse(f"tom_alerce:{name}", args=[rows[name]] if name in rows else [])


def ask(client, name, rows):
    return client.get(address(name, rows)) if name in GETS else client.post(address(name, rows))


def stored():
    state = list(FollowupRequest.objects.values_list("state", "modified", "payload"))
    tables = (Mark, Halt, Trigger, SkyObject)
    return state, [list(table.objects.order_by("pk").values()) for table in tables]


def test_every_page_is_in_one_of_the_lists():
    assert {one.name for one in urls.urlpatterns} == {*ROLE, *GETS}


@pytest.mark.parametrize("role", [role for role in POSTS if role])
def test_who_lacks_the_role_of_an_action_reads_which_one_and_nothing_is_stored(client, rows, role):
    assert THEIRS in django.MIDDLEWARE
    user = factories.user("guest")
    factories.roles(user, *(one for one in POSTS if one not in (role, "")))
    user.user_permissions.add(*Permission.objects.filter(codename="change_target"))
    client.force_login(user)
    before = stored()
    for name in POSTS[role]:
        answer = client.post(address(name, rows), {"guard": "moon", "reason": "x", "mode": "rehearse", "kind": "pin", "name": "x"})
        assert f"'{role}'" in refused(answer), name
        assert f"{role} missing" in answer.content.decode()
        assert not answer.wsgi_request._messages
        assert stored() == before, name


@pytest.mark.parametrize("do", ["ask", "approve", "send", "check"])
def test_nor_is_anything_of_many(client, rows, do):
    client.force_login(factories.user("guest"))
    before = stored()
    reason = refused(client.post(address("bulk-confirm", rows), {"do": do, "pk": rows["request"]}))
    assert "has not the role" in reason
    assert stored() == before


def test_without_the_role_view_every_page_says_so_and_tells_nothing(client, rows, settings):
    settings.TOM_ALERCE = {**settings.TOM_ALERCE, "EVERYBODY": ()}
    Halt.objects.create(reason="a secret reason")
    client.force_login(factories.user("guest"))
    for name in EVERY:
        answer = ask(client, name, rows)
        assert "may not see the alerts" in refused(answer), name
        assert "a secret reason" not in answer.content.decode(), name


def test_a_stranger_is_sent_to_the_log_in(client, rows):
    for name in EVERY:
        assert ask(client, name, rows).url.startswith("/accounts/login/"), name


def test_what_is_said_is_text(client, rows):
    client.force_login(factories.user("guest"))
    Mark.objects.update(author=factories.user("<script>alert(1)</script>"))
    answer = client.post(address("unmark", rows))
    assert "<script>alert(1)" in refused(answer)
    assert "<script>alert(1)" not in answer.content.decode()


def test_pages_of_others_are_refused_as_the_toolkit_does(client):
    client.force_login(factories.user("guest"))
    answer = client.get(reverse("user-create"))
    assert (answer.status_code, answer.url.startswith("/accounts/login/")) == (302, True)


@pytest.mark.parametrize(("order", "found"), [([OURS, THEIRS], 0), ([THEIRS, OURS], 1), ([THEIRS], 1), ([OURS], 0), ([], 0)])
def test_a_tom_is_told_where_the_middleware_goes(settings, order, found):
    settings.MIDDLEWARE = order
    assert [message.id for message in check_refusals()] == ["tom_alerce.W007"] * found
