"""A study's release: raw rows and all figures in one bundle, so that anyone can compute the figures again and compare.

Read `recompute` first (what a bundle holds and how its figures are computed from it), then `verify`. `described` writes
the card, the code book and the Croissant description.
"""
