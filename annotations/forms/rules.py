"""Rules for excluding raters, registered before a study opens."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.queries.raters.rules import SIGNALS, Rule

LABELS = {
    "gold": gettext_lazy("Gold items right: fewer than, %"),
    "check": gettext_lazy("Attention checks passed: fewer than, %"),
    "repeat": gettext_lazy("Repeats answered as the first time: fewer than, %"),
    "fast": gettext_lazy("Cards answered faster than they can be read: more than, %"),
}


class RulesForm(forms.Form):
    """A limit for each signal, and the fewest cases for which it is judged. An empty limit is not a rule."""

    use_required_attribute = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for signal in SIGNALS:
            self.fields[f"{signal}_limit"] = forms.IntegerField(
                label=LABELS[signal], min_value=1, max_value=100, required=False
            )
            self.fields[f"{signal}_fewest"] = forms.IntegerField(
                label=gettext_lazy("applies from this number on"), min_value=1, max_value=10_000, required=False
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for signal in SIGNALS:
            if cleaned.get(f"{signal}_limit") and not cleaned.get(f"{signal}_fewest"):
                self.add_error(f"{signal}_fewest", _("Give the number from which the rule applies."))
        return cleaned

    def rules(self) -> list[Rule]:
        return [
            Rule(signal, limit, self.cleaned_data[f"{signal}_fewest"])
            for signal in SIGNALS
            if (limit := self.cleaned_data.get(f"{signal}_limit"))
        ]

    @property
    def pairs(self) -> list[tuple[Any, Any]]:
        return [(self[f"{signal}_limit"], self[f"{signal}_fewest"]) for signal in SIGNALS]
