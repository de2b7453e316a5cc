"""`manage.py report`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.queries.reports import document_of
from annotations.queries.result_units import linked_methods
from annotations.reports.numbers import for_terminal
from annotations.reports.paper.summary import summary
from annotations.reports.write import write_report
from annotations.services.activity import Action, note
from annotations.services.reports import MOST_COMPARISONS, report_now


class Command(StudyCommand):
    help = "Write a study's report into a folder: PDF, Word, HTML, LaTeX, tables and figures, as its page does."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="the study's token: the part of its address after /study/")
        parser.add_argument("--out", type=Path, required=True, help="the folder; files of the same name are replaced")
        parser.add_argument("--quick", action="store_true", help="only tables, report.json, report.html and report.tex")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(token=options["token"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['token']!r}. Give the part of its address after /study/.")
        snapshot = report_now(study=study, comparisons=linked_methods(study)[:MOST_COMPARISONS])
        document = document_of(snapshot)
        if not document.dimensions:
            raise CommandError("Nobody has answered yet: there is nothing to report.")
        note(study=study, actor=None, action=Action.EXPORTED, file=str(options["out"]))
        written = write_report(document, options["out"], is_quick=options["quick"])
        for sentence in summary(document):
            self.stdout.write(for_terminal(sentence))
        self.stdout.write(f"Files written to {options['out']}: {len(written)}")
