"""Series on the page of a request: how it is to be repeated, its rounds, what happens next, and the button that ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from followup.series import told
from tom_alerce import visible
from tom_alerce.models import FollowupRequest, Series
from tom_alerce.pages.request_actions import action
from tom_alerce.requests import rounds, series
from tom_alerce.requests.rights import require
from tom_alerce.requests.states import State
from tom_alerce.store.errors import StoreError
from tom_alerce.store.sanitize import sanitize_text

#: Unit of the time between two observations -> days.
_UNITS = {"d": 1.0, "h": 1.0 / 24.0}


class SeriesForm(forms.ModelForm):  # type: ignore[type-arg] # generic in the stubs alone
    """How a person wants a request to be repeated."""

    every = forms.FloatField(min_value=0.5, max_value=1000.0, initial=3, label="Every")
    unit = forms.ChoiceField(choices=[("d", "days"), ("h", "hours")], label="Unit")
    most = forms.IntegerField(min_value=2, max_value=100, initial=5, label="Rounds at most")
    days = forms.FloatField(min_value=0.1, max_value=365.0, initial=30, label="For days at most")
    observed = forms.IntegerField(min_value=1, max_value=100, required=False, label="Until observed, times")
    fainter = forms.FloatField(min_value=0.0, max_value=40.0, required=False, label="Until fainter than, mag")
    past_peak = forms.FloatField(min_value=-100.0, max_value=365.0, required=False, label="Until days after its peak")
    failures = forms.IntegerField(min_value=1, max_value=20, initial=3, label="Failures in a row that end it")
    snr = forms.FloatField(min_value=1.0, max_value=1000.0, required=False, label="Exposures for a signal to noise of")

    class Meta:
        model = Series
        fields = ("observed", "classified", "fainter", "past_peak", "after_failure", "failures", "snr", "sends")
        labels = {"classified": "Until it is classified", "after_failure": "If a round fails", "sends": "Send without a person"}

    field_order = ("every", "unit", "most", "days", "after_failure", "failures", "snr", "observed", "fainter", "past_peak", "classified")

    def rule(self) -> dict[str, Any]:
        """Fields of `tom_alerce.models.Series`."""
        data = dict(self.cleaned_data)
        every = data.pop("every") * _UNITS[data.pop("unit")]
        return data | {"every": every, "until": timezone.now() + timedelta(days=data.pop("days"))}


@action
def begin(request: HttpRequest, row: FollowupRequest) -> str:
    """Repeat a request as the form says."""
    require(request.user, "request", row)
    form = SeriesForm(request.POST, prefix="series")
    if not form.is_valid():
        raise StoreError(
            "; ".join(f"{form[name].label if name in form.fields else name}: {' '.join(map(str, e))}" for name, e in form.errors.items())
        )
    made = series.begin(row, request.user, **form.rule())
    return f"It is repeated: {told(series.rule(made))}."


@action
def stop(request: HttpRequest, row: FollowupRequest) -> str:
    """End the series of a request."""
    require(request.user, "request", row)
    if row.series is None:
        raise StoreError("it is not repeated")
    series.stop(row.series, request.user, sanitize_text(request.POST.get("reason", ""))[:500])
    return "There will be no further round; the present one goes on."


def context(row: FollowupRequest, user: visible.User) -> dict[str, Any]:
    """What the page of a request shows of its series: those rounds that the user may see, or the form that begins one."""
    if row.series is None:
        able = not rounds.repeatable(row) and row.state != State.CANCELLED and row.target_id is not None
        return {"series_form": SeriesForm(prefix="series") if able else None}
    shown = visible.requests(user).filter(series=row.series).order_by("round")
    return {"series": row.series, "rounds": shown, "told": told(series.rule(row.series))}
