"""What every endpoint shares: who may read it, how it is narrowed down and paged."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import BigIntegerField
from rest_framework import permissions, viewsets
from rest_framework.pagination import LimitOffsetPagination
from rest_framework.request import Request

from tom_alerce import visible


class Pagination(LimitOffsetPagination):
    """Pages of 100 rows, at most 1000."""

    default_limit = 100
    max_limit = 1000


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


class ReadOnly(viewsets.ReadOnlyModelViewSet[Any]):
    """An endpoint that is only read."""

    permission_classes = (MayView,)
    filter_backends = (django_filters.rest_framework.DjangoFilterBackend,)
    pagination_class = Pagination
