"""Trains the small model of the demo's closed world, from nothing to weights: start at `__main__`.

`data` draws the pictures, `autoencoder` comes first because it bounds what the rest can show, `transformer` learns to
draw from words, `clip` to compare pictures with words.
"""
