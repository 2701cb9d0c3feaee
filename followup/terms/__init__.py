"""Terms of the ranking: one file each with a function ``term(candidates, night)`` that returns `followup.records.Scores`."""
