"""Configuration of Sphinx: references and pictures are made, and tutorials are executed, at each build, on a demo TOM of its own."""

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "demo.settings")
os.environ["TOM_ALERCE_DEMO_DATA"] = str(HERE / "_build" / "settings")

from sitebuild import demo_tom, pictures, reference  # noqa: E402

project = "tom_alerce"
extensions = ["myst_nb"]
html_theme = "furo"
html_title = "tom_alerce"
html_static_path = ["_static"]
html_css_files = ["site.css"]
exclude_patterns = ["_build", "sitebuild"]
smartquotes = False  # options of commands begin with two hyphens
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]
suppress_warnings = ["myst.xref_missing"]  # links to files outside docs/ are for the repository's own pages
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True

_running: list[demo_tom.Tom] = []


def _prepare(app):
    """Write the references; for pages of HTML, fill and serve the demo TOM, tell tutorials where it is, and take the pictures."""
    import django

    django.setup()
    reference.write(HERE / "generated")
    if app.builder.format != "html":
        return
    tom = demo_tom.start(HERE / "_build" / "demo")
    _running.append(tom)
    os.environ["TOM_URL"], os.environ["TOM_TOKEN"] = tom.url, tom.token
    if pictures.possible():
        pictures.take(tom, HERE / "generated" / "night")
    elif os.environ.get("TOM_ALERCE_REQUIRE_SERVICES"):
        raise RuntimeError("no Chromium, or no playwright: pictures cannot be taken")
    else:
        app.config.suppress_warnings.append("image.not_readable")


def _stop(app, error):
    while _running:
        _running.pop().stop()


def setup(app):
    """Register what is done before and after a build."""
    app.connect("builder-inited", _prepare)
    app.connect("build-finished", _stop)
