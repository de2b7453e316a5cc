"""Votes and rankings as sections, the answer first: the same on a study's page and in the file."""

from collections.abc import Callable, Iterator, Sequence

from annotations.reports import charts, view
from annotations.reports.anchors import anchors
from annotations.reports.charts import Mark
from annotations.reports.documents.estimates import ReportedEstimate
from annotations.reports.documents.preferences import PreferenceDocument, PreferencePart, ReportedPair, ReportedStrength
from annotations.reports.estimates import ends, leading, note_of
from annotations.reports.numbers import counted, figure, interval, p_value, share, span
from annotations.reports.pictures.matrix_chart import MOST_DRAWN, chance_matrix
from annotations.reports.view import Block, Paragraph, Section
from annotations.reports.votes.category_sections import category_blocks, covered_axis
from annotations.reports.votes.fragility import fragility_sentence
from annotations.reports.votes.sentence import ties
from annotations.reports.votes.tables import first_interval

Make = Callable[[str, str, list[Block], str], Section]
MOST_METHODS_DRAWN = 40
LOW_ALPHA = (
    "A low alpha says nothing against a clear winner: where nearly all votes are for one method, raters agree about as "
    "often as chance predicts from these very votes."
)
PLACES_UNORDERED = (
    "These statistics take the places of a ranking as unordered: raters who swap two neighbouring images disagree as "
    "much as those who swap the best and the worst."
)


def preference_sections(document: PreferenceDocument) -> list[Section]:
    """Every section of a document of votes or rankings, in reading order."""
    parts = document.preferences
    anchor = anchors([part.name for part in parts])
    found: list[Section] = []
    for part in parts:

        def section(
            of: str,
            title: str,
            blocks: list[Block],
            table: str,
            name: str = part.name,
            at: str = anchor[part.name],
        ) -> Section:
            return Section(f"{at}-{of}", title, blocks, table, name)

        found += part_sections(part, section)
        if part.agreement:
            found.append(section("agreement", "Agreement of raters", _agreement(part.agreement), "preference_tests"))
    return found


def _agreement(alpha: ReportedEstimate) -> list[Block]:
    """Alpha in a sentence, and what a low one does not mean."""
    if alpha.value is None:
        return [Paragraph(f"Krippendorff's nominal alpha is undefined: {alpha.reason}.")]
    unit = "a unit is one pair of methods on one prompt"
    said = f"Krippendorff's nominal alpha is {figure(alpha.value, digits=2)} ({unit})"
    if (bounds := leading(alpha)) and bounds.low is not None and bounds.high is not None:
        said += f", 95% interval over {bounds.covers} {span(bounds.low, bounds.high)}"
    elif alpha.intervals and alpha.intervals[0].reason:
        said += f"; no interval over {alpha.intervals[0].covers}: {alpha.intervals[0].reason}"
    notes = "".join(f"; {note}" for note in alpha.notes)
    return [Paragraph(f"{said}{notes}."), Paragraph(LOW_ALPHA)]


def part_sections(part: PreferencePart, section: Make) -> Iterator[Section]:
    """The sections of one question's part; `section` makes one of id, title, blocks and table."""
    is_of_two = part.n_methods == 2
    if is_of_two and part.pairs:
        yield section("winner", "Who wins", _of_two(part.pairs[0]), "preferences")
    else:
        yield section("winner", "Who wins", _strengths(part), "strengths")
    if part.kind != "votes":
        yield section("ranks", "Mean ranks", _mean_ranks(part), "strengths")
    if not is_of_two and part.pairs:
        yield section("pairs", "Every pair", _pairs(part), "preferences")
    if len(part.chance) > 2 and any(value is not None for row in part.chance for value in row):
        yield section("chances", "Who would beat whom", _chances(part), "pairs")
    if blocks := category_blocks(part):
        table = "preferences_by_category" if is_of_two and part.kind == "votes" else "strengths_by_category"
        yield section("categories", "By category", blocks, table)
    decides = fragility_sentence(part.fewest)
    if blocks := [*([Paragraph(decides)] if decides else []), *_checks(part)]:
        yield section("checks", "Possible explanations", blocks, "preference_tests" if part.tests else "preferences")


