"""`manage.py demo_run_study`: the study of the demo's run, once the run has ended."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from annotations.models import Study
from annotations.services.demo.run_study import TITLE, study_of_demo_run
from generation.availability import engine_for
from generation.queries.demo_run import demo_run
from generation.services.demo_run import add_critics


class Command(BaseCommand):
    help = "Create the study and the audit of what the demo's run drew, with simulated people, unless they are there."

    def handle(self, **options: Any) -> None:
        run = demo_run()
        people = {user.username: user for user in User.objects.filter(username__startswith="demo-")}
        if run is None or not run.has_ended or not {"demo-researcher", "demo-annotator"} <= set(people):
            return
        if not Study.objects.filter(title=TITLE, owner=people["demo-researcher"], is_simulated=True).exists():
            add_critics(run=run, engine_for=engine_for)
        try:
            study = study_of_demo_run(
                run=run,
                owner=people["demo-researcher"],
                annotator=people["demo-annotator"],
                auditor=people.get("demo-auditor"),
            )
        except ValidationError as problem:
            self.stdout.write(f"No study of the demo's run: {' '.join(problem.messages)}")
            return
        self.stdout.write(f"The study of the demo's run is ready: “{study.title}”, {study.items.count()} pictures.")
        self.stdout.flush()
