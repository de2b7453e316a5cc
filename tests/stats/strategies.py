"""Random matrices of ratings with gaps, for property tests."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp


def matrices(
    levels: tuple[float, ...] = (1, 2, 3, 4, 5), *, max_raters: int = 5, max_units: int = 8, gaps: bool = True
) -> st.SearchStrategy[np.ndarray]:
    """Raters × units of values on the scale; with `gaps`, any cell may be missing."""
    cells = [*levels, float("nan"), float("nan")] if gaps else list(levels)
    shape = st.tuples(st.integers(2, max_raters), st.integers(1, max_units))
    return shape.flatmap(lambda size: hnp.arrays(float, size, elements=st.sampled_from(cells)))
