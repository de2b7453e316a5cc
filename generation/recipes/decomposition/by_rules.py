"""Decomposing a prompt without a model: by the things before and after each verb and preposition.

A heuristic, not a parser. It finds all things and pairs of the demo's grammar and is tolerable on plain
sentences ("a fox stirs a stew in a pot"): of 24 published prompts read by hand, about a fifth had a wrong part. It does
not know what a sentence means: it attaches a place to the nearest thing, takes abstract nouns for things, and never
finds parts that are not named, such as the paw that holds the brush. A language model's decomposition (`decompose`)
is what DetailScribe means; this one is for machines without a model, and for tests.
"""

from generation.recipes.decomposition.decomposition import Decomposition, Entity, Relation
from generation.recipes.english import grammar as english
from generation.recipes.english.chunks import Chunk, chunks, without_style
from generation.recipes.english.words import MODIFIERS, NOT_THINGS, POSSESSIVES

_OF_THE_VERB = frozenset({"with", "by", "via", "to", "toward", "towards", "into", "onto", "through", "across"})
"""A phrase with one of these after an object belongs to the verb: "cuts the cake with a knife"."""
_LONGEST_TEXT = 200


def decompose_by_rules(prompt: str) -> Decomposition:
    """Entities e1 … and relations r1 … in the order of the text; at least one entity.

    Raises ValueError for a prompt without any word.
    """
    if not any(map(str.isalnum, prompt)):
        raise ValueError("The prompt has no words.")
    return _Reader(chunks(prompt)).read(prompt)


