"""The Django app and its integration points of the TOM Toolkit.

The toolkit ignores a hook that raises AttributeError: the hooks return names and do nothing else.
"""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured
from django.db.models.signals import post_migrate
from django.urls import include, path


class TomAlerceConfig(AppConfig):
    """App configuration, with the methods that the TOM Toolkit calls."""

    name = "tom_alerce"
    label = "tom_alerce"
    verbose_name = "ALeRCE follow-up"
    default_auto_field = "django.db.models.BigAutoField"
    default = True

    def import_models(self) -> None:
        """Load the tables; if another package hides `broker_adapters`, which they need, raise the message of the check."""
        from tom_alerce import checks

        for clash in checks.clashing():
            if clash.package == "broker_adapters":
                raise ImproperlyConfigured(clash.problem)
        super().import_models()

    def ready(self) -> None:
        """Register the system checks, and make the third parties' plug-ins of the settings known; index the targets after ``migrate``."""
        from tom_alerce import checks, conf

        if not checks.clashing():
            conf.use_third_parties()
            from tom_alerce.store import indexes

            post_migrate.connect(indexes.ensure, sender=self)

    def include_url_paths(self) -> list[Any]:
        """Addresses of our pages, under ``alerce/``; none if another package hides or overwrites one of ours (E001)."""
        from tom_alerce.checks import clashing

        return [] if clashing() else [path("alerce/", include("tom_alerce.urls", namespace="tom_alerce"))]

    def nav_items(self) -> list[dict[str, str]]:
        """Our entry in the navigation bar."""
        return [{"partial": "tom_alerce/partials/nav.html", "position": "left"}]

    def target_detail_tabs(self) -> list[dict[str, str]]:
        """Our tab on the page of a target."""
        return [{"partial": "tom_alerce/partials/target_tab.html", "label": "Alerts", "context": "tom_alerce.pages.target.tab"}]

    def data_services(self) -> list[dict[str, str]]:
        """Our brokers on the query pages of the TOM, under names that replace none of the toolkit's."""
        return [{"class": path} for path in DATA_SERVICES]


#: Dotted paths of our data services.
DATA_SERVICES: tuple[str, ...] = (
    "tom_alerce.dataservices.alerce.AlerceDataService",
    "tom_alerce.dataservices.lasair.LasairDataService",
    "tom_alerce.dataservices.atlas.AtlasDataService",
)
