"""Each rater compared with the others.

Read `table` first; it is built from `signals` and `sums`. `suspicion` combines signals, `dawid_skene` estimates the
true labels and each rater's confusion matrix.
"""
