"""`manage.py compare_studies`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.queries.replication.panels import compared
from annotations.reports.numbers import figure, for_terminal


class Command(StudyCommand):
    help = "Compare two studies of the same images: agreement between the panels, and whether the winner holds."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("first", help="the token of one study")
        parser.add_argument("second", help="the token of the other")
        parser.add_argument(
            "--questions",
            nargs=2,
            metavar="NAME",
            help="the question to compare; by default the first one of each study",
        )

    def handle(self, **options: Any) -> None:
        studies = [self._study(options[name]) for name in ("first", "second")]
        asked = options["questions"]
        found = compared(studies[0], studies[1], (asked[0], asked[1]) if asked else None)
        if found is None:
            raise CommandError("One of the two studies has no answers yet.")
        lines = [found.sentence]
        if found.winners is not None:
            lines += [f"{name} study: {each.sentence}" for name, each in found.winners.named()]
            lines.append(found.agreement_sentence)
        for one in found.comparisons:
            values = " and ".join(figure(each.mean_diff.value, signed=True) for each in (one.first, one.second))
            lines.append(f"{one.refined} against {one.baseline}: {values}; {one.verdict}.")
        self.stdout.write(for_terminal("\n".join(lines)))

    def _study(self, token: str) -> Study:
        study = Study.objects.filter(token=token).first()
        if study is None:
            raise CommandError(f"There is no study {token!r}. Give the part of its address after /study/.")
        return study
