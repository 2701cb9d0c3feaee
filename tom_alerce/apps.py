"""The Django app."""

from django.apps import AppConfig


class TomAlerceConfig(AppConfig):
    """Integration points of the TOM Toolkit."""

    name = "tom_alerce"
    label = "tom_alerce"
    verbose_name = "ALeRCE follow-up"
    default_auto_field = "django.db.models.BigAutoField"
    default = True
