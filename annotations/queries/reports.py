"""Reads for reports: a cheap key of everything that a study's results depend on, and the existing snapshots."""

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Count, Max, Q, QuerySet

from annotations.models import Item, ItemImage, LateAnswer, ReportSnapshot, Response, Study
from annotations.queries.planning.facts import facts_of
from annotations.queries.planning.present import present_plan, registration_of
from annotations.queries.result_units import images_of, linked_methods, scores_of, study_methods
from annotations.reports.documents.conversion import BadDocument, from_json
from annotations.reports.documents.study import FORMAT, Asked, StudyDocument
from annotations.reports.paper.summary import summary
from annotations.version import code_version

Comparisons = Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Inputs:
    """The size of a study's data, and a hash that changes when they do.

    Rows of answers are only ever added, so their number and the newest key show whether any were added: the hash costs
    a few counts, and not all answers are read.
    """

    n_ratings: int
    n_metrics: int
    inputs_hash: str
    excluded: tuple[tuple[int | str, str], ...]
    """(key, reason) of each excluded rater, and ("rule", text) for excluding them if there is one."""


@dataclass(frozen=True)
class _Counts:
    """How many answers, scores, images and late answers a study has; until: when kept counts expire, in monotonic
    seconds."""

    answers: dict[str, Any]
    scores: dict[str, Any]
    images: dict[str, Any]
    late: int
    until: float

    @property
    def n_rows(self) -> int:
        return int(self.answers["current"] + self.scores["n"] + self.images["n"])


KEPT_S = 30.0
LARGE = 200_000
"""With more rows than this, a study's counts are cached briefly: for a million answers with ten metrics they take more
than a second, and every view of the results needs them."""
_kept: dict[int, _Counts] = {}
_kept_methods: dict[int, tuple[float, tuple[list[str], list[tuple[str, str]]]]] = {}


def inputs_of(study: Study, comparisons: Comparisons, *, fresh: bool = False, large: int = LARGE) -> Inputs:
    """The state of everything that can change a figure of the study's report, in eight queries.

    One more if raters are excluded; about ten more if a plan is registered. Counts of a study with more than `large`
    rows are up to half a minute old, unless `fresh`.
    """
    dimensions = list(study.dimensions.order_by("position").values_list("pk", "name", "question", "kind", "levels"))
    counts = _kept.get(study.pk)
    if counts is None or fresh or counts.until < time.monotonic():
        counts = _count(study, [row[0] for row in dimensions])
        if counts.n_rows > large:
            _kept[study.pk] = counts
        else:
            _kept.pop(study.pk, None)
            _kept_methods.pop(study.pk, None)
    answers, scores, images = counts.answers, counts.scores, counts.images
    is_excluded = Q(excluded_at__isnull=False)
    raters = study.raters.aggregate(n=Count("pk"), last=Max("pk"), excluded=Count("pk", filter=is_excluded))
    excluded = _excluded(study) if raters["excluded"] else []
    if study.exclusion_rule:
        excluded.append(("rule", study.exclusion_rule))
    state = [study.pk, dimensions, answers, scores, images, raters, counts.late, [*map(list, comparisons)]]
    state += [excluded] if excluded else []
    state += _stated(study)
    text = json.dumps(state, sort_keys=True, ensure_ascii=False)
    return Inputs(answers["current"], scores["metrics"], hashlib.sha256(text.encode()).hexdigest(), tuple(excluded))


def is_counted(study: Study) -> bool:
    """Whether `inputs_of` and `methods_of` still have recent counts of this large study."""
    counts, (methods_until, _methods) = _kept.get(study.pk), _kept_methods.get(study.pk, (0.0, None))
    return counts is not None and min(counts.until, methods_until) >= time.monotonic()


def _count(study: Study, dimensions: Sequence[int]) -> _Counts:
    return _Counts(
        answers=Response.objects.filter(dimension__in=dimensions).aggregate(
            current=Count("pk", filter=Q(is_current=True)), last=Max("pk")
        ),
        scores=scores_of(study).aggregate(n=Count("pk"), last=Max("pk"), metrics=Count("metric", distinct=True)),
        images=images_of(study).aggregate(
            n=Count("pk"), described=Count("pk", filter=~Q(provenance={})), methods=Count("method", distinct=True)
        ),
        late=late_answers(study),
        until=time.monotonic() + KEPT_S,
    )


def methods_of(study: Study) -> tuple[list[str], list[tuple[str, str]]]:
    """The study's methods, and the pairs in which one was made from the other; for a large study up to half a minute
    old."""
    until, methods = _kept_methods.get(study.pk, (0.0, None))
    if methods is None or study.pk not in _kept or until < time.monotonic():
        methods = study_methods(study), linked_methods(study)
        # `inputs_of` discards them if the study turns out to be small.
        _kept_methods[study.pk] = time.monotonic() + KEPT_S, methods
    return methods


