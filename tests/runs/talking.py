"""A language model and a critic that see nothing and always answer alike: what runs talk to in tests, over HTTP."""

import json

from tests.engines.chat_server import Asked, Json, Reply, Says


def answer(asked: Asked) -> Reply:
    """Decompositions, critiques, wordings and judgements, each in the form that was asked for."""
    prompt = asked.text.partition("Prompt: ")[2].partition("\n")[0]
    said = {
        "DecompositionSaid": decomposition,
        "CritiqueSaid": critique,
        "PlainCritiqueSaid": plain_critique,
    }[asked.schema](prompt)
    return Says(json.dumps(said), usage=(100, 10))


def decomposition(prompt: str) -> Json:
    words = prompt.rstrip(".").split()
    first, last = words[1], words[-1]
    relation = {
        "id": "r1",
        "subject": "e1",
        "predicate": "stands by",
        "object": "e2",
        "question": f"Does the {first} stand by the {last}?",
        "text": f"the {first} stands by the {last}",
    }
    return {
        "entities": [{"id": "e1", "text": first, "attributes": []}, {"id": "e2", "text": last, "attributes": ["red"]}],
        "relations": [relation],
    }


def critique(prompt: str) -> Json:
    claim = {
        "text": f"Nothing of this is there: {prompt}",
        "about": "r1",
        "kind": "relation",
        "severity": "major",
        "rank": 1,
        "confidence": 0.9,
        "correction": "Both stand side by side.",
    }
    return {"claims": [claim]}


def plain_critique(prompt: str) -> Json:
    return {"critique": "1. It is noise.", "refined_prompt": f"{prompt} Both are clearly visible."}
