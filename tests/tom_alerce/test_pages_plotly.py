"""The plotly script, served by the TOM itself."""

from __future__ import annotations

import gzip

from django.urls import reverse
from plotly.offline import get_plotlyjs, get_plotlyjs_version

from tom_alerce.templatetags.alerce_extras import plotly_url


def test_it_is_the_installed_script_small_and_kept_for_ever(client):
    response = client.get(plotly_url(), headers={"Accept-Encoding": "gzip, br"})
    assert gzip.decompress(response.content).decode() == get_plotlyjs()
    assert len(response.content) < 1_500_000
    assert "immutable" in response["Cache-Control"]
    assert response["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in response["Vary"]


def test_without_compression_too(client):
    response = client.get(plotly_url())
    assert response.content.decode() == get_plotlyjs()
    assert "Content-Encoding" not in response


def test_another_version_is_not_here(client):
    assert get_plotlyjs_version() in plotly_url()
    assert client.get(reverse("tom_alerce:plotly", args=["0.1"])).status_code == 404
