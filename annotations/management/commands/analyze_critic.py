"""How far critics can be trusted, from a file of verdicts alone: the study page's analysis without a site."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotations.reports.critic_analysis import Options, analyse_critics
from annotations.reports.critic_document import critic_document
from annotations.reports.critic_files import read_verdicts
from annotations.reports.critic_page import write_critic_report
from annotations.reports.critic_sections import critic_headlines
from annotations.reports.files import BadData
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
        if not len(data.verdicts):
            raise CommandError(f"{source}: no verdict is left; see {out / 'excluded.csv'}")
        n_resamples = options["resamples"]
        results = analyse_critics(data, Options(options["seed"], options["partly"], n_resamples, n_resamples - 1))
        made = critic_document(
            results,
            title=options["title"] or f"Critics on trial: {source.name}",
            code_version=code_version(),
            made_at=timezone.now().isoformat(timespec="seconds"),
            n_excluded=log.total,
        )
        write_critic_report(made, out, [str(reject) for reject in log.first])
        for sentence in critic_headlines(made):
            self.stdout.write(sentence)
        if log.total:
            self.stdout.write(self.style.WARNING(f"{log.total} rows left out, each with its reason: excluded.csv"))
        self.stdout.write(f"written to {out}: the tables, report.json, report.html")
