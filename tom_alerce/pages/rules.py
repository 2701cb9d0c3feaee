"""What a person does with rules: makes, changes, switches and removes them."""

from __future__ import annotations

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


class RuleForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """Of what a person is told: objects × events, through which channels, and when."""

    class Meta:
        model = Rule
        fields = ("name", "events", "watch", "filter", "profile", "rise", "brighter", "top", "channels", "pace", "quiet", "per_hour")

    def __init__(self, user: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["events"] = forms.MultipleChoiceField(
            choices=Event.Kind.choices, widget=forms.CheckboxSelectMultiple, label="Tell me when an object, or the TOM,"
        )
        lists = forms.ModelChoiceField(visible.watches(user).order_by("name"), required=False, label="In the list or region")
        lists.empty_label = "any"
        self.fields["watch"] = lists
        named = [(name, name) for name in saved.seen_by(user).order_by("name").values_list("name", flat=True)]
        self.fields["filter"] = forms.ChoiceField(
            choices=[("", "any"), *named], required=False, label="Passing the filter (while it is on)"
        )
        known = [(name, one.title) for name, one in profiles.every().items()]
        self.fields["profile"] = forms.ChoiceField(choices=[("", "any"), *known], required=False, label="In the ranking by the profile")
        self.fields["rise"] = forms.FloatField(min_value=0.0, max_value=100.0, initial=0.3, label="Least rise (mag/d)")
        self.fields["brighter"] = forms.FloatField(min_value=0.0, max_value=100.0, initial=0.5, label="Least brightening (mag)")
        self.fields["top"] = forms.IntegerField(min_value=1, max_value=100, initial=10, label="Places that are the top")
        self.fields["channels"] = forms.ModelMultipleChoiceField(
            Channel.objects.filter(owner=user).order_by("name"), widget=forms.CheckboxSelectMultiple, label="Through"
        )
        self.fields["pace"].label, self.fields["quiet"].label = "How soon", "Never send"
        self.fields["per_hour"] = forms.IntegerField(min_value=1, max_value=1000, initial=20, label="Messages in an hour at most")


@refusing
def save(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Make a rule, or change one, which switches it on."""
    rule = None if pk is None else get_object_or_404(Rule, pk=pk, owner=request.user.pk)
    form = RuleForm(request.user, request.POST, prefix="new" if rule is None else f"r{rule.pk}")
    if not form.is_valid():
        raise StoreError("; ".join(f"{form[name].label or name}: {' '.join(map(str, texts))}" for name, texts in form.errors.items()))
    fields = {name: value for name, value in form.cleaned_data.items() if name != "channels"}
    made = subscriptions.save(request.user, fields, form.cleaned_data["channels"], rule)
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
