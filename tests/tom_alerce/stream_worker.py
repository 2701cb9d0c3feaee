"""A worker of a stream, as a process of its own that can be killed; the server that forks it has loaded Django once."""

from __future__ import annotations

import os
from multiprocessing.synchronize import Event
from typing import Any

import django
from django.apps import apps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
if not apps.ready:
    django.setup()

from django.core.management import call_command
from django.test import override_settings

from tom_alerce.pipeline import stream


def follow(given: dict[str, object], ready: Event) -> None:
    """Follow the stream 'night' of these settings of ours, until SIGTERM; ``ready`` is set when the command has found its tables."""
    stream.PAUSE, stream.LONGEST = 0.1, 0.5
    following = stream.follow

    def begin(*arguments: Any, **options: Any) -> object:
        ready.set()
        return following(*arguments, **options)

    stream.follow = begin  # type: ignore[assignment]
    with override_settings(TOM_ALERCE=given):
        call_command("alerce_stream", "night", stdout=open(os.devnull, "w"))  # noqa: SIM115
