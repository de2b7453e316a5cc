"""Splitting a critic's free text into single claims at its list. The caller keeps the text itself."""

import re
from dataclasses import dataclass
from typing import Literal

Manner = Literal["numbered", "bullets", "whole", "none"]

# "1." "1)" "(1)" "1:" "#1" at the start of a line, also in markdown's bold; a year or a decimal number does not count.
_NUMBER = re.compile(
    r"^(?P<indent>\s*)(?:\*\*|__)?[(#]?(?P<number>\d{1,3})(?:[.)\]:](?!\d)|(?=\s+[-–—]\s))(?P<rest>.*)$"
)
_BULLET = re.compile(r"^(?P<indent>\s*)[-*•–—]\s+(?P<rest>.*)$")
_INLINE = re.compile(r"(?:(?<=\s)|^)\(?(\d{1,2})[.)](?=\s)")
_HEADING = re.compile(r"^\s*(#{1,6}\s|.*:\s*(?:\*\*|__)?\s*$|\*\*[^*]+\*\*\s*$)")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_NO_FINDING = re.compile(
    r"^(?!.*\b(but|however|except|although|though|while)\b)"
    r"(none|n/?a|nothing\b.*\b(wrong|contradicts?|missing|to (?:report|fix|mend|change))\b.*"
    r"|(there (?:are|is) )?no\s+(\w+\s+)?(errors?|issues?|problems?|mistakes?|discrepanc\w+)\b.*)[.!]?$",
    re.IGNORECASE,
)
_LONGEST_NO_FINDING = 120


@dataclass(frozen=True)
class Split:
    """Claims in the order of the text, each on one line, and by what they were distinguished.

    manner: "numbered" or "bullets" for a list; "whole" where there is no list and all the text is one claim; "none"
    where the text is empty or only says that nothing is wrong.
    """

    claims: tuple[str, ...]
    manner: Manner


def split_claims(text: str) -> Split:
    """Split at the numbered list; without one, at bullets; without either, the whole text is one claim.

    Text before the list, headings between its parts, and a paragraph after the last entry that is not
    indented belong to no claim. Deeper lists stay in the claim above them. A list may begin again at 1, as critics
    do who list one aspect after another; a number that is out of turn begins no claim ("about 40. the rest").
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").expandtabs(4).split("\n")
    if claims := _entries(lines, _numbered_starts(lines)):
        if len(claims) == 1 and len(inline := _inline(text)) > 1:
            claims = inline
        return Split(tuple(claims), "numbered")
    if len(inline := _inline(text)) > 1:
        return Split(tuple(inline), "numbered")
    if claims := _entries(lines, _bullet_starts(lines)):
        return Split(tuple(claims), "bullets")
    whole = _tidy(text)
    if not whole or (len(whole) <= _LONGEST_NO_FINDING and _NO_FINDING.match(whole)):
        return Split((), "none")
    return Split((whole,), "whole")


def _numbered_starts(lines: list[str]) -> dict[int, str]:
    """Line number → the rest of that line, for each line that begins a claim of the outermost numbered list."""
    found = [(i, match) for i, line in enumerate(lines) if (match := _NUMBER.match(line))]
    if not found:
        return {}
    depth = len(found[0][1]["indent"])
    starts: dict[int, str] = {}
    expected = 1
    for i, match in found:
        number = int(match["number"])
        if len(match["indent"]) > depth + 1 or number not in {1, expected}:
            continue
        starts[i], expected = match["rest"], number + 1
    return starts


def _bullet_starts(lines: list[str]) -> dict[int, str]:
    found = [(i, match) for i, line in enumerate(lines) if (match := _BULLET.match(line))]
    if not found:
        return {}
    depth = min(len(match["indent"]) for _, match in found)
    return {i: match["rest"] for i, match in found if len(match["indent"]) <= depth + 1}


def _entries(lines: list[str], starts: dict[int, str]) -> list[str]:
    """The text from each start to the next; behind the last one, to the first paragraph that is not indented."""
    if not starts:
        return []
    entries: list[str] = []
    last = max(starts)
    current: list[str] = []
    after_blank = ended = False
    for i in range(min(starts), len(lines)):
        line = lines[i]
        if i in starts:
            entries.append(_tidy(" ".join(current)))
            current, after_blank = [_tidy(starts[i])], False
            continue
        if ended or not line.strip():
            after_blank = True
            continue
        if i > last and after_blank and not line.startswith((" ", "\t")):
            ended = True
        elif not (_HEADING.match(line) and not line.startswith(" ")):
            current.append(_BULLET.sub(r"\g<rest>", line))
    entries.append(_tidy(" ".join(current)))
    return [entry for entry in entries if entry]


def _inline(text: str) -> list[str]:
    """The parts of a list within a line: "1) the hand … 2) the pot …"."""
    cuts: list[tuple[int, int]] = []
    for match in _INLINE.finditer(text):
        if int(match[1]) == len(cuts) + 1:
            cuts.append((match.start(), match.end()))
    if not cuts:
        return []
    ends = [start for start, _ in cuts[1:]] + [len(text)]
    parts = (_tidy(text[end:stop]) for (_, end), stop in zip(cuts, ends, strict=True))
    return [part for part in parts if part]


def _tidy(text: str) -> str:
    """One line without markdown's emphasis."""
    text = _EMPHASIS.sub(r"\2", " ".join(text.split()))
    return re.sub(r"^(?:\*\*|__)|(?:\*\*|__)$", "", text).strip(" \t-–—;")
