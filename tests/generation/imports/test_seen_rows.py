"""The compact memory of earlier rows against a dictionary."""

import random
import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from generation.queries.seen_rows import SeenRows


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=20))
def test_it_remembers_what_a_dictionary_would(batches: list[list[int]]) -> None:
    seen, first, row = SeenRows(), dict[int, tuple[int, float]](), 0
    for keys in batches:
        rows = list(range(row, row + len(keys)))
        values = [float(number % 7) for number in rows]
        row += len(keys)
        expected: dict[int, tuple[int, float]] = {}
        for place, (key, number, value) in enumerate(zip(keys, rows, values, strict=True)):
            if key in first:
                expected[place] = first[key]
            first.setdefault(key, (number, value))
        assert seen.look([("key", key) for key in keys], rows, values) == expected


def test_two_hundred_thousand_rows_take_a_few_megabytes() -> None:
    keys = [str(random.getrandbits(64)) for _ in range(2_000)]
    tracemalloc.start()
    seen = SeenRows()
    for batch in range(100):
        rows = range(batch * 2_000, (batch + 1) * 2_000)
        assert seen.look([(batch, key) for key in keys], rows, [1.0] * 2_000) == {}
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 200_000 * 24 * 1.2  # three columns of eight bytes; a dictionary of tuples takes ten times as much
    assert seen.look([(0, keys[5])], [999_999], [2.0]) == {0: (5, 1.0)}
