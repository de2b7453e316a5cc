r"""Votes and rankings as LaTeX tables for papers; needs \usepackage{booktabs}."""

from collections.abc import Iterator, Sequence

from annotations.reports.anchors import anchors
from annotations.reports.documents.preferences import PreferenceDocument, PreferenceFacet, PreferencePart
from annotations.reports.estimates import note_of
from annotations.reports.notices import excluded_raters
from annotations.reports.numbers import counted
from annotations.reports.tex import NEEDS, Column, ended, escape, guarded, math_range, name, number, p_value, table
from annotations.reports.votes.category_sections import interaction_sentence
from annotations.reports.votes.tables import first_interval


def preference_latex(document: PreferenceDocument, *, is_short: bool = False) -> str:
    """Strengths and pairs of every question, each a table that says what it covers."""
    made = document.made
    head = [
        f"% {' '.join(document.title.split())}",
        (f"% {made.code_version}, statistics {made.stats_version}, {made.at}, inputs {made.inputs_hash[:16]}"),
        NEEDS,
        "",
    ]
    anchor = anchors([part.name for part in document.preferences])
    checks = [escape(notice.text) for notice in excluded_raters(document.excluded_raters)]
    checks += [escape(text) for text in document.warnings]
    tables = [
        text
        for part in document.preferences
        for text in part_tables(
            part,
            f"tab:{document.key}-{anchor[part.name]}",
            ended(escape(part.asked)),
            checks,
            is_short=is_short,
        )
    ]
    return guarded("\n".join([*head, *tables]))


def part_tables(part: PreferencePart, label: str, about: str, notes: Sequence[str], *, is_short: bool) -> Iterator[str]:
    """The tables of one question's part. label: what their labels begin with; about, notes: LaTeX already."""
    if part.n_methods > 2 or part.kind != "votes":
        yield _strengths(part, label, about, notes, is_short=is_short)
    if part.pairs:
        yield _pairs(part, label, about, notes, is_short=is_short)
    for at, facet in enumerate(part.facets, start=1):
        yield _by_category(facet, part, f"{label}-by-{at}", about, is_short=is_short)


def _by_category(facet: PreferenceFacet, part: PreferencePart, label: str, about: str, *, is_short: bool) -> str:
    """Strengths within every category; win rates if there are two methods."""
    rows: list[tuple[str, ...]] = []
    covers = "votes"
    pair = next((one.pair for one in facet.categories if one.pair), None)
    for one in facet.categories:
        if one.pair:
            low, high, over, _ = first_interval(one.pair.win_rate)
            n, value = f"{one.pair.wins}/{one.pair.ties}/{one.pair.losses}", _percent(one.pair.win_rate.value)
            reach = "--" if low is None or high is None else f"$[{100 * low:.1f}, {100 * high:.1f}]$"
            rows.append((escape(one.category), n, value, reach, p_value(one.p_holm)))
            covers = over or covers
            continue
        for row in one.strengths:
            low, high, over, _ = first_interval(row.log_worth)
            rank = "--" if row.rank_low is None else f"{row.rank_low}--{row.rank_high}"
            value = number(row.log_worth.value, 2, signed=True)
            rows.append((escape(one.category), name(row.method), value, math_range(low, high, digits=2), rank))
            covers = over or covers
    if pair:
        columns = (
            *(Column("Category", 0.28, 0.36), Column("W/T/L", short=False), Column("Win rate")),
            *(Column("95\\% interval"), Column("$p_{\\mathrm{Holm}}$", short=False)),
        )
        what = f"Win rates of {name(pair.first)} against {name(pair.second)} among decided votes, in percent,"
    else:
        columns = (
            *(Column("Category", 0.2, 0.24), Column("Method", 0.24, 0.28), Column("Strength")),
            *(Column("95\\% interval"), Column("Rank", short=False)),
        )
        what = f"Strengths ({escape(part.model)})"
    over = "prompts" if any(one.n_prompts for one in facet.categories) else "votes"
    said = [escape(interaction_sentence(facet.interaction, facet.facet, over))]
    caption = f"{about} {what} by {escape(facet.facet)}, intervals over {covers}."
    return table(caption, label, columns, rows, said, is_short=is_short)


