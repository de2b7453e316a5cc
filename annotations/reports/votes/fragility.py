"""How few prompts, raters or answers decide which method leads: in a document, and as a sentence."""

from collections.abc import Mapping, Sequence

from annotations.reports.documents.supporting import ReportedFewest
from annotations.stats.estimate import Fewest

MOST_NAMED = 3
"""The most raters or prompts that the sentence names."""
_MOST_STORED = 50
_LONGEST_NAME = 80


def reported_fewest(found: Sequence[Fewest], names: Mapping[str, Sequence[str]]) -> tuple[ReportedFewest, ...]:
    """names: of prompts and raters, by kind and then code, "" where unknown; for kinds that are missing, or of which
    one has no name, no names are given."""
    return tuple(
        ReportedFewest(
            kind=one.kind,
            n=one.n,
            of=one.of,
            names=_names([names[one.kind][code] for code in one.codes[:_MOST_STORED]]) if one.kind in names else (),
            is_exact=one.is_exact,
        )
        for one in found
    )


def _names(names: Sequence[str]) -> tuple[str, ...]:
    if not all(names):
        return ()
    return tuple(name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names)


def fragility_sentence(fewest: Sequence[ReportedFewest]) -> str:
    """How few prompts, raters or answers decide which method leads; "" if no method leads or that is not known."""
    several = [one for one in fewest if one.of > 1]
    if any(one.n == 0 for one in fewest):
        return ""
    sentences = []
    if decide := [_number(one) for one in several if one.n is not None]:
        sentences.append(f"The lead would be gone without {_joined(decide)}.")
    if never := [one.kind for one in several if one.n is None and one.is_exact]:
        sentences.append(f"Leaving out {_joined(never)} never takes the lead away, whichever are chosen.")
    if not_found := [one.kind for one in several if one.n is None and not one.is_exact]:
        sentences.append(f"A search found no {_joined(not_found)} without which the lead would be gone.")
    return " ".join(sentences)


def _number(one: ReportedFewest) -> str:
    names = [f"“{name.rstrip('.')}”" for name in one.names] if one.kind == "prompts" else one.names
    named = ", ".join(names) if len(names) <= MOST_NAMED else ""
    more = "; ".join(filter(None, (named, "" if one.is_exact else "possibly fewer")))
    return f"{one.n:,} of {one.of:,} {one.kind}{f' ({more})' if more else ''}"


def _joined(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} or {parts[-1]}"
