"""What pages answer."""

from __future__ import annotations


def refused(response):
    """Why a person may not, by our page with status 403; the answer must be one."""
    assert (response.status_code, response.templates[0].name) == (403, "tom_alerce/refused.html")
    return response.context["reason"]
