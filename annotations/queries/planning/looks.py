"""All looks at the comparison of a study's two methods, one per row, for export."""

from collections.abc import Iterator, Sequence

from annotations.models import PromptLook, Study
from annotations.queries.planning.close_pairs import compared_methods
from exchange.export import Column

LOOKS = (
    Column("look", "integer", "≥ 1", "Number of the look."),
    Column("at", "timestamp", "UTC", "When it was taken."),
    Column("n_prompts", "integer", "≥ 0", "Prompts whose difference was looked at."),
    Column("first_method", "text", "", "What the difference is measured from."),
    Column("second_method", "text", "", "The method that it is measured to."),
    Column(
        "mean_difference", "number", "", "Mean over prompts of the second method minus the first; empty: undefined."
    ),
    Column("low", "number", "", "Lower end of the repeated 95% confidence interval, valid at every look."),
    Column("high", "number", "", "Upper end of it."),
    Column("p", "number", "0–1", "Two-sided p-value of the t test on the differences, not adjusted for the looks."),
    Column("bound", "number", "0–1", "The look decided if p was not above this bound."),
    Column(
        "decision", "text", "further, decided, most", "Undecided and going on, decided, or undecided at the last look."
    ),
)


def look_rows(study: Study) -> Iterator[Sequence[object]]:
    """The rows of `LOOKS`, in their order; none in a study without such a rule."""
    looks = PromptLook.objects.filter(study=study).order_by("number")
    methods = compared_methods(study) if study.prompt_looks else None
    first, second = (method.name for method in methods) if methods else ("", "")
    for look in looks:
        yield (
            *(look.number, look.at, look.n_prompts, first, second, look.mean, look.low, look.high),
            *(look.p, look.bound, look.decision),
        )


def look_counts(study: Study) -> dict[str, int | None]:
    """The number of rows, by table."""
    return {"looks": PromptLook.objects.filter(study=study).count() if study.prompt_looks else 0}
