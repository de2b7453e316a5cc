"""What looks at pictures of the demo's closed world: a critic, and an answerer of yes-or-no questions.

The small model that draws such pictures is loaded by `generation.engines.sd3` like any other, once it is trained (see
`generation.training` and `generation.engines.small_model`).
"""
