"""A critic's claims compared with the verdicts of auditors.

Read `audit` first (the data), then `accuracy`. `calibration` judges stated confidence, `capture_recapture` estimates
what everyone missed, and `comparison` compares critics.
"""
