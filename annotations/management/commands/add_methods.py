"""`manage.py add_methods`."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from annotations.management.study_command import StudyCommand
from annotations.models import Study
from annotations.queries.benchmarks import methods_that_may_join, tries_of
from annotations.services.benchmarks.joining import add_methods
from generation.models import Method


class Command(StudyCommand):
    help = (
        "Let methods join an existing study: their items follow the old ones. Without --method, list every try so far."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("token", help="the study's token: the part of its address after /study/")
        parser.add_argument("--method", action="append", default=[], help="a method's name; may be given several times")
        parser.add_argument("--note", default="", help="what this try is, for the record")

    def handle(self, **options: Any) -> None:
        study = Study.objects.filter(token=options["token"]).first()
        if study is None:
            raise CommandError(f"There is no study {options['token']!r}. Give the part of its address after /study/.")
        names = options["method"]
        methods = list(Method.objects.filter(name__in=names))
        if missing := sorted(set(names) - {method.name for method in methods}):
            there = ", ".join(methods_that_may_join(study).values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no method {missing[0]!r}. Methods that could join: {there}.")
        if methods:
            try:
                made = add_methods(study=study, methods=methods, by=None, remark=options["note"])
            except ValidationError as problem:
                raise CommandError(" ".join(problem.messages)) from problem
            self.stdout.write(f"New items: {made.n_items}.")
        for one in tries_of(study):
            joined = ", ".join(sorted(method.name for method in one.methods.all()))
            self.stdout.write(f"{one.added_at:%Y-%m-%d} {joined}: {one.n_items} items {one.note}".rstrip())
