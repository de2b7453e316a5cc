"""Forms of the page "Your account"."""

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy, ngettext

from evalsite.models import Scope

DAYS = (7, 30, 90, 365)


def day_choices() -> list[tuple[int, str]]:
    return [(n, ngettext("%(n)s day", "%(n)s days", n) % {"n": n}) for n in sorted({*DAYS, settings.TOKEN_DAYS})]


class TokenForm(forms.Form):
    """A new API token: what it is for, and for how long."""

    use_required_attribute = False

    name = forms.CharField(
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What it is for, such as “analysis notebook”."),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Works for"), choices=day_choices, coerce=int, initial=lambda: settings.TOKEN_DAYS
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("A program may"),
        choices=Scope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.READ, Scope.DATA, Scope.STUDIES],
        error_messages={"required": gettext_lazy("Tick at least one: without any, the token gives access to nothing.")},
    )


class EndForm(forms.Form):
    """Which ways in to end."""

    what = forms.ChoiceField(choices=[(name, name) for name in ("links", "sessions", "all")])
