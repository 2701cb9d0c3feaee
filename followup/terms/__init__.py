"""Terms of the ranking: one file each, a `followup.records.Term`. A new file is found by being here."""
