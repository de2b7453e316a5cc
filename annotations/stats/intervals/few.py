"""How many clusters an interval of a mean needs."""

FEWEST = 3
"""With two clusters t has one degree of freedom: a 95% interval reaches 12.7 standard errors to either side, which on
a rating scale is nearly always all of the scale."""


def too_few(n: int, sampled: str) -> str:
    """Why an interval over n of these (“prompts”, “raters”) is undefined; empty if it is defined."""
    return "" if n >= FEWEST else f"too few {sampled} ({n})"
