"""Shows the plugin's tables in Django's admin, read-only: a change by hand would contradict what the store has written."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.html import format_html

from tom_alerce import models
from tom_alerce.pipeline import retry
from tom_alerce.store import dead_letters

#: Dead letters that the action of a page tries at a time.
AT_ONCE = 100


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


class ChannelAdmin(ReadOnlyAdmin):
    """Channels without their addresses and secrets."""

    list_display = ("name", "kind", "owner", "group", "active", "problem")
    list_select_related = ("owner", "group")
    exclude = ("address", "secret")
    show_full_result_count = False


class ExplanationAdmin(ReadOnlyAdmin):
    """Explanations without their maps, which the page of the object shows."""

    list_display = ("stamps", "source_id", "classifier", "version", "label", "probability")
    list_select_related = ("stamps__survey_object",)
    exclude = ("weights",)
    show_full_result_count = False


class AttachmentAdmin(ReadOnlyAdmin):
    """Files on objects without their bytes, which the page of the object gives to those who may see them."""

    list_display = ("name", "sky_object_id", "size", "author", "created")
    list_select_related = ("author",)
    exclude = ("content",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the bytes."""
        return super().get_queryset(request).defer("content")


class RankingAdmin(ReadOnlyAdmin):
    """Rankings without what is packed in them, which the board shows."""

    list_display = ("site", "night", "supposed", "created")
    list_filter = ("site", "supposed")
    exclude = ("packed",)
    show_full_result_count = False


class FacilityKeyAdmin(ReadOnlyAdmin):
    """Who has a key where; the keys themselves are shown to nobody."""

    list_display = ("facility", "user", "modified")
    list_select_related = ("user",)
    exclude = ("secret",)


