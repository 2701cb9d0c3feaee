"""Settings of a TOM as ``tom_setup`` writes them, with the plugin; nothing leaves this machine."""

import os
from pathlib import Path

from tom_common.default_settings import (
    TOMTOOLKIT_AUTHENTICATION_BACKENDS,
    TOMTOOLKIT_INSTALLED_APPS,
    TOMTOOLKIT_MIDDLEWARE,
)

BASE_DIR = Path(__file__).resolve().parent
DATA_DIR = Path(os.getenv("TOM_ALERCE_DEMO_DATA", BASE_DIR / "data"))
DATA_DIR.mkdir(parents=True, exist_ok=True)

SECRET_KEY = os.getenv("SECRET_KEY", "only-for-the-demo-and-the-tests-which-listen-on-loopback")
DEBUG = os.getenv("DEBUG", "0") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
TOM_NAME = "tom_alerce demo"

INSTALLED_APPS = [*TOMTOOLKIT_INSTALLED_APPS, "tom_alerce", "demo"]
SITE_ID = 1
MIDDLEWARE = ["tom_alerce.pages.refusals.RefusalMiddleware", *TOMTOOLKIT_MIDDLEWARE]
ROOT_URLCONF = "demo.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
CRISPY_TEMPLATE_PACK = "bootstrap5"
CRISPY_ALLOWED_TEMPLATE_PACKS = ("bootstrap5",)
AUTHENTICATION_BACKENDS = TOMTOOLKIT_AUTHENTICATION_BACKENDS
LOGIN_URL = "/accounts/login/"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

if os.getenv("TOM_ALERCE_POSTGRESQL"):
    DATABASES: dict[str, dict[str, object]] = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.getenv("PGDATABASE", "tom_alerce"),
            "USER": os.getenv("PGUSER", "postgres"),
            "PASSWORD": os.getenv("PGPASSWORD", ""),
            "HOST": os.getenv("PGHOST", "127.0.0.1"),
            "PORT": os.getenv("PGPORT", "5432"),
        }
    }
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": DATA_DIR / "db.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 30,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            },
        }
    }
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["tom_base.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = DATA_DIR / "static"
MEDIA_URL = "/data/"
MEDIA_ROOT = DATA_DIR / "media"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
TASKS = {"default": {"BACKEND": "django_tasks.backends.immediate.ImmediateBackend"}}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"timestamped": {"format": "[{asctime}] {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "timestamped"}},
    "root": {"handlers": ["console"], "level": os.getenv("LOG_LEVEL", "WARNING")},
}

TARGET_TYPE = "SIDEREAL"
MATCH_MANAGERS: dict[str, str] = {}
EXTRA_FIELDS: list[dict[str, str]] = []
TARGET_PERMISSIONS_ONLY = True
TARGET_DEFAULT_PERMISSION = "PUBLIC"
AUTH_STRATEGY = "READ_ONLY"
OPEN_URLS: list[str] = []
TOM_FACILITY_CLASSES = ["tom_observations.facilities.lco.LCOFacility", "demo.facility.FakeFacility"]
FACILITIES = {
    "LCO": {
        "portal_url": os.getenv("LCO_PORTAL_URL", "http://127.0.0.1:18000"),
        "archive_url": os.getenv("LCO_ARCHIVE_URL", "http://127.0.0.1:18080/archive/"),
        "api_key": os.getenv("LCO_API_KEY", ""),
    },
    "Fake": {"folder": str(DATA_DIR / "portal")},
}
HOOKS = {
    "target_post_save": "tom_common.hooks.target_post_save",
    "observation_change_state": "tom_common.hooks.observation_change_state",
    "data_product_post_upload": "tom_dataproducts.hooks.data_product_post_upload",
    "data_product_post_save": "tom_dataproducts.hooks.data_product_post_save",
    "multiple_data_products_post_save": "tom_dataproducts.hooks.multiple_data_products_post_save",
}
DATA_PRODUCT_TYPES = {
    "photometry": ("photometry", "Photometry"),
    "fits_file": ("fits_file", "FITS File"),
    "spectroscopy": ("spectroscopy", "Spectroscopy"),
    "image_file": ("image_file", "Image File"),
}
DATA_PROCESSORS = {
    "photometry": "tom_dataproducts.processors.photometry_processor.PhotometryProcessor",
    "spectroscopy": "tom_dataproducts.processors.spectroscopy_processor.SpectroscopyProcessor",
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "tom_common.accounts.api_auth.TomTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [],
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.LimitOffsetPagination",
    "PAGE_SIZE": 100,
}
PLOTLY_THEME = "plotly_white"
SHOW_PAGINATION_INFO = True
HINTS_ENABLED = False

TOM_ALERCE: dict[str, object] = {
    # the fake broker relays the ZTF packets of the simulated night; ALeRCE is asked by whoever polls it
    "BROKERS": {"alerce": {}, "fake": {"folder": str(DATA_DIR / "night" / "ztf"), "surveys": ["ztf"]}},
    # a facility that checks requests without a network, unless there is a key for LCO's portal
    "FACILITY": {"name": "lco", "proposal": os.getenv("LCO_PROPOSAL", "")} if os.getenv("LCO_API_KEY") else {"name": "fake"},
    # several science cases to choose from above the board
    "PROFILES": ("default", "young_supernovae", "snia_near_peak", "bright_transients", "cv_novae", "agn_flares", "anomalies"),
    # whoever logs in to the demo may try everything
    "EVERYBODY": ("view", "decide", "request"),
}
