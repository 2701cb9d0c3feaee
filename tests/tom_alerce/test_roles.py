"""Roles: the groups, and what links of distant objects take."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.urls import reverse

from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tom_alerce import conf, visible
from tom_alerce.models import MatchCandidate, SkyObject

pytestmark = pytest.mark.django_db


def url(page, *args):
    return reverse(f"tom_alerce:{page}", args=args)


def roles(*options):
    out = StringIO()
    call_command("alerce_roles", *options, stdout=out)
    return out.getvalue()


def test_the_groups_are_made_once_and_keep_what_was_added(settings):
    settings.TOM_ALERCE = {}
    user = factories.user("ada")
    assert [role for role in conf.ROLES if visible.may(user, role)] == ["view"]
    roles()
    extra = factories.user("berta")
    Group.objects.get(name="ALeRCE observers").user_set.add(extra)
    text = roles("--add", "coordinators", "ada")
    assert Group.objects.filter(name__startswith="ALeRCE").count() == 4
    assert "ALeRCE observers (view, decide, request): berta" in text
    ada, berta = User.objects.get(username="ada"), User.objects.get(username="berta")
    assert [role for role in conf.ROLES if visible.may(ada, role)] == [
        "view",
        "decide",
        "link_far",
        "request",
        "approve",
        "send",
        "override",
    ]
    assert [role for role in conf.ROLES if visible.may(berta, role)] == ["view", "decide", "request"]


@pytest.mark.parametrize("options", [("--add", "observers", "nobody"), ("--add", "kings", "ada")])
def test_an_unknown_user_or_group_changes_nothing(options):
    factories.user("ada")
    with pytest.raises(CommandError):
        roles(*options)
    assert not Group.objects.filter(name__startswith="ALeRCE").exists()


def test_the_setting_gives_roles_to_every_account_and_to_no_stranger(settings):
    from django.contrib.auth.models import AnonymousUser

    user = factories.user()
    settings.TOM_ALERCE = {"EVERYBODY": ("view", "decide")}
    assert visible.may(user, "decide")
    assert not visible.may(user, "request")
    assert not visible.may(AnonymousUser(), "view")


def test_dead_letters_are_for_the_role_configure(client):
    user = factories.user()
    client.force_login(user)
    factories.dead_letter(reason="truncated")
    assert "truncated" not in client.get(url("review")).content.decode()
    factories.roles(user, "configure")
    assert "truncated" in client.get(url("review")).content.decode()


def near(arcseconds):
    """Two objects that far apart: the sky object, and the name of the other's member."""
    here, there = factories.sky_object(images=False), factories.sky_object(dec=2.0 + arcseconds / 3600, surveys=("lsst",), images=False)
    return here, there.survey_objects.get()


def test_a_link_within_the_radius_is_made_at_once(client, observer):
    here, member = near(0.8)
    client.post(url("link", here.pk), {"name": str(member)})
    assert here.survey_objects.count() == 2


def test_a_link_beyond_the_radius_asks_first(client, observer):
    here, member = near(6.0)
    page = client.post(url("link", here.pk), {"name": str(member)})
    assert page.status_code == 200
    assert "6.0″ away" in page.content.decode()
    assert here.survey_objects.count() == 1
    client.post(url("link", here.pk), {"name": str(member), "confirmed": "yes"})
    assert here.survey_objects.count() == 2


def test_a_link_of_far_objects_takes_a_role(client, observer):
    here, member = near(15.0)
    candidate = factories.candidate(member, here, 15.0)
    for answer in (
        client.post(url("link", here.pk), {"name": str(member), "confirmed": "yes"}),
        client.post(url("accept", candidate.pk)),
    ):
        assert "takes the role 'link_far' (tom_alerce.link_far)" in refused(answer)
    assert here.survey_objects.count() == 1
    factories.roles(observer, "link_far")
    client.post(url("link", here.pk), {"name": str(member), "confirmed": "yes"})
    assert here.survey_objects.count() == 2


def test_the_pages_of_both_objects_say_who_linked_what_and_when(client, observer):
    here, member = near(0.8)
    there = member.sky_object
    other = factories.sky_object(dec=2.0 + 1.0 / 3600, surveys=("atlas",), images=False).survey_objects.get()
    client.post(url("link", there.pk), {"name": str(other)})
    client.post(url("link", here.pk), {"name": str(member)})
    member.refresh_from_db()
    assert (member.sky_object, member.decided_by) == (here, observer)
    assert member.decided_at is not None
    left = MatchCandidate.objects.get(survey_object=member, sky_object=there)
    assert (left.decided, left.decided_by) == (True, observer)
    stamp = f"{member.decided_at:%Y-%m-%d %H:%M}"
    for pk, verdict in ((here.pk, "(observer"), (there.pk, "is not")):
        text = client.get(url("object", pk)).content.decode()
        assert "observer" in text
        assert stamp in text
        assert verdict in text


def test_a_later_decision_leaves_earlier_ones_to_who_made_them(client, observer):
    here, member = near(0.8)
    third = factories.sky_object(dec=2.0 + 0.4 / 3600, images=False)
    judge = factories.user("judge")
    dismissed = factories.candidate(member, third)
    dismissed.decided, dismissed.decided_by = True, judge
    dismissed.save()
    client.post(url("link", here.pk), {"name": str(member)})
    dismissed.refresh_from_db()
    assert dismissed.decided_by == judge
    assert SkyObject.objects.filter(pk=third.pk).exists()
