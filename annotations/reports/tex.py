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
    # Characters that our own texts use and plain LaTeX does not know.
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
NEEDS = r"% needs \usepackage{booktabs}; other scripts: XeLaTeX or LuaLaTeX and a font, else boxes"
"""The comment that leads a file of tables."""
_WORD = re.compile(r"[^\s]{13,}")
_PIECE = 10
"""Letters of a long word after which a line may break."""
_SHORT = 54
"""Characters of a heading within a table that fit on a line of a column."""
_LETTERS_IN_PAGE, _LETTERS_IN_COLUMN = 75, 50
"""Letters per line of `article` at 10 pt, over the page and in one column of two."""
_LINE_PT = 9.5
_TALLEST_PT, _LEAST_PT = 500.0, 150.0
"""The room on a page of `article`, 550 pt high, besides the table's head; and the least that rows get."""


@dataclass(frozen=True)
class Column:
    """A column of figures, or, with a width as a share of the line (in full, in short), of text; only the first column
    can be of text.

    `short`: whether the short table has it too.
    """

    head: str
    width: float = 0.0
    short_width: float = 0.0
    short: bool = True


_LATIN = 0x17F
"""The last of the letters that LaTeX knows in T1."""
_KNOWN = frozenset("–—‘’‚“”„†‡•…‰‹›€™")


def guarded(tex: str) -> str:
    """The file with a stand-in for each character that pdfLaTeX may not know, so that it compiles there, too.

    A character that is defined keeps its definition, and XeLaTeX and LuaLaTeX never use the stand-in. It is a box with
    the code point, under the name by which `inputenc` looks up a UTF-8 character ("u8:" and the character).
    The stand-in is also written to the .aux file: a paper's lists of tables and figures repeat the captions before this
    file is read, but after the .aux file of the run before.
    """
    lines = tex.split("\n")
    signs = {sign for line in lines if not line.startswith("%") for sign in line}
    foreign = sorted(sign for sign in signs if ord(sign) > _LATIN and sign not in _KNOWN)
    head = next((at for at, line in enumerate(lines) if not line.startswith("%")), len(lines))
    return "\n".join([*lines[:head], *map(_stand_in, foreign), *lines[head:]])


def _stand_in(sign: str) -> str:
    name = rf"u8:\detokenize{{{sign}}}\endcsname"
    code = f"{ord(sign):04X}"
    half = len(code) // 2
    box = rf"\fboxsep0.5pt\fbox{{\tiny\baselineskip5pt\shortstack{{{code[:half]}\\{code[half:]}}}}}"
    shown = rf"\raisebox{{-2pt}}[6pt][1pt]{{{box}}}"
    defined = rf"\ifcsname {name}\else\expandafter\protected\expandafter\gdef\csname {name}{{{shown}}}\fi"
    to_aux = rf"\csname if@filesw\endcsname\immediate\write\csname @auxout\endcsname{{\unexpanded{{{defined}}}}}\fi"
    return f"{defined}\n{to_aux}"


def escape(text: str) -> str:
    """The text with every character that LaTeX gives a meaning made literal, on one line."""
    return "".join(_SPECIAL.get(character, character) for character in " ".join(text.split()))


def ended(sentence: str) -> str:
    """The sentence with a full stop, unless it ends in a mark of its own."""
    return sentence if sentence.endswith((*".?!", "。", "？", "！", "؟")) else f"{sentence}."


def name(text: str) -> str:
    """A user-supplied name, whose long words may break anywhere."""
    plain = " ".join(text.split())
    parts, at = [], 0
    for word in _WORD.finditer(plain):
        pieces = [word[0][i : i + _PIECE] for i in range(0, len(word[0]), _PIECE)]
        parts += [escape_part(plain[at : word.start()]), r"\allowbreak{}".join(map(escape_part, pieces))]
        at = word.end()
    return "".join([*parts, escape_part(plain[at:])])


def beside_two_rows(words: str) -> str:
    """LaTeX words of up to two lines in a column of text, next to two rows of figures."""
    return rf"\smash{{\parbox[t]{{\linewidth}}{{\raggedright {words}}}}}"


def escape_part(text: str) -> str:
    """As `escape`, blanks at the ends kept."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def number(value: float | None, digits: int = 3, *, signed: bool = False) -> str:
    """In math mode, so that a minus is a minus sign; an en dash if undefined."""
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

    A row of one cell is a heading over all columns. Notes are below. A table that is too tall for a page is split into
    several: each has the head, the caption with its part, and the notes. Labels after the first end with the part's
    number. Raises ValueError for a row with more or fewer cells than columns.
    """
    for row in rows:
        if len(row) not in (1, len(columns)):
            raise ValueError(f"a row of {len(row)} cells in a table of {len(columns)} columns: {list(row)}")
    environment = "table" if is_short else "table*"
    places = [place for place, column in enumerate(columns) if column.short or not is_short]
    letters = _LETTERS_IN_COLUMN if is_short else _LETTERS_IN_PAGE
    beside = 14 * len(caption) / letters + sum(map(len, notes)) / letters * _LINE_PT
    parts = _parts(rows, max(_TALLEST_PT - beside, _LEAST_PT))
    lines = []
    for number, part in enumerate(parts, start=1):
        lines += [
            rf"\begin{{{environment}}}",
            r"\centering\footnotesize\setlength{\tabcolsep}{3pt}",
            rf"\caption{{{caption}{f' Part {number} of {len(parts)}.' if len(parts) > 1 else ''}}}",
            rf"\label{{{label}{f'-{number}' if number > 1 else ''}}}",
            *_tabular(columns, places, part, is_short=is_short),
        ]
        if notes:
            lines.append(r"\par\smallskip\parbox{\linewidth}{\raggedright " + " ".join(notes) + "}")
        lines += [rf"\end{{{environment}}}", ""]
    return "\n".join(lines)


def _parts(rows: Sequence[Sequence[str]], room_pt: float) -> list[Sequence[Sequence[str]]]:
    """The rows, cut where they would be too tall: not below a heading, and not within a row that continues.

    A row whose first cell is empty continues the one above.
    """
    starts = [i for i, row in enumerate(rows) if i == 0 or (row[0] and len(rows[i - 1]) > 1)]
    parts, begin = [], 0
    for start, end in zip(starts, [*starts[1:], len(rows)], strict=True):
        if start > begin and (end - begin) * _LINE_PT > room_pt:
            parts.append(rows[begin:start])
            begin = start
    return [*parts, rows[begin:]]


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
