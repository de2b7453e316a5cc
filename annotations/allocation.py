"""Which rater sees what, in which order: pure functions of the study's seed."""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

BLOCK = 100
"""About how many cards of a long session form a stretch with its own part of the checks."""
LONG = 200
"""Over how many first cards of a long session gold items and checks are spread, if there are too few for all of it."""
REPEAT_MARGIN = 3
"""Repeats begin this many cards after the first possible place: by then there is almost certainly a card to repeat."""


def prompt_order(n_prompts: int, seed: int) -> NDArray[np.int64]:
    """(n_prompts,) each prompt's place in the one shuffled order in which a study goes through its prompts."""
    return np.random.default_rng([seed, 1]).permutation(n_prompts)


def global_order(methods: ArrayLike, prompts: ArrayLike, seed: int) -> NDArray[np.int64]:
    """The order in which a study's items are assigned, so that wherever raters stop, methods and prompts are balanced.

    methods, prompts: (n_items,) codes ≥ 0 of each item's method and prompt. Returns a permutation of 0…n_items − 1.

    A Latin square: in round r, every prompt that has an (r + 1)th item comes once, in one shuffled order of prompts,
    and the methods rotate along it. When every prompt has one item of each method, any two methods' counts differ by at
    most one after any number of items of a round, and no prompt comes again before all others have come.
    """
    method, prompt = np.asarray(methods, np.int64), np.asarray(prompts, np.int64)
    if len(method) == 0:
        return np.empty(0, np.int64)
    rng = np.random.default_rng([seed, 1])
    prompt_place = rng.permutation(int(prompt.max()) + 1)[prompt]  # as in prompt_order
    n_methods = int(method.max()) + 1
    turn = (rng.permutation(n_methods)[method] - prompt_place) % n_methods
    # Items of one prompt and one method (several seeds) follow each other in random order.
    by_prompt = np.lexsort((rng.random(len(method)), turn, prompt_place))
    starts = np.r_[True, np.diff(prompt_place[by_prompt]) != 0]
    index = np.arange(len(method))
    round_ = np.empty(len(method), np.int64)
    round_[by_prompt] = index - np.maximum.accumulate(np.where(starts, index, 0))
    return np.lexsort((prompt_place, round_))


def batch_order(n: int, *, seed: int, rater: int, n_before: int) -> list[int]:
    """In which order a rater sees the n items reserved for them after `n_before` earlier ones."""
    return [int(i) for i in np.random.default_rng([seed, 2, rater, n_before]).permutation(n)]


def shown_order(n_images: int, *, seed: int, rater: int, item: int) -> list[int]:
    """The images' slots from left to right, as one rater sees one item."""
    return [int(i) for i in np.random.default_rng([seed, 3, rater, item]).permutation(n_images)]


def sample_pairs(kinds: ArrayLike, prompts: ArrayLike, *, per_prompt: int, seed: int) -> NDArray[np.int64]:
    """A balanced sample of pairs: at most `per_prompt` per prompt, and each kind equally often.

    kinds, prompts: (n_pairs,) codes ≥ 0 of each candidate's two methods and of its prompt, every prompt code up to the
    highest in use. Returns the chosen indices, ascending. Prompts are gone through in the order of `global_order`, and
    each takes the kinds chosen least often so far, ties at random. So if every prompt has every kind, the counts of any
    two kinds differ by at most one after any number of prompts in that order.
    """
    kind, prompt = np.asarray(kinds, np.int64), np.asarray(prompts, np.int64)
    if len(kind) == 0:
        return np.empty(0, np.int64)
    rng = np.random.default_rng([seed, 4])
    place = prompt_order(int(prompt.max()) + 1, seed)[prompt]
    by_place = np.lexsort((rng.random(len(kind)), place))
    n_chosen = np.zeros(int(kind.max()) + 1, np.int64)
    chosen: list[int] = []
    for candidates in np.split(by_place, np.flatnonzero(np.diff(place[by_place])) + 1):
        left = candidates.tolist()
        for _ in range(min(per_prompt, len(left))):
            best = min(left, key=lambda one: int(n_chosen[kind[one]]))
            left.remove(best)
            n_chosen[kind[best]] += 1
            chosen.append(best)
    return np.sort(np.array(chosen, np.int64))


def sample_of_kinds(kinds: ArrayLike, n: int, *, seed: int) -> NDArray[np.int64]:
    """At most n indices, ascending, drawn at random with equally many of each kind, if there are enough.

    kinds: (n_candidates,) codes. The counts of two kinds differ by more than one only if the smaller kind is used up.
    """
    kind = np.asarray(kinds, np.int64)
    rng = np.random.default_rng([seed, 5])
    draw = rng.random(len(kind))
    by_kind = np.lexsort((draw, kind))
    index = np.arange(len(kind))
    starts = np.r_[True, np.diff(kind[by_kind]) != 0] if len(kind) else np.empty(0, bool)
    turn = np.empty(len(kind), np.int64)
    turn[by_kind] = index - np.maximum.accumulate(np.where(starts, index, 0))
    return np.sort(np.lexsort((draw, turn))[:n])


