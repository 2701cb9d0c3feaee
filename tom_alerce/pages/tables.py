"""Table of the board: its columns, their templates and orders."""

from __future__ import annotations

from typing import Any

import django_tables2 as tables
from django.db.models import F, QuerySet

from tom_alerce.models import Rank
from tom_alerce.models.sky import first_seen


def _cell(template: str, name: str, **options: object) -> tables.TemplateColumn:
    """Make a column whose cells are a template; ``name`` labels the cell if the table is shown as cards."""
    attrs = {"td": {"class": f"cell-{template}", "data-label": name}, "th": {"class": f"cell-{template}"}}
    return tables.TemplateColumn(template_name=f"tom_alerce/cells/{template}.html", verbose_name=name, attrs=attrs, **options)


class BoardTable(tables.Table):
    """The ranks of one ranking; each record has a ``summary`` (`tom_alerce.pages.summaries.Summary`)."""

    place = _cell("place", "#", order_by="place")
    name = _cell("object", "Object", orderable=False)
    score = _cell("score", "Score", order_by="score", initial_sort_descending=True)
    stamps = _cell("stamps", "Stamps", orderable=False)
    classes = _cell("classes", "Classes", orderable=False)
    magnitude = _cell("light_curve", "Light curve", order_by="magnitude")
    hours = _cell("night", "Tonight", order_by="hours", initial_sort_descending=True)
    first = tables.Column(visible=False, empty_values=())
    last = tables.Column(order_by="sky_object__last_mjd", visible=False, empty_values=())

    #: Orders that the form offers, since a narrow screen shows no headings.
    ORDERS = (
        ("place", "place"),
        ("-hours", "hours left"),
        ("magnitude", "brightest"),
        ("-first", "newest"),
        ("-last", "latest detection"),
    )

    class Meta:
        model = Rank
        fields: tuple[str, ...] = ()
        attrs = {"class": "alerce-board"}
        template_name = "django_tables2/bootstrap5.html"
        order_by = "place"

    #: Rows of a page at most, whatever is asked for.
    MOST = 100

    def paginate(self, *args: Any, per_page: int | None = None, **kwargs: Any) -> None:
        """Show a page of 1 to `MOST` rows."""
        super().paginate(*args, per_page=min(max(per_page or 1, 1), self.MOST), **kwargs)

    def order_magnitude(self, ranks: QuerySet[Rank], descending: bool) -> tuple[QuerySet[Rank], bool]:
        """Sort by magnitude; unknown magnitudes last in both directions."""
        order = F("magnitude").desc(nulls_last=True) if descending else F("magnitude").asc(nulls_last=True)
        return ranks.order_by(order, "place"), True

    def order_first(self, ranks: QuerySet[Rank], descending: bool) -> tuple[QuerySet[Rank], bool]:
        """Sort by the first detection of any survey; objects without one last in both directions."""
        first = first_seen("sky_object__")
        order = first.desc(nulls_last=True) if descending else first.asc(nulls_last=True)
        return ranks.order_by(order, "place"), True
