"""A bundle's description of itself: a README with a data card's head, a code book, and Croissant for programs."""

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from typing import Any

from annotations.reports.documents.study import StudyDocument
from annotations.reports.paper.limits import limits
from annotations.reports.paper.markdown import literal, plain
from annotations.reports.paper.methods import methods
from annotations.reports.paper.summary import summary
from annotations.reports.release.recompute import COMPARISONS, EXCLUDED, ITEMS, METRICS, QUESTIONS, RATINGS, Settings
from exchange.writing.croissant import Field, data_set, file_object, record_set

COLUMNS = {
    "item": ("Text", "What was rated: an image, or a whole item, by its key"),
    "rater": ("Text", "A rater's alias; the same person has one alias in all tables"),
    "rater_kind": ("Text", "person, imported or simulated"),
    "dimension": ("Text", "The question's short name"),
    "value": ("Text", "The answer as a value of the question's scale, or “unable to answer”; of a metric, its score"),
    "active_ms": ("Integer", "Milliseconds in which the rater was active on the card"),
    "sequence": ("Integer", "The card's place in what this rater saw, from 0"),
    "prompt_id": ("Text", "The prompt"),
    "method": ("Text", "What made the image"),
    "metric": ("Text", "The automatic metric, with its version"),
    "kind": ("Text", "ordinal, interval, nominal, preference, ranking or best_worst"),
    "label": ("Text", "The value as raters saw it"),
    "question": ("Text", "The question as raters saw it"),
    "baseline": ("Text", "The method compared with"),
    "refined": ("Text", "The method compared"),
    "reason": ("Text", "Why a rater's answers are left out"),
    "n_answers": ("Integer", "How many of their answers are left out"),
    "sha256": ("Text", "SHA-256 of the image file"),
    "image": ("Text", "The image's key"),
    "file": ("Text", "Where the image is in a bundle with images; empty where its file is held elsewhere"),
}
"""Type and meaning of each column; a column not listed here is a property of the item."""
TABLES_OF_CARD = ("ratings", "items", "metrics", "questions")
OTHER_COLUMN = ("Text", "A property of the item")
TABLE_TITLES = {
    RATINGS: "Ratings, one answer of one rater about one item and question per row",
    ITEMS: "Items",
    METRICS: "Scores of automatic metrics",
    QUESTIONS: "Questions, one level per row",
    COMPARISONS: "Comparisons of methods",
    EXCLUDED: "Raters whose answers are left out",
    "data/images.csv": "Images behind the items, by their hashes; in images/ where the bundle was asked to hold them",
}


def readme(document: StudyDocument, settings: Settings) -> str:
    """The README: a card with a YAML head, the answer, what is in the bundle, and how to recompute the figures."""
    n = sum(dimension.n_ratings for dimension in document.dimensions)
    head = card_head(document.title, n, {name: f"data/{name}.csv" for name in TABLES_OF_CARD})
    body = [
        f"# {literal(document.title)}",
        "## Summary",
        *map(literal, summary(document)),
        "## What is here",
        (
            "- `data/`: raw ratings per rater, items, scores, questions (see `codebook.md`); raters have aliases\n"
            "- `report/`: the report with its tables, figures and checklists\n"
            "- `images/`, if asked for: the image files · `missing-images.txt`, if there: the images whose files were "
            "missing on the site\n"
            "- `croissant.json`: the tables for programs · `MANIFEST.sha256`: the hash of every file"
        ),
        "## Recompute it",
        f"With evalsite {settings.code_version}:",
        "    python manage.py verify BUNDLE",
        "It compares every file with its hash, recomputes every figure from `data/` and says “equal”, or what differs.",
        "## How it was collected",
        *(literal(plain(paragraph)) for paragraph in methods(document)),
        "## Limits",
        "\n".join(f"- {literal(line)}" for line in limits(document)),
        "## Personal data",
        (
            "Names and comments of raters are not in this bundle; an alias replaces each name. Check that your consent "
            "text allows its publication."
        ),
        "## Licence and contact",
        licence_and_contact(document),
    ]
    return "\n".join(head) + "\n" + "\n\n".join(body) + "\n"


def _notes(document: StudyDocument) -> Mapping[str, str]:
    """The researchers' own texts, by key."""
    return (document.design.notes if document.design else None) or {}


