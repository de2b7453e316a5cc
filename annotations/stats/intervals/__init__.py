"""Intervals: ways to find the uncertainty of any statistic.

Read `unit_resampling` first (other units), then `leave_one_out` and `over_raters` (other raters), then `on_scale`,
which keeps an interval within what is attainable. `cluster_bootstrap` and `wilson` serve shares of clustered yes/no
answers.
"""
