"""The right answers of sliders: what was ticked was an end, and is now that end's level.

A tick at the upper end was stored as level 1, which is one step above the lower end.
"""

from decimal import Decimal
from typing import Any

from django.db import migrations


def ends_to_levels(apps: Any, schema_editor: Any) -> None:
    known = apps.get_model("annotations", "KnownAnswer")
    for one in known.objects.filter(dimension__kind="slider").select_related("dimension").iterator():
        low, high = (Decimal(level["value"]) for level in one.dimension.levels)
        last = int((high - low) / Decimal(one.dimension.parameters["step"]))
        ticked = one.accepted if isinstance(one.accepted, list) else []
        one.accepted = sorted({last if level == 1 else level for level in ticked if level in (0, 1)})
        one.save(update_fields=["accepted"])


class Migration(migrations.Migration):
    dependencies = [("annotations", "0026_close_pairs")]
    operations = [migrations.RunPython(ends_to_levels, migrations.RunPython.noop)]