def _stated(study: Study) -> list[Any]:
    """The researchers' texts, and the registration with the settings that it is compared with; [] without any."""
    parts: list[Any] = [dict(facts)] if (facts := facts_of(study)) else []
    registration = registration_of(study)
    if registration is not None:
        parts += [registration.digest, study.state, present_plan(study, with_items=False).to_json()]
    return parts


def _excluded(study: Study) -> list[tuple[int | str, str]]:
    rows = study.raters.filter(excluded_at__isnull=False).order_by("pk").values_list("pk", "excluded_reason")
    return list(rows)


def late_answers(study: Study) -> int:
    """Answers to cards that others had already answered in full: kept, but not counted."""
    return LateAnswer.objects.filter(assignment__study=study).count()


def newest_report(study: Study, inputs_hash: str, seed: int, code_version: str) -> ReportSnapshot | None:
    """The latest attempt at exactly these results, whatever its outcome."""
    return study.snapshots.filter(inputs_hash=inputs_hash, seed=seed, code_version=code_version).first()


def finished(study: Study) -> QuerySet[ReportSnapshot]:
    """The study's results that this version can show, the latest first."""
    return study.snapshots.filter(state=ReportSnapshot.State.DONE, results__format=FORMAT)


def last_finished(study: Study, seed: int) -> ReportSnapshot | None:
    """The latest results of the study that this version can show, for any state of its answers."""
    return finished(study).filter(seed=seed).first()


def document_of(snapshot: ReportSnapshot) -> StudyDocument:
    """The document of a finished snapshot. Raises BadDocument if this version cannot read it."""
    return from_json(StudyDocument, snapshot.results or {})


def readable(snapshot: ReportSnapshot) -> StudyDocument | None:
    """The same, or None for a snapshot by a very early version."""
    try:
        return document_of(snapshot)
    except BadDocument:
        return None


def current_answers(study: Study, *, seed: int, most_comparisons: int) -> list[str]:
    """The sentences that answer the study's questions, if results of exactly its present answers are stored; otherwise
    none. Nothing is computed but the sentences, and those once for each report."""
    version = code_version()
    stored = study.snapshots.filter(state=ReportSnapshot.State.DONE, seed=seed, code_version=version).defer("results")
    if not stored.exists():
        return []
    comparisons = methods_of(study)[1][:most_comparisons]
    snapshot = stored.filter(inputs_hash=inputs_of(study, comparisons).inputs_hash).first()
    if snapshot is None:
        return []
    key = f"answers-{snapshot.pk}-{version}"
    found: list[str] | None = cache.get(key)
    if found is None:
        document = readable(snapshot)
        found = summary(document) if document is not None else []
        cache.set(key, found)
    return found


def asked_of(snapshot: ReportSnapshot) -> Asked:
    """The request for a snapshot, finished or not."""
    return from_json(Asked, (snapshot.results or {}).get("asked") or {})


@dataclass(frozen=True)
class _Said:
    rater: str
    why: str


@dataclass(frozen=True)
class _Question:
    raters: tuple[_Said, ...]


@dataclass(frozen=True)
class _Raters:
    """The part of a study's document about raters: with thousands of raters, their estimates are most of the
    document."""

    dimensions: tuple[_Question, ...]


def what_stands_out(study: Study) -> dict[str, list[str]]:
    """Rater's name → what stands out in the latest finished results, a sentence for each question."""
    snapshot = finished(study).first()
    found: dict[str, list[str]] = {}
    for dimension in from_json(_Raters, snapshot.results or {}).dimensions if snapshot else ():
        for row in dimension.raters:
            found.setdefault(row.rater, []).append(row.why)
    return {name: list(dict.fromkeys(sentences)) for name, sentences in found.items()}


def report_at_work(study: Study) -> ReportSnapshot | None:
    states = (ReportSnapshot.State.WAITING, ReportSnapshot.State.RUNNING)
    return study.snapshots.filter(state__in=states).first()


@dataclass(frozen=True)
class Shown:
    """A report's unit: its item and its image."""

    item_key: str
    prompt: str
    images: list[int]


def shown_units(items: Sequence[int]) -> dict[int, Shown]:
    """Item → key, prompt and images by slot, only those whose files are held here, in two queries."""
    images: dict[int, list[int]] = {}
    with_file = ItemImage.objects.filter(item__in=items).exclude(image__file="").order_by("slot")
    for item, image in with_file.values_list("item_id", "image_id"):
        images.setdefault(item, []).append(image)
    rows = Item.objects.filter(pk__in=items).values_list("pk", "key", "prompt__text")
    return {pk: Shown(key, prompt, images.get(pk, [])) for pk, key, prompt in rows}
