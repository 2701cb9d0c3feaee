"""Permissions in a TOM with a target model of its own, which extends the toolkit's in a second table."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from guardian.exceptions import WrongAppError

from tom_alerce import visible


class Own:
    """Stands for ``TARGET_MODEL_CLASS``; rows by key."""

    _meta = SimpleNamespace(app_label="custom_code")

    def __init__(self, pk):
        self.pk = pk


class Owner:
    """Has the permission on target 1; asks as guardian does, which refuses a target of another app."""

    def has_perm(self, permission, target=None):
        if target is not None and not isinstance(target, Own):
            raise WrongAppError
        return permission == "custom_code.change_target" and target is not None and target.pk == 1


@pytest.mark.parametrize(("pk", "expected"), [(1, True), (2, False), (3, False)])
def test_the_permission_is_asked_of_the_own_model(monkeypatch, pk, expected):
    rows = {1: Own(1), 2: Own(2)}
    Own.objects = SimpleNamespace(filter=lambda pk: SimpleNamespace(first=lambda: rows.get(pk)))
    monkeypatch.setattr(visible, "Target", Own)
    assert visible.may_change_target(Owner(), SimpleNamespace(pk=pk)) is expected
