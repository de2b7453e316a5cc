"""Answers in words: labels that carry their number, and the orders in which published scales put their words."""

import re
from collections.abc import Iterable, Sequence

from .identity import identity
from .numerals import in_ascii

_NUMBER = r"[+-]?[0-9]+(?:[.,][0-9]+)?"
_JOINT = r"\s*(?:[-–—:.)=|]|\s-)\s*"
_LEADING = re.compile(rf"({_NUMBER}){_JOINT}(?=\D*[^\W\d_])(.+)", re.DOTALL)
_LEADING_IN_BRACKETS = re.compile(rf"[(\[]({_NUMBER})[)\]]\s*(?=\D*[^\W\d_])(.+)", re.DOTALL)
_BEFORE_BRACKETS = re.compile(rf"({_NUMBER})\s*[(\[](?=\D*[^\W\d_])([^()\[\]]+)[)\]]", re.DOTALL)
_TRAILING = re.compile(rf"(\D*[^\W\d_]\D*?)\s*[(\[=]\s*({_NUMBER})\s*[)\]]?", re.DOTALL)

_OF_A_TOTAL = re.compile(r"([0-9]+)\s*(?:/|of|out of)\s*([0-9]+)(?:\s+(?:stars?|points?))?", re.IGNORECASE)
_STARS = re.compile("([\u2605\u2b50\u2b51\u2730\U0001f31f]\ufe0f?)\\1*(\u2606*)")

ORDERS: tuple[tuple[str, ...], ...] = (
    ("strongly disagree", "disagree", "neutral", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "neither agree nor disagree", "agree", "strongly agree"),
    ("strongly disagree", "disagree", "undecided", "agree", "strongly agree"),
    ("strongly disagree", "somewhat disagree", "neither agree nor disagree", "somewhat agree", "strongly agree"),
    (
        *("strongly disagree", "disagree", "somewhat disagree", "neither agree nor disagree"),
        *("somewhat agree", "agree", "strongly agree"),
    ),
    ("strongly disagree", "disagree", "agree", "strongly agree"),
    ("bad", "poor", "fair", "good", "excellent"),
    ("very poor", "poor", "fair", "good", "excellent"),
    ("very poor", "poor", "fair", "good", "very good"),
    ("very poor", "poor", "average", "good", "excellent"),
    ("very bad", "bad", "neutral", "good", "very good"),
    ("poor", "fair", "good", "very good", "excellent"),
    ("poor", "fair", "good", "excellent"),
    ("terrible", "poor", "average", "good", "excellent"),
    ("never", "rarely", "sometimes", "often", "always"),
    ("not at all", "slightly", "moderately", "very", "extremely"),
    ("not at all", "a little", "somewhat", "quite a bit", "very much"),
    ("not at all", "slightly", "somewhat", "mostly", "completely"),
    ("very unlikely", "unlikely", "neutral", "likely", "very likely"),
    (
        *("extremely dissatisfied", "somewhat dissatisfied", "neither satisfied nor dissatisfied"),
        *("somewhat satisfied", "extremely satisfied"),
    ),
    ("very dissatisfied", "dissatisfied", "neutral", "satisfied", "very satisfied"),
    ("very low", "low", "medium", "high", "very high"),
    ("low", "medium", "high"),
    ("much worse", "worse", "about the same", "better", "much better"),
    ("much worse", "slightly worse", "about the same", "slightly better", "much better"),
    ("bad", "okay", "good"),
    ("no", "partially", "yes"),
    ("no", "partly", "yes"),
    ("no", "somewhat", "yes"),
)
"""Orders of words, the lowest first, as Likert scales, the mean opinion score of ITU-T P.800 and survey tools use."""


def number_in(label: str) -> str:
    """The number that a label gives for itself, with a decimal point: "5 – Strongly agree" is "5"; "" for none.

    Accepted forms are `5 - word`, `5: word`, `5. word`, `5) word`, `5 (word)`, `(5) word`, `word (5)` and `word = 5`. A
    label that contains another number, such as "2 of 5" or "1-2", has none. Digits may be of any script.
    """
    return _parts(label)[0]


