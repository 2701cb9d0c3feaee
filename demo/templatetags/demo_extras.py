"""Whether a page shows the simulated night of the demo, and no test's or visitor's own data."""

from django import template
from django.contrib.auth import get_user_model

from demo import USER

register = template.Library()


@register.simple_tag
def simulated() -> bool:
    """Whether ``alerce_demo`` has filled this database: it makes its user first."""
    return get_user_model().objects.filter(username=USER, is_superuser=True).exists()
