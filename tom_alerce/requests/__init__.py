"""Observation requests: drafted, checked, approved, sent exactly once, and followed to their end (docs/requests.md)."""
