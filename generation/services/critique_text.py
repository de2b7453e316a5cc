"""A critic's free text, split into its numbered or bulleted statements."""

import re
from itertools import zip_longest

_ENTRY = re.compile(r"^[ \t]*(?:\(?\d{1,3}[.):]|[-*•–])[ \t]+(?=\S)", re.MULTILINE)
_EMPHASIS = re.compile(r"\*\*(.+?)\*\*|__(.+?)__")


def listed_claims(text: str) -> list[str]:
    """The entries of the lists in a text, in order; none where the text has no list.

    An entry begins a line with "1.", "1)", "(1)", "1:" or a bullet and goes on to the next entry or to a blank line.
    Markdown emphasis is taken off. Prose around the lists is not a list of checkable statements, and is left out.
    """
    starts = list(_ENTRY.finditer(text))
    claims = []
    for match, following in zip_longest(starts, starts[1:]):
        end = following.start() if following else len(text)
        entry = re.split(r"\n[ \t]*\n", text[match.end() : end], maxsplit=1)[0]
        plain = " ".join(_EMPHASIS.sub(lambda found: found[1] or found[2], entry).split())
        if plain:
            claims.append(plain)
    return claims
