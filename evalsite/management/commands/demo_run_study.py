"""`manage.py demo_run_study`: the study of the demo's run, once the run has ended."""

from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand

from annotations.services.demo.run_study import study_of_demo_run
from generation.queries.demo_run import demo_run


class Command(BaseCommand):
    help = "Make the study of the images that the demo's run drew, with simulated raters, unless it is there."

    def handle(self, **options: Any) -> None:
        run = demo_run()
        people = {user.username: user for user in User.objects.filter(username__startswith="demo-")}
        if run is None or not run.has_ended or not {"demo-researcher", "demo-annotator"} <= set(people):
            return
        try:
            study = study_of_demo_run(run=run, owner=people["demo-researcher"], annotator=people["demo-annotator"])
        except ValidationError as problem:
            self.stdout.write(f"No study of the demo's run: {' '.join(problem.messages)}")
            return
        self.stdout.write(f"The study of the demo's run is ready: “{study.title}”, {study.items.count()} pictures.")
        self.stdout.flush()
