"""The demo's closed world of drawn scenes.

Read `scene` first, then `grammar` (prompts), `layout` and `drawing` (pictures), `errors` and `critic` (planted faults).
"""
