"""Agreement between raters.

Read `report` first: it computes every statistic that suits a scale. `alpha` and `chance_corrected` work on count
patterns, `cohen` and `conger` on pairs of raters, `intraclass` on mean squares, `concordance` on ranks.
"""
