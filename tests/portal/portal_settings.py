"""Settings of a real observation portal on loopback, read by its own process in its own environment: no Redis, no S3, no OpenSearch."""

import os

from observation_portal.settings import *  # noqa: F403

DEBUG = False
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["PORTAL_DATABASE"],
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": os.environ["PORTAL_POSTGRESQL"],
    }
}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MAX_FAILURES_PER_REQUEST = 2
STATICFILES_DIRS: list[str] = []
# tasks (mail, synchronisation of OAuth clients) are queued in memory and never run
DRAMATIQ_BROKER = {
    "BROKER": "dramatiq.brokers.stub.StubBroker",
    "OPTIONS": {},
    "MIDDLEWARE": ["dramatiq.middleware.AgeLimit", "dramatiq.middleware.TimeLimit", "dramatiq.middleware.Retries"],
}
