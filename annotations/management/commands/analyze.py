"""Agreement, means, metrics, comparisons and raters from files only: the study page's analysis without a site."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from annotations.management.mapping_arguments import add_mapping_arguments, mapping_of
from annotations.management.scale_argument import add_scale_argument, number
from annotations.reports.anchors import slug
from annotations.reports.bad_data import BadData
from annotations.reports.documents.supporting import ReportedExclusion
from annotations.reports.numbers import counted, for_terminal
from annotations.reports.paper.summary import summary
from annotations.reports.study.analysis import Options, Unknown, analyse, default_pair, pair_named
from annotations.reports.study.data import StudyData
from annotations.reports.study.document import document
from annotations.reports.study.files.excluded_raters import read_exclusions
from annotations.reports.study.files.questions import read_comparisons, read_questions
from annotations.reports.study.files.study import read_study
from annotations.reports.study.ranking_hints import ranking_hints
from annotations.reports.study.scales import BadScale, Scales
from annotations.reports.study.sections.report import headline
from annotations.reports.votes.document import preference_document
from annotations.reports.votes.files import read_votes
from annotations.reports.votes.ranking_files import read_rankings
from annotations.reports.write import write_report
from annotations.stats.preferences.rankings import BadRankings, Rankings
from annotations.stats.preferences.votes import Votes
from annotations.stats.ratings import BadRatings
from annotations.version import code_version
from exchange.identity import identity
from exchange.rejects import BadFile, RejectLog

DEFAULT_RESAMPLES = 1000
_COMPARED = "for --ratings: every two methods of votes or rankings are compared without it"
_FORMAT = "for --ratings: rename the columns of a file of votes or rankings to those of its format"
OF_RATINGS = {
    "metrics": "for --ratings: scores are compared with the ratings of items, which votes and rankings do not have",
    "scale": "for --ratings: votes and rankings have no values",
    "questions": "for --ratings: it describes the levels of ratings, which votes and rankings do not have",
    "compare": _COMPARED,
    "comparisons": _COMPARED,
    "margin": "for --ratings: it is a difference of mean ratings",
    "columns": _FORMAT,
    "mapping": _FORMAT,
    "labels": "for --ratings: it says which numbers words mean, and votes and rankings have no numbers",
    "resamples": "for --ratings: intervals of votes and rankings need no resamples",
    "seed": "for --ratings: nothing about votes and rankings is drawn at random",
}
"""Option → what it is for, where it can be given with ratings only."""
ITEMS_OF_VOTES = "for --ratings and --rankings: votes name their methods and prompts themselves"


class Command(BaseCommand):
    help = "Analyse ratings or votes from files: agreement with intervals, means, metrics, comparisons, who wins."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--ratings",
            type=Path,
            nargs="+",
            metavar="FILE",
            help="columns item, rater, dimension, value; or an export that is recognised, or a column for each rater, "
            "question or image; you can give one file per rater",
        )
        add_mapping_arguments(parser)
        parser.add_argument(
            "--votes",
            type=Path,
            help="instead of --ratings: columns method_a, method_b, winner; optional rater, prompt, side, question",
        )
        parser.add_argument(
            "--rankings",
            type=Path,
            help="instead of --ratings: columns prompt, rater, 1st, 2nd, 3rd …; other shapes are in the documentation",
        )
        parser.add_argument(
            "--prior",
            type=number,
            metavar="N",
            help="with --votes or --rankings: rank all methods, under a prior of N wins and N losses against a method "
            "of mean strength",
        )
        parser.add_argument("--metrics", type=Path, help="columns item, metric, value")
        parser.add_argument(
            "--items", type=Path, help="columns item, prompt (prompt_id), method (model), gold:DIMENSION, facets…"
        )
        add_scale_argument(
            parser,
            help="1-5, or 0,0.5,1, or DIMENSION=1-3; the kind of question may come first: "
            "DIMENSION=nominal:1,2,3 (or ordinal, interval, preference); may be repeated",
        )
        parser.add_argument(
            "--questions", type=Path, help="columns dimension, value, kind, label, question: one row per level"
        )
        parser.add_argument("--compare", action="append", default=[], metavar="BASELINE:REFINED", help="two methods")
        parser.add_argument(
            "--margin",
            type=number,
            metavar="D",
            help="the smallest difference of means that matters: comparisons are tested for equivalence",
        )
        parser.add_argument("--comparisons", type=Path, help="columns baseline, refined: methods to compare")
        parser.add_argument(
            "--excluded-raters", type=Path, help="columns rater, reason: raters to leave out; the report lists them"
        )
        parser.add_argument("--on-bad-value", choices=["error", "exclude"], default="error")
        parser.add_argument("--seed", type=int, help="of everything that is drawn at random; 0 by default")
        parser.add_argument(
            "--resamples", type=int, help="bootstrap resamples and permutations; 1,000 of each by default"
        )
        parser.add_argument("--title", default="")
        parser.add_argument(
            "--quick",
            action="store_true",
            help="only tables, report.json, report.html and report.tex: no PDF, no Word file, no single figures",
        )
        parser.add_argument(
            "--out", type=Path, required=True, help="folder for the report in all formats, its tables and its figures"
        )

    def handle(self, **options: Any) -> None:
        out: Path = options["out"]
        if options["ratings"] and not isinstance(options["ratings"], list):
            options["ratings"] = [options["ratings"]]
        if sum(bool(options[name]) for name in ("ratings", "votes", "rankings")) != 1:
            raise CommandError("Give either --ratings, with --scale, or --votes, or --rankings.")
        for name in ("ratings", "votes", "rankings", "metrics", "items", "questions", "comparisons", "excluded_raters"):
            for path in options[name] if isinstance(options[name], list) else [options[name]]:
                if path and not path.is_file():
                    raise CommandError(f"--{name.replace('_', '-')}: there is no file {path}")
        _refuse_unused(options)
        out.mkdir(parents=True, exist_ok=True)
        if options["votes"] or options["rankings"]:
            self._preferences(out, options)
            return
        if options["margin"] is not None and not options["margin"] > 0:
            raise CommandError("--margin must be above 0: the smallest difference of mean ratings that matters.")
        if not options["scale"] and not options["questions"]:
            raise CommandError("--ratings needs --scale, such as --scale 1-5, or --questions FILE.")
        try:
            with RejectLog(to=out / "excluded.csv") as log:
                mapping = mapping_of(options)
                scales = Scales.parse(options["scale"] or [])
                if options["questions"]:
                    scales = read_questions(options["questions"], scales, log)
                data = read_study(
                    options["ratings"],
                    metrics=options["metrics"],
                    items=options["items"],
                    scales=scales,
                    on_bad_value=options["on_bad_value"],
                    log=log,
                    excluded_raters=options["excluded_raters"],
                    mapping=mapping,
                )
                for hint in ranking_hints(data, options["ratings"][0].name):
                    log.warn(hint)
                pairs = read_comparisons(options["comparisons"], log) if options["comparisons"] else []
            pairs += [_pair(text, data.methods) for text in options["compare"]]
            pairs = list(dict.fromkeys(pairs))
            if not pairs and (pairs := default_pair(data)):
                ((baseline, refined),) = pairs
                log.remark(
                    f"{refined} is compared with {baseline}, since there are only two methods. "
                    "For the other direction: --compare BASELINE:REFINED."
                )
            if options["margin"] is not None and not pairs:
                raise CommandError(
                    "--margin is for comparisons: name one with --compare BASELINE:REFINED, or --comparisons."
                )
            if options["margin"] is not None:
                _check_margin(options["margin"], data)
            n = DEFAULT_RESAMPLES if options["resamples"] is None else options["resamples"]
            chosen = Options(options["seed"] or 0, n, n, pairs, options["margin"])
            results = analyse(data, chosen, self._progress)
        except (BadFile, BadData, BadScale, BadRatings, Unknown) as problem:
            raise CommandError(str(problem)) from None
        made = document(
            results,
            title=options["title"] or f"Analysis of {options['ratings'][0].name}",
            key=slug(options["title"], ""),
            code_version=code_version(),
            made_at=timezone.now().isoformat(timespec="seconds"),
            n_excluded=log.total,
            warnings=log.warnings,
        )
        write_report(made, out, [str(reject) for reject in log.first], is_quick=options["quick"])
        for dimension, answer in zip(made.dimensions, summary(made), strict=True):
            if not dimension.preferences:  # Otherwise the line below is the answer.
                self.stdout.write(for_terminal(answer))
            self.stdout.write(f"{dimension.name}: {for_terminal(headline(dimension, made))}")
        self._say_excluded(made.excluded_raters)
        for sentence in log.remarks:
            self.stdout.write(sentence)
        for warning in log.warnings:
            self.stdout.write(self.style.WARNING(f"Please check: {warning}"))
        if log.total:
            self.stdout.write(
                self.style.WARNING(f"{counted(log.total, 'row')} left out, each with its reason: excluded.csv")
            )
        more = "" if options["quick"] else ", report.pdf, report.docx, report.md, methods.tex, references.bib, figures"
        self.stdout.write(f"written to {out}: the tables, report.json, report.html, report.tex{more}")

    def _preferences(self, out: Path, options: dict[str, Any]) -> None:
        source: Path = options["votes"] or options["rankings"]
        prior = options["prior"] or 0.0
        if not 0 <= prior < 1_000_000:
            raise CommandError("--prior must be 0 or more, such as 0.5.")
        dialect = mapping_of(options).dialect
        try:
            with RejectLog(to=out / "excluded.csv") as log:
                path: Path | None = options["excluded_raters"]
                excluded = read_exclusions(path, log) if path else None
                given: dict[str, Any] = {"log": log, "excluded": excluded, "dialect": dialect}
                given["on_bad_value"] = options["on_bad_value"]
                questions: dict[str, Votes | Rankings] = {}
                if options["votes"]:
                    questions |= read_votes(source, **given)
                else:
                    questions |= read_rankings(source, items=options["items"], **given)
                others = {name for one in questions.values() for name in one.names.get("raters", {}).values()}
                what = "vote" if options["votes"] else "ranking"
                left_out = excluded.reported(others, what, log) if excluded else []
                made = preference_document(
                    questions,
                    title=options["title"] or f"Analysis of {source.name}",
                    key=slug(options["title"], ""),
                    code_version=code_version(),
                    made_at=timezone.now().isoformat(timespec="seconds"),
                    n_pseudo=prior,
                    n_excluded=log.total,
                    warnings=log.warnings,
                    excluded_raters=[
                        ReportedExclusion(rater=one.name, reason=one.reason, n_answers=one.n_answers)
                        for one in left_out
                    ],
                )
        except (BadFile, BadData, BadRankings) as problem:
            raise CommandError(str(problem)) from None
        written = write_report(made, out, [str(reject) for reject in log.first], is_quick=options["quick"])
        for part in made.preferences:
            self.stdout.write(f"{part.name}: {for_terminal(part.sentence)}")
        self._say_excluded(made.excluded_raters)
        for sentence in log.remarks:
            self.stdout.write(sentence)
        for warning in log.warnings:
            self.stdout.write(self.style.WARNING(f"Please check: {warning}"))
        if log.total:
            self.stdout.write(
                self.style.WARNING(f"{counted(log.total, 'row')} left out, each with its reason: excluded.csv")
            )
        names = ", ".join(path.name for path in written if path.parent == out)
        self.stdout.write(f"written to {out}: {names}{'' if options['quick'] else ', tables, figures'}")

    def _say_excluded(self, raters: Sequence[ReportedExclusion]) -> None:
        if raters:
            names = ", ".join(f"{one.rater} ({one.reason})" for one in raters)
            self.stdout.write(f"excluded raters: {names}")

    def _progress(self, what: str, share: float) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"{share:4.0%} {what}")


def _refuse_unused(options: dict[str, Any]) -> None:
    """Raises CommandError for an option that this kind of file has no use for: nothing is ignored silently."""
    unused = {"prior": "for --votes and --rankings: it is a prior for strengths of methods"}
    if not options["ratings"]:
        unused = OF_RATINGS | ({} if options["rankings"] else {"items": ITEMS_OF_VOTES})
    for name, why in unused.items():
        if options.get(name) not in (None, [], ""):
            raise CommandError(f"--{name} is {why}.")


def _pair(text: str, methods: Sequence[str]) -> tuple[str, str]:
    """The methods that BASELINE:REFINED names; if they are unknown, the two parts around the first colon."""
    baseline, colon, refined = map(identity, text.partition(":"))
    if not colon or not baseline or not refined:
        raise CommandError(f"--compare {text}: write BASELINE:REFINED, two method names with a colon between them")
    return pair_named(identity(text), methods) or (baseline, refined)


def _check_margin(margin: float, data: StudyData) -> None:
    """A margin as wide as a scale makes all methods equivalent on it. Raises CommandError."""
    for question in data.dimensions:
        low, high = float(question.ratings.values[0]), float(question.ratings.values[-1])
        if question.is_ordinal and margin >= high - low:
            raise CommandError(
                f"--margin {margin:g} is at least as wide as the scale of {question.name}, {low:g} to {high:g}: any "
                f"two methods would be equivalent. Give a difference that matters, below {high - low:g}."
            )
