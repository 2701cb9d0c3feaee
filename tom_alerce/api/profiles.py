"""Profiles, the science cases by which objects are ranked: ``/api/alerce-profiles/``."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import exceptions, serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from followup.profiles import Profile
from tom_alerce import models, visible
from tom_alerce.api.base import Done, Endpoint, Strict, documented
from tom_alerce.clock import now as now_mjd
from tom_alerce.pipeline import preview
from tom_alerce.requests.rights import require
from tom_alerce.store import profiles
from tom_alerce.store.errors import StoreError


class ProfileVersionSerializer(serializers.Serializer[Any]):
    """One version of a profile."""

    number = serializers.IntegerField()
    by = serializers.CharField(help_text="who made it; empty for the shipped one")
    created = serializers.DateTimeField(allow_null=True)
    active = serializers.BooleanField(help_text="in use")


class UseSerializer(Strict):
    """Which version."""

    version = serializers.IntegerField(min_value=1, max_value=10**8)


class ProfileViewSet(Endpoint):
    """Profiles by name; what is stored is a new version (role ``configure``)."""

    queryset = models.Profile.objects.none()
    lookup_field = "name"
    lookup_value_regex = "[^/.]+"
    parameters: ClassVar = {"retrieve": ("version",), "order": ("version",)}

    @documented(operation_id="alerce_profiles_list", responses={200: {"type": "array", "items": {"type": "object"}}})
    def list(self, request: Request) -> Response:
        """Every profile in use, "default" first."""
        return Response([_plain(one) for one in profiles.every().values()])

    @documented(responses=OpenApiTypes.OBJECT, parameters=[OpenApiParameter("version", int, description="another than the one in use")])
    def retrieve(self, request: Request, name: str = "") -> Response:
        """One profile, as its file has it."""
        return Response(_plain(self._profile(name)))

    @documented(request=OpenApiTypes.OBJECT, responses={201: OpenApiTypes.OBJECT})
    def create(self, request: Request) -> Response:
        """Store a profile, given as its file has it, as the next version of its name, and use it (role ``configure``)."""
        require(request.user, "configure")
        made = profiles.save(profiles.read(json.dumps(request.data).encode()), request.user)
        return Response(_plain(made), status=201)

    @documented(responses=ProfileVersionSerializer(many=True))
    @action(detail=True)
    def versions(self, request: Request, name: str = "") -> Response:
        """Its versions, the latest first."""
        self._profile(name)
        return Response(ProfileVersionSerializer(profiles.versions(name), many=True).data)

    @documented(responses=OpenApiTypes.OBJECT, parameters=[OpenApiParameter("version", int, description="another than the one in use")])
    @action(detail=True)
    def order(self, request: Request, name: str = "") -> Response:
        """The order that it gives the objects detected last, now; nothing is stored."""
        at = now_mjd()
        made = preview.preview(self._profile(name), preview.pool(at), at)
        skies = visible.sky_objects(request.user).prefetch_related("survey_objects", visible.seen_target(request.user))
        named: dict[int, models.SkyObject] = skies.in_bulk([place.key for place in made.places])
        places = [
            {**asdict(place), "key": str(place.key), "name": named[place.key].name} for place in made.places if place.key in named
        ]  # fmt: skip
        return Response({"places": places, "n": made.n, "vetoed": made.vetoed, "by_veto": dict(made.by_veto)})

    @documented(request=UseSerializer, responses=OpenApiTypes.OBJECT)
    @action(detail=True, methods=["post"])
    def use(self, request: Request, name: str = "") -> Response:
        """Use another version (role ``configure``)."""
        require(request.user, "configure")
        self._profile(name)
        return Response(_plain(profiles.use(name, self.given(UseSerializer, request)["version"])))

    @documented(request=None, responses=Done)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, name: str = "") -> Response:
        """Use no stored version of it any more (role ``configure``)."""
        require(request.user, "configure")
        profiles.retire(name)
        return Response({"detail": f"No stored version of {name} is in use; they are kept."})

    def _profile(self, name: str) -> Profile:
        """A profile by its name, in the version that is asked for; 404 without it."""
        number = self.request.query_params.get("version", "")
        if number and not (number.isascii() and number.isdecimal() and len(number) < 9):
            raise exceptions.ValidationError({"version": ["a number is needed"]})
        try:
            return profiles.version(name, int(number)) if number else profiles.current(name)
        except StoreError as error:
            raise exceptions.NotFound(str(error)) from error


def _plain(profile: Profile) -> Any:
    return json.loads(profile.to_json())