# --- who wins --------------------------------------------------------------------------------------------------------
def _of_two(pair: ReportedPair) -> list[Block]:
    rate = pair.win_rate
    marks = []
    for words, each in (("decided votes", rate), ("ties as halves", pair.with_halves)):
        low, high, *_ = first_interval(each)
        marks.append(
            Mark(
                words,
                each.value,
                *ends(each, "prompts"),
                low,
                high,
                "" if each.value is None else f"{each.value:.1%}",
            )
        )
    counts = [
        (f"for {pair.first}", pair.wins, "win"),
        ("ties", pair.ties, "tie"),
        (f"for {pair.second}", pair.losses, "loss"),
    ]
    shares = (
        (f"win rate of {pair.first}, decided votes", rate),
        ("the same with ties as halves", pair.with_halves),
        ("share of ties", pair.tie_share),
    )
    # Of ties alone, the win rate has no intervals, and the other shares do.
    over = list(dict.fromkeys(covers for _, each in shares for covers in _covers(each)))
    rows = [
        (words, _share(each), *(_interval_of(each, covers) for covers in over), note_of(each)) for words, each in shares
    ]
    head = ("", "share", *(f"over {covers}" for covers in over), "note")
    votes = [(label, n) for label, n, _ in counts]
    tests = [Paragraph(words) for words in _tests_of_pair(pair)]
    return [
        *view.figure(charts.split_bar, counts, title="Votes for either method"),
        *view.figure(
            charts.interval_plot,
            marks,
            title="Win rate",
            limits=(0.0, 1.0),
            shown=(0.3, 0.7),
            references=[(0.5, "no preference")],
            axis=covered_axis(f"win rate of {pair.first}", [rate, pair.with_halves]),
        ),
        *tests,
        view.all_figures(head, rows, numeric=range(1, len(head) - 1)),
        view.Folded("Figures by answer", [view.table(("answer", "votes"), votes, numeric=(1,))]),
    ]


def _tests_of_pair(pair: ReportedPair) -> Iterator[str]:
    covers = next((each.covers for each in pair.win_rate.intervals), "")
    if pair.p is not None:
        yield f"Test of no preference, for other {covers}: {p_value(pair.p)}."
    if pair.p_prompts is not None:
        yield f"Exact sign test over prompts, for these raters: {p_value(pair.p_prompts)}."


def _strengths(part: PreferencePart) -> list[Block]:
    rows, marks = [], []
    over = _populations([row.log_worth for row in part.strengths])
    for row in part.strengths:
        worth = row.log_worth
        low, high, *_ = first_interval(worth)
        text = f"{figure(worth.value, signed=True, digits=2)} {_ranks(row)} {row.letters}".strip()
        if worth.value is not None:
            marks.append(Mark(row.method, worth.value, *ends(worth, "prompts"), low, high, text))
        rows.append(
            (
                row.method,
                figure(worth.value, signed=True, digits=2),
                *(interval(*ends(worth, covers), digits=2) for covers in over),
                _ranks(row),
                row.letters,
                "" if row.win_rate is None else share(row.win_rate),
                row.wins,
                row.losses,
                row.ties,
                "; ".join(dict.fromkeys(filter(None, (row.note, note_of(worth))))),
            )
        )
    head = ["method", "strength", *_headings(over), "rank", "letters", "win rate (ties count half)"]
    head += ["wins", "losses", "ties", "note"]
    notes: list[Block] = [Paragraph(part.prior[0].upper() + part.prior[1:] + ".", "warning")] if part.prior else []
    left_out = [row for row in part.strengths if row.note]
    if len(left_out) > 1 and len({row.note for row in left_out}) == 1:
        notes.append(Paragraph(f"No method is ranked: {left_out[0].note}.", "warning"))
    else:
        notes += [Paragraph(f"Not ranked. {row.method}: {row.note}.", "warning") for row in left_out]
    if any(row.letters for row in part.strengths):
        notes.append(
            Paragraph(
                "Methods that share a letter are not distinguished (5%, all pairs tested, Holm's correction).", "note"
            )
        )
    strength = view.figure(
        charts.interval_plot,
        marks[:MOST_METHODS_DRAWN],
        title="Strength of every method",
        references=[(0.0, "mean")],
        axis=covered_axis(
            "strength: log odds of winning against a method of mean strength",
            [row.log_worth for row in part.strengths],
        ),
    )
    n_before = 2 + len(over)
    return [
        *(_win_rates(part) if len(marks) < len(part.strengths) else []),
        *(strength if marks else []),
        *notes,
        view.all_figures(head, rows, numeric=(*range(1, n_before), *range(n_before + 2, n_before + 6))),
        Paragraph(f"Model: {part.model}.", "note"),
    ]


