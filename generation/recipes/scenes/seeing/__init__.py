"""Looking at pictures of the closed world: what they show, and what is wrong with them.

`check` measures errors in a picture as an independent judge; `looking` is the critic that knows no more than the
picture (`eyes`) and the words of its prompt (`asked`). Both measure with `pixels`.
"""
