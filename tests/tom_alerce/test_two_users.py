"""Two ordinary users of a TOM with the toolkit's default settings: what one does takes nothing from the other, and tells no secret."""

from __future__ import annotations

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from tom_targets.models import Target

from tests.tom_alerce import factories
from tests.tom_alerce.answers import refused
from tom_alerce import conf, visible
from tom_alerce.clock import now as now_mjd
from tom_alerce.models import FollowupRequest, Rank, SkyObject
from tom_alerce.pages import summaries
from tom_alerce.store import targets

pytestmark = pytest.mark.django_db

SECRET = "Our best kept secret"


def url(page, *args):
    return reverse(f"tom_alerce:{page}", args=args)


@pytest.fixture
def site(settings):
    """A site where the Sun has just set, and a facility that needs no network; targets are private, and no group is named."""
    evening = 15.0 * (20.0 - (now_mjd() % 1.0) * 24.0)
    settings.TARGET_DEFAULT_PERMISSION = "PRIVATE"
    settings.TOM_ALERCE = {
        "SITE": {"name": "Here", "latitude": 30.0, "longitude": (evening + 180.0) % 360.0 - 180.0, "elevation": 0.0},
        "LIMITS": {"moon_separation": 0.0, "max_airmass": 2.9},
        "FACILITY": {"name": "fake", "threshold": 0.0},
    }
    return settings


@pytest.fixture
def two(site):
    """Clients of two observers."""
    clients = []
    for name in ("ada", "berta"):
        user = factories.user(name)
        factories.roles(user, "decide", "request")
        clients.append(Client())
        clients[-1].force_login(user)
        clients[-1].user = user
    return clients


@pytest.fixture
def board(two):
    """Ranked objects that can be observed: their keys."""
    ranking = factories.ranking("Here")
    skies = [
        factories.sky_object(ra=20.0 * i, dec=80.0, surveys=("ztf", "lsst"), peak=2e6, images=i == 0, rng=np.random.default_rng(i))
        for i in range(4)
    ]
    for i, sky in enumerate(skies):
        factories.rank(ranking, sky, i + 1)
        factories.classification(sky)
    return [sky.pk for sky in skies]


def seen(client):
    """Keys of the objects that the board, the API and the pages of objects show."""
    rows = client.get(url("board")).context["rows"]
    listed = client.get(reverse("api:alerce-objects-list")).json()["results"]
    ranked = client.get(reverse("api:alerce-ranks-list"), {"latest": "true"}).json()["results"]
    on_board = {row.sky.pk for row in rows}
    assert on_board == {int(one["id"]) for one in listed} == {int(one["sky_object"]) for one in ranked}
    assert all(client.get(url("object", pk)).status_code == 200 for pk in on_board)
    return on_board


def test_promoting_takes_nothing_from_anybody(two, board):
    ada, berta = two
    before = seen(berta)
    for pk in board[:3]:
        ada.post(url("promote", pk))
    assert Target.objects.filter(permissions="PRIVATE").count() == 3
    assert seen(berta) == seen(ada) == before == set(board)


def test_a_dry_run_takes_nothing_from_anybody_and_its_target_is_the_persons(two, board):
    ada, berta = two
    ada.post(url("dry-run", board[0]))
    (row,) = FollowupRequest.objects.all()
    assert (row.state, row.user) == ("validated", ada.user), row.message
    assert set(visible.targets(ada.user)) == {row.target}
    assert not visible.targets(berta.user).exists()
    assert seen(berta) == set(board)
    assert "validated" in ada.get(url("object", board[0])).content.decode()
    assert "validated" not in berta.get(url("object", board[0])).content.decode()


def test_nothing_tells_the_name_of_a_private_target(two, board):
    ada, berta = two
    ada.post(url("promote", board[0]))
    sky = SkyObject.objects.get(pk=board[0])
    target = Target.objects.get(pk=sky.target_id)
    target.name = SECRET
    target.save()
    other = factories.sky_object(ra=0.0, dec=80.0003, images=False)
    factories.candidate(other.survey_objects.get(), sky)
    pages = [
        url("board"),
        url("review"),
        url("drift"),
        url("object", sky.pk),
        url("object", other.pk),
        *(reverse(f"api:alerce-{kind}-list") for kind in ("objects", "classifications", "ranks")),
        reverse("api:alerce-objects-detail", args=[sky.pk]),
        reverse("api:alerce-objects-light-curve", args=[sky.pk]),
        reverse("api:alerce-objects-statistics", args=[sky.pk]),
    ]
    for page in pages:
        for accept in ("text/html", "application/json"):
            theirs, own = (client.get(page, headers={"Accept": accept}) for client in (berta, ada))
            assert theirs.status_code == own.status_code == 200, page
            assert SECRET not in theirs.content.decode(), page
            assert f"/targets/{target.pk}/" not in theirs.content.decode(), page
    assert SECRET in ada.get(url("board")).content.decode()
    assert SECRET in ada.get(url("review")).content.decode()
    assert SECRET in ada.get(reverse("api:alerce-ranks-list")).content.decode()
    for client, n in ((ada, 1), (berta, 0)):
        assert len(client.get(reverse("api:alerce-objects-list"), {"query": SECRET}).json()["results"]) == n
        assert len(client.get(reverse("api:alerce-objects-list"), {"target": target.pk}).json()["results"]) == n
        assert len(client.get(url("board"), {"query": SECRET}).context["rows"]) == n
    assert berta.get(url("target", target.pk)).status_code == 404


