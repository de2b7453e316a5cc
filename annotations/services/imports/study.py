"""The study that imported ratings go into, and the dimensions that they answer."""

from collections.abc import Sequence
from decimal import Decimal

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.text import slugify

from annotations.models import Dimension, Rater, Study
from annotations.queries.studies import studies_run_by
from annotations.reports.scales import Scales
from exchange.rejects import bad_file


def imported_study(title: str, *, owner: User) -> Study:
    """The study of this title that the owner may run; a new, closed, unsaved one if there is none."""
    found = list(studies_run_by(owner).filter(title=title)[:2])
    if len(found) > 1:
        problem = f'you run {len(found)} or more studies called "{title}"'
        raise bad_file(title, problem, "rename one of them, or import under another title")
    if found:
        return found[0]
    return Study(
        title=title,
        owner=owner,
        state=Study.State.CLOSED,
        raters_per_item=1,
        notes="Made of imported ratings. Its people answered elsewhere.",
    )


class Dimensions:
    """The study's dimensions by the names that a file uses. New ones are made while only imports have answered.

    Raises BadFile where a declared scale contradicts the one that a dimension has.
    """

    def __init__(self, study: Study, scales: Sequence[str], *, file: str, dry_run: bool) -> None:
        self._study, self._dry_run = study, dry_run
        self._scales = Scales.parse(scales)
        self._known: dict[str, Dimension] = {}
        self._names: list[str] = []
        self._may_add = study.pk is None or (
            study.state == Study.State.CLOSED and not study.raters.filter(kind=Rater.Kind.PERSON).exists()
        )
        for dimension in study.dimensions.order_by("position") if study.pk else ():
            self._check_scale(dimension, file)
            self._known[dimension.question] = dimension
            self._names.append(dimension.name)
        self._known |= {d.name: d for d in list(self._known.values())}

    def get(self, name: str) -> Dimension | tuple[str, str]:
        """The dimension, or (problem, cure)."""
        found = self._known.get(name)
        if found is not None:
            return found
        if not self._may_add:
            there = ", ".join(f'"{known}"' for known in self._names)
            return f"the study asks no such question; it has {there}", "use the name of one of its dimensions"
        values = self._scales.by_dimension.get(name, self._scales.default)
        if values is None:
            return "no scale is declared for this dimension", f"declare it: {name}=1-5"
        self._known[name] = self._made(name, values)
        return self._known[name]

    def _made(self, name: str, values: Sequence[Decimal]) -> Dimension:
        slug = slugify(name)[:50].strip("-_") or "dimension"
        free, n = slug, 1
        while free in self._names:
            n += 1
            free = f"{slug}-{n}"
        dimension = Dimension(
            study=self._study,
            position=len(self._names),
            name=free,
            question=name,
            levels=[{"value": text, "label": text} for text in (format(v.normalize(), "f") for v in values)],
        )
        if not self._dry_run:
            with transaction.atomic():
                dimension.save()
        self._names.append(free)
        return dimension

    def _check_scale(self, dimension: Dimension, file: str) -> None:
        own = tuple(dimension.values)
        by_name = self._scales.by_dimension
        declared = by_name.get(dimension.name, by_name.get(dimension.question))
        if declared is not None and declared != own:
            has, says = (", ".join(f"{value:f}" for value in scale) for scale in (own, declared))
            problem = f'the study\'s dimension "{dimension.name}" has the levels {has}, declared are {says}'
            raise bad_file(file, problem, "leave the scale out, or import into a new study")
