"""Facilities: one file each, a `followup.records.Facility`. A new file is found by being here."""
