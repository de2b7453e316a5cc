"""Yes-or-no questions from the prompt's decomposition; questions that depend on a "no" are not asked."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.kinds.base import UNABLE, BadAnswers, Count, Design, QuestionKind, unanswered, unknown
from annotations.models import Dimension, Response
from generation.models import Prompt
from generation.queries.decompositions import decompositions_of, questions_of

YES, NO, CANNOT_TELL, NOT_ASKED = "yes", "no", "cannot tell", "not asked"
_CODES = {"y": YES, "n": NO, UNABLE: CANNOT_TELL}
AT_ONCE = 500


class Parts(QuestionKind):
    """One of YES, NO, CANNOT_TELL and NOT_ASKED for each question of the prompt's decomposition, in its order."""

    key = Dimension.Kind.PARTS
    template = "annotations/rate/kinds/parts.html"
    module = "parts"
    has_levels = False
    in_files = "yes, no, cannot tell or not asked for each question of the prompt's decomposition, in their order"
    scored_as = "share of yes"
    answers_by_press = False

    def designed(self, design: Design, parse: Callable[[str, str], list[dict[str, str]]]) -> tuple[Any, dict[str, Any]]:
        if design.levels.strip():
            raise ValidationError(_("The questions of the decomposition are answered by yes or no: leave this empty."))
        return [], {}

    def frozen(self, prompts: Sequence[int]) -> dict[int, Any]:
        found: dict[int, Any] = {}
        without: list[str] = []
        for first in range(0, len(prompts), AT_ONCE):
            rows = list(Prompt.objects.filter(pk__in=prompts[first : first + AT_ONCE]).order_by("pk"))
            graphs = decompositions_of(rows)
            for prompt in rows:
                if not graphs.get(prompt.pk):
                    without.append(prompt.text)
                    continue
                try:
                    found[prompt.pk] = {"questions": questions_of(graphs[prompt.pk])}
                except ValueError as problem:
                    raise ValidationError(
                        _("The decomposition of “%(prompt)s” cannot be asked about: %(problem)s")
                        % {"prompt": prompt.text[:100], "problem": problem}
                    ) from None
        if without:
            raise ValidationError(
                ngettext(
                    "The prompt “%(prompt)s” has no decomposition. Import one, or let a run make it; then make this "
                    "study.",
                    "%(n)d prompts have no decomposition; the first is “%(prompt)s”. Import decompositions, or let a "
                    "run make them; then make this study.",
                    len(without),
                )
                % {"n": len(without), "prompt": without[0][:100]}
            )
        return found

    def context(self, dimension: Dimension, name: str, given: Mapping[str, str], frozen: Any) -> dict[str, Any]:
        rows = (frozen or {}).get("questions", [])
        return {
            "parts": [
                {
                    "name": f"{name}.{place}",
                    "text": row["question"],
                    "after": " ".join(map(str, row["after"])),
                    "given": given.get(f"{name}.{place}", ""),
                }
                for place, row in enumerate(rows)
            ]
        }

    def read(
        self, dimension: Dimension, name: str, data: Mapping[str, str], frozen: Any
    ) -> tuple[int | None, Any] | None:
        answers: list[str] = []
        for place, row in enumerate((frozen or {}).get("questions", [])):
            if any(answers[parent] in (NO, NOT_ASKED) for parent in row["after"]):
                answers.append(NOT_ASKED)
                continue
            code = data.get(f"{name}.{place}", "")
            if not code:
                raise BadAnswers(_("One question is not answered yet: “%s”") % row["question"])
            if code not in _CODES or (code == UNABLE and not dimension.allows_unable):
                raise unknown(dimension)
            answers.append(_CODES[code])
        if not answers:
            raise unanswered(dimension)
        return None, answers

    def fields(self, dimension: Dimension, name: str, response: Response) -> dict[str, str]:
        code_of = {answer: code for code, answer in _CODES.items()}
        found = enumerate(response.answer or [])
        return {f"{name}.{place}": code_of[answer] for place, answer in found if answer != NOT_ASKED}

    def in_words(self, dimension: Dimension, answer: Any) -> str:
        return f"{answer.count(YES)} of {len(answer)} yes"

    def score(self, dimension: Dimension, answer: Any) -> float | None:
        """The share of yes among the questions that were not answered "cannot tell"; questions that were not asked
        count as no."""
        n = len(answer) - answer.count(CANNOT_TELL)
        return answer.count(YES) / n if n else None

    def counts(self, dimension: Dimension) -> list[Count]:
        def said(what: str) -> Callable[[Any], tuple[float, float]]:
            return lambda answer: (float(answer.count(what)), float(len(answer)))

        return [Count(what, what, said(what)) for what in (YES, NO, CANNOT_TELL, NOT_ASKED)]

    def parts(self, dimension: Dimension, answer: Any, frozen: Any) -> list[tuple[str, str, Any]]:
        rows = zip(frozen["questions"], answer, strict=True)
        return [(row["about"], row["question"], said) for row, said in rows]
