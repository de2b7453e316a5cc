"""Scenes of coloured shapes: the demo study's prompts, written by a small grammar from one seed.

A `Scene` says what a prompt asks for; the same type says what a picture shows (see `scene_errors`), so the truth
about a picture is the difference of two values, and nothing has to be guessed from pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T")

CATEGORIES = ("functional relation", "multi-subject", "compositional")
"""Named after the three parts of InterActing, the benchmark of subject interactions that DetailScribe brought."""

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (218, 66, 62),
    "orange": (240, 144, 52),
    "yellow": (245, 205, 72),
    "green": (92, 166, 96),
    "blue": (68, 126, 202),
    "purple": (136, 94, 182),
    "pink": (240, 148, 182),
}
SHAPES = ("circle", "square", "hexagon", "triangle", "heart", "star", "diamond", "cross")
STURDY_SHAPES = ("circle", "square", "hexagon")
"""Shapes wide enough to carry another one, or a badge below the face."""
BODY_SHAPES = SHAPES[:-1]
COUNT_WORDS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}


@dataclass(frozen=True)
class Predicate:
    """How a relation is asked about, stated and corrected, and what it becomes when a picture gets it wrong.

    `question` and `holds` are templates of {s} and {o}, the two entities with their article.
    """

    question: str
    holds: str
    wrong: str
    wrong_kind: str = "wrong_relation"
    severity: str = "major"


PREDICATES: dict[str, Predicate] = {
    "above": Predicate("Is {s} above {o}?", "{s} is above {o}", "below"),
    "below": Predicate("Is {s} below {o}?", "{s} is below {o}", "above"),
    "left of": Predicate("Is {s} to the left of {o}?", "{s} is to the left of {o}", "right of"),
    "right of": Predicate("Is {s} to the right of {o}?", "{s} is to the right of {o}", "left of"),
    "holds": Predicate("Does {s} hold {o} in its hand?", "{s} holds {o} in its hand", "does not hold", "not_holding"),
    "balances": Predicate(
        "Does {s} balance {o} on its head?", "{s} balances {o} on its head", "does not balance", "not_holding"
    ),
    "pulls": Predicate("Does {s} pull {o} on a string?", "{s} pulls {o} on a string", "does not pull", "not_holding"),
    "wears": Predicate("Does {s} wear {o} on its belly?", "{s} wears {o} on its belly", "does not wear", "not_holding"),
    "lifts": Predicate("Does {s} help to lift {o}?", "{s} helps to lift {o}", "does not lift", "not_holding"),
    "holds hands with": Predicate(
        "Do {s} and {o} hold hands?", "{s} and {o} hold hands", "stands apart from", "not_holding"
    ),
    "looks at": Predicate("Does {s} look at {o}?", "{s} looks at {o}", "looks away from", severity="minor"),
    "waves to": Predicate("Does {s} wave to {o}?", "{s} raises a hand and waves to {o}", "does not wave to"),
    "in a ring around": Predicate(
        "Are {s} in a ring around {o}?", "{s} form a ring around {o}", "in a row below rather than around"
    ),
    "in a row below": Predicate("Are {s} in a row below {o}?", "{s} stand in a row below {o}", "in a row above"),
    "in a row above": Predicate("Are {s} in a row above {o}?", "{s} stand in a row above {o}", "in a row below"),
    "in an arch over": Predicate(
        "Do {s} form an arch over {o}?", "{s} form an arch over {o}", "in a row below rather than over"
    ),
    "on top of": Predicate("Does {s} stand on top of {o}?", "{s} stands on top of {o}", "beside"),
}


@dataclass(frozen=True)
class Entity:
    """One thing, or one group of like things, of a scene. `size` is "small", "medium" (not said) or "large"."""

    id: str
    colour: str
    shape: str
    size: str = "medium"
    count: int = 1
    is_body: bool = True
    """A body has a face and limbs; the others are things that bodies handle."""

    @property
    def name(self) -> str:
        """As the prompt says it, without the article: "small yellow star", "four small green hearts"."""
        size = "" if self.size == "medium" else f"{self.size} "
        if self.count == 1:
            return f"{size}{self.colour} {self.shape}"
        return f"{COUNT_WORDS[self.count]} {size}{self.colour} {self.plural}"

    @property
    def plural(self) -> str:
        return f"{self.shape}es" if self.shape == "cross" else f"{self.shape}s"

    @property
    def short(self) -> str:
        """ "the star", "the hearts": unambiguous, because no two entities of a scene share a shape."""
        return f"the {self.shape if self.count == 1 else self.plural}"


@dataclass(frozen=True)
class Relation:
    """subject–predicate–object, by the entities' ids."""

    id: str
    subject: str
    predicate: str
    object: str


@dataclass(frozen=True)
class Scene:
    """What is asked for, or what is shown: entities, relations, and the layout's free choices.

    `plan` names the layout; `mirror` flips it where no side is asked for; `backdrop` selects the background;
    `absent` (ids) and `extras` are used only by scenes as shown.
    """

    plan: str
    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]
    mirror: bool = False
    backdrop: int = 0
    absent: frozenset[str] = frozenset()
    extras: tuple[Entity, ...] = ()

    def entity(self, entity_id: str) -> Entity:
        """The entity of that id; raises KeyError for an unknown one."""
        for entity in (*self.entities, *self.extras):
            if entity.id == entity_id:
                return entity
        raise KeyError(entity_id)

    def relation(self, relation_id: str) -> Relation:
        """The relation of that id; raises KeyError for an unknown one."""
        for relation in self.relations:
            if relation.id == relation_id:
                return relation
        raise KeyError(relation_id)

    def filled(self, relation: Relation, template: str) -> str:
        """`template` with {s} and {o} filled in."""
        return template.format(s=self.entity(relation.subject).short, o=self.entity(relation.object).short)


@dataclass(frozen=True)
class ScenePrompt:
    """A prompt of the demo study with its decomposition."""

    key: str
    category: str
    sub_category: str
    topic: str
    text: str
    scene: Scene

    def decomposition(self) -> dict[str, list[dict[str, Any]]]:
        """Entities and relations as JSON-ready data, each relation with the question a critic asks of it."""
        scene = self.scene
        return {
            "entities": [
                {"id": e.id, "name": e.name, "colour": e.colour, "shape": e.shape, "size": e.size, "count": e.count}
                for e in scene.entities
            ],
            "relations": [
                {
                    "id": r.id,
                    "subject": r.subject,
                    "relation": r.predicate,
                    "object": r.object,
                    "question": scene.filled(r, PREDICATES[r.predicate].question),
                }
                for r in scene.relations
            ],
        }


def stream(seed: int, *key: int) -> np.random.Generator:
    """The generator of one purpose and place, so that no draw depends on how many others are made."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def pick(rng: np.random.Generator, options: Sequence[T]) -> T:
    """One of `options`, each as likely."""
    return options[int(rng.integers(len(options)))]