def _parts(label: str) -> tuple[str, str]:
    """The number in a label and its words; two empty texts where it has no number."""
    text = in_ascii(identity(label))
    for pattern, group in ((_LEADING, 1), (_LEADING_IN_BRACKETS, 1), (_BEFORE_BRACKETS, 1), (_TRAILING, 2)):
        match = pattern.fullmatch(text)
        if match:
            rest = text[: match.start(group)] + text[match.end(group) :]
            number = "" if re.search(r"\d", rest) else match[group].replace(",", ".")
            return number, same_label(match[3 - group]) if number else ""
    return "", ""


def count_in(label: str) -> tuple[int, int] | None:
    """(the count, its total) of a label that counts up to a total: "4/5", "4 out of 5", "★★★★☆"; None for any other.

    The total is 0 if the label shows none, as in "★★★★". The user has to say which value the count means: on a
    scale from 0 to 1, "4/5" may be 0.8.
    """
    text = in_ascii(identity(label))
    if match := _OF_A_TOTAL.fullmatch(text):
        count, total = int(match[1]), int(match[2])
        return (count, total) if count <= total else None
    if match := _STARS.fullmatch(text):
        empty = len(match[2])
        count = sum(letter != "\ufe0f" for letter in text) - empty
        return count, count + empty if empty else 0
    return None


def is_in_words(label: str) -> bool:
    """Whether a label is words, stars or a fraction, so that the user has to say what it means."""
    return any(letter.isalpha() for letter in label) or count_in(label) is not None


def contradictions(labels: Iterable[str]) -> dict[str, str]:
    """Label → what is wrong, for labels that give the same words different numbers, as "5: bad" and "1: bad" do.

    Words that all labels of three or more numbers share are their unit: "3 (stars)", "4 (stars)", "5 (stars)".
    """
    by_words: dict[str, dict[float, str]] = {}
    labels = list(labels)
    for label in labels:
        number, words = _parts(label)
        if number:
            by_words.setdefault(words, {}).setdefault(float(number), label)
    if len(by_words) == 1 and len(next(iter(by_words.values()))) > 2:
        return {}
    found: dict[str, str] = {}
    for label in labels:
        number, words = _parts(label)
        others = [text for value, text in by_words.get(words, {}).items() if value != float(number)] if number else []
        if others:
            found[label] = f'"{identity(label)}" and "{identity(others[0])}" give the same words different numbers'
    return found


CONTRADICTION_CURE = "correct the labels, write numbers alone, or say what each label means (labels in the mapping)"


def same_label(label: str) -> str:
    """A label in the form in which labels are compared: without case, and with single blanks."""
    return " ".join(identity(label).casefold().split())


def order_of(labels: Iterable[str]) -> tuple[str, ...]:
    """The published order that has all these labels, the lowest first; () if there is none, or if several differ.

    At least two labels are needed: a single "Good" does not show its scale.
    """
    wanted = {same_label(label) for label in labels}
    if len(wanted) < 2:
        return ()
    fitting = [order for order in ORDERS if wanted <= set(order)]
    whole = [order for order in fitting if wanted == set(order)]
    found = whole or fitting
    return found[0] if len(found) == 1 else ()


def are_of_one_order(labels: Iterable[str]) -> bool:
    """Whether some published order has all these labels."""
    wanted = {same_label(label) for label in labels}
    return any(wanted <= set(order) for order in ORDERS)


def proposal(labels: Sequence[str]) -> dict[str, int]:
    """Label → number from 1, in the file's own spelling if it has the label; {} if no order is known.

    If all labels count up to one total, as "4/5" and "★★★★☆" do, their counts are proposed.
    """
    counts = {identity(label): count_in(label) for label in labels}
    found = {label: count for label, count in counts.items() if count is not None}
    if found and len(found) == len(counts) and len({total for _n, total in found.values()} - {0}) <= 1:
        return {label: n for label, (n, _total) in sorted(found.items(), key=lambda pair: (pair[1][0], pair[0]))}
    own = {same_label(label): identity(label) for label in labels}
    return {own.get(word, word[:1].upper() + word[1:]): n for n, word in enumerate(order_of(labels), start=1)}
