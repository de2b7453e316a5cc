"""Intraclass correlations: `icc` of complete units, `icc_f` their F tests and intervals, `icc_one_way` with gaps."""