_CARD = (
    ("licence", "Licence", "choose one before you publish"),
    ("paper", "Paper", "not stated"),
    ("resources", "Data and code", "not stated"),
    ("contact", "Contact", "not stated"),
    ("funding", "Funding and interests", "not stated"),
    ("ethics", "Ethics review", "not stated"),
)
"""Key, words, and the text for a fact that nobody stated."""
_CROISSANT = (
    ("license", "licence"),
    ("citeAs", "paper"),
    ("url", "resources"),
    ("rai:annotatorDemographics", "characteristics"),
    ("rai:dataCollection", "recruitment"),
)
"""Croissant's names of facts that researchers state."""


def licence_and_contact(document: StudyDocument) -> str:
    """A list of the facts that the researchers stated, and of those that they did not."""
    notes = _notes(document)
    return "\n".join(f"- {words}: {literal(notes.get(key) or missing)}" for key, words, missing in _CARD)


def card_head(title: str, n_ratings: int, files: Mapping[str, str]) -> list[str]:
    """The YAML head of a Hugging Face data-set card. files: the file of each configuration."""
    return [
        "---",
        f"pretty_name: {json.dumps(title, ensure_ascii=False)}",
        "task_categories: [text-to-image]",
        "tags: [human-evaluation, text-to-image, croissant]",
        f"size_categories: [{_size(n_ratings)}]",
        "configs:",
        *(f"- config_name: {name}\n  data_files: [{{split: train, path: {path}}}]" for name, path in files.items()),
        "---",
    ]


def codebook(files: Mapping[str, bytes]) -> str:
    """Every table with its columns."""
    parts = ["# Code book\n"]
    for name, content in files.items():
        parts.append(f"## {name}\n\n{TABLE_TITLES.get(name, '')}\n\n| column | type | meaning |\n|---|---|---|")
        for column in _header(content):
            kind, meaning = COLUMNS.get(column, OTHER_COLUMN)
            parts.append(f"| {literal(column)} | {kind} | {literal(meaning)} |")
        parts.append("")
    return "\n".join(parts)


def croissant(document: StudyDocument, files: Mapping[str, bytes]) -> str:
    """Croissant 1.1 with its responsible-AI part; every field has its source, every file its hash."""
    made = data_set(
        name=document.key,
        description=" ".join(summary(document)),
        published=document.made.at[:10],
        facts=responsible_ai(document),
        distribution=[_file(name, content) for name, content in files.items()],
        record_sets=[_records(name, content) for name, content in files.items()],
    )
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def responsible_ai(document: StudyDocument) -> dict[str, str]:
    """How people rated, by the keys of Croissant's responsible-AI vocabulary, and what the researchers stated."""
    notes = _notes(document)
    return {
        "rai:dataAnnotationProtocol": " ".join(map(plain, methods(document)[1:3])),
        "rai:dataAnnotationPlatform": f"evalsite {document.made.code_version}",
        "rai:dataAnnotationAnalysis": plain(" ".join(methods(document)[4:])),
        "rai:annotationsPerItem": str(document.design.raters_per_item) if document.design else "",
        "rai:dataLimitations": " ".join(limits(document)),
        "rai:personalSensitiveInformation": "Raters have aliases; names and comments are left out.",
        **{key: text for key, note_key in _CROISSANT if (text := notes.get(note_key, ""))},
    }


def _size(n: int) -> str:
    for limit, words in ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")):
        if n < limit:
            return words
    return "1M<n<10M"


def _header(content: bytes) -> list[str]:
    first = content.split(b"\n", 1)[0].decode()
    return next(csv.reader(io.StringIO(first)), [])


def _identifier(name: str) -> str:
    return name.removeprefix("data/").removesuffix(".csv")


def _file(name: str, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    return file_object(f"{_identifier(name)}.csv", address=name, media_type="text/csv", sha256=digest)


def _records(name: str, content: bytes) -> dict[str, Any]:
    table = _identifier(name)
    fields = [Field(column, *COLUMNS.get(column, OTHER_COLUMN)) for column in _header(content)]
    return record_set(table, description=TABLE_TITLES.get(name, ""), file=f"{table}.csv", fields=fields)
