"""The study into which ratings are imported, and the dimensions that they answer."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from django.contrib.auth.models import User
from django.utils.text import slugify

from annotations.models import Dimension, Rater, Study
from annotations.queries.studies import studies_run_by
from annotations.reports.study.data import is_ordered
from annotations.reports.study.files.answers import cure_of_words, nominal_question
from annotations.reports.study.scales import Question, Scales
from exchange.identity import identity
from exchange.labels import contradictions, same_label
from exchange.ratings.mapping import Mapping as GivenMapping
from exchange.ratings.other_tables import is_rank_name, ranks_fault
from exchange.rejects import bad_file


def imported_study(title: str, *, owner: User) -> Study:
    """The study of this title that the owner may run; a new, closed, unsaved one if there is none."""
    found = list(studies_run_by(owner).filter(title=title)[:2])
    if len(found) > 1:
        problem = f'you run more than one study called "{title}"'
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
    """The study's dimensions by the names that a file uses. New ones are created while only imports have answered, and
    saved by `save` once there is an answer.

    Raises BadFile if a declared scale contradicts the one that a dimension has.
    """

    def __init__(
        self,
        study: Study,
        scales: Sequence[str],
        *,
        file: str,
        labels: Mapping[str, Collection[str]] | None = None,
        choices: Collection[str] = (),
        mapping: GivenMapping | None = None,
    ) -> None:
        self._study = study
        self._labels, self._choices, self._mapping = labels or {}, choices, mapping or GivenMapping()
        self._words: dict[str, dict[str, float]] = {}
        self._unclear: dict[str, dict[str, str]] = {}
        self._scales = Scales.parse(scales)
        self._file = file
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
        if is_rank_name(name) and name not in self._scales.by_dimension:
            raise ranks_fault(self._file, name)
        declared = self._scales.find(name)
        if name in self._choices and name not in self._scales.by_dimension and not self._mapping.words_of(name):
            declared = nominal_question(self._labels.get(name, ())) or declared
        if declared is not None and declared.is_continuous:
            return "a study needs a step between the levels of a slider", f"declare one: {name}=0-100/0.1"
        if declared is None:
            return "no scale is declared for this dimension", f"declare it: {name}=1-5"
        self._known[name] = self._made(name, declared)
        return self._known[name]

    def _made(self, name: str, declared: Question) -> Dimension:
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
            kind=Dimension.Kind.ORDINAL if is_ordered(declared.kind) else Dimension.Kind.NOMINAL,
            levels=_levels(declared, self._mapping.words_of(name)),
        )
        self._names.append(free)
        return dimension

    def words_of(self, dimension: Dimension) -> dict[str, float]:
        """Label, as labels are compared, → value: by the mapping, and by the dimension's own labels."""
        known = self._words.get(dimension.name)
        if known is None:
            own = {same_label(level["label"]): float(level["value"]) for level in dimension.levels}
            known = own | self._mapping.words_of(dimension.question) | self._mapping.words_of(dimension.name)
            self._words[dimension.name] = known
        return known

    def contradiction(self, dimension: Dimension, cell: str) -> str:
        """The error of a label whose words have another number elsewhere in the file; "" for others."""
        unclear = self._unclear.get(dimension.name)
        if unclear is None:
            known = self.words_of(dimension)
            labels = {*self._labels.get(dimension.question, ()), *self._labels.get(dimension.name, ())}
            unclear = contradictions(sorted(label for label in labels if same_label(label) not in known))
            self._unclear[dimension.name] = unclear
        return unclear.get(identity(cell), "")

    def cure_of_words(self, dimension: Dimension) -> str:
        """What to do about answers in words: see `answers.cure_of_words`; "" where answers are not words."""
        known = self.words_of(dimension)
        labels = self._labels.get(dimension.question, ())
        return cure_of_words([label for label in labels if same_label(label) not in known], dimension.question)

    def save(self, dimensions: Iterable[Dimension]) -> None:
        """Create the new ones."""
        for dimension in dimensions:
            if dimension.pk is None:
                dimension.save()

    def _check_scale(self, dimension: Dimension, file: str) -> None:
        own = tuple(dimension.values)
        by_name = self._scales.by_dimension
        declared = by_name.get(dimension.name, by_name.get(dimension.question))
        if declared is not None and declared.values != own:
            has, says = (", ".join(f"{value:f}" for value in scale) for scale in (own, declared.values))
            problem = f'the study\'s dimension "{dimension.name}" has the levels {has}, declared are {says}'
            raise bad_file(file, problem, "leave the scale out, or import into a new study")


def _levels(question: Question, words: Mapping[str, float]) -> list[dict[str, str]]:
    """The levels in the form that a dimension stores, each with its label if the question or the mapping has one."""
    values = [format(value.normalize(), "f") for value in question.values]
    labels = list(question.labels)
    if not labels and len(words) >= len(values):
        by_value = {number: word[:1].upper() + word[1:] for word, number in words.items()}
        labels = [by_value.get(float(value), value) for value in values]
    return [{"value": value, "label": label} for value, label in zip(values, labels or values, strict=True)]
