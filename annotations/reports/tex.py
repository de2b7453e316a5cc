"""The pieces of LaTeX tables: text made literal, figures, and a table in full and in short."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

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
    # Signs that our own texts use and plain LaTeX does not know.
    "−": "$-$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "√": r"$\surd$",
    "Σ": r"$\Sigma$",
    "α": r"$\alpha$",
    "κ": r"$\kappa$",
    "π": r"$\pi$",
    "ρ": r"$\rho$",
    "τ": r"$\tau$",
    "₊": "$_+$",
    "₋": "$_-$",
    "₂": "$_2$",
    "½": r"$\frac{1}{2}$",
}
NEEDS = r"% needs \usepackage{booktabs}; names in other scripts need XeLaTeX or LuaLaTeX"
"""The comment that leads a file of tables."""
_WORD = re.compile(r"[^\s]{13,}")
_PIECE = 10
"""Letters of a long word after which a line may break."""
_SHORT = 54
"""Characters of a heading within a table that fit on a line of a column."""


@dataclass(frozen=True)
class Column:
    """A column of figures, or, with a width as a share of the line (in full, in short), of text: only the first can be.

    `short`: whether the short table has it too.
    """

    head: str
    width: float = 0.0
    short_width: float = 0.0
    short: bool = True


def escape(text: str) -> str:
    """The text with every character that LaTeX gives a meaning made literal, on one line."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))


def name(text: str) -> str:
    """A name of somebody else's, whose long words may break anywhere."""
    plain = " ".join(text.split())
    parts, at = [], 0
    for word in _WORD.finditer(plain):
        pieces = [word[0][i : i + _PIECE] for i in range(0, len(word[0]), _PIECE)]
        parts += [escape_part(plain[at : word.start()]), r"\allowbreak{}".join(map(escape_part, pieces))]
        at = word.end()
    return "".join([*parts, escape_part(plain[at:])])


def escape_part(text: str) -> str:
    """As `escape`, blanks at the ends kept."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """In math mode, so that a minus is a minus; an en dash where undefined."""
    if value is None:
        return "--"
    return f"${value:+.{digits}f}$" if signed else f"${value:.{digits}f}$"


def math_range(low: float | None, high: float | None, *, digits: int = 3) -> str:
    return "--" if low is None or high is None else f"$[{low:.{digits}f}, {high:.{digits}f}]$"


def p_value(p: float | None) -> str:
    return "--" if p is None else "$<0.0001$" if p < 0.0001 else f"${p:.4f}$"


def table(
    caption: str,
    label: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str],
    *,
    is_short: bool,
) -> str:
    """The table over the width of the page, or, short, its main columns within one column of the page.

    A row of one cell is a heading over all columns. Notes are below.
    """
    environment = "table" if is_short else "table*"
    places = [place for place, column in enumerate(columns) if column.short or not is_short]
    lines = [
        rf"\begin{{{environment}}}",
        r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"\caption{{{caption}}}",
        rf"\label{{{label}}}",
        *_tabular(columns, places, rows, is_short=is_short),
    ]
    if notes:
        lines.append(r"\par\smallskip\parbox{\linewidth}{\raggedright " + " ".join(notes) + "}")
    return "\n".join([*lines, rf"\end{{{environment}}}", ""])


def _tabular(
    columns: Sequence[Column], places: Sequence[int], rows: Sequence[Sequence[str]], *, is_short: bool
) -> list[str]:
    kinds = []
    for place in places:
        width = columns[place].short_width if is_short else columns[place].width
        kinds.append(rf"p{{{width:g}\linewidth}}" if width else "r")
    lines = [
        rf"\begin{{tabular}}{{@{{}}{''.join(kinds)}@{{}}}}",
        r"\toprule",
        " & ".join(columns[place].head for place in places) + r" \\",
        r"\midrule",
    ]
    for row in rows:
        if len(row) == 1 and len(columns) > 1:
            kind, words = ("l", row[0]) if len(row[0]) <= _SHORT else (r"p{\linewidth}", rf"\raggedright {row[0]}")
            lines.append(rf"\multicolumn{{{len(places)}}}{{@{{}}{kind}@{{}}}}{{{words}}} \\")
        else:
            cells = [(r"\raggedright " if columns[place].width else "") + row[place] for place in places]
            lines.append(" & ".join(cells) + r" \\")
    return [*lines, r"\bottomrule", r"\end{tabular}"]
