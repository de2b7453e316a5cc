"""Files for a LaTeX paper besides the tables: the methods section, and all figures with captions."""

import re

from annotations.reports.paper.manuscript import Manuscript
from annotations.reports.paper.markdown import keys_of
from annotations.reports.paper.methods import CITATION
from annotations.reports.tex import escape_part, guarded

FITTING = r"width=\linewidth,height=0.8\textheight,keepaspectratio"
"""As wide as the space for it, and never higher than a page with its caption."""
LOOSE = r"\begingroup\emergencystretch=5em"
"""A line of long names has few blanks to stretch: a loose line is better than one that runs over the margin."""
LONG = re.compile(r"[^\s]{20,}")
"""Names such as a_long_name_of_a_question have no natural place for a line to end."""
PIECE = 8
"""Letters of such a name after which a line may end."""
HASH = re.compile(r"\b(?=[a-f]*\d)[0-9a-f]{8,}\b")


def methods_tex(paper: Manuscript) -> str:
    r"""The methods and limits as paragraphs with \cite; the keys are those of references.bib."""
    paragraphs = [f"{_cited(paragraph)}\n" for paragraph in paper.methods]
    limits = [r"\paragraph{Limits.}", " ".join(map(_breakable, paper.limits)), ""] if paper.limits else []
    head = ["% The keys are those of references.bib.", LOOSE]
    return guarded("\n".join([*head, *paragraphs, *limits, r"\par\endgroup", ""]))


def figures_tex(paper: Manuscript, label: str) -> str:
    r"""A figure environment for each picture, over both columns and in one; needs graphicx."""
    parts = ["% Needs \\usepackage{graphicx}. Files ending in -column are for one column of two.\n"]
    for figure in paper.figures:
        for environment, ending in (("figure*", ""), ("figure", "-column")):
            parts.append(
                "\n".join(
                    [
                        rf"\begin{{{environment}}}[tbp]",
                        r"\centering",
                        rf"\includegraphics[{FITTING}]{{figures/{figure.name}{ending}.pdf}}",
                        rf"\caption{{{_breakable(figure.caption)}}}",
                        rf"\label{{fig:{label}-{figure.name}{ending}}}",
                        rf"\end{{{environment}}}",
                        "",
                    ]
                )
            )
    return guarded("\n".join(parts))


def _cited(text: str) -> str:
    parts, at = [], 0
    for found in CITATION.finditer(text):
        parts += [_breakable(text[at : found.start()]), rf"~\cite{{{','.join(keys_of(found[1]))}}}"]
        at = found.end()
    return "".join([*parts, _breakable(text[at:])])


def _breakable(text: str) -> str:
    """Escaped; a line may end after every fourth character of a hash, which has no syllables, and within long names."""
    parts, at = [], 0
    for found in re.finditer(rf"{HASH.pattern}|{LONG.pattern}", text):
        size = 4 if HASH.fullmatch(found[0]) else PIECE
        pieces = [found[0][i : i + size] for i in range(0, len(found[0]), size)]
        parts += [escape_part(text[at : found.start()]), r"\allowbreak{}".join(map(escape_part, pieces))]
        at = found.end()
    return "".join([*parts, escape_part(text[at:])])
