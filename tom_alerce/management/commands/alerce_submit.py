"""``manage.py alerce_submit``: draft and check requests for the best objects of tonight, and send them if told so."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.management.base import CommandError, CommandParser
from tom_targets.models import BaseTarget, Target

from followup.records import FollowupError, ObservationRequest
from tom_alerce import conf
from tom_alerce.management import command
from tom_alerce.management.options import add_night, positive
from tom_alerce.models import FollowupRequest, Ranking
from tom_alerce.pipeline import rank
from tom_alerce.requests import draft, rights, validate
from tom_alerce.requests.approve import approve
from tom_alerce.requests.send import one, send_all
from tom_alerce.requests.states import UNSENT
from tom_alerce.store.errors import StoreError

State = FollowupRequest.State


class Command(command.Command):
    """Exit code: 0 if all is well; 1 if the portal did not answer; 2 if a request is invalid, was refused or skipped."""

    help = (
        "Plan and draft requests for the best of the current ranking (they become targets of the TOM), check them with the facility's own "
        "form, and print what would be sent. With --send they are approved and sent, each exactly once. Exit code 1: the portal did not "
        "answer (what was to be sent is sent by alerce_sync); 2: a request is not valid, was refused, or was skipped because the user may "
        "not change its target."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--site``, ``--now``, ``--dry-run``, ``--send``, ``--user`` and ``--top``."""
        add_night(parser)
        parser.add_argument("--dry-run", action="store_true", help="check, and send nothing")
        parser.add_argument("--send", action="store_true", help="approve what is valid and send it; --user needs the roles for it")
        parser.add_argument("--user", help="name of the user to whom requests and new targets belong")
        parser.add_argument("--top", type=positive, help="largest number of requests")

    def handle(self, *args: Any, **options: Any) -> None:
        """Make and check the requests of tonight, and send them."""
        if options["dry_run"] == options["send"]:
            raise CommandError("give --dry-run to check requests, or --send to send them")
        user = self._user(options["user"])
        self._allowed(user, ("request", "approve", "send") if options["send"] else ("request",))
        self._somebody_sees(user)
        try:
            ranked, row = rank.tonight(options["site"], options["now"])
            limits = {} if options["top"] is None else {"top": options["top"]}
            planned = rank.plan(ranked, **limits)
            for reason, n in Counter(rank.passed_over(ranked, **limits).values()).items():
                self.stdout.write(f"{n} passed over: {reason}")
        except FollowupError as error:
            raise CommandError(str(error)) from error
        drafted = [self._draft(request, row, user) for request in planned]
        requests = [request for request in drafted if request is not None]
        for request in requests:
            self._check(request, user)
        if options["send"]:
            self._send(requests, user)
        states = [r.state if r is not None else "skipped" for r in drafted]
        self.stdout.write(f"{len(drafted)} requests: " + (", ".join(f"{states.count(s)} {s}" for s in dict.fromkeys(states)) or "none"))
        if silent := [r.message for r in requests if r.state in (State.DRAFT, State.APPROVED, State.UNKNOWN)]:
            raise CommandError(silent[0])
        if {State.INVALID, State.FAILED, "skipped"} & set(states):
            raise CommandError("some requests are not valid, were refused, or were skipped", returncode=2)

    @staticmethod
    def _allowed(user: Any, roles: Sequence[str]) -> None:
        try:
            for role in roles:
                rights.require(user, role)
        except rights.Forbidden as error:
            raise CommandError(str(error)) from error

    def _send(self, requests: Sequence[FollowupRequest], user: Any) -> None:
        """Approve and send what is valid."""
        for request in requests:
            if request.state == State.VALIDATED and (trouble := one(request, partial(approve, request, user))) is not None:
                self.stdout.write(f"{request.payload['name']}: not approved: {trouble}")
        for request, why in send_all([r for r in requests if r.state == State.APPROVED], user):
            self.stdout.write(f"{request.payload['name']}: {request.get_state_display()}: {why or request.message}")

    @staticmethod
    def _somebody_sees(user: Any) -> None:
        """Refuse to make targets that nobody but superusers would see."""
        private = Target._meta.get_field("permissions").get_default() == BaseTarget.Permissions.PRIVATE
        if user is None and private and not Group.objects.filter(name__in=conf.get("GROUPS")).exists():
            raise CommandError("nobody would see the targets: say with --user to whom they belong, or name groups in TOM_ALERCE['GROUPS']")

    def _draft(self, request: ObservationRequest, ranking: Ranking, user: Any) -> FollowupRequest | None:
        """Store the draft of a request; if its object cannot be a target, or be requested, print the reason and return None."""
        try:
            return draft.draft([request], ranking, user)[0]
        except (StoreError, FollowupError) as error:
            self.stdout.write(f"{request.name}: skipped: {error}")
            return None

    def _check(self, request: FollowupRequest, user: Any) -> None:
        if request.state not in UNSENT:
            self.stdout.write(f"{request.payload['name']}: {request.get_state_display()} already")
            return
        try:
            sent = validate.dry_run(request, user)
            draft.settle(request)
        except StoreError as error:  # somebody has sent it meanwhile
            request.refresh_from_db()
            self.stdout.write(f"{request.payload['name']}: {error}")
            return
        self.stdout.write(f"{request.payload['name']}: {request.get_state_display()}: {request.message}")
        self.stdout.write(json.dumps(request.payload if sent is None else sent, indent=2, default=str))

    def _user(self, name: str | None) -> Any:
        if name is None:
            return None
        users = get_user_model()
        try:
            return users.objects.get(username=name)
        except users.DoesNotExist as error:
            raise CommandError(f"no user {name!r}") from error
