"""A prompt taken apart into checkable parts.

Read `decomposition` first. `by_model` asks a language model, `by_rules` uses grammar alone; `picture`, `layout`,
`columns` and `ranks` draw the result.
"""