class EventVersionAdmin(ReadOnlyAdmin):
    """Notices of events without their maps."""

    list_display = ("event", "stage", "issued", "retracted", "area_90", "distance", "received")
    search_fields = ("event__name",)
    list_select_related = ("event",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the maps."""
        return super().get_queryset(request).defer("map", "event__cover")


class DeadLetterAdmin(ReadOnlyAdmin):
    """Dead letters with their bytes to download, and an action that tries them again."""

    list_display = ("source", "position", "reason", "size", "download", "created")
    search_fields = ("source", "reason")
    exclude = ("data",)
    readonly_fields = ("download",)
    actions = ("try_again",)
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Without the bytes."""
        return super().get_queryset(request).defer("data")

    def get_urls(self) -> list[Any]:
        """The pages, and that of the bytes of one letter."""
        ours = path("<int:pk>/bytes/", self.admin_site.admin_view(self.bytes_of), name="tom_alerce_deadletter_bytes")
        return [ours, *super().get_urls()]

    @admin.display(description="bytes")
    def download(self, letter: models.DeadLetter) -> str:
        """A link to the bytes, if they are kept."""
        return (
            format_html('<a href="{}">download</a>', reverse("admin:tom_alerce_deadletter_bytes", args=[letter.pk])) if letter.held else "-"
        )

    def bytes_of(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The bytes of a letter as a file, which no browser interprets."""
        letter = models.DeadLetter.objects.filter(pk=pk).first()
        if not self.has_view_permission(request, letter):
            raise PermissionDenied
        data = None if letter is None else dead_letters.message(letter)
        if letter is None or data is None:
            raise Http404
        headers = {"Content-Disposition": f'attachment; filename="{letter.digest[:16]}.bin"', "X-Content-Type-Options": "nosniff"}
        return HttpResponse(data, content_type="application/octet-stream", headers=headers)

    @admin.action(description="Try the selected dead letters again", permissions=["delete"])
    def try_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Read and store their messages again; at most `AT_ONCE`, the command `alerce_retry` does more."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])
        self.message_user(request, str(retry.retry(keys)))


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
admin.site.register(
    models.SkyEvent,
    _table(
        "name", "messenger", "role", "mjd", "retracted", "area", "modified", filters=("role", "messenger", "retracted"), search=("name",)
    ),
)
admin.site.register(models.EventVersion, EventVersionAdmin)
admin.site.register(
    models.EventCandidate,
    _table(
        "event", "sky_object_id", "level", "delay", "early", "status", "decided_by", filters=("status",), joined=("event", "decided_by")
    ),
)
admin.site.register(models.Traits, _table("sky_object_id", "mjd", "last_seen", "magnitude", "detections", "surveys"))
admin.site.register(models.SavedFilter, _table("name", "owner", "on", "modified", search=("name",), joined=("owner",)))
admin.site.register(models.FilterVersion, _table("saved", "version", "author", "created", "tried", joined=("saved", "author")))
admin.site.register(models.FilterMatch, _table("sky_object_id", "saved", "version", "mjd", "told", joined=("saved",)))
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
admin.site.register(
    models.Label, _table("sky_object_id", "label", "author", "text", "created", "undone", filters=("label",), joined=("author",))
)
admin.site.register(models.Tag, _table("name", "sky_object_id", "author", search=("name",), joined=("author",)))
admin.site.register(models.Mention, _table("mark", "user", "read", joined=("mark__author", "user")))
admin.site.register(models.Attachment, AttachmentAdmin)
admin.site.register(
    models.Scan, _table("night", "profile", "sky_object_id", "user", "decision", "decided", filters=("decision",), joined=("user",))
)
admin.site.register(models.Seen, _table("user", "sky_object_id", "at", joined=("user",)))
admin.site.register(models.View, _table("name", "owner", "query", "shared", filters=("shared",), joined=("owner",)))
admin.site.register(models.Profile, _table("name", "version", "author", "created", "active", filters=("name",), joined=("author",)))
admin.site.register(models.Outlook, _table("sky_object_id", "mjd", "version", "created"))
admin.site.register(
    models.TnsObject, _table("name", "prefix", "type", "redshift", "ra", "dec", "discovered", filters=("prefix", "type"), search=("name",))
)
admin.site.register(models.TnsName, _table("name", "tns_object", search=("name",), joined=("tns_object",)))
admin.site.register(models.SkyCell, _table("catalogue", "healpix", "fetched", filters=("catalogue",)))
admin.site.register(
    models.HostChoice, _table("sky_object_id", "galaxy", "author", "text", "created", "undone", search=("galaxy",), joined=("author",))
)
admin.site.register(
    models.Override, _table("guard", "request", "user", "reason", "created", filters=("guard",), joined=("request", "user"))
)
admin.site.register(models.Trigger, _table("name", "mode", "profile", "threshold", "facility", "owner", "allowed_by", filters=("mode",)))
admin.site.register(
    models.TriggerEntry,
    _table("trigger", "time", "sky_object_id", "score", "outcome", "reason", filters=("outcome", "trigger"), joined=("trigger",)),
)
admin.site.register(models.Series, _table("created", "owner", "every", "most", "sends", "message", "ended", joined=("owner",)))
admin.site.register(models.Halt, _table("started", "started_by", "reason", "ended", "ended_by", joined=("started_by", "ended_by")))
admin.site.register(
    models.Watch, _table("name", "kind", "owner", "group", "active", "version", "modified", filters=("kind",), joined=("owner", "group"))
)
admin.site.register(models.WatchEntry, _table("name", "watch", "ra", "dec", "radius", search=("name",), joined=("watch",)))
admin.site.register(models.WatchMatch, _table("watch", "entry", "sky_object_id", "separation", "created", joined=("watch", "entry")))
admin.site.register(models.Event, _table("event", "title", "sky_object_id", "created", "spread", filters=("event",), search=("title",)))
admin.site.register(models.Channel, ChannelAdmin)
admin.site.register(models.Rule, _table("name", "owner", "events", "pace", "active", joined=("owner",)))
admin.site.register(
    models.Delivery,
    _table("event", "rule", "channel", "state", "due", "sent", "tries", filters=("state",), joined=("event", "rule", "channel")),
)
admin.site.register(models.FacilityKey, FacilityKeyAdmin)
admin.site.register(models.DeadLetter, DeadLetterAdmin)
admin.site.register(
    models.PassedAlert, _table("object_id", "survey", "mjd", "label", "probability", filters=("survey",), search=("object_id",))
)
admin.site.register(
    models.AwaitedObject, _table("survey", "object_id", "source", "reason", "named", filters=("survey",), search=("object_id", "source"))
)
admin.site.register(
    models.PollTask,
    _table(
        "broker",
        "action",
        "survey",
        "subject",
        "state",
        "due",
        "attempts",
        "error",
        filters=("state", "broker", "action"),
        search=("subject",),
    ),
)
admin.site.register(models.WithdrawnMeasurement, _table("source_id", "survey_object", search=("source_id",), joined=("survey_object",)))
admin.site.register(models.Watermark, _table("source", "mjd", "modified"))
admin.site.register(models.StreamWorker, _table("name", "beat", "ended", "batched", "packets", "problem", filters=("stream",)))
admin.site.register(models.StreamPartition, _table("topic", "partition", "offset", "end", "waits", "seen", filters=("stream",)))
admin.site.register(models.Run, _table("name", "started", "seconds", "succeeded", "problem", search=("name",)))
admin.site.register(models.DiskUse, _table("day", "total"))
admin.site.register(models.Incident, _table("text", "opened", "closed", search=("text",)))
