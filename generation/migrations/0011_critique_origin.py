from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def read_origins(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What the provenance of each critique says of where it came from; whatever it does not say was imported."""
    critiques = apps.get_model("generation", "Critique").objects
    found: dict[str, list[int]] = {"questions": [], "model": [], "simulated": []}
    for pk, provenance in critiques.values_list("pk", "provenance").iterator(chunk_size=1000):
        made = provenance if isinstance(provenance, dict) else {}
        engine = made.get("engine")
        if isinstance(engine, dict):
            found["questions" if engine.get("engine") == "questions" else "model"].append(pk)
        elif made.get("is_simulated") is True:
            found["simulated"].append(pk)
    for origin, pks in found.items():
        for start in range(0, len(pks), 500):
            critiques.filter(pk__in=pks[start : start + 500]).update(origin=origin)


class Migration(migrations.Migration):
    dependencies = [("generation", "0010_planning_claim")]

    operations = [
        migrations.AddField(
            model_name="critique",
            name="origin",
            field=models.CharField(
                choices=[
                    ("imported", "imported"),
                    ("model", "a model that sees"),
                    ("questions", "questions about the decomposition, asked of a model"),
                    ("simulated", "simulated"),
                ],
                default="imported",
                max_length=20,
            ),
        ),
        migrations.RunPython(read_origins, migrations.RunPython.noop),
    ]