def _strengths(part: PreferencePart, label: str, about: str, notes: Sequence[str], *, is_short: bool) -> str:
    is_ranked = part.kind != "votes"
    rows = []
    for row in part.strengths:
        low, high, *_ = first_interval(row.log_worth)
        rank = "--" if row.rank_low is None else f"{row.rank_low}--{row.rank_high}"
        if row.rank_low is not None and row.rank_low == row.rank_high:
            rank = str(row.rank_low)
        mean = number(row.mean_rank.value, 2) if row.mean_rank else _percent(row.win_rate)
        rows.append(
            (
                name(row.method) + (rf"\textsuperscript{{{row.letters}}}" if row.letters else ""),
                number(row.log_worth.value, 2, signed=True),
                math_range(low, high, digits=2),
                rank,
                mean,
                str(row.firsts if is_ranked else row.n),
            )
        )
    columns = (
        Column("Method", 0.28, 0.36),
        Column("Strength"),
        Column("95\\% interval"),
        Column("Rank"),
        Column("Mean rank" if is_ranked else "Win rate", short=False),
        Column("First" if is_ranked else "Votes", short=False),
    )
    covers = part.covers[0] if part.covers else ""
    n = counted(part.n, {"votes": "vote", "rankings": "ranking"}.get(part.kind, "best--worst choice"))
    caption = f"{about} Strengths ({escape(part.model)}) from {n}" + (f", intervals over {covers}" if covers else "")
    if not is_ranked and not is_short:
        caption += "; win rates in percent, ties as halves"
    said = [*notes, *_unranked(part)]
    if any(row.letters for row in part.strengths):
        said.append("Methods that share a letter are not distinguished (5\\%, Holm).")
    if part.prior:
        said.append(escape(part.prior).capitalize() + ".")
    return table(f"{caption}.", f"{label}-strengths", columns, rows, said, is_short=is_short)


def _unranked(part: PreferencePart) -> Iterator[str]:
    for row in part.strengths:
        if note := "; ".join(dict.fromkeys(filter(None, (row.note, note_of(row.log_worth))))):
            yield f"{name(row.method)}: {escape(note)}."


def _pairs(part: PreferencePart, label: str, about: str, notes: Sequence[str], *, is_short: bool) -> str:
    rows: list[tuple[str, ...]] = []
    said, covers = list(notes), ""
    for pair in part.pairs:
        low, high, over, reason = first_interval(pair.win_rate)
        covers = covers or over
        words = f"{name(pair.first)} : {name(pair.second)}"
        rows.append((words,))
        rows.append(
            (
                _percent(pair.win_rate.value),
                "--" if low is None or high is None else f"$[{100 * low:.1f}, {100 * high:.1f}]$",
                f"{pair.wins}/{pair.ties}/{pair.losses}",
                p_value(pair.p),
                p_value(pair.p_prompts),
            )
        )
        if reason:
            said.append(f"{words}: {escape(reason)}.")
    columns = (
        Column("Win rate"),
        Column("95\\% interval"),
        Column("W/T/L", short=False),
        Column("$p$"),
        Column("$p_{\\mathrm{sign}}$", short=False),
    )
    caption = (
        f"{about} Win rates among decided votes of the method named first, in percent, with 95\\% intervals and $p$ "
        f"over {covers or 'votes'}, wins/ties/losses, and the exact sign test over prompts for these raters."
    )
    return table(caption, f"{label}-pairs", columns, rows, list(dict.fromkeys(said)), is_short=is_short)


def _percent(value: float | None) -> str:
    return "--" if value is None else f"${100 * value:.1f}$"
