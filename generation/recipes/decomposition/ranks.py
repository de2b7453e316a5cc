"""Which of a graph's nodes is in which column."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

Ends = tuple[int, int | None]


def laid_out_ends(links: Mapping[int, Ends]) -> dict[int, Ends]:
    """The left and the right end of each link, given as source and target. One that would close a circle lies the other
    way round; the first win. One from a node to itself ends nowhere."""
    after: dict[int, set[int]] = defaultdict(set)

    def reaches(start: int, goal: int) -> bool:
        found, waiting = {start}, [start]
        while waiting:
            for following in sorted(after[waiting.pop()] - found):
                found.add(following)
                waiting.append(following)
        return goal in found

    ends: dict[int, Ends] = {}
    for number, (left, right) in links.items():
        if right is None or right == left:
            ends[number] = (left, None)
            continue
        if reaches(right, left):
            left, right = right, left
        ends[number] = (left, right)
        after[left].add(right)
    return ends


def ranks_of(ends: Sequence[Ends]) -> dict[int, int]:
    """Column of each node, from 0: the longest way to it; what nothing leads to, right before what it leads to."""
    pairs = [(left, right) for left, right in ends if right is not None]
    ranks = {node: 0 for pair in ends for node in pair if node is not None}
    for _round in range(len(ranks)):
        for left, right in pairs:
            ranks[right] = max(ranks[right], ranks[left] + 1)
    led_to = {right for _, right in pairs}
    for node in ranks:
        following = [ranks[right] for left, right in pairs if left == node]
        if following and node not in led_to:
            ranks[node] = min(following) - 1
    return ranks
