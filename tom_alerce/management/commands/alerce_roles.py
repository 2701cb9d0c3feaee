"""``manage.py alerce_roles``: groups for the roles of people."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.core.management.base import CommandError, CommandParser

from tom_alerce import conf
from tom_alerce.management import command

#: Group -> its roles.
GROUPS: dict[str, tuple[str, ...]] = {
    "ALeRCE viewers": ("view",),
    "ALeRCE observers": ("view", "decide", "request"),
    "ALeRCE coordinators": ("view", "decide", "request", "link_far", "approve", "send", "override"),
    "ALeRCE operators": ("view", "configure"),
}


class Command(command.Command):
    """Exit code: 0, or 1 if there is no such user or group."""

    help = (
        "Make the groups of viewers, observers, coordinators and operators with their permissions, and add users to them. What is there "
        "already stays: the command may be repeated. Exit code 1: there is no such user or group."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Add ``--add``."""
        names = ", ".join(_short(name) for name in GROUPS)
        parser.add_argument(
            "--add",
            nargs=2,
            action="append",
            default=[],
            metavar=("GROUP", "USER"),
            help=f"add a user to a group ({names}); may be repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Make the groups, add the users, print the groups."""
        users = [(self._group(group), self._user(name)) for group, name in options["add"]]
        groups = {name: Group.objects.get_or_create(name=name)[0] for name in GROUPS}
        for name, roles in GROUPS.items():
            groups[name].permissions.add(*(_permission(role) for role in roles))
        for name, user in users:
            user.groups.add(groups[name])
        for name, roles in GROUPS.items():
            members = ", ".join(groups[name].user_set.order_by("username").values_list("username", flat=True)) or "nobody yet"
            self.stdout.write(f"{name} ({', '.join(roles)}): {members}")
        self.stdout.write(f"every account: {', '.join(conf.get('EVERYBODY')) or 'nothing'} (TOM_ALERCE['EVERYBODY'])")

    @staticmethod
    def _group(text: str) -> str:
        for name in GROUPS:
            if text.lower() in (name.lower(), _short(name)):
                return name
        raise CommandError(f"no group {text!r}: there are {', '.join(map(_short, GROUPS))}")

    @staticmethod
    def _user(name: str) -> Any:
        users = get_user_model()
        try:
            return users.objects.get(**{users.USERNAME_FIELD: name})
        except users.DoesNotExist as error:
            raise CommandError(f"no user {name!r}") from error


def _short(group: str) -> str:
    return group.split()[-1]


def _permission(role: str) -> Permission:
    app, codename = conf.ROLES[role].split(".")
    return Permission.objects.get(content_type__app_label=app, content_type__model="skyobject", codename=codename)
