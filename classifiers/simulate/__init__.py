"""Labelled, seeded imitations of what the surveys send, every constant with its source."""
