"""The kinds of question that a rating card can ask: how each is designed, shown, read, put into words and counted.

Read `base.py` first (what a kind is), then `registry.py` (all of them, by `Dimension.Kind`). A new kind is one class in
a file of its own here, a template in templates/annotations/rate/kinds and a module in static/annotations/rate/kinds.
"""
