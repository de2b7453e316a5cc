"""As much English grammar as the recipes need, without a model.

Read `grammar` first, then `chunks`; `words` has the word lists.
"""
