"""The report as one HTML file that needs nothing else: no server, no script, no network; it prints well."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from annotations.reports.sections import headline, sections

STYLE = Path(__file__).resolve().parent.parent / "static" / "annotations" / "report.css"
MOST_EXCLUDED_SHOWN = 20


def page(document: Mapping[str, Any], excluded: list[str] | None = None) -> str:
    """The whole file's text. `excluded` are the rows that were left out, each said in one line."""
    made = document["made"]
    parts = [f"<h1>{escape(document['title'])}</h1>"]
    found = sections(document)
    for dimension in document["dimensions"]:
        parts.append(f'<section class="dimension"><h2>{escape(dimension["question"] or dimension["name"])}</h2>')
        parts.append(f'<p class="headline">{escape(headline(dimension))}.</p>')
        for section in found:
            if section.name.startswith(f"{dimension['name']}-"):
                parts.append(
                    f'<section id="{escape(section.name)}"><h3>{escape(section.title)}</h3>{section.html}</section>'
                )
        parts.append("</section>")
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
