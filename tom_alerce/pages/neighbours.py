"""The next and the previous object of the list that one came from: the board's address travels with the link."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import reverse

from tom_alerce.models import Rank
from tom_alerce.pages.board import LONGEST_KEY, Board
from tom_alerce.store import rankings


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Addresses of the neighbours, '' where there is none, of the list, and the place in it, counted from 1, of ``count``."""

    previous: str
    next: str
    board: str
    place: int
    count: int


def neighbours(request: HttpRequest, now: float) -> Neighbours | None:
    """Neighbours in the ranking of the rank ``from``, with the filters and the order of the address; None without one."""
    key = request.GET.get("from", "")
    if not key.isdecimal() or len(key) > LONGEST_KEY:
        return None
    rank = Rank.objects.filter(pk=int(key)).select_related("ranking").first()
    if rank is None:
        return None
    board = Board(request, rank.ranking, now)
    keys = board.keys()
    if rank.pk not in keys:
        return None
    at = keys.index(rank.pk)
    around = [keys[i] for i in (at - 1, at + 1) if 0 <= i < len(keys)]
    owners = dict(rankings.ranks(rank.ranking).filter(pk__in=around).values_list("pk", "sky_object"))

    def address(i: int) -> str:
        if not 0 <= i < len(keys) or keys[i] not in owners:
            return ""
        query = board.query(**{"from": str(keys[i])})
        return f"{reverse('tom_alerce:object', args=[owners[keys[i]]])}?{query}"

    there = board.query(**{"from": ""})
    return Neighbours(address(at - 1), address(at + 1), f"{reverse('tom_alerce:board')}{'?' if there else ''}{there}", at + 1, len(keys))
