"""Forms of a continuing study: methods that join it, and addresses that get its events."""

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext_lazy

from annotations.models.webhooks import Event
from generation.models import Method


class JoiningForm(forms.Form):
    """Which methods join the study, and a description of this addition."""

    use_required_attribute = False

    methods = forms.ModelMultipleChoiceField(
        Method.objects.none(), label=gettext_lazy("Methods"), widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        help_text=gettext_lazy("What this attempt is, for everyone who reads the record."),
        max_length=500,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: object, methods: Sequence[Method], **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Django's own arguments, handed on
        field = self.fields["methods"]
        if isinstance(field, forms.ModelMultipleChoiceField):
            field.queryset = Method.objects.filter(pk__in=[method.pk for method in methods]).order_by("name")


class WebhookForm(forms.Form):
    """An address, and which events it gets."""

    use_required_attribute = False

    url = forms.CharField(
        label=gettext_lazy("Address"),
        help_text=gettext_lazy("It begins with https:// and is on the public internet."),
        max_length=1000,
        widget=forms.URLInput(attrs={"autocomplete": "off"}),
    )
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Events"),
        choices=Event.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=[Event.COMPLETED, Event.CLOSED],
    )