class _Reader:
    """Goes through the chunks once and remembers who the clause is about, what is done, and what was named last."""

    def __init__(self, found: list[Chunk]) -> None:
        self.chunks = found
        self.entities: list[Entity] = []
        self.relations: list[Relation] = []
        self.subjects: list[str] = []  # of the clause
        self.actors: list[str] = []  # of the verb: the subjects, or what "that" refers to
        self.verb = self.preposition = ""
        self.target: str | None = None  # the verb's object
        self.last: str | None = None  # the thing named last
        self.places: list[tuple[str, str]] = []  # named before any subject: "In the forest, …"
        self.template: tuple[list[str], str] | None = None  # for "pumpkins and berries"
        self.is_verb_told = True

    def read(self, prompt: str) -> Decomposition:
        for i, chunk in enumerate(self.chunks):
            if chunk.kind == "thing":
                self._thing(i, chunk)
            elif chunk.kind == "verb":
                self._verb(i, chunk)
            elif chunk.kind == "preposition":
                self.preposition = chunk.text
            elif chunk.kind == "pronoun" and chunk.text == "each other":
                self._each_other()
            elif chunk.kind == "adverb" and chunk.text == "together":
                self._together()
            elif chunk.kind in {"opener", "stop"}:
                self._end_verb()
                self.verb = self.preposition = ""
                self.target = None
        self._end_verb()
        if not self.entities:
            self.entities.append(Entity("e1", english.bare(without_style(prompt))[:_LONGEST_TEXT] or prompt.strip()))
        return Decomposition(tuple(self.entities), tuple(self.relations))

    # --- things ------------------------------------------------------------------------------------------------------
    def _thing(self, i: int, chunk: Chunk) -> None:
        if self._is_hands(chunk):
            return
        entity_id = self._entity(chunk)
        if entity_id is None:
            self.preposition = ""
        elif self.preposition:
            self._place(entity_id)
        elif self.verb and self.target is None and not self.is_verb_told:
            self._relate(self.actors, self.verb, entity_id)
            self.target = self.last = entity_id
        elif self._before(i) in {"and", "comma", "thing"} and self.template and not self._verb_follows(i):
            self._relate(*self.template, entity_id)
            self.last = entity_id
        else:
            self._subject(i, entity_id)

    def _subject(self, i: int, entity_id: str) -> None:
        if self._before(i) == "and" and self.subjects and not self.verb:
            self.subjects.append(entity_id)
        else:
            self._end_verb()
            self.subjects, self.verb, self.target, self.template = [entity_id], "", None, None
        self.last = entity_id
        for preposition, place in self.places:
            self._relate([entity_id], preposition, place)
        self.template = None

    def _place(self, entity_id: str) -> None:
        """A thing behind a preposition: where the verb happens, with what, or where the thing before it is."""
        preposition, self.preposition = self.preposition, ""
        if self.verb and (self.target is None or preposition in _OF_THE_VERB):
            self._relate(self.actors, f"{self.verb} {preposition}", entity_id)
        elif self.target or self.last or self.subjects:
            subjects = self.subjects if not self.verb and len(self.subjects) > 1 else []
            self._relate(subjects or [self.target or self.last or self.subjects[-1]], preposition, entity_id)
        else:
            self.places.append((preposition, entity_id))
            return
        self.last = entity_id

    def _entity(self, chunk: Chunk) -> str | None:
        """The id of a new entity, or of the one that "the hexagon" means; None for what cannot be pointed at."""
        words = chunk.words[:_LONGEST_TEXT]
        if english.head(words) in NOT_THINGS:
            return None
        if chunk.determiner.lower() in POSSESSIVES and self.subjects:
            owner = english.head(self._text(self.subjects[0]))
            words = f"{owner}'{'' if owner.endswith('s') else 's'} {words}"
        for entity in self.entities:
            is_same_thing = chunk.determiner.lower() == "the" and english.head(entity.text) == words.lower()
            if is_same_thing or entity.text.lower() == words.lower():
                return entity.id
        *modifiers, _ = words.split(" of ")[0].split()
        attributes = tuple(dict.fromkeys(word for word in modifiers if word.lower() in MODIFIERS))
        self.entities.append(Entity(f"e{len(self.entities) + 1}", words, attributes))
        return self.entities[-1].id

    # --- verbs -------------------------------------------------------------------------------------------------------
    def _verb(self, i: int, chunk: Chunk) -> None:
        self._end_verb()
        before = self._before(i)
        describes = english.is_participle(chunk.text) and before == "thing"
        beside = self.template is not None and self.template[1].split()[-1] == "with" and before == "thing"
        if (before == "that" or describes or beside) and self.last is not None:
            self.actors = self.subjects if self.last in self.subjects else [self.last]
        else:
            self.actors = self.subjects
        self.verb, self.target, self.preposition, self.template = chunk.text, None, "", None
        self.is_verb_told = not self.actors

    def _end_verb(self) -> None:
        """A verb with nothing after it is stated without an object."""
        if self.verb and not self.is_verb_told:
            for actor in self.actors:
                self._add(actor, self.verb, None)
            self.is_verb_told = True

    def _each_other(self) -> None:
        if self.verb and len(self.actors) > 1:
            predicate = " ".join(part for part in (self.verb, self.preposition) if part)
            self._relate([self.actors[0]], predicate, self.actors[1])
        self.preposition = ""

    def _together(self) -> None:
        if self.verb and not self.is_verb_told and len(self.actors) > 1:
            self._relate([self.actors[0]], f"{self.verb} together with", self.actors[1])

    def _is_hands(self, chunk: Chunk) -> bool:
        """ "A and B hold hands" says something of A and B, and names no third thing."""
        if chunk.text.lower() != "hands" or len(self.actors) < 2 or self.verb not in {"hold", "holding"}:
            return False
        self._relate([self.actors[0]], f"{self.verb} hands with", self.actors[1])
        return True

    # --- stating -----------------------------------------------------------------------------------------------------
    def _relate(self, subjects: list[str], predicate: str, target: str) -> None:
        for subject in subjects:
            self._add(subject, predicate, target)
        self.template, self.is_verb_told = (subjects, predicate), True

    def _add(self, subject: str, predicate: str, target: str | None) -> None:
        known = {(relation.subject, relation.predicate, relation.object) for relation in self.relations}
        if subject != target and (subject, predicate, target) not in known:
            self.relations.append(Relation(f"r{len(self.relations) + 1}", subject, predicate, target))

    def _text(self, entity_id: str) -> str:
        return next(entity.text for entity in self.entities if entity.id == entity_id)

    def _before(self, i: int) -> str:
        """What kind of chunk is before this one, adverbs aside."""
        return next((chunk.kind for chunk in reversed(self.chunks[:i]) if chunk.kind != "adverb"), "")

    def _verb_follows(self, i: int) -> bool:
        return next((chunk.kind == "verb" for chunk in self.chunks[i + 1 :] if chunk.kind != "adverb"), False)
