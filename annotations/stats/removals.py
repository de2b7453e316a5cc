"""How many of a list must be removed, from its front, until something holds?"""

from collections.abc import Callable


def fewest_removed(does_it: Callable[[int], bool | None], most: int) -> int | None:
    """The smallest n from 1 to `most` that doubling and halving find to be sufficient; None if they find none.

    does_it: whether removing the first n is sufficient; None where too little is left to say, which is then also so for
    every larger n.
    """
    low, high, found = 0, 1, None
    while low < most:
        high = min(high, most)
        answer = does_it(high)
        if answer is not False:
            found = high if answer else None
            break
        low, high = high, 2 * high
    while high - low > 1 and low < most:
        middle = (low + high) // 2
        answer = does_it(middle)
        if answer is False:
            low = middle
        else:
            high, found = middle, middle if answer else found
    return found
