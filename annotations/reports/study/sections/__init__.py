"""The sections of a study's report as view data. Start with `report`; `words` and `notices` hold its wording."""
