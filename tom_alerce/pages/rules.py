"""What a person does with rules: makes, changes, switches and removes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect

from tom_alerce import visible
from tom_alerce.models import Channel, Event, Rule
from tom_alerce.pages.access import refusing
from tom_alerce.store import profiles, saved, subscriptions
from tom_alerce.store.errors import StoreError

_Choices = Sequence[tuple[Any, str]]

#: Fields of a rule that a form has as they are stored.
_PLAIN = ("name", "events", "filter", "profile", "rise", "brighter", "top", "pace", "quiet", "per_hour")


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may choose, read once for all forms of a page: lists, filters, profiles and own channels, each with its name."""

    watches: _Choices
    filters: _Choices
    profiles: _Choices
    channels: _Choices

    @classmethod
    def of(cls, user: Any) -> Options:
        """The choices of a person."""
        return cls(
            list(visible.watches(user).order_by("name").values_list("pk", "name")),
            [(name, name) for name in saved.seen_by(user).order_by("name").values_list("name", flat=True)],
            [(name, one.title) for name, one in profiles.every().items()],
            list(Channel.objects.filter(owner=user).order_by("name").values_list("pk", "name")),
        )


class RuleForm(forms.Form):
    """Of what a person is told: objects × events, through which channels, and when."""

    name = forms.CharField(max_length=100, label="Name")
    events = forms.MultipleChoiceField(
        choices=Event.Kind.choices, widget=forms.CheckboxSelectMultiple, label="Tell me when an object, or the TOM,"
    )
    watch = forms.TypedChoiceField(required=False, coerce=int, empty_value=None, label="In the list or region")
    filter = forms.ChoiceField(required=False, label="Passing the filter (while it is on)")
    profile = forms.ChoiceField(required=False, label="In the ranking by the profile")
    rise = forms.FloatField(min_value=0.0, max_value=100.0, initial=0.3, label="Least rise (mag/d)")
    brighter = forms.FloatField(min_value=0.0, max_value=100.0, initial=0.5, label="Least brightening (mag)")
    top = forms.IntegerField(min_value=1, max_value=100, initial=10, label="Places that are the top")
    channels = forms.TypedMultipleChoiceField(coerce=int, widget=forms.CheckboxSelectMultiple, label="Through")
    pace = forms.ChoiceField(choices=Rule.Pace.choices, label="How soon")
    quiet = forms.ChoiceField(choices=Rule.Quiet.choices, required=False, label="Never send")
    per_hour = forms.IntegerField(min_value=1, max_value=1000, initial=20, label="Messages in an hour at most")

    def __init__(self, options: Options, *args: Any, rule: Rule | None = None, **kwargs: Any) -> None:
        if rule is not None:
            stored = {name: getattr(rule, name) for name in _PLAIN}
            kwargs["initial"] = stored | {"watch": rule.watch_id, "channels": [one.pk for one in rule.channels.all()]}
        super().__init__(*args, **kwargs)
        every: dict[str, Any] = dict(self.fields)
        for name, choices in (("watch", options.watches), ("filter", options.filters), ("profile", options.profiles)):
            every[name].choices = [("", "any"), *choices]
        every["channels"].choices = options.channels


@refusing
def save(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a rule, or change one, which switches it on."""
    rule = None if pk is None else get_object_or_404(Rule, pk=pk, owner=request.user.pk)
    form = RuleForm(Options.of(request.user), request.POST, prefix="new" if rule is None else f"r{rule.pk}")
    if not form.is_valid():
        raise StoreError("; ".join(f"{form[name].label or name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    given = form.cleaned_data
    fields = {name: given[name] for name in _PLAIN} | {"watch": visible.watches(request.user).filter(pk=given["watch"]).first()}
    made = subscriptions.save(request.user, fields, Channel.objects.filter(owner=request.user.pk, pk__in=given["channels"]), rule)
    messages.success(request, f"{made.name} is stored, and on.")
    return redirect("tom_alerce:notifications")


@refusing
def switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a rule on or off."""
    subscriptions.switch(get_object_or_404(Rule, pk=pk, owner=request.user.pk), request.POST.get("active") == "1")
    return redirect("tom_alerce:notifications")


@refusing
def remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove a rule, with what it has told."""
    rule = get_object_or_404(Rule, pk=pk, owner=request.user.pk)
    subscriptions.remove(rule)
    messages.success(request, f"{rule.name} is removed.")
    return redirect("tom_alerce:notifications")
