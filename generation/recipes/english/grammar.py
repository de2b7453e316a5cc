"""A little English: articles, number, verb forms, and relations as questions and statements: good enough to ask."""

import re

from generation.recipes.english.words import (
    NOT_ING_FORMS,
    NOUNS_IN_ED,
    NUMBERS,
    PARTICIPLES,
    PLURALS,
    POINTERS,
    PREPOSITIONS,
    SINGULAR_IN_S,
    WITHOUT_ARTICLE,
)

_OUTER = ".,;:!?\"'“”‘’()[] \t\n"
_OWNED = re.compile(r"^[\w-]+(['’]s|s['’])\s")


def one_line(text: str) -> str:
    """The text with every run of white space as one space, and none at its ends."""
    return " ".join(text.split())


def bare(phrase: str) -> str:
    """ "a red circle" → "red circle": without article or "its", outer punctuation and needless spaces."""
    words = one_line(phrase).strip(_OUTER).split()
    while len(words) > 1 and words[0].lower() in POINTERS:
        words = words[1:]
    return " ".join(words)


def head(phrase: str) -> str:
    """The word that a noun phrase is about, in small letters: "jars of honey" → "jars", "tiny bow tie" → "tie"."""
    words = bare(phrase).lower().split()
    for i, word in enumerate(words):
        if i and word in PREPOSITIONS:
            return words[i - 1]
    return words[-1] if words else ""


def looks_plural(word: str) -> bool:
    """Whether a word in small letters has the form of a plural noun."""
    if word in PLURALS:
        return True
    return len(word) > 2 and word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in SINGULAR_IN_S


def is_plural(phrase: str) -> bool:
    """Whether the verb next to this phrase is a plural one."""
    words = one_line(phrase).lower().split()
    if not words:
        return False
    if words[0] in {"a", "an", "one"}:
        return False
    return words[0] in NUMBERS or " and " in f" {phrase} " or looks_plural(head(phrase))


def with_article(phrase: str) -> str:
    """ "a red circle", "an orange star", "jars of honey", "snow": as something that is not known yet."""
    text = bare(phrase)
    if is_plural(text) or head(text) in WITHOUT_ARTICLE or text.lower().startswith("one "):
        return text
    return f"{'an' if text[:1].lower() in set('aeiou') else 'a'} {text}"


def definite(phrase: str) -> str:
    """ "the red circle": as something that is known."""
    return f"the {bare(phrase)}"


def is_owned(phrase: str) -> bool:
    """ "hedgehog's paw": a part named by whose it is."""
    return _OWNED.match(bare(phrase)) is not None


def sentence(text: str) -> str:
    """One line that begins with a capital and ends with a mark. The empty text stays empty."""
    line = one_line(text)
    if not line:
        return ""
    line = line[0].upper() + line[1:]
    return line if line.rstrip("\"'”’)").endswith((".", "!", "?", "…")) else line.rstrip(",;: ") + "."


# --- verbs -----------------------------------------------------------------------------------------------------------
def is_ing(word: str) -> bool:
    return len(word) > 4 and word.endswith("ing") and word not in NOT_ING_FORMS


def is_participle(word: str) -> bool:
    return word in PARTICIPLES or (len(word) > 3 and word.endswith("ed") and word not in NOUNS_IN_ED)


def base_form(verb: str) -> str:
    """ "holds" → "hold", "carries" → "carry", "watches" → "watch"; a verb that is not a third person stays."""
    if verb == "has":
        return "have"
    if not verb.endswith("s") or verb.endswith(("ss", "us", "is")) or len(verb) < 3:
        return verb
    if verb.endswith("ies") and len(verb) > 4:
        return verb[:-3] + "y"
    if verb.endswith(("sses", "xes", "ches", "shes", "oes", "zzes")):
        return verb[:-2]
    return verb[:-1]


def third_person(verb: str) -> str:
    """ "hold" → "holds", "carry" → "carries", "watch" → "watches"; a third person stays."""
    if base_form(verb) != verb:
        return verb
    if verb == "have":
        return "has"
    if verb.endswith("y") and verb[-2:-1] not in set("aeiou"):
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "ch", "sh", "o", "z")) else "s")


# --- things and relations, as questions and statements ---------------------------------------------------------------
def asks_for(thing: str) -> str:
    """ "Is there a red circle in the image?" """
    if is_owned(thing):
        return f"Can {definite(thing)} be seen in the image?"
    return f"{'Are' if is_plural(thing) else 'Is'} there {with_article(thing)} in the image?"


def tells_of(thing: str) -> str:
    """ "There is a red circle" """
    if is_owned(thing):
        return f"{definite(thing)} can be seen"
    return f"there {'are' if is_plural(thing) else 'is'} {with_article(thing)}"


def asks_whether(subject: str, predicate: str, target: str | None) -> str:
    """The yes-or-no question of a relation between two noun phrases, for a verb in any form or a preposition.

    ("hedgehog", "holds", "pumpkin") → "Does the hedgehog hold the pumpkin?"
    """
    be, do = ("Are", "Do") if is_plural(subject) else ("Is", "Does")
    first, rest = _split(predicate)
    behind = _joined(rest, "" if target is None else definite(target))
    if first in {"is", "are"}:
        return f"{be} {_joined(definite(subject), behind)}?"
    if _goes_with_be(first, rest, target):
        return f"{be} {_joined(definite(subject), first, behind)}?"
    if is_participle(first):
        return f"Does the image show that {_joined(definite(subject), first, behind)}?"
    return f"{do} {_joined(definite(subject), base_form(first), behind)}?"


def states_that(subject: str, predicate: str, target: str | None) -> str:
    """The same as a statement: "the hedgehog holds the pumpkin", "the hearts are above the star"."""
    plural = is_plural(subject)
    first, rest = _split(predicate)
    behind = _joined(rest, "" if target is None else definite(target))
    if first in {"is", "are"}:
        return _joined(definite(subject), "are" if plural else "is", behind)
    if _goes_with_be(first, rest, target):
        return _joined(definite(subject), "are" if plural else "is", first, behind)
    verb = first if is_participle(first) else base_form(first) if plural else third_person(first)
    return _joined(definite(subject), verb, behind)


def _split(predicate: str) -> tuple[str, str]:
    first, _, rest = one_line(predicate).partition(" ")
    return first.lower(), rest


def _goes_with_be(first: str, rest: str, target: str | None) -> bool:
    """Prepositions, -ing forms, and participles that are not past tense ("draped over the chair", "asleep")."""
    return first in PREPOSITIONS or is_ing(first) or (is_participle(first) and bool(rest or target is None))


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)