def turned_sides(
    kinds: Sequence[Hashable], *, rater_excess: Mapping[Hashable, int], item_excess: Sequence[int], key: Sequence[int]
) -> list[bool]:
    """Which of the pairs reserved for a rater show the second image on the left.

    kinds         (n,) the two methods of each pair, in the order of its slots
    rater_excess  by kind, how often this rater had the second image on the left, less how often the first: −1, 0 or 1
    item_excess   (n,) the same for each pair over all earlier raters
    key           the seed and what distinguishes this draw from others
    With these, the excess of the rater stays within −1 … 1 for every kind, and among a kind's pairs those are turned
    that have been turned least.
    """
    rng = np.random.default_rng([*key])
    members: dict[Hashable, list[int]] = defaultdict(list)
    for index, kind in enumerate(kinds):
        members[kind].append(index)
    turned = [False] * len(kinds)
    for kind, own in members.items():
        spare = len(own) - rater_excess.get(kind, 0)
        n_turned = spare // 2
        if spare % 2:
            lean = sum(item_excess[index] for index in own)
            n_turned += lean < 0 or (lean == 0 and bool(rng.integers(2)))
        need = sorted(zip((item_excess[index] for index in own), rng.random(len(own)).tolist(), own, strict=True))
        for _excess, _draw, index in need[: max(0, n_turned)]:
            turned[index] = True
    return turned


