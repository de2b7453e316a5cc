r"""The document's main tables as LaTeX, to be pasted into a paper; needs \usepackage{booktabs}."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotations.reports.tables import ends

Json = Mapping[str, Any]
AGREEMENT = (
    ("krippendorff_alpha_nominal", r"Krippendorff's $\alpha$, nominal"),
    ("krippendorff_alpha_ordinal", r"Krippendorff's $\alpha$, ordinal"),
    ("krippendorff_alpha_interval", r"Krippendorff's $\alpha$, interval"),
    ("fleiss_kappa", r"Fleiss' $\kappa$"),
    ("gwet_ac1", "Gwet's AC1"),
    ("gwet_ac2_quadratic", "Gwet's AC2, quadratic"),
    ("icc_a_1", "ICC(A,1)"),
    ("icc_a_k", r"ICC(A,$k$)"),
    ("percent_agreement", "Percent agreement"),
)
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}


def latex(document: Json) -> str:
    """Agreement, means and comparisons of every question, each a table of its own with what its intervals cover."""
    made = document["made"]
    parts = [
        f"% {_comment(document['title'])}",
        (
            f"% {_comment(made['code_version'])}, statistics {_comment(made['stats_version'])}, seed {made['seed']}, "
            f"{made['n_resamples']} resamples, {_comment(made['at'])}, inputs {made['inputs_hash'][:16]}"
        ),
        r"% needs \usepackage{booktabs}",
        "",
    ]
    for dimension in document["dimensions"]:
        parts.append(_agreement(dimension))
        if dimension["means"]:
            parts.append(_means(dimension))
        if compared := [one for one in dimension["comparisons"] if one["n"]]:
            parts.append(_comparisons(dimension, compared))
    return "\n".join(parts)


def escape(text: str) -> str:
    """The text with every character that LaTeX gives a meaning made literal, on one line."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))


def _agreement(dimension: Json) -> str:
    found = {one["statistic"]: one for one in dimension["agreement"]}
    rows = []
    for statistic, words in AGREEMENT:
        one = found.get(statistic)
        if one is not None and one["value"] is not None:
            rows.append((words, _number(one["value"]), _range(*ends(one, "units")), _range(*ends(one, "raters"))))
    caption = (
        f"Agreement of {dimension['n_raters']} raters on {dimension['n_units']} items "
        f"({dimension['n_ratings']} ratings; {dimension['n_unable']} times unable to answer): "
        f"{escape(dimension['question'] or dimension['name'])} 95\\% intervals over items and over raters."
    )
    head = ("Statistic", "Value", "Over items", "Over raters")
    return _table(caption, f"tab:{dimension['name']}-agreement", "lrrr", head, rows)


def _means(dimension: Json) -> str:
    rows = [
        (
            escape(one["method"]),
            _number(one["value"], 2),
            _range(*ends(one, "prompts"), digits=2),
            _range(*ends(one, "raters"), digits=2),
            str(one["n_prompts"]),
            str(one["n_ratings"]),
        )
        for one in dimension["means"]
    ]
    caption = f"Mean ratings ({escape(dimension['name'])}), with 95\\% intervals over prompts and over raters."
    head = ("Method", "Mean", "Over prompts", "Over raters", "Prompts", "Ratings")
    return _table(caption, f"tab:{dimension['name']}-means", "lrrrrr", head, rows)


def _comparisons(dimension: Json, compared: Sequence[Json]) -> str:
    rows = [
        (
            f"{escape(one['refined'])} $-$ {escape(one['baseline'])}",
            str(one["n"]),
            _number(one["mean_diff"]["value"], signed=True),
            _range(*ends(one["mean_diff"], "prompts")),
            f"{one['wins']}/{one['ties']}/{one['losses']}",
            _p(one["wilcoxon"]["p"]),
            _p(one["permutation"]["p"]),
        )
        for one in compared
    ]
    caption = (
        f"Paired comparison by prompt ({escape(dimension['name'])}): mean difference with its 95\\% interval over "
        "prompts, wins/ties/losses, two-sided $p$ of Wilcoxon's signed-rank test and of a sign-flip permutation test."
    )
    head = ("Comparison", "$n$", "Difference", "95\\% interval", "W/T/L", "$p$ (Wilcoxon)", "$p$ (permutation)")
    return _table(caption, f"tab:{dimension['name']}-comparisons", "lrrrrrr", head, rows)


def _table(caption: str, label: str, columns: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{caption}}}",
        rf"\label{{{label}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        " & ".join(head) + r" \\",
        r"\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
        "",
    ]
    return "\n".join(lines)


def _number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """In math mode, so that a minus is a minus; an en dash where undefined."""
    if value is None:
        return "--"
    return f"${value:+.{digits}f}$" if signed else f"${value:.{digits}f}$"


def _range(low: float | None, high: float | None, *, digits: int = 3) -> str:
    return "--" if low is None or high is None else f"$[{low:.{digits}f}, {high:.{digits}f}]$"


def _p(p: float | None) -> str:
    return "--" if p is None else "$<0.0001$" if p < 0.0001 else f"${p:.4f}$"


def _comment(text: str) -> str:
    return " ".join(text.split())
