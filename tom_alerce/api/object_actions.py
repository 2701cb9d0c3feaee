"""What a person does with one sky object: promote it, link and unlink its members, say its host, have it explained."""

from __future__ import annotations

from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from tom_alerce import tasks
from tom_alerce.api.base import Done, Endpoint, Strict, changeable, documented
from tom_alerce.models import SkyObject, SurveyObject
from tom_alerce.pages.actions import near_enough
from tom_alerce.requests.rights import require
from tom_alerce.store import hosts, linking, tags, targets
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text


class MemberSerializer(Strict):
    """Which survey object."""

    name = serializers.CharField(max_length=100, help_text="as the survey calls it")
    confirmed = serializers.BooleanField(default=False, help_text="link it although it is farther away than the radius of its survey")


class TagSerializer(Strict):
    """Which word."""

    name = serializers.CharField(max_length=40)


class HostSerializer(Strict):
    """Which galaxy is the host."""

    galaxy = serializers.CharField(allow_blank=True, max_length=64, help_text="its name in the catalogues; empty for none of them")
    text = serializers.CharField(required=False, allow_blank=True, max_length=hosts.LONGEST, help_text="why")


class ObjectActions(Endpoint):
    """Addresses below that of one object that take a POST."""

    @documented(request=None, responses=Done)
    @action(detail=True, methods=["post"])
    def promote(self, request: Request, pk: str | None = None) -> Response:
        """Make the object a target of the TOM, or link it to its existing target (role ``decide``)."""
        sky_object = self._mine()
        return _done(f"{targets.promote(sky_object, request.user).name} is a target now.")

    @documented(request=None, responses=Done)
    @action(detail=True, methods=["post"])
    def place(self, request: Request, pk: str | None = None) -> Response:
        """Put the target of the object at the object's best place, and let it follow that (role ``decide``)."""
        sky_object = self._mine()
        if sky_object.target is None:
            raise StoreError(f"{sky_object} is no target")
        targets.place(sky_object.target, sky_object)
        return _done(f"{sky_object.target.name} is at the best place now.")

    @documented(request=MemberSerializer, responses=Done)
    @action(detail=True, methods=["post"])
    def link(self, request: Request, pk: str | None = None) -> Response:
        """Link a survey object to this object (role ``decide``, and ``link_far`` beyond 10 arcseconds)."""
        sky_object, given = self._mine(), self.given(MemberSerializer, request)
        member = _member(given["name"])
        changeable(request.user, sky_object, member.sky_object)
        apart, radius = near_enough(request.user, member, sky_object)
        if apart > radius and not given["confirmed"]:
            raise StoreError(f"{member} is {apart:.1f} arcsec away, and its survey's radius is {radius:g}: say 'confirmed' if you mean it")
        linking.link(member, sky_object, request.user)
        return _done(f"{member} is part of this object now.")

    @documented(request=MemberSerializer, responses=Done)
    @action(detail=True, methods=["post"])
    def unlink(self, request: Request, pk: str | None = None) -> Response:
        """Give a member of this object a sky object of its own (role ``decide``)."""
        sky_object = self._mine()
        member = _member(self.given(MemberSerializer, request)["name"])
        if member.sky_object_id != sky_object.pk:
            raise StoreError(f"{member} is no part of this object")
        linking.unlink(member, request.user)
        return _done(f"{member} stands alone now.")

    @documented(methods=["post"], request=HostSerializer, responses=Done)
    @documented(methods=["delete"], request=None, responses=Done)
    @action(detail=True, methods=["post", "delete"])
    def host(self, request: Request, pk: str | None = None) -> Response:
        """POST: say which galaxy is the host; DELETE: let what was said count no more (role ``decide``)."""
        sky_object = self.get_object()
        require(request.user, "decide")
        if request.method == "DELETE":
            hosts.undo(sky_object, request.user)
            return _done("Its host is that of the catalogues.")
        given = self.given(HostSerializer, request)
        made = hosts.choose(sky_object, sanitize_text(given["galaxy"]), request.user, given.get("text", ""))
        return _done(f"Its host is {made.galaxy or 'none of the catalogued galaxies'}.")

    @documented(methods=["post", "delete"], request=TagSerializer, responses=Done)
    @action(detail=True, methods=["post", "delete"])
    def tag(self, request: Request, pk: str | None = None) -> Response:
        """POST: put a tag on it; DELETE: take one off (role ``decide``)."""
        sky_object = self.get_object()
        require(request.user, "decide")
        name = self.given(TagSerializer, request)["name"]
        if request.method == "DELETE":
            tags.untag(sky_object, sanitize_text(name))
            return _done(f"No longer {name}.")
        return _done(f"{tags.tag(sky_object, name, request.user).name}.")

    @documented(request=None, responses={202: Done})
    @action(detail=True, methods=["post"])
    def explain(self, request: Request, pk: str | None = None) -> Response:
        """Have a worker explain the stamp classifier for this object (role ``decide``)."""
        sky_object = self.get_object()
        require(request.user, "decide")
        if not tasks.workers_serve(tasks.explain):
            raise StoreError("this TOM has no worker for it")
        tasks.explain.enqueue([sky_object.pk])
        return Response({"detail": "Enqueued."}, status=202)

    def _mine(self) -> SkyObject:
        """The object, which the user may change."""
        found: SkyObject = self.get_object()
        changeable(self.request.user, found)
        return found


def _member(name: str) -> SurveyObject:
    """The survey object of a name; StoreError without it."""
    own = SurveyObject.object_id_of(sanitize_text(name))
    member = SurveyObject.objects.filter(object_id=own).select_related("sky_object").first()
    if member is None:
        raise StoreError(f"no survey has an object {own[:80]!r} here")
    return member


def _done(text: str) -> Response:
    return Response({"detail": text})
