"""Addresses of the pages and of the REST endpoints; the toolkit imports this module for the latter."""

from django.urls import path
from tom_common.api_router import SharedAPIRootRouter

from tom_alerce.api import ClassificationViewSet, MarkViewSet, RankViewSet, SkyObjectViewSet
from tom_alerce.pages import (
    actions,
    board,
    bulk,
    drift,
    night,
    object,
    plotly,
    profiles,
    request_actions,
    requests,
    review,
    stamps,
    target,
    theme,
    triggers,
    yields,
)

app_name = "tom_alerce"

router = SharedAPIRootRouter()
router.register("alerce-objects", SkyObjectViewSet, "alerce-objects")
router.register("alerce-classifications", ClassificationViewSet, "alerce-classifications")
router.register("alerce-ranks", RankViewSet, "alerce-ranks")
router.register("alerce-marks", MarkViewSet, "alerce-marks")

urlpatterns = [
    path("", board.BoardView.as_view(), name="board"),
    path("objects/<int:pk>/", object.ObjectView.as_view(), name="object"),
    path("objects/<int:pk>/promote/", actions.promote, name="promote"),
    path("objects/<int:pk>/place/", actions.place, name="place"),
    path("objects/<int:pk>/dry-run/", actions.dry_run, name="dry-run"),
    path("objects/<int:pk>/link/", actions.link, name="link"),
    path("members/<int:pk>/unlink/", actions.unlink, name="unlink"),
    path("candidates/<int:pk>/link/", actions.accept, name="accept"),
    path("candidates/<int:pk>/dismiss/", actions.dismiss, name="dismiss"),
    path("objects/<int:pk>/explain/", actions.explain, name="explain"),
    path("objects/<int:pk>/mark/", actions.mark, name="mark"),
    path("objects/<int:pk>/host/", actions.host, name="host"),
    path("objects/<int:pk>/host/undo/", actions.unhost, name="host-undo"),
    path("marks/<int:pk>/undo/", actions.unmark, name="unmark"),
    path("objects/<int:pk>/request/", request_actions.apply, name="apply"),
    path("requests/", requests.RequestsView.as_view(), name="requests"),
    path("requests/plan/", bulk.plan, name="requests-plan"),
    path("requests/bulk/", bulk.bulk, name="bulk"),
    path("requests/bulk/confirm/", bulk.confirm, name="bulk-confirm"),
    path("requests/<int:pk>/", requests.RequestView.as_view(), name="request"),
    path("requests/<int:pk>/portal/", requests.portal, name="request-portal"),
    path("requests/<int:pk>/save/", request_actions.save, name="request-save"),
    path("requests/<int:pk>/check/", request_actions.check, name="request-check"),
    path("requests/<int:pk>/ask/", request_actions.ask, name="request-ask"),
    path("requests/<int:pk>/approve/", request_actions.approve, name="request-approve"),
    path("requests/<int:pk>/send/", request_actions.send, name="request-send"),
    path("requests/<int:pk>/cancel/", request_actions.cancel, name="request-cancel"),
    path("requests/<int:pk>/reopen/", request_actions.reopen, name="request-reopen"),
    path("requests/<int:pk>/override/", request_actions.override, name="request-override"),
    path("triggers/", triggers.TriggersView.as_view(), name="triggers"),
    path("triggers/save/", triggers.save, name="trigger-new"),
    path("triggers/<int:pk>/save/", triggers.save, name="trigger-save"),
    path("triggers/<int:pk>/switch/", triggers.switch, name="trigger-switch"),
    path("triggers/stop/", triggers.halt, name="triggers-stop"),
    path("triggers/release/", triggers.release, name="triggers-release"),
    path("yield/", yields.YieldView.as_view(), name="yield"),
    path("explanations/<int:pk>.png", stamps.explanation, name="explanation"),
    path("night/", night.NightView.as_view(), name="night"),
    path("night/plan.csv", night.table, name="night-table"),
    path("night/plan.ics", night.calendar, name="night-calendar"),
    path("night/requests/", night.ask, name="night-requests"),
    path("profiles/", profiles.ProfilesView.as_view(), name="profiles"),
    path("profiles/import/", profiles.read, name="profile-import"),
    path("profiles/<slug:name>.json", profiles.export, name="profile-export"),
    path("profiles/<slug:name>/", profiles.ProfileView.as_view(), name="profile"),
    path("profiles/<slug:name>/order/", profiles.order, name="profile-order"),
    path("profiles/<slug:name>/caught/", profiles.caught, name="profile-caught"),
    path("profiles/<slug:name>/save/", profiles.save, name="profile-save"),
    path("profiles/<slug:name>/use/", profiles.use, name="profile-use"),
    path("profiles/<slug:name>/retire/", profiles.retire, name="profile-retire"),
    path("drift/", drift.DriftView.as_view(), name="drift"),
    path("review/", review.ReviewView.as_view(), name="review"),
    path("targets/<int:pk>/", target.objects, name="target"),
    path("stamps/<int:pk>.png", stamps.stamps, name="stamps"),
    path("theme/", theme.choose, name="theme"),
    path("plotly-<str:version>.min.js", plotly.script, name="plotly"),
]
