"""Forms for researchers' statements about their study: intentions before it opens, facts for checklists."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from annotations.reports.paper.checklists.asked import GROUPS
from annotations.reports.registration.plan import INTENTIONS

MOST_CHARACTERS = 5_000


class _TextsForm(forms.Form):
    """A text field for each key; all are optional."""

    use_required_attribute = False

    def __init__(self, *args: Any, asked: Sequence[tuple[str, str, str]], rows: int = 3, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, label, text in asked:
            self.fields[key] = forms.CharField(
                label=label,
                help_text=text,
                required=False,
                max_length=MOST_CHARACTERS,
                widget=forms.Textarea(attrs={"rows": rows}),
            )

    @property
    def texts(self) -> dict[str, str]:
        """The texts by key; valid forms only."""
        return {key: str(text).replace("\r\n", "\n") for key, text in self.cleaned_data.items()}


class IntentionsForm(_TextsForm):
    """Facts that a registry asks for and the site cannot know."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        asked = [(one.key, _(one.asks), _(one.help) if one.help else "") for one in INTENTIONS]
        super().__init__(*args, asked=asked, **kwargs)


class FactsForm(_TextsForm):
    """Facts that checklists, methods section and data card ask for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        asked = [
            (one.key, _(one.asks), f"{_(one.help)} ({one.where})".strip()) for group in GROUPS.values() for one in group
        ]
        super().__init__(*args, asked=asked, rows=2, **kwargs)

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The fields by their group, as the page shows them."""
        return [(_(title), [self[one.key] for one in group]) for title, group in GROUPS.items()]
