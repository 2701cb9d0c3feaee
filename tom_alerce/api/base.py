"""What every endpoint shares: who may use it, what may be asked, how often, in which form it answers, and what a refusal is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import django_filters
from django import forms
from django.db.models import BigIntegerField
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, mixins, permissions, serializers, viewsets
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.settings import api_settings

from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.api.keyset import KeysetPages
from tom_alerce.api.limits import Rate, WriteRate
from tom_alerce.api.render import Csv, Parquet
from tom_alerce.models import SkyObject
from tom_alerce.requests.rights import Forbidden, require
from tom_alerce.store.errors import StoreError

Function = TypeVar("Function", bound=Callable[..., Any])

#: Parameters of every list.
_OF_LISTS = frozenset({"limit", "cursor", "order"})


def documented(**what: Any) -> Callable[[Function], Function]:
    """Decorator that tells the description of the API about a method (arguments of drf-spectacular's ``extend_schema``).

    That takes the TOM's own schema class for a base, which need not be drf-spectacular's.
    """

    def mark(function: Function) -> Function:
        known: Any = function
        if "schema" in getattr(known, "kwargs", {}):
            return extend_schema(**what)(function)
        known.schema = AutoSchema
        made = extend_schema(**what)(function)
        del known.schema
        return made

    return mark


class Key(django_filters.NumberFilter):
    """Filter by the key of a row. A list to choose from would show names of objects that the user may not see."""

    field_class = forms.IntegerField

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(min_value=0, max_value=BigIntegerField.MAX_BIGINT, **kwargs)


class MayView(permissions.IsAuthenticated):
    """Accounts with the role ``view``."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the account has the role."""
        return super().has_permission(request, view) and visible.may(request.user, "view")


class Strict(serializers.Serializer[Any]):
    """What is sent with a POST: a field that there is not is refused by its name."""

    def to_internal_value(self, data: Any) -> Any:
        """The values, checked."""
        unknown = sorted(set(data) - set(self.fields)) if isinstance(data, Mapping) else []
        unknown = [name for name in unknown if name != "csrfmiddlewaretoken"]
        if unknown:
            raise serializers.ValidationError(
                {name[:80]: [f"there is no such field: there are {', '.join(self.fields)}"] for name in unknown}
            )
        return super().to_internal_value(data)


class Done(serializers.Serializer[Any]):
    """What has been done, in words."""

    detail = serializers.CharField()


class Endpoint(viewsets.GenericViewSet[Any]):
    """One kind of thing, under one address."""

    permission_classes = (MayView,)
    throttle_classes = (Rate, WriteRate)
    filter_backends: Any = ()
    pagination_class: Any = None
    renderer_classes: Any = (*api_settings.DEFAULT_RENDERER_CLASSES, Csv, Parquet)
    schema = AutoSchema()
    #: Name of an order of the list -> attributes of its rows.
    orders: ClassVar[dict[str, tuple[str, ...]]] = {"id": ("pk",)}
    default_order = "-id"
    #: Action -> parameters of its own in the address.
    parameters: ClassVar[Mapping[str, Iterable[str]]] = {}
    #: Parameters that may be given several times.
    repeated: ClassVar[frozenset[str]] = frozenset()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse who may not ask, and what is not understood."""
        super().initial(request, *args, **kwargs)
        known = self._known()
        refused = {name: f"there is no such parameter: there are {', '.join(known)}" for name in request.query_params if name not in known}
        twice = {name: "it is given twice" for name, own in request.query_params.lists() if len(own) > 1 and name not in self.repeated}
        if refused or twice:
            raise exceptions.ValidationError({name[:80]: [why] for name, why in {**twice, **refused}.items()})

    def _known(self) -> list[str]:
        """Parameters that this address takes."""
        known = set(self.parameters.get(self.action or "", ())) | {"format"}
        if self.action in ("list", "retrieve") and getattr(self, "serializer_class", None):
            known.add("fields")
        if self.action == "list" and self.pagination_class is not None:
            known |= _OF_LISTS | set(getattr(getattr(self, "filterset_class", None), "base_filters", ()))
        return sorted(known)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """The serializer, of the fields in ``?fields=`` alone if it is given."""
        made = super().get_serializer(*args, **kwargs)
        chosen = self.request.query_params.get("fields", "") if self.request else ""
        if chosen and self.action in ("list", "retrieve"):
            narrow(getattr(made, "child", made), chosen)
        return made

    def handle_exception(self, exc: Exception) -> Response:
        """403 for who may not, and 400 with the reason for what cannot be done."""
        if isinstance(exc, Forbidden):
            exc = exceptions.PermissionDenied(str(exc))
        elif isinstance(exc, (StoreError, FollowupError)):
            exc = exceptions.ValidationError({"detail": str(exc)})
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Write a refusal as JSON where a table was asked for."""
        answer = super().finalize_response(request, response, *args, **kwargs)
        if getattr(answer, "exception", False) and isinstance(answer.accepted_renderer, (Csv, Parquet)):
            answer.accepted_renderer, answer.accepted_media_type = JSONRenderer(), JSONRenderer.media_type
        return answer

    def given(self, kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
        """What was sent with the request, checked."""
        made = kind(data=request.data)
        made.is_valid(raise_exception=True)
        return dict(made.validated_data)


class ReadOnly(mixins.ListModelMixin, mixins.RetrieveModelMixin, Endpoint):
    """An endpoint with a list, which is narrowed down, ordered and paged, and its items."""

    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    pagination_class = KeysetPages

    def get_object(self) -> Any:
        """The item; 404 also for a key that is none."""
        key = str(self.kwargs[self.lookup_url_kwarg or self.lookup_field])
        if not _is_key(key):
            raise exceptions.NotFound()
        return super().get_object()


def _is_key(text: str) -> bool:
    """Whether a text is a whole number that a database holds."""
    return text.isascii() and text.isdecimal() and len(text) <= 18


def narrow(serializer: Any, chosen: str) -> None:
    """Leave a serializer the fields of a list with commas; 400 for those that there are not."""
    names = [name for name in chosen.split(",") if name]
    if unknown := [name for name in names if name not in serializer.fields]:
        raise exceptions.ValidationError({"fields": [f"there is no field {unknown[0][:80]!r}: there are {', '.join(serializer.fields)}"]})
    for name in set(serializer.fields) - set(names):
        serializer.fields.pop(name)


def sky_object_of(user: visible.User, key: str) -> SkyObject:
    """A sky object that the user sees, for what is sent about one; 400 without it."""
    found = visible.sky_objects(user).filter(pk=int(key)).first() if _is_key(key) else None
    if found is None:
        raise serializers.ValidationError({"sky_object": ["there is no such object"]})
    return found


def changeable(user: visible.User, *objects: SkyObject, role: str = "decide") -> None:
    """Raise `Forbidden` unless a user has a role, and may change the targets of these objects."""
    require(user, role)
    if not visible.may_change(user, *objects, role=role):
        raise Forbidden("it is a target of others, which you may not change: ask them, or the administrator of this TOM")
