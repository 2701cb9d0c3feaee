"""Automatic triggers: what they do, what they have done or would have done, and the switch that stops all of them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.db.models import Count, Q, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.generic import ListView

from followup.plan import camera
from followup.records import FollowupError
from tom_alerce import visible
from tom_alerce.models import Trigger, TriggerEntry
from tom_alerce.pages.access import ViewerMixin, refusing
from tom_alerce.pages.theme import back, theme
from tom_alerce.requests import triggers
from tom_alerce.requests.facilities import configured
from tom_alerce.requests.rights import require
from tom_alerce.store import profiles
from tom_alerce.store.errors import StoreError

#: Entries of the log that the page shows, the latest.
_ENTRIES = 100


class TriggerForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """What a person says of a trigger; its mode is switched apart from that."""

    class Meta:
        model = Trigger
        fields = ("name", "profile", "threshold", "facility", "instrument", "filters", "snr", "per_night", "hours_per_night")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["facility"] = forms.ChoiceField(choices=[(name, name) for name in configured()])
        self.fields["profile"] = forms.ChoiceField(choices=[(name, name) for name in profiles.every()])
        self.fields["threshold"] = forms.FloatField(min_value=0.01, max_value=1.0, initial=0.8)
        self.fields["snr"] = forms.FloatField(min_value=1.0, max_value=1000.0, initial=20.0, label="Signal to noise")
        self.fields["instrument"].help_text = "empty: the facility's default"
        self.fields["hours_per_night"] = forms.FloatField(min_value=0.0, max_value=24.0, initial=1.0)
        self.fields["filters"] = forms.CharField(
            required=False, max_length=200, help_text="names, with commas between; empty: the instrument's default"
        )
        if isinstance(self.initial.get("filters"), list):
            self.initial["filters"] = ", ".join(map(str, self.initial["filters"]))

    def clean_filters(self) -> list[str]:
        """Names, one by one."""
        return [name for name in self.cleaned_data["filters"].replace(",", " ").split() if name]

    def clean(self) -> dict[str, Any]:
        """Refuse an instrument or filters that the facility has not got."""
        data: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                camera(data["facility"], data["instrument"], data["filters"])
            except FollowupError as error:
                raise forms.ValidationError(str(error)) from error
        return data


class TriggersView(ViewerMixin, ListView):  # type: ignore[type-arg] # generic in the stubs alone
    """``/alerce/triggers/``: every trigger with its yield, and the log of all."""

    template_name = "tom_alerce/triggers.html"
    context_object_name = "triggers"

    def get_queryset(self) -> QuerySet[Trigger]:
        """Triggers with the number of each outcome, of observations, and the hours that they asked for."""
        outcomes = {value: Count("entries", filter=Q(entries__outcome=value)) for value in TriggerEntry.Outcome.values}
        observed = Count("entries", filter=Q(entries__request__state="observed"))
        hours = Sum("entries__hours", filter=Q(entries__outcome__in=("drafted", "sent")))
        return Trigger.objects.select_related("owner", "allowed_by").annotate(observed=observed, hours=hours, **outcomes).order_by("name")

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Context of the page; requests in the log are linked for those who may see them."""
        context = super().get_context_data(**kwargs) | {"alerce_theme": theme(self.request), "modes": Trigger.Mode.choices}
        may = visible.may(self.request.user, "configure")
        log = TriggerEntry.objects.select_related("trigger", "sky_object")  # its reasons were written for the owner's eyes
        entries: list[Any] = list((log if may else log.filter(trigger__owner=self.request.user.pk))[:_ENTRIES])
        visible.reveal(self.request.user, [one.sky_object for one in entries])
        seen = set(visible.requests(self.request.user).filter(entries__in=entries).values_list("pk", flat=True))
        for one in entries:
            one.seen = one.request_id if one.request_id in seen else None
        forms_ = {one.pk: TriggerForm(instance=one, prefix=f"t{one.pk}") for one in context["triggers"]} if may else {}
        for one in context["triggers"]:
            one.form = forms_.get(one.pk)
        return context | {"entries": entries, "may_configure": may, "form": TriggerForm(prefix="new") if may else None}


@refusing
def save(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a trigger, which is off, or change one, which switches it off."""
    require(request.user, "configure")
    instance = None if pk is None else get_object_or_404(Trigger, pk=pk)
    form = TriggerForm(request.POST, instance=instance, prefix="new" if pk is None else f"t{pk}")
    if not form.is_valid():
        raise StoreError("; ".join(f"{name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    made = form.save(commit=False)
    made.mode, made.owner, made.allowed_by = Trigger.Mode.OFF, request.user, None
    made.save()
    messages.success(request, f"{made.name} is stored, and off.")
    return redirect("tom_alerce:triggers")


@refusing
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a trigger off, to rehearsal, to drafts, or to sending."""
    trigger = get_object_or_404(Trigger, pk=pk)
    triggers.allow(trigger, request.user, request.POST.get("mode", ""))
    messages.success(request, f"{trigger.name}: {trigger.get_mode_display()}.")
    return redirect("tom_alerce:triggers")


@refusing
def halt(request: HttpRequest) -> HttpResponse:
    """Stop every trigger, from any page."""
    triggers.halt(request.user, request.POST.get("reason", ""))
    messages.warning(request, "Every automatic trigger is stopped.")
    return redirect(back(request))


@refusing
def release(request: HttpRequest) -> HttpResponse:
    """Let triggers work again."""
    triggers.release(request.user)
    messages.success(request, "Automatic triggers may work again.")
    return redirect(back(request))
