"""A client of the API for programs and notebooks; it needs a token and neither Django nor a settings module (docs/client.md)."""

from tom_alerce.client.client import Client
from tom_alerce.client.errors import ClientError, Forbidden, NotFound, Refused, TooOften, Unreachable
from tom_alerce.client.records import LightCurve, Request, Rows, SkyObject

__all__ = [
    "Client",
    "ClientError",
    "Forbidden",
    "LightCurve",
    "NotFound",
    "Refused",
    "Request",
    "Rows",
    "SkyObject",
    "TooOften",
    "Unreachable",
]
