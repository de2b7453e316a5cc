"""Cutting an English prompt into things, verbs and the words between: a heuristic over word forms, not a parser.

It goes by closed classes of words, by endings ("a cat sails": after "a" a word in -s is a verb) and by a list of
common verbs. It fails where only the meaning decides: plural nouns that are verbs too, past tense and participle,
"-ing" adjectives next to nouns.
"""

import re
from dataclasses import dataclass
from typing import Literal

from generation.recipes.english import grammar as english
from generation.recipes.english.words import (
    ADVERBS,
    ARTICLES,
    AUXILIARIES,
    CLAUSE_OPENERS,
    CONJUNCTIONS,
    DETERMINERS,
    MODIFIERS,
    NOT_ADVERBS,
    NOUNS_OR_VERBS_IN_ING,
    NUMBERS,
    PHRASAL_PREPOSITIONS,
    POSSESSIVES,
    PREPOSITIONS,
    PRONOUNS,
    RELATIVES,
    VERBS,
)

Kind = Literal["thing", "verb", "preposition", "adverb", "and", "comma", "that", "opener", "pronoun", "stop"]

_TOKEN = re.compile(r"[^\W_][\w'’-]*|[,;:.!?—–]")
_STYLE = re.compile(
    r"^\s*(?:an?|the)?\s*(?:[\w-]+\s+){0,2}?(?:anime|cartoon|photo|photograph|picture|image|painting|illustration|"
    r"drawing|sketch|rendering|scene|portrait|view)\s+of\s+",
    re.IGNORECASE,
)
_PHRASES = sorted((tuple(phrase.split()) for phrase in PHRASAL_PREPOSITIONS), key=len, reverse=True)
_ART = frozenset({"painting", "drawing", "carving"})
_ADJECTIVE_ENDINGS = ("ful", "ous", "ish", "ed", "ic")


@dataclass(frozen=True)
class Chunk:
    """A piece of a prompt. determiner: the word that a thing begins with ("a", "its", "three"), empty without one."""

    kind: Kind
    text: str
    determiner: str = ""

    @property
    def words(self) -> str:
        """A thing without its article or "its", but with its number."""
        return english.bare(self.text)


def without_style(prompt: str) -> str:
    """ "An anime of a fox" → "a fox": how something is drawn is not a part of it."""
    return _STYLE.sub("", prompt, count=1)


def chunks(prompt: str) -> list[Chunk]:
    """The prompt's pieces in order; "jars of honey" is one thing, and how the picture is drawn is left out."""
    return _joined_by_of(_Chunker(without_style(prompt)).run())


