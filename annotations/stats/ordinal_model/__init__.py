"""The cumulative link mixed model of ratings.

Read `effect` first (what is reported), then `fit`, `laplace` and `cumulative_link`; `random_intercepts` and `border`
hold the linear algebra, `ascent` the maximisation.
"""
