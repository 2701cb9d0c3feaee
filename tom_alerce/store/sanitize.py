"""Cleans text and JSON from outside for every database: no NUL, no lone surrogates, no NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np


def sanitize_text(text: str) -> str:
    """Remove what PostgreSQL or UTF-8 cannot hold."""
    if text.isascii() and "\x00" not in text:
        return text
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def json_safe(value: Any) -> Any:
    """Convert a value to plain JSON: numbers of Python, None for NaN and infinity, texts cleaned by `sanitize_text`."""
    kind = type(value)
    if value is None or kind is int or kind is bool:  # most of an alert's metadata
        return value
    if kind is float:
        return value if math.isfinite(value) else None
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, Mapping):
        return {sanitize_text(str(k)): v if type(v) is int or v is None else json_safe(v) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [json_safe(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return sanitize_text(value) if isinstance(value, str) else value
