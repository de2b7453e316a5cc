"""The report on critics as files: one HTML page that stands alone, the tables, and everything as JSON."""

import json
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from annotations.reports.critic_sections import critic_headlines, critic_sections
from annotations.reports.critic_tables import CRITIC_TABLES, OF_VERDICTS
from annotations.reports.page import MOST_EXCLUDED_SHOWN, STYLE
from exchange.export import csv_chunks


def critic_page(document: Mapping[str, Any], excluded: Sequence[str] = ()) -> str:
    """The whole file's text. `excluded` are the rows that were left out, each said in one line."""
    made = document["made"]
    parts = [f"<h1>{escape(document['title'])}</h1>"]
    parts += [f'<p class="headline">{escape(sentence)}.</p>' for sentence in critic_headlines(document)]
    for section in critic_sections(document):
        parts.append(f'<section id="{escape(section.name)}"><h2>{escape(section.title)}</h2>{section.html}</section>')
    parts += [
        f'<p class="note">{escape(f"Not grouped by {name}: {reason}.")}</p>'
        for name, reason in document["facets_left_out"].items()
    ]
    if excluded:
        parts.append(f"<section><h2>Left out: {document['n_excluded']:,} rows</h2><ul>")
        parts += [f"<li>{escape(line)}</li>" for line in excluded[:MOST_EXCLUDED_SHOWN]]
        if document["n_excluded"] > MOST_EXCLUDED_SHOWN:
            parts.append("<li>… all of them are in excluded.csv.</li>")
        parts.append("</ul></section>")
    parts.append(
        f"<footer><p>evalsite {escape(made['code_version'])}, statistics {escape(made['stats_version'])}, "
        f"seed {made['seed']}, {made['n_resamples']:,} resamples, {escape(made['at'])}. "
        f"Inputs {escape(made['inputs_hash'][:16])}. "
        "The same inputs, seed and versions give the same figures.</p></footer>"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(document['title'])}</title><style>{STYLE.read_text(encoding='utf-8')}</style></head>"
        f'<body class="report alone"><main>{"".join(parts)}</main></body></html>'
    )


def write_critic_report(document: Mapping[str, Any], folder: Path, excluded: Sequence[str] = ()) -> list[Path]:
    """The tables that verdicts can fill as CSV, report.json and report.html; the files in the order written.

    A table without a row (no second critic, no confidence) is written with its header alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in OF_VERDICTS:
        columns, rows = CRITIC_TABLES[name]
        written.append(_write(folder / f"{name}.csv", csv_chunks(columns, rows(document))))
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, indent=1)
    written.append(_write(folder / "report.json", [text]))
    written.append(_write(folder / "report.html", [critic_page(document, excluded)]))
    return written


def _write(path: Path, chunks: Iterable[str]) -> Path:
    # Written beside and moved: a reader never meets half a file, and a failure leaves the old one.
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="") as file:
        file.writelines(chunks)
    part.replace(path)
    return path