def _win_rates(part: PreferencePart) -> list[Block]:
    """What each method won, for votes that give not every method a strength."""
    met = sorted((row for row in part.strengths if row.win_rate is not None), key=lambda row: -(row.win_rate or 0.0))
    marks = [Mark(row.method, row.win_rate, text=f"{share(row.win_rate or 0.0)} of {row.n:,}") for row in met]
    within = {"rankings": "comparisons within rankings", "best_worst": "comparisons within choices"}
    votes = within.get(part.kind, "votes")
    return view.figure(
        charts.interval_plot,
        marks[:MOST_METHODS_DRAWN],
        title="Win rate of every method",
        limits=(0.0, 1.0),
        shown=(0.0, 1.0),
        references=[(0.5, "as many won as lost")],
        axis=f"share of its {votes} that the method won, ties as halves",
    )


def _ranks(row: ReportedStrength) -> str:
    if row.rank_low is None:
        return ""
    low, high = row.rank_low, row.rank_high
    return f"rank {low}" if low == high else f"ranks {low}–{high}"


# --- ranks, pairs, chances -------------------------------------------------------------------------------------------
def _mean_ranks(part: PreferencePart) -> list[Block]:
    known = [(row, row.mean_rank) for row in part.strengths if row.mean_rank]
    ranked = sorted(known, key=lambda pair: (pair[1].value is None, pair[1].value or 0))
    marks = []
    for row, rank in ranked[:MOST_METHODS_DRAWN]:
        low, high, *_ = first_interval(rank)
        marks.append(Mark(row.method, rank.value, *ends(rank, "prompts"), low, high, figure(rank.value, digits=2)))
    over = _populations([rank for _row, rank in ranked])
    rows = [
        (
            row.method,
            figure(rank.value, digits=4),
            *(interval(*ends(rank, covers), digits=2) for covers in over),
            row.firsts,
            row.n_ranked,
            note_of(rank),
        )
        for row, rank in ranked
    ]
    is_choice = part.kind == "best_worst"
    times = ("times best", "choices") if is_choice else ("times first", "rankings")
    head = ("method", "mean rank", *_headings(over), *times, "note")
    return [
        *view.figure(
            charts.interval_plot,
            marks,
            title="Mean rank of every method",
            limits=(1.0, None),
            axis=covered_axis("mean rank, 1 is best", [rank for _row, rank in ranked]),
        ),
        view.all_figures(head, rows, numeric=range(1, len(head) - 1)),
    ]


def _pairs(part: PreferencePart) -> list[Block]:
    over = _populations([pair.win_rate for pair in part.pairs])
    notes = [note_of(pair.win_rate) for pair in part.pairs]
    is_of_all = len(set(notes)) == 1
    tested = [name for name in ("p", "p_prompts") if any(getattr(pair, name) is not None for pair in part.pairs)]
    rows = [
        (
            f"{pair.first} : {pair.second}",
            f"{pair.wins:,} : {pair.losses:,}",
            pair.ties,
            _share(pair.win_rate),
            *(_interval_of(pair.win_rate, covers) for covers in over),
            *(p_value(getattr(pair, name)) for name in tested),
            "" if pair.expected is None else share(pair.expected),
            *(() if is_of_all else (note,)),
        )
        for pair, note in zip(part.pairs, notes, strict=True)
    ]
    head = ["pair", "won : lost", "ties", "won of decided", *_headings(over)]
    head += [{"p": "p", "p_prompts": "p, sign test over prompts"}[name] for name in tested]
    head += ["expected (ties count half)"] if is_of_all else ["expected (ties count half)", "note"]
    table = view.table(head, rows, numeric=range(1, len(head) - (not is_of_all)))
    said: list[Block] = []
    if tested:
        about = {"p": f"p is for other {over[0] if over else 'votes'}", "p_prompts": "the sign test for these raters"}
        tests = ", ".join(about[name] for name in tested)
        said = [Paragraph(f"Tests of no preference: {tests}; not corrected for the number of pairs.", "note")]
    if is_of_all and notes[0]:
        said.append(Paragraph(f"{notes[0][0].upper()}{notes[0][1:]}.", "note"))
    odds_over = _populations([each.log_odds for each in part.differences])
    odds = [
        (
            f"{each.first} : {each.second}",
            figure(each.log_odds.value, signed=True, digits=2),
            *(interval(*ends(each.log_odds, covers), digits=2) for covers in odds_over),
            p_value(each.p),
            p_value(each.p_holm),
        )
        for each in part.differences
    ]
    more: list[Block] = []
    if odds:
        why = "Differences of strength, from all votes together; p with Holm's correction over all pairs."
        if part.differences[0].p_holm is None and part.differences[0].p is not None:
            why = "Of more than 60 methods, only the strengths of the first two are compared; from all votes together."
        columns = ("pair", "log odds", *_headings(odds_over), "p", "p, Holm")
        folded = view.table(columns, odds, numeric=range(1, len(columns)))
        more.append(view.Folded("Differences of strength", [Paragraph(why), folded]))
    return [table, *said, *more]


