"""Notifications: what one was told and why, the rules, the channels, and the page on which one ends a rule without logging in."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from django.views.generic import ListView

from tom_alerce.models import Channel, Delivery, Rule
from tom_alerce.pages.access import ViewerMixin, refusing, viewers_only
from tom_alerce.pages.rules import Options, RuleForm
from tom_alerce.pages.theme import theme
from tom_alerce.pipeline import messages as telling
from tom_alerce.store import channels, deliveries, subscriptions

#: Deliveries that a page lists.
_PAGE = 50


def _shown(user: Any, rows: QuerySet[Delivery]) -> list[Delivery]:
    """Deliveries with what a page shows of them; of those that the person may not see any more only that they were."""
    related = ("event__sky_object", "event__request", "event__watch", "rule__owner", "channel__group", "channel__owner")
    found: list[Any] = list(rows.select_related(*related).defer("channel__secret"))
    hidden = deliveries.hidden(user, found)
    for one in found:
        one.page = "" if one.pk in hidden else telling.page(one.event)
        one.secret = one.pk in hidden
    return found


class NotificationsView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/notifications/``: what one was told, the latest first; rules and channels."""

    template_name = "tom_alerce/notifications.html"
    paginate_by = _PAGE
    context_object_name = "told"

    def get_queryset(self) -> QuerySet[Delivery]:
        """Deliveries to one's own channels."""
        return deliveries.of(self.request.user).order_by("-pk")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request)}
        user: Any = self.request.user
        rules: list[Any] = list(Rule.objects.filter(owner=user).select_related("watch").prefetch_related("channels").order_by("name"))
        options = Options.of(user)
        for rule in rules:
            rule.form = RuleForm(options, rule=rule, prefix=f"r{rule.pk}")
            rule.told = [label for value, label in telling.KINDS if value in rule.events]
        kinds = channels.kinds()
        own: list[Any] = list(Channel.objects.filter(owner=user).select_related("group").order_by("name"))
        for channel in own:
            module = kinds.get(channel.kind)
            channel.label = module.LABEL if module else channel.kind
            channel.parts = [(one, channel.address.get(one.name, "")) for one in module.FIELDS] if module else []
        fresh = RuleForm(options, prefix="new", initial={"channels": [own[0].pk]} if len(own) == 1 else {})
        return context | {
            "told": _shown(user, context["object_list"]),
            "unread": deliveries.unread(user).count(),
            "rules": rules,
            "channels": own,
            "kinds": kinds,
            "groups": user.groups.order_by("name"),
            "form": fresh if own else None,
        }


@viewers_only
def message(request: HttpRequest, identity: str) -> HttpResponse:
    """``/alerce/notifications/<message>/``: why one got a message."""
    found = _shown(request.user, deliveries.of(request.user).filter(message=identity).order_by("pk"))
    if not found:
        raise Http404
    stop = telling.token(found[0].rule_id, found[0].channel_id)
    return render(request, "tom_alerce/notification.html", {"told": found, "first": found[0], "stop": stop, "alerce_theme": theme(request)})


@viewers_only
def unread(request: HttpRequest) -> HttpResponse:
    """Number of what was not read, for the bar of every page."""
    return render(request, "tom_alerce/partials/unread.html", {"unread": deliveries.unread(request.user).count()})


@refusing
def read(request: HttpRequest) -> HttpResponse:
    """Mark everything on the page as read."""
    deliveries.read(request.user)
    return redirect("tom_alerce:notifications")


@csrf_exempt  # mail programs post here for their owners; the signature says who wants it, and nothing else can be done with it
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """``/alerce/unsubscribe/<token>/``: end a rule through one channel, for whoever has the link; a look at it ends nothing."""
    known = telling.rule_and_channel(token)
    rule = None if known is None else Rule.objects.filter(pk=known[0]).first()
    if known is None or rule is None:
        raise Http404
    done = request.method == "POST"
    if done:
        subscriptions.unsubscribe(*known)
    return render(request, "tom_alerce/unsubscribe.html", {"rule": rule, "done": done, "alerce_theme": theme(request)})
