"""How votes and rankings were analysed, with the sources; citations as in `methods`."""

from collections.abc import Iterator, Sequence

from annotations.reports.documents.preferences import PreferencePart


def preference_methods(parts: Sequence[PreferencePart]) -> str:
    """What was computed of these questions, each method once."""
    return " ".join(dict.fromkeys(sentence for part in parts for sentence in _sentences(part)))


def _sentences(part: PreferencePart) -> Iterator[str]:
    is_of_votes = part.kind == "votes"
    answers = "votes" if is_of_votes else "rankings" if part.kind == "rankings" else "choices"
    over = f"over prompts, over raters or over both, whichever the {answers} allow"
    if is_of_votes:
        yield (
            f"Preferences between methods are shares of decided votes with intervals {over} [@wilson1927; "
            "@cameron2011]."
        )
        if part.n_methods > 2 and _has_strengths(part):
            yield (
                "The strengths of the Bradley–Terry model [@bradley1952] with Davidson's ties [@davidson1970] put the "
                f"methods on one scale{_corrected(part, 'the side on which an image was shown [@davidson1977]')}."
            )
    elif _has_strengths(part):
        model = (
            "the Plackett–Luce model [@luce1959; @plackett1975] with ties [@turner2020]"
            if part.kind == "rankings"
            else (
                "the model of sequential best–worst choice [@marley2005], in which the best image is chosen first and "
                "the worst of the others next,"
            )
        )
        yield (
            f"The strengths of {model} put the methods on one scale"
            f"{_corrected(part, 'the place of an image on the screen')}; their intervals are {over} [@cameron2011]."
        )
    if not is_of_votes and part.pairs:
        yield (
            f"Two methods are compared by how often one of them comes before the other, with intervals {over} "
            "[@wilson1927; @cameron2011]."
        )
    if any(row.mean_rank and row.mean_rank.value is not None for row in part.strengths):
        yield "Mean ranks, in which methods that tie share the mean of their ranks, have intervals of the same kinds."
    if any(test.p is not None and test.test.startswith("Friedman") for test in part.tests):
        yield "The test of no difference between methods is Friedman's, over prompts [@friedman1937]."
    if part.n_methods > 2 and any(one.p_holm is not None for one in part.differences):
        yield "Differences of strengths have Holm's correction over all pairs [@holm1979]."


def _has_strengths(part: PreferencePart) -> bool:
    return any(row.log_worth.value is not None for row in part.strengths)


def _corrected(part: PreferencePart, what: str) -> str:
    return f", corrected for {what}" if part.side and part.side.value is not None else ""
