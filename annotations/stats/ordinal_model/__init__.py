"""The cumulative link mixed model of ratings.

Read `effect` first (what is reported), then `fit`, `laplace` and `cumulative_link`. `search` and, for large data,
`many` find the maximum by `ascent`; `random_intercepts` and `border` contain the linear algebra.
"""