class _Chunker:
    """Goes through the words once. A clause is what one verb may belong to: its things so far, and its verb."""

    def __init__(self, prompt: str) -> None:
        self.tokens = _TOKEN.findall(prompt)
        self.lower = [token.lower() for token in self.tokens]
        self.i = 0
        self.found: list[Chunk] = []
        self.has_verb = False
        self.has_plural_subject = False

    def run(self) -> list[Chunk]:
        while self.i < len(self.tokens):
            self._next()
        return self.found

    # --- one step ----------------------------------------------------------------------------------------------------
    def _next(self) -> None:
        word = self.lower[self.i]
        if (phrase := self._phrase()) is not None:
            self._add("preposition", " ".join(phrase), len(phrase))
        elif word in set(".!?"):
            self._add("stop", word)
            self._new_clause()
        elif word in set(",;:—–"):
            self._add("comma", word)
        elif self._follows("each", "other") or self._follows("one", "another"):
            self._add("pronoun", "each other", 2)
        elif word in RELATIVES and (word != "that" or self._after("thing", "comma")):
            self._add("that", word)
            self._new_clause(plural=self._last_thing_is_plural())
        elif word == "to" and self._infinitive_follows():
            self._add("verb", self.lower[self.i + 1], 2)
            self.has_verb = True
        elif word in DETERMINERS:
            self._things()
        elif word in CONJUNCTIONS:
            self._add("and", word)
        elif word in CLAUSE_OPENERS:
            self._add("opener", word)
            self._new_clause()
        elif word in PREPOSITIONS - {"left", "right", "next"}:
            self._add("preposition" if self._thing_follows() else "adverb", word)
        elif word in AUXILIARIES:
            self._auxiliary(word)
        elif _is_adverb(word):
            self._add("adverb", word)
        elif word in PRONOUNS:
            self._add("pronoun", word)
        else:
            self._things()

    def _add(self, kind: Kind, text: str, n_tokens: int = 1) -> None:
        self.found.append(Chunk(kind, text))
        self.i += n_tokens

    def _new_clause(self, *, plural: bool = False) -> None:
        self.has_verb, self.has_plural_subject = False, plural

    def _auxiliary(self, word: str) -> None:
        following = [token for token in self.lower[self.i + 1 : self.i + 3] if not _is_adverb(token)]
        helps = bool(following) and (english.is_ing(following[0]) or english.is_participle(following[0]))
        self.i += 1
        if not helps:
            self.found.append(Chunk("verb", word))
            self.has_verb = True

    # --- a run of nouns, adjectives and maybe a verb -----------------------------------------------------------------
    def _things(self) -> None:
        start = self.i
        determiners: list[str] = []
        while self.i < len(self.tokens) and self.lower[self.i] in DETERMINERS:
            determiners.append(self.tokens[self.i])
            self.i += 1
        words: list[str] = []
        while self.i < len(self.tokens):
            if self._is_content(self.i):
                words.append(self.tokens[self.i])
                self.i += 1
            elif (determiners or words) and self._goes_on_behind(words):
                self.i += 1
            else:
                break
        self.i = max(self.i, start + 1)
        self._cut(determiners, words)

    def _cut(self, determiners: list[str], words: list[str]) -> None:
        """Divide a run at its verb, if it has one: what is before is a thing, what is behind another."""
        at = self._verb_at([word.lower() for word in determiners], [word.lower() for word in words])
        noun = words if at is None else words[:at]
        if noun or (determiners and determiners[-1].lower() in NUMBERS):
            self._add_thing(determiners, noun)
        if at is not None:
            self.found.append(Chunk("verb", words[at].lower()))
            self.has_verb = True
            if words[at + 1 :]:
                self._cut([], words[at + 1 :])

    def _add_thing(self, determiners: list[str], words: list[str]) -> None:
        joined = self._after("and") and any(chunk.kind == "thing" for chunk in self.found[:-1]) and not self.has_verb
        text = " ".join([*map(str.lower, determiners), *words])
        first = determiners[0].lower() if determiners else ""
        as_place = self._after("preposition")
        self.found.append(Chunk("thing", text, first))
        if not self.has_verb and not as_place:
            self.has_plural_subject = joined or english.is_plural(text)

    def _verb_at(self, determiners: list[str], words: list[str]) -> int | None:
        for at, word in enumerate(words):
            if at == 0 and determiners and determiners != ["each"]:
                continue
            follows = words[at + 1] if at + 1 < len(words) else ""
            before = words[at - 1] if at else ""
            if english.is_ing(word):
                is_verb = self._ing_is_verb(word, before, follows)
            elif english.is_participle(word):
                is_verb = not follows and (bool(at) or self._after("thing", "comma", "adverb", "and", "that"))
            else:
                is_verb = self._finite(word, before, follows, determiners)
            if is_verb:
                return at
        return None

    def _ing_is_verb(self, word: str, before: str, follows: str) -> bool:
        if follows and word in MODIFIERS:
            return False
        if word in NOUNS_OR_VERBS_IN_ING and not follows and not self._determiner_follows():
            return word in _ART and bool(before) and before not in MODIFIERS
        if not before and self._after("preposition"):
            return not follows or self.found[-1].text == "by"
        if not before and self._after("verb"):
            return not follows
        return True

    def _finite(self, word: str, before: str, follows: str, determiners: list[str]) -> bool:
        """Whether a word is a verb in the present tense: "a cat sails", "two birds bring"."""
        if before in MODIFIERS or (self.has_verb and not self._after("adverb", "and", "that")):
            return False
        base = english.base_form(word)
        if base != word:
            if self._after("preposition"):
                return False
            if not before:
                joins = self._after("adverb", "that")
                return joins or (base in VERBS and self._after("and", "pronoun"))
            if english.looks_plural(before):
                return False
            after_one = bool(determiners) and determiners[0] in {"a", "an"} and english.looks_plural(word)
            return base in VERBS or (after_one and not follows)
        if word not in VERBS or (self._after("preposition") and bool(before) and not english.looks_plural(before)):
            return False
        if before:
            joined = self._after("and") and any(chunk.kind == "thing" for chunk in self.found)
            many = bool(determiners) and determiners[-1] in NUMBERS
            return (joined and not self.has_verb) or many or english.looks_plural(before)
        return self.has_plural_subject and self._after("adverb", "that", "and", "thing")

    # --- looking around ----------------------------------------------------------------------------------------------
    def _after(self, *kinds: Kind) -> bool:
        return bool(self.found) and self.found[-1].kind in kinds

    def _follows(self, *words: str) -> bool:
        return tuple(self.lower[self.i : self.i + len(words)]) == words

    def _phrase(self) -> tuple[str, ...] | None:
        return next((phrase for phrase in _PHRASES if self._follows(*phrase)), None)

    def _is_content(self, i: int) -> bool:
        if i >= len(self.lower) or any(tuple(self.lower[i : i + len(phrase)]) == phrase for phrase in _PHRASES):
            return False
        word = self.lower[i]
        closed = PREPOSITIONS | DETERMINERS | CONJUNCTIONS | CLAUSE_OPENERS | RELATIVES | AUXILIARIES | PRONOUNS
        return word[0].isalnum() and word not in closed - {"left", "right", "next"} and not _is_adverb(word)

    def _goes_on_behind(self, words: list[str]) -> bool:
        """Whether the adjectives go on: "a small, hollow tree", "red and green leaves", "a carefully made globe"."""
        if not self._is_content(self.i + 1):
            return False
        if _is_adverb(self.lower[self.i]):
            return not words
        follows = self.lower[self.i + 1]
        last = words[-1].lower() if words else ""
        is_adjective = last in MODIFIERS or last.endswith(_ADJECTIVE_ENDINGS)
        joins = self.lower[self.i] == "," or self.lower[self.i] in CONJUNCTIONS
        return is_adjective and joins and (follows in MODIFIERS or not english.is_ing(follows))

    def _thing_follows(self) -> bool:
        following = self.lower[self.i + 1] if self.i + 1 < len(self.lower) else "."
        return following in DETERMINERS | PRONOUNS or self._is_content(self.i + 1) or _is_adverb(following)

    def _infinitive_follows(self) -> bool:
        verb, behind = [*self.lower[self.i + 1 : self.i + 3], "", ""][:2]
        return verb in VERBS or (self._is_content(self.i + 1) and behind in DETERMINERS)

    def _determiner_follows(self) -> bool:
        return self.i < len(self.lower) and self.lower[self.i] in ARTICLES | POSSESSIVES | NUMBERS

    def _last_thing_is_plural(self) -> bool:
        return next((english.is_plural(c.text) for c in reversed(self.found) if c.kind == "thing"), False)


def _is_adverb(word: str) -> bool:
    return word in ADVERBS or (len(word) > 4 and word.endswith("ly") and word not in NOT_ADVERBS)


def _joined_by_of(found: list[Chunk]) -> list[Chunk]:
    joined: list[Chunk] = []
    for chunk in found:
        if chunk.kind == "thing" and len(joined) > 1 and joined[-1].text == "of" and joined[-2].kind == "thing":
            first = joined[-2]
            joined[-2:] = [Chunk("thing", f"{first.text} of {chunk.text}", first.determiner)]
        else:
            joined.append(chunk)
    return joined
