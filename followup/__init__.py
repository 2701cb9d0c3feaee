"""Candidates in, observation requests out: visibility, terms, ranking, plan and payloads. No Django."""
