"""The form that corrects how a file of ratings is read: what each column is, and what its words mean."""

import json
from collections.abc import Mapping as Dictionary
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy

from exchange.ratings.mapping import SPREAD, BadMapping, Mapping, parse_mapping
from exchange.rejects import BadFile
from exchange.tables.values import text_of

ROLES = (
    ("", gettext_lazy("not used, or detected")),
    ("item", gettext_lazy("the item")),
    ("rater", gettext_lazy("the rater")),
    ("dimension", gettext_lazy("the question")),
    ("value", gettext_lazy("the answer")),
    ("raters", gettext_lazy("answers of one rater")),
    ("questions", gettext_lazy("answers to one question")),
    ("items", gettext_lazy("answers about one item")),
    ("methods", gettext_lazy("answers about one method")),
    ("prompt", gettext_lazy("the prompt")),
    ("method", gettext_lazy("the method")),
    ("answered_at", gettext_lazy("when it was answered")),
    ("active_ms", gettext_lazy("how many milliseconds it took")),
)
COLUMN = "column-"


class MappingForm(forms.Form):
    """One field for each column of the file, and one for the words of its answers.

    reading  what `RatingsFile.shown` says of the file
    """

    words = forms.CharField(
        label=gettext_lazy("What words mean"),
        help_text=gettext_lazy("One per line: Strongly agree = 5. Empty where answers are numbers."),
        required=False,
        max_length=5_000,
        widget=forms.Textarea(attrs={"rows": 6}),
    )

    def __init__(self, reading: Dictionary[str, Any], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reading = reading
        mapping = reading.get("mapping", {})
        roles = {text_of(column): part for part, column in mapping.items() if isinstance(column, str)}
        roles |= {column: part for part in SPREAD for column in mapping.get(part, ())}
        self.columns = list(reading.get("columns", ()))
        for place, column in enumerate(self.columns):
            self.fields[f"{COLUMN}{place}"] = forms.ChoiceField(
                label=column, choices=ROLES, required=False, initial=roles.get(column, "")
            )
        given = mapping.get("labels") or reading.get("words") or {}
        flat = given if not any(isinstance(part, dict) for part in given.values()) else {}
        self.fields["words"].initial = "\n".join(
            f"{word} = {'' if number is None else text_of(number)}" for word, number in flat.items()
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            self._mapping = self._said(cleaned)
        return cleaned

    def mapping(self) -> str:
        """The mapping as JSON. Call it once the form is valid."""
        return json.dumps(self._mapping.to_json(), ensure_ascii=False)

    def _said(self, cleaned: dict[str, Any]) -> Mapping:
        content: dict[str, Any] = {}
        for place, column in enumerate(self.columns):
            role = cleaned.get(f"{COLUMN}{place}")
            if role in SPREAD:
                content.setdefault(role, []).append(column)
            elif role and role in content:
                raise ValidationError({f"{COLUMN}{place}": gettext_lazy("Another column has this meaning already.")})
            elif role:
                content[role] = column
        kept = {name: part for name, part in self.reading.get("mapping", {}).items() if name in _KEPT}
        try:
            mapping = parse_mapping(json.dumps(content | kept))
            lines = [line for line in cleaned["words"].splitlines() if line.strip()]
            return mapping.with_labels(lines)
        except BadMapping as problem:
            raise ValidationError({"words": str(problem)}) from problem
        except BadFile as problem:
            raise ValidationError(str(problem)) from problem


_KEPT = ("names", "encoding", "sheet", "delimiter", "decimal")
