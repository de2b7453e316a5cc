"""A prompt's decomposition: the entities that it names and the relations between them, as checked data.

The idea is DetailScribe's: parts that can be seen at once and pointed at ("paw hold pumpkin; brush paint design").
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from generation.recipes.english import grammar as english

LONGEST_ID = 60
"""The audit page cuts longer ids, and then two could become one."""
_LOOKS_LIKE_ID = re.compile(r"^[a-z]{1,8}[-_ ]?\d+$", re.IGNORECASE)

Kind = Literal["missing", "attribute", "relation"]


class BadDecomposition(ValueError):
    """A decomposition that makes no sense; the text names the part and what is wrong with it."""


@dataclass(frozen=True)
class Entity:
    """One thing, or a group of like things, as a noun phrase; attributes: what can be seen of it, checked by itself."""

    id: str
    text: str
    attributes: tuple[str, ...] = ()

    @property
    def without_attributes(self) -> str:
        """ "tiny hammer" with the attribute "tiny" → "hammer": the words to ask with."""
        said = {attribute.lower() for attribute in self.attributes}
        words = english.bare(self.text).split()
        kept = [word for word in words if word.lower() not in said]
        return " ".join(kept if kept else words)


@dataclass(frozen=True)
class Relation:
    """subject–predicate–object, by the entities' ids; object is None where somebody does something by themself.

    question: whose right answer is yes; where empty one is made. text: the relation in words, for people.
    A relation known only by its text has neither subject nor predicate.
    """

    id: str
    subject: str
    predicate: str
    object: str | None
    question: str = ""
    text: str = ""


@dataclass(frozen=True)
class Asked:
    """A question whose right answer is yes, the entity or relation that it is about, and what a yes says.

    kind: what is wrong if the answer is no, in the words of `critique_outcome.KINDS`.
    """

    question: str
    about: str
    kind: Kind
    statement: str


@dataclass(frozen=True)
class Decomposition:
    """Entities and relations with ids that are unique among both. Raises BadDecomposition where they make no sense."""

    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...] = ()

    def __post_init__(self) -> None:
        if not self.entities and not self.relations:
            raise BadDecomposition("The decomposition is empty: it names no entity and no relation.")
        _check_ids(self)
        for number, entity in enumerate(self.entities, start=1):
            where = f'Entity {number} ("{entity.id}")'
            if not entity.text.strip():
                raise BadDecomposition(f"{where} has no text.")
            if any(not attribute.strip() for attribute in entity.attributes):
                raise BadDecomposition(f"{where} has an empty attribute.")
        _check_relations(self)

    def entity(self, entity_id: str) -> Entity:
        """The entity of that id; raises KeyError for an unknown one."""
        for entity in self.entities:
            if entity.id == entity_id:
                return entity
        raise KeyError(entity_id)

    def statement(self, relation: Relation) -> str:
        """The relation in words."""
        if relation.text:
            return relation.text
        subject, target = self._ends(relation)
        return english.states_that(subject, relation.predicate, target)

    def asked(self) -> tuple[Asked, ...]:
        """Each question once: of each entity whether it is there and as described, then of each relation."""
        found: dict[str, Asked] = {}
        for entity in self.entities:
            name = entity.without_attributes
            question = english.asks_for(name)
            found.setdefault(
                question.lower(), Asked(question, entity.id, "missing", english.sentence(english.tells_of(name)))
            )
            be = "are" if english.is_plural(name) else "is"
            for attribute in entity.attributes:
                question = f"{be.capitalize()} {english.definite(name)} {attribute}?"
                statement = english.sentence(f"{english.definite(name)} {be} {attribute}")
                found.setdefault(question.lower(), Asked(question, entity.id, "attribute", statement))
        for relation in self.relations:
            question = self._question(relation)
            statement = english.sentence(self.statement(relation))
            found.setdefault(question.lower(), Asked(question, relation.id, "relation", statement))
        return tuple(found.values())

    def questions(self) -> tuple[str, ...]:
        """Yes-or-no questions whose right answer is yes, each once, in order."""
        return tuple(asked.question for asked in self.asked())

    def as_lines(self) -> str:
        """One line per part with its id, as a model sees it."""
        entities = [
            f"{entity.id}: {entity.text}" + (f" ({', '.join(entity.attributes)})" if entity.attributes else "")
            for entity in self.entities
        ]
        return "\n".join([*entities, *(f"{relation.id}: {self.statement(relation)}" for relation in self.relations)])

    def as_json(self) -> dict[str, list[dict[str, Any]]]:
        """The shape that `metadata["decomposition"]` of a prompt has, and that the audit page reads."""
        return {
            "entities": [{"id": e.id, "text": e.text, "attributes": list(e.attributes)} for e in self.entities],
            "relations": [
                {
                    "id": r.id,
                    "subject": r.subject,
                    "relation": r.predicate,
                    "object": r.object,
                    "question": self._question(r),
                    "text": self.statement(r),
                }
                for r in self.relations
            ],
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Decomposition":
        """Read what `as_json` wrote, what the demo study has, or plain lists of texts; further keys are left alone.

        An entity or relation is a text or an object: "id" (else e1, r1, …), "text" or "name", "attributes";
        "subject", "relation" (or "predicate"), "object" (ids, or words that name or make an entity), "question".
        Raises BadDecomposition.
        """
        if not isinstance(data, Mapping):
            raise BadDecomposition("A decomposition is an object with the lists entities and relations.")
        entities = [_entity(row, number) for number, row in enumerate(_rows(data, "entities"), start=1)]
        relations = [_relation(row, number, entities) for number, row in enumerate(_rows(data, "relations"), start=1)]
        return Decomposition(tuple(entities), tuple(relations))

    def _ends(self, relation: Relation) -> tuple[str, str | None]:
        target = None if relation.object is None else self.entity(relation.object).text
        return self.entity(relation.subject).text, target

    def _question(self, relation: Relation) -> str:
        if relation.question:
            return relation.question
        if not relation.predicate:
            return f"Does the image show this: {relation.text.rstrip('.?! ')}?"
        subject, target = self._ends(relation)
        return english.asks_whether(subject, relation.predicate, target)


# --- checking --------------------------------------------------------------------------------------------------------
def _check_ids(decomposition: Decomposition) -> None:
    seen: set[str] = set()
    parts = [("Entity", entity.id) for entity in decomposition.entities]
    for kind, part_id in parts + [("Relation", relation.id) for relation in decomposition.relations]:
        if not part_id or part_id != english.one_line(part_id) or len(part_id) > LONGEST_ID:
            raise BadDecomposition(
                f'{kind} "{part_id}": an id has 1 to {LONGEST_ID} characters, no white space around.'
            )
        if part_id in seen:
            raise BadDecomposition(f'{kind} "{part_id}": the id is used twice.')
        seen.add(part_id)


def _check_relations(decomposition: Decomposition) -> None:
    ids = [entity.id for entity in decomposition.entities]
    seen: dict[tuple[str, str, str | None], str] = {}
    for number, relation in enumerate(decomposition.relations, start=1):
        where = f'Relation {number} ("{relation.id}")'
        if not relation.subject and not relation.predicate and relation.object is None and relation.text.strip():
            continue
        if not relation.predicate.strip():
            raise BadDecomposition(f"{where} has no predicate.")
        for role, end in (("subject", relation.subject), ("object", relation.object)):
            if end is not None and end not in ids:
                known = ", ".join(ids) or "none"
                raise BadDecomposition(f'{where}: its {role} "{end}" is not an entity (entities: {known}).')
        key = (relation.subject, relation.predicate.lower(), relation.object)
        if key in seen:
            raise BadDecomposition(f'{where} says the same as "{seen[key]}".')
        seen[key] = relation.id


# --- reading ---------------------------------------------------------------------------------------------------------
def _rows(data: Mapping[str, Any], name: str) -> list[Any]:
    rows = data.get(name, [])
    if not isinstance(rows, list):
        raise BadDecomposition(f'"{name}" is not a list.')
    return rows


def _entity(row: Any, number: int) -> Entity:
    if isinstance(row, str):
        return Entity(f"e{number}", english.one_line(row))
    if not isinstance(row, Mapping):
        raise BadDecomposition(f"Entity {number} is neither a text nor an object.")
    attributes = row.get("attributes") or []
    if not isinstance(attributes, list):
        raise BadDecomposition(f'Entity {number}: "attributes" is not a list.')
    text = english.one_line(str(row.get("text") or row.get("name") or ""))
    tidy = tuple(english.one_line(str(attribute)) for attribute in attributes)
    return Entity(english.one_line(str(row.get("id") or f"e{number}")), text, tidy)


def _relation(row: Any, number: int, entities: list[Entity]) -> Relation:
    if isinstance(row, str):
        return Relation(f"r{number}", "", "", None, text=english.one_line(row))
    if not isinstance(row, Mapping):
        raise BadDecomposition(f"Relation {number} is neither a text nor an object.")
    words = {
        name: english.one_line(str(row.get(name) or ""))
        for name in ("subject", "relation", "predicate", "object", "question", "text")
    }
    return Relation(
        english.one_line(str(row.get("id") or f"r{number}")),
        find_or_add(words["subject"], entities),
        words["relation"] or words["predicate"],
        find_or_add(words["object"], entities) or None,
        words["question"],
        words["text"],
    )


def looks_like_id(name: str) -> bool:
    """ "e7", "entity 7": surely no words of a prompt."""
    return _LOOKS_LIKE_ID.match(name) is not None


def find_or_add(name: str, entities: list[Entity]) -> str:
    """The id of the entity that `name` means by its id or its words; words that name none are added as one.

    A text that only looks like an id is returned unchanged, so that the check rejects it.
    """
    if not name:
        return ""
    for entity in entities:
        if entity.id == name:
            return entity.id
    words = english.bare(name).lower()
    for entity in entities:
        if words and words in {entity.id.lower(), english.bare(entity.text).lower()}:
            return entity.id
    if looks_like_id(name) or not english.bare(name):
        return name
    number = len(entities) + 1
    while any(entity.id == f"e{number}" for entity in entities):
        number += 1
    entities.append(Entity(f"e{number}", english.bare(name)))
    return f"e{number}"
