"""Settings from the environment. A secret NAME may be in the file that NAME_FILE names, as compose and Kubernetes mount it.

============================  ==============================================================================================
``SECRET_KEY``                a secret; needed
``ALLOWED_HOSTS``             names of the site, with commas between; needed
``CSRF_TRUSTED_ORIGINS``      origins with their scheme, with commas between, where TLS ends before us
``PGHOST``, ``PGPORT``        the database, with ``PGDATABASE``, ``PGUSER`` and ``PGPASSWORD``, a secret
``ALERCE_SETTINGS_FILE``      a file with ``TOM_ALERCE`` as JSON; it may hold tokens
``FACILITIES_FILE``           a file with ``FACILITIES`` as JSON; it may hold keys
``LOG_LEVEL``                 INFO by default
``MEDIA_ROOT``                folder of data products, on a volume
============================  ==============================================================================================
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from demo.settings import *  # noqa: F403  # what tom_setup writes for every TOM
from demo.settings import INSTALLED_APPS as _APPS
from demo.settings import MIDDLEWARE as _MIDDLEWARE


def _secret(name: str, default: str | None = None) -> str:
    """A value of the environment, or of the file that ``name_FILE`` names; KeyError without either and without a default."""
    path = os.getenv(f"{name}_FILE")
    if path:
        return Path(path).read_text().strip()
    return os.environ[name] if default is None else os.getenv(name, default)


def _json(name: str) -> dict[str, Any]:
    """What the file holds that a variable names; {} without the variable."""
    path = os.getenv(name)
    found: dict[str, Any] = json.loads(Path(path).read_text()) if path else {}
    return found


def _names(name: str, default: str | None = None) -> list[str]:
    text = os.environ[name] if default is None else os.getenv(name, default)
    return [one.strip() for one in text.split(",") if one.strip()]


DEBUG = False
SECRET_KEY = _secret("SECRET_KEY")
ALLOWED_HOSTS = _names("ALLOWED_HOSTS")
CSRF_TRUSTED_ORIGINS = _names("CSRF_TRUSTED_ORIGINS", "")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if CSRF_TRUSTED_ORIGINS else None
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = bool(CSRF_TRUSTED_ORIGINS)
TOM_NAME = os.getenv("TOM_NAME", "TOM")

INSTALLED_APPS = [app for app in _APPS if app != "demo"]
#: Static files are served by the web process itself, behind whatever caches.
MIDDLEWARE = [_MIDDLEWARE[0], "whitenoise.middleware.WhiteNoiseMiddleware", *_MIDDLEWARE[1:]]
ROOT_URLCONF = "demo.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
DATABASES: dict[str, dict[str, object]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": os.getenv("PGHOST", "db"),
        "PORT": os.getenv("PGPORT", "5432"),
        "NAME": os.getenv("PGDATABASE", "tom"),
        "USER": os.getenv("PGUSER", "tom"),
        "PASSWORD": _secret("PGPASSWORD", ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
}
STATIC_ROOT = os.getenv("STATIC_ROOT", "/srv/tom/static")
MEDIA_ROOT = os.getenv("MEDIA_ROOT", "/srv/tom/media")
TASKS = {"default": {"BACKEND": "django_tasks.backends.database.DatabaseBackend"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "tom_alerce.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": os.getenv("LOG_LEVEL", "INFO")},
}

TOM_FACILITY_CLASSES = ["tom_observations.facilities.lco.LCOFacility", "tom_observations.facilities.gemini.GEMFacility"]
FACILITIES = _json("FACILITIES_FILE")
TOM_ALERCE = _json("ALERCE_SETTINGS_FILE")