def _chances(part: PreferencePart) -> list[Block]:
    names = [row.method for row in part.strengths][: len(part.chance)]
    head = ("", *names)
    rows = [
        (name, *("" if value is None else share(value) for value in row))
        for name, row in zip(names, part.chance, strict=True)
    ]
    axis = "chance, by the model, that the row's method beats the column's; ties count half"
    if len(names) > MOST_DRAWN:
        axis += f"; the first {MOST_DRAWN} of {len(names)} methods"
    return [
        *view.figure(chance_matrix, names, part.chance, title="Who would beat whom", axis=axis),
        view.all_figures(head, rows, numeric=range(1, len(head))),
    ]


# --- sides, ties and the model ---------------------------------------------------------------------------------------
def _checks(part: PreferencePart) -> list[Block]:
    said = list(_of_sides(part))
    if part.n_ties:
        said.append(ties(part))
    for test in part.tests:
        if test.p is not None:
            said.append(
                f"Test of {test.hypothesis}: {test.test} = {figure(test.statistic, digits=2)}, "
                f"{counted(test.df, 'degree of freedom', 'degrees of freedom')}, {p_value(test.p)} ({test.note})."
            )
        elif test.note and test.test != "G2":  # G² comes next to X², which has the p.
            said.append(f"Test of {test.hypothesis} ({test.test}): {test.note}.")
    return [Paragraph(words) for words in said]


def _of_sides(part: PreferencePart) -> Iterator[str]:
    if part.side and part.side.reason:
        yield f"{part.side.reason[0].upper()}{part.side.reason[1:]}."
    if part.side and part.side.value is not None:
        side = part.side
        low, high, covers, _ = first_interval(side)
        what = "Being on the left" if part.kind == "votes" else "Each place further forward on the screen"
        words = f"{what} adds {figure(side.value, signed=True, digits=2)} to the log odds of winning"
        if low is not None and high is not None:
            words += f", 95% interval over {covers} {span(low, high, signed=True)}"
        yield f"{words}." if part.n_methods == 2 else f"{words}. Strengths are corrected for it."
    if part.n_methods == 2 and part.pairs:
        pair = part.pairs[0]
        if pair.lefts.value is not None:
            low, high, covers, _ = first_interval(pair.lefts)
            words = f"The image on the left got {pair.lefts.value:.1%} of the decided votes"
            if low is not None and high is not None:
                words += f", 95% interval over {covers} {low:.0%} to {high:.0%}"
            if (balanced := pair.if_balanced.value) is not None:
                words += f". With balanced sides {pair.first} would win {balanced:.1%}"
            yield f"{words}."


def _covers(estimate: ReportedEstimate) -> list[str]:
    return [each.covers for each in estimate.intervals]


def _populations(estimates: Sequence[ReportedEstimate]) -> list[str]:
    """What a table's intervals cover: what the first one does, and prompts, for these raters."""
    covers = next((_covers(each) for each in estimates if each.intervals), [])
    return [*covers[:1], *(["prompts"] if "prompts" in covers[1:] else [])]


def _headings(populations: Sequence[str]) -> list[str]:
    return [f"over {covers}{', these raters' if at else ''}" for at, covers in enumerate(populations)]


def _share(estimate: ReportedEstimate) -> str:
    return "" if estimate.value is None else share(estimate.value)


def _interval_of(estimate: ReportedEstimate, covers: str) -> str:
    low, high = ends(estimate, covers)
    return "" if low is None or high is None else f"[{low:.1%}, {high:.1%}]"
