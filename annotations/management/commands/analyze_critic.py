"""How far critics can be trusted, from a file of verdicts only: the study page's analysis without a site."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotations.reports.bad_data import BadData
from annotations.reports.critic.analysis import Options, analyse_critics
from annotations.reports.critic.document import critic_document
from annotations.reports.critic.files import read_verdicts
from annotations.reports.critic.sections import critic_headlines
from annotations.reports.numbers import counted, for_terminal
from annotations.reports.write import write_report
from annotations.version import code_version
from exchange.rejects import BadFile, RejectLog


class Command(BaseCommand):
    help = "Analyse verdicts on critics' claims: accuracy per critic and group, agreement of auditors, differences."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--verdicts",
            type=Path,
            required=True,
            help="columns critic, image, claim, auditor, verdict; optional kind, severity, is_control…, facets",
        )
        parser.add_argument(
            "--partly", choices=["right", "half", "wrong"], default="half", help="what a partly right claim counts as"
        )
        parser.add_argument("--on-bad-value", choices=["error", "exclude"], default="error")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--resamples", type=int, default=2000, help="bootstrap resamples and exchanges")
        parser.add_argument("--title", default="")
        parser.add_argument(
            "--quick", action="store_true", help="only tables, report.json and report.html: nothing that is typeset"
        )
        parser.add_argument(
            "--out", type=Path, required=True, help="folder for the tables, report.json and report.html"
        )

    def handle(self, **options: Any) -> None:
        out, source = options["out"], options["verdicts"]
        if not source.is_file():
            raise CommandError(f"--verdicts: there is no file {source}")
        if options["resamples"] < 2 or options["seed"] < 0:
            raise CommandError("--resamples must be at least 2 and --seed at least 0")
        out.mkdir(parents=True, exist_ok=True)
        try:
            with RejectLog(to=out / "excluded.csv") as log:
                data = read_verdicts(source, on_bad_value=options["on_bad_value"], log=log)
        except (BadFile, BadData) as problem:
            raise CommandError(str(problem)) from None
        n_resamples = options["resamples"]
        results = analyse_critics(data, Options(options["seed"], options["partly"], n_resamples, n_resamples - 1))
        made = critic_document(
            results,
            title=options["title"] or f"Audit of critics: {source.name}",
            code_version=code_version(),
            made_at=timezone.now().isoformat(timespec="seconds"),
            n_excluded=log.total,
            warnings=log.warnings,
        )
        write_report(made, out, [str(reject) for reject in log.first], is_quick=options["quick"])
        for sentence in critic_headlines(made):
            self.stdout.write(for_terminal(sentence))
        for warning in log.warnings:
            self.stdout.write(self.style.WARNING(f"Please check: {warning}"))
        if log.total:
            self.stdout.write(
                self.style.WARNING(f"{counted(log.total, 'row')} left out, each with its reason: excluded.csv")
            )
        self.stdout.write(f"written to {out}: the tables, report.json, report.html")
