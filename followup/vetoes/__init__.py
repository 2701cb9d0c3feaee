"""Vetoes of the ranking: one file each, a `followup.records.Veto`. A new file is found by being here."""