def check_schedule(
    shares: Mapping[str, int],
    *,
    available: Mapping[str, int],
    together: Mapping[str, int] | None = None,
    gap: int,
    n_rated: int,
    seed: int,
    rater: int,
) -> list[tuple[int, str]]:
    """Where the cards of a rater who rates `n_rated` items are checks: (place from 0, kind), ascending.

    shares     by kind, its percentage of all cards
    available  by kind, the most checks of that kind; kinds that are left out are repeats of earlier cards
    together   by kind, how many come or none: their number is a multiple of it. 1 where it is left out
    gap        smallest number of cards between an item and its repeat

    Among the cards that are not repeats, every place but the last is equally likely to be of a kind in `available`,
    wherever the repeats come: the number of each kind is its share, rounded up or down at
    random, and its places are drawn without replacement. If a session has several hundred cards, each stretch of about
    `BLOCK` (with random borders) has its part. A kind with fewer than its share is spread over the whole session, or
    over the first `LONG` cards. Repeats are drawn in the same way from the places where they are possible, at no more
    than twice their share. The last card is always a rated one.
    """
    expected = _expected(shares, available=available, gap=gap, n_rated=n_rated)
    if not any(expected.values()):
        return []
    rng, *streams = (np.random.default_rng([seed, 5, rater, one]) for one in range(len(shares) + 2))
    whole = {kind: max(1, (together or {}).get(kind, 1)) for kind in expected}
    counts = {kind: whole[kind] * int(n / whole[kind] + rng.random()) for kind, n in expected.items()}
    hidden = [kind for kind in counts if kind in available]
    repeated = [kind for kind in counts if kind not in available]
    n_other = n_rated + sum(counts[kind] for kind in hidden)
    kinds = np.full(n_other - 1, -1)
    for code, kind in enumerate(hidden):
        horizon = n_other - 1
        if expected[kind] >= available[kind]:
            horizon = min(horizon, max(LONG, -(-100 * available[kind] // shares[kind])))
        kinds[_drawn_places(np.flatnonzero(kinds[:horizon] < 0), horizon, counts[kind], streams[code])] = code
    first = gap + 1 + REPEAT_MARGIN
    n_repeats = sum(counts[kind] for kind in repeated)
    end = max(first, n_other + n_repeats - 1)
    places = first + _drawn_places(np.arange(end - first), end - first, n_repeats, streams[-1])
    of_repeats = rng.permutation(np.repeat(np.arange(len(repeated)), [counts[kind] for kind in repeated]))
    while True:
        is_repeat = np.zeros(n_other + len(places), bool)
        is_repeat[places[places < n_other + len(places) - 1]] = True
        others = np.flatnonzero(~is_repeat)[:n_other]
        rated = np.append(others[:-1][kinds < 0], others[-1])
        n_far = np.searchsorted(rated, places - gap)
        bad = np.flatnonzero((places > others[-1]) | (n_far <= np.arange(len(places))))
        if not len(bad):
            break
        places = np.delete(places, bad[0])
    found = [
        (place, hidden[code]) for place, code in zip(others[:-1].tolist(), kinds.tolist(), strict=True) if code >= 0
    ]
    found += [(place, repeated[code]) for place, code in zip(places.tolist(), of_repeats.tolist(), strict=False)]
    return sorted(found)


def _expected(shares: Mapping[str, int], *, available: Mapping[str, int], gap: int, n_rated: int) -> dict[str, float]:
    """By kind, how many a rater of `n_rated` items gets on average."""
    limited: dict[str, float] = {}
    while True:
        free = {kind: share / 100 for kind, share in shares.items() if share and kind not in limited}
        n_all = (n_rated + sum(limited.values())) / max(1 - sum(free.values()), 0.01) if n_rated else 0
        n_repeatable = max(0.0, n_all - 1 - (gap + 1 + REPEAT_MARGIN))
        most = {kind: available.get(kind, 2 * share * n_repeatable) for kind, share in free.items()}
        short = {kind: float(most[kind]) for kind, share in free.items() if share * n_all > most[kind]}
        if not short:
            return {kind: limited.get(kind, free.get(kind, 0) * n_all) for kind in shares}
        limited |= short


def _drawn_places(free: NDArray[np.int64], length: int, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """n of the free places below `length`, ascending: in each stretch in proportion to its length, otherwise at
    random."""
    n_blocks = max(1, round(length / BLOCK))
    offset, draws = rng.random(), rng.random(length)[free]  # in this order: a longer session begins with the same draws
    inner = (np.arange(1, n_blocks) + rng.uniform(-0.2, 0.2, n_blocks - 1)) * length / n_blocks
    borders = np.array([0, *inner.astype(int).tolist(), length])
    parts = np.diff(np.floor(n * borders / max(1, length) + offset).astype(int))
    found = []
    for start, stop, part in zip(borders, borders[1:], parts.tolist(), strict=False):
        own = np.arange(*np.searchsorted(free, [start, stop]))
        found.append(free[own[np.argsort(draws[own])[:part]]])
    return np.sort(np.concatenate(found))


def n_cards(n_rated: int, checks: Iterable[tuple[int, str]]) -> int:
    """How many cards a rater of `n_rated` items sees, with the checks of a schedule between them."""
    total = n_rated
    for place, _kind in checks:
        if place >= total:
            break
        total += 1
    return total


def n_of_kinds(n_rated: int, checks: Iterable[tuple[int, str]], *, available: Mapping[str, int]) -> Counter[str]:
    """By kind, how many checks of a schedule come among the cards of a rater of `n_rated` items.

    available  by kind, how many there are; once all of these have a place, the rest of the schedule is not examined
    """
    found: Counter[str] = Counter()
    total = n_rated
    for place, kind in checks:
        if place >= total or all(found[one] >= n for one, n in available.items()):
            break
        total += 1
        found[kind] += 1
    return found


def spread_out(
    groups: Sequence[Hashable],
    *,
    n: int,
    together: int,
    seed: int,
    rater: int,
    is_mixed: bool = False,
    share: float = 1,
) -> list[int]:
    """The indices of checks in the order in which one rater gets them.

    groups    (n_checks,) the prompt of each
    n         how many the rater gets by plan; these come first
    together  how many of one group they get, if there are enough: as often as they see a rated prompt
    is_mixed  rated items come in an order drawn for the rater, so that these do, too
    share     the probability that the rater gets a given item of a prompt; each further check of a group has the same
    Groups are shuffled; those with fewer than `together` come last. Of those that are planned, the first of each group
    come before the second ones, and so on, or they are shuffled, too.
    """
    members: dict[Hashable, list[int]] = defaultdict(list)
    rng = np.random.default_rng([seed, 6, rater])
    for index in rng.permutation(len(groups)).tolist():
        members[groups[index]].append(index)
    in_turn = sorted(members.values(), key=lambda own: len(own) < together)
    later: list[int] = []
    for own in in_turn if share < 1 else ():
        is_kept = rng.random(len(own)) < share
        while not is_kept.any():
            is_kept = rng.random(len(own)) < share
        later += [index for index, kept in zip(own, is_kept, strict=True) if not kept]
        own[:] = [index for index, kept in zip(own, is_kept, strict=True) if kept]
    n_sweeps = -(-max((len(own) for own in members.values()), default=0) // together)
    order = [
        (turn, index)
        for sweep in range(n_sweeps)
        for own in in_turn
        for turn, index in enumerate(own[sweep * together : (sweep + 1) * together])
    ]
    order += [(0, index) for index in later]
    planned = sorted(order[:n], key=lambda one: one[0])
    if is_mixed:
        planned = [planned[place] for place in rng.permutation(len(planned)).tolist()]
    return [index for _turn, index in (*planned, *order[n:])]
