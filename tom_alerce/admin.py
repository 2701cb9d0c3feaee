"""Shows the plugin's tables in Django's admin, read-only: a change by hand would contradict what the store has written."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from tom_alerce import models


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg] # generic in the stubs alone
    """Rows are neither added nor changed; users with the permission may delete them."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Never."""
        return False


def _table(*columns: str, filters: tuple[str, ...] = (), search: tuple[str, ...] = (), joined: tuple[str, ...] = ()) -> type[ReadOnlyAdmin]:
    return type(
        "Table",
        (ReadOnlyAdmin,),
        {
            "list_display": columns,
            "list_filter": filters,
            "search_fields": search,
            "list_select_related": joined,
            "show_full_result_count": False,
        },
    )


class StampsAdmin(ReadOnlyAdmin):
    """Stamps without their images."""

    list_display = ("survey_object", "slot", "source_id", "mjd")
    exclude = ("science", "template", "difference")
    show_full_result_count = False


class ExplanationAdmin(ReadOnlyAdmin):
    """Explanations without their maps, which the page of the object shows."""

    list_display = ("stamps", "source_id", "classifier", "version", "label", "probability")
    list_select_related = ("stamps__survey_object",)
    exclude = ("weights",)
    show_full_result_count = False


class RankingAdmin(ReadOnlyAdmin):
    """Rankings without what is packed in them, which the board shows."""

    list_display = ("site", "night", "supposed", "created")
    list_filter = ("site", "supposed")
    exclude = ("packed",)
    show_full_result_count = False


_OBJECT = ("survey_objects__object_id", "target__name")

admin.site.register(
    models.SkyObject,
    _table("id", "target", "ra", "dec", "n_detections", "last_mjd", filters=("moving",), search=_OBJECT, joined=("target",)),
)
admin.site.register(
    models.SurveyObject,
    _table(
        "object_id", "survey", "sky_object_id", "method", "separation", "n_detections", filters=("survey", "method"), search=("object_id",)
    ),
)
admin.site.register(
    models.MatchCandidate,
    _table("survey_object", "sky_object_id", "separation", "decided", "decided_by", filters=("decided",), joined=("survey_object",)),
)
admin.site.register(models.Detection, _table("source_id", "survey", "band", "mjd", "flux", filters=("survey",), search=("source_id",)))
admin.site.register(models.Stamps, StampsAdmin)
admin.site.register(
    models.Classification,
    _table("sky_object_id", "origin", "classifier", "label", "probability", "created", filters=("origin", "classifier", "label")),
)
admin.site.register(models.Explanation, ExplanationAdmin)
admin.site.register(models.Drift, _table("night", "classifier", "version", "n", "modified", filters=("classifier", "version")))
admin.site.register(models.Ranking, RankingAdmin)
admin.site.register(models.Rank, _table("ranking", "place", "sky_object_id", "score", "hours", joined=("ranking",)))
admin.site.register(
    models.FollowupRequest, _table("key", "facility", "sky_object_id", "user", "state", "modified", filters=("state",), joined=("user",))
)
admin.site.register(
    models.RequestEvent, _table("request", "time", "user", "before", "after", "reason", filters=("after",), joined=("request", "user"))
)
admin.site.register(
    models.Mark, _table("kind", "sky_object_id", "author", "text", "created", "expires", "undone", filters=("kind",), joined=("author",))
)
admin.site.register(models.Profile, _table("name", "version", "author", "created", "active", filters=("name",), joined=("author",)))
admin.site.register(
    models.Override, _table("guard", "request", "user", "reason", "created", filters=("guard",), joined=("request", "user"))
)
admin.site.register(models.Trigger, _table("name", "mode", "profile", "threshold", "facility", "owner", "allowed_by", filters=("mode",)))
admin.site.register(
    models.TriggerEntry,
    _table("trigger", "time", "sky_object_id", "score", "outcome", "reason", filters=("outcome", "trigger"), joined=("trigger",)),
)
admin.site.register(models.Halt, _table("started", "started_by", "reason", "ended", "ended_by", joined=("started_by", "ended_by")))
admin.site.register(models.DeadLetter, _table("source", "position", "reason", "size", "created", search=("source", "reason")))
admin.site.register(
    models.AwaitedObject, _table("survey", "object_id", "source", "reason", "named", filters=("survey",), search=("object_id", "source"))
)
admin.site.register(models.WithdrawnMeasurement, _table("source_id", "survey_object", search=("source_id",), joined=("survey_object",)))
admin.site.register(models.Watermark, _table("source", "mjd", "modified"))
