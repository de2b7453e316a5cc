"""What a reasonable model would answer to the recipes' requests, made from the request: for a ChatServer's `answer`.

The same request always has the same answer. A picture is called faulty by a bit of its bytes, so that some are not.
"""

import hashlib
import re
from typing import Any

from generation.recipes.decomposition.by_rules import decompose_by_rules
from tests.engines.chat_server import Asked, Reply, colourful


def sensible(asked: Asked) -> Reply:
    """Decomposes by rules, names the first part as wrong in the critique, rewords, and judges."""
    if asked.path.endswith("/images/generations"):
        return colourful(asked)
    prompt = re.findall(r"^Prompt: (.*)$", asked.text, re.MULTILINE)[-1]
    image = asked.images[0] if asked.images else b""
    number = hashlib.sha256(image).digest()[0]
    answers = {
        "DecompositionSaid": lambda: _decomposed(prompt),
        "CritiqueSaid": lambda: _criticised(asked.text, prompt),
        "PlainCritiqueSaid": lambda: {
            "critique": "1. The hand has six fingers.",
            "refined_prompt": f"{prompt} The hand has five fingers.",
        },
        "Enriched": lambda: {"prompt": f"{prompt}, seen from the side, each part touching the next"},
        "Judged": lambda: {"reasons": "All is there.", "is_shown": number % 2 == 0, "score": 1 + number % 5},
    }
    return answers[asked.schema]()


def _decomposed(prompt: str) -> dict[str, Any]:
    found = decompose_by_rules(prompt)
    return {
        "entities": [
            {"id": entity.id, "text": entity.text, "attributes": list(entity.attributes)} for entity in found.entities
        ],
        "relations": [
            {
                "id": relation.id,
                "subject": relation.subject,
                "predicate": relation.predicate,
                "object": relation.object or "",
                "question": relation.question,
                "text": relation.text,
            }
            for relation in found.relations
        ],
    }


def _criticised(text: str, prompt: str) -> dict[str, Any]:
    parts = re.findall(r"^([er]\d+): (.+)$", text, re.MULTILINE)
    about, words = next(((part, said) for part, said in parts if part[0] == "r"), (parts or [("", prompt)])[0])
    return {
        "claims": [
            {
                "text": f"This cannot be seen: {words}",
                "about": about,
                "kind": "relation" if about.startswith("r") else "missing",
                "severity": "major",
                "rank": 1,
                "confidence": 0.9,
                "correction": f"It is plain to see: {words}.",
            }
        ]
    }