def test_what_nobody_asked_about_has_the_surveys_name(two, board):
    """Code that forgets the reader cannot tell the target's name."""
    sky = SkyObject.objects.get(pk=board[0])
    target = targets.promote(sky, two[0].user)
    Target.objects.filter(pk=target.pk).update(name=SECRET)
    fresh = SkyObject.objects.get(pk=sky.pk)
    assert SECRET not in f"{fresh} {fresh.name} {Rank.objects.select_related('sky_object__target').first()}"
    summaries.summarise([fresh], two[1].user)
    assert fresh.name != SECRET
    visible.reveal(None, [again := SkyObject.objects.get(pk=sky.pk)])
    assert again.name == SECRET


def test_stamps_of_a_private_targets_object_stay_in_sight(two, board):
    ada, berta = two
    ada.post(url("promote", board[0]))
    stamps = SkyObject.objects.get(pk=board[0]).survey_objects.first().stamps.first()
    assert berta.get(url("stamps", stamps.pk)).status_code == 200


def test_the_other_changes_nothing_of_it(two, board):
    ada, berta = two
    ada.post(url("promote", board[0]))
    sky = SkyObject.objects.get(pk=board[0])
    member, free = sky.survey_objects.first(), SkyObject.objects.get(pk=board[1])
    for action, pk, data in (
        ("promote", sky.pk, {}),
        ("dry-run", sky.pk, {}),
        ("unlink", member.pk, {}),
        ("link", sky.pk, {"name": str(free.survey_objects.first())}),
        ("link", free.pk, {"name": str(member)}),
    ):
        assert "a target of others" in refused(berta.post(url(action, pk), data))
    assert set(sky.survey_objects.all()) == set(SkyObject.objects.get(pk=sky.pk).survey_objects.all())
    assert sky.survey_objects.count() == 2
    ada.post(url("unlink", member.pk))
    assert sky.survey_objects.count() == 1


@pytest.mark.parametrize("refused_by", ["our own check", "the facility's form", "the sky"])
def test_a_dry_run_that_is_refused_makes_no_target(two, board, site, refused_by, monkeypatch):
    pk = board[0]
    if refused_by == "our own check":
        site.TOM_ALERCE = site.TOM_ALERCE | {"FACILITY": {"name": "fake", "program": ""}}
    elif refused_by == "the facility's form":
        monkeypatch.setattr("demo.facility.FakeForm.is_valid", lambda self: self.add_error(None, "no time left") or False)
    else:
        SkyObject.objects.filter(pk=pk).update(dec=-80.0)
    two[0].post(url("dry-run", pk))
    assert not Target.objects.exists()
    sky = SkyObject.objects.get(pk=pk)
    assert (sky.target_id, sky.promoted) == (None, False)
    if refused_by == "the sky":
        assert not FollowupRequest.objects.exists()
        return
    row = FollowupRequest.objects.get()
    assert (row.state, row.target, row.user) == ("invalid", None, two[0].user)
    assert row.message in two[0].get(url("object", pk)).content.decode()
    monkeypatch.undo()
    site.TOM_ALERCE = site.TOM_ALERCE | {"FACILITY": {"name": "fake"}}
    two[0].post(url("dry-run", pk))
    row.refresh_from_db()
    assert (row.state, row.target) == ("validated", SkyObject.objects.get(pk=pk).target)


def test_a_refused_request_leaves_a_target_that_was_there_before(two, board, site):
    ada = two[0]
    ada.post(url("promote", board[0]))
    site.TOM_ALERCE = site.TOM_ALERCE | {"FACILITY": {"name": "fake", "program": ""}}
    ada.post(url("dry-run", board[0]))
    assert FollowupRequest.objects.get().state == "invalid"
    assert Target.objects.count() == 1


def test_from_the_shell_somebody_must_see_the_targets(two, board, site):
    with pytest.raises(CommandError, match="nobody would see the targets"):
        call_command("alerce_submit", "--dry-run")
    assert not Target.objects.exists()
    call_command("alerce_submit", "--dry-run", "--top", "1", "--user", "berta")
    assert FollowupRequest.objects.get().user == two[1].user
    assert visible.targets(two[1].user).count() == Target.objects.count() == 1
    assert not visible.targets(two[0].user).exists()


@pytest.mark.parametrize(("action", "role"), [("promote", "decide"), ("link", "decide"), ("dry-run", "request"), ("explain", "decide")])
def test_an_account_without_a_role_looks_and_is_told_which_role_it_needs(site, board, client, action, role):
    client.force_login(factories.user("guest"))
    page = client.get(url("object", board[0]))
    assert page.status_code == 200
    for button in ("Make it a target", "Dry run of a request", "Link another"):
        assert button not in page.content.decode()
    assert f"the role '{role}' ({conf.ROLES[role]})" in refused(client.post(url(action, board[0]), {"name": "x"}))
    assert not Target.objects.exists()


def test_without_the_role_view_there_is_nothing_to_see(site, board, client):
    site.TOM_ALERCE = site.TOM_ALERCE | {"EVERYBODY": ()}
    user = factories.user("guest")
    client.force_login(user)
    stamps = SkyObject.objects.get(pk=board[0]).survey_objects.first().stamps.first()
    etag = None
    for page in (url("board"), url("review"), url("drift"), url("object", board[0]), url("stamps", stamps.pk)):
        assert client.get(page).status_code != 200
    factories.roles(user, "view_board")
    answer = client.get(url("stamps", stamps.pk))
    etag = answer.headers["ETag"]
    assert client.get(url("stamps", stamps.pk), headers={"If-None-Match": etag}).status_code == 304
    user.user_permissions.clear()
    guessed = client.get(url("stamps", stamps.pk), headers={"If-None-Match": etag})
    assert guessed.status_code not in (200, 304)
