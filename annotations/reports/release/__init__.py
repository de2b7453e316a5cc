"""A study's release: raw rows and all figures in one bundle, which anyone can compute again and compare.

Read `recompute` first (what a bundle holds and how its figures come out of it), then `verify`. `described` writes the
card, the code book and the Croissant description.
"""
