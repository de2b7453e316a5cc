"""Fields of forms that say whether they are needed, on every page in the same way."""

from typing import Any

from django.forms import BoundField, FileInput, Widget
from django.forms.renderers import DjangoTemplates


class MarkedField(BoundField):
    """A field that is marked as required if the form has other fields that are not."""

    @property
    def is_marked(self) -> bool:
        return self.field.required and any(not field.required for field in self.form.fields.values())

    def build_widget_attrs(self, attrs: dict[str, Any], widget: Widget | None = None) -> dict[str, Any]:
        built: dict[str, Any] = super().build_widget_attrs(attrs, widget)
        widget = widget or self.field.widget
        # A group of boxes is not required box by box, and a file's button takes no such attribute.
        is_single = not self.use_fieldset and not isinstance(widget, FileInput) and not widget.is_hidden
        if self.field.required and is_single and "required" not in built:
            built["aria-required"] = "true"
        return built


class Renderer(DjangoTemplates):
    bound_field_class = MarkedField
