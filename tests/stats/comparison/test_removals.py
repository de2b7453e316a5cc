"""The fewest to remove from the front of a list."""

import pytest

from annotations.stats.removals import fewest_removed


@pytest.mark.parametrize("most", [0, 1, 2, 3, 7, 8, 9, 40])
def test_it_finds_the_first_sufficient_number_wherever_it_is_and_wherever_too_little_is_left(most: int) -> None:
    for enough in range(1, most + 2):
        for nothing_left in range(enough, most + 2):
            asked: list[int] = []

            def does_it(n: int, enough: int = enough, end: int = nothing_left, asked: list[int] = asked) -> bool | None:
                asked.append(n)
                return None if n >= end else n >= enough

            expected = enough if enough < nothing_left and enough <= most else None
            assert fewest_removed(does_it, most) == expected
            assert len(asked) <= 2 * max(most, 1).bit_length() + 1
            assert all(1 <= n <= most for n in asked)
