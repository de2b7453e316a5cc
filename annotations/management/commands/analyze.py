"""Agreement, means, metrics, comparisons and raters from files alone: the study page's analysis without a site."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotations.reports.analysis import Options, Unknown, analyse
from annotations.reports.document import document
from annotations.reports.files import BadData, read_study
from annotations.reports.scales import BadScale, Scales
from annotations.reports.sections import headline
from annotations.reports.write import write_report
from annotations.version import code_version
from exchange.rejects import BadFile, RejectLog


class Command(BaseCommand):
    help = "Analyse ratings from files: agreement with intervals, means, metrics, comparisons, raters."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--ratings", type=Path, required=True, help="columns item, rater, dimension, value")
        parser.add_argument("--metrics", type=Path, help="columns item, metric, value")
        parser.add_argument(
            "--items", type=Path, help="columns item, prompt (prompt_id), method (model), gold:DIMENSION, facets…"
        )
        parser.add_argument(
            "--scale", action="append", required=True, help="1-5, or 0,0.5,1, or DIMENSION=1-3; may be repeated"
        )
        parser.add_argument("--compare", action="append", default=[], metavar="BASELINE:REFINED", help="two methods")
        parser.add_argument("--on-bad-value", choices=["error", "exclude"], default="error")
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--resamples", type=int, default=1000, help="bootstrap resamples and permutations")
        parser.add_argument("--title", default="")
        parser.add_argument(
            "--out", type=Path, required=True, help="folder for the tables, report.json and report.html"
        )

    def handle(self, **options: Any) -> None:
        out: Path = options["out"]
        for name in ("ratings", "metrics", "items"):
            if options[name] and not options[name].is_file():
                raise CommandError(f"--{name}: there is no file {options[name]}")
        out.mkdir(parents=True, exist_ok=True)
        pairs = [_pair(text) for text in options["compare"]]
        try:
            with RejectLog(to=out / "excluded.csv") as log:
                data = read_study(
                    options["ratings"],
                    metrics=options["metrics"],
                    items=options["items"],
                    scales=Scales.parse(options["scale"]),
                    on_bad_value=options["on_bad_value"],
                    log=log,
                )
            chosen = Options(options["seed"], options["resamples"], options["resamples"], pairs)
            results = analyse(data, chosen, self._progress)
        except (BadFile, BadData, BadScale, Unknown) as problem:
            raise CommandError(str(problem)) from None
        made = document(
            results,
            title=options["title"] or f"Analysis of {options['ratings'].name}",
            code_version=code_version(),
            made_at=timezone.now().isoformat(timespec="seconds"),
            n_excluded=log.total,
        )
        write_report(made, out, [str(reject) for reject in log.first])
        for dimension in made["dimensions"]:
            self.stdout.write(f"{dimension['name']}: {headline(dimension)}")
        if log.total:
            self.stdout.write(self.style.WARNING(f"{log.total} rows left out, each with its reason: excluded.csv"))
        self.stdout.write(f"written to {out}: the tables, report.json, report.html")

    def _progress(self, what: str, share: float) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"{share:4.0%} {what}")


def _pair(text: str) -> tuple[str, str]:
    baseline, colon, refined = text.partition(":")
    if not colon or not baseline or not refined:
        raise CommandError(f"--compare {text}: write BASELINE:REFINED, two method names with a colon between them")
    return baseline, refined
