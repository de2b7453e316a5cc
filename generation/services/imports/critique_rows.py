"""Critiques as outside files write them: a row each with a list of claims or free text, or a row for each claim."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import groupby

from exchange.identity import identity
from exchange.rejects import RejectLog
from exchange.tables.cells import Cells
from exchange.tables.headers import Columns
from exchange.tables.row import JsonValue, Row
from exchange.tables.rows import read_rows
from exchange.tables.values import text_of
from generation.models import Claim, Critique
from generation.queries.importers import Source
from generation.recipes.critique.claims import split_claims

COLUMNS = Columns(
    ("image",),
    (
        *("critic", "critic_version", "text", "refined_prompt", "claims", "source"),
        *("rank", "claim", "kind", "about", "severity", "confidence"),
    ),
    {
        "item": "image",
        "key": "image",
        "sha256": "image",
        "file": "image",
        "model": "critic",
        "version": "critic_version",
        "critique": "text",
        "statement": "claim",
    },
)
MAX_CLAIMS = 1_000
MAX_TEXT = 100_000


@dataclass(frozen=True)
class ClaimRow:
    rank: int
    text: str
    kind: str = ""
    about: str = ""
    severity: str = ""
    confidence: float | None = None


@dataclass(frozen=True)
class CritiqueRow:
    """One critique. `n_rows` counts the file's rows that made it; `text` is what the critic wrote, as it came.

    `is_split`: the claims are entries of a list found in the text.
    """

    number: int
    n_rows: int
    image: str
    critic: str
    critic_version: str
    text: str
    refined_prompt: str
    claims: tuple[ClaimRow, ...]
    is_split: bool = False
    source: str = Critique.Source.CRITIC
    provenance: dict[str, JsonValue] = field(default_factory=dict)


def read_critiques(source: Source, *, critic: str, log: RejectLog) -> Iterator[CritiqueRow]:
    """The critiques of a file, one at a time; `critic` is for rows that name none.

    Rows with a `rank` are claims: those of one critique (image, critic and version) are adjacent. Other rows are
    whole critiques: `claims` is a list of texts or of objects (rank, text, kind, about, severity, confidence); without
    it `text` is split at its list (`recipes.claims`). Refused rows go to the log.
    """
    rows = (Cells(row, log) for row in read_rows(source.content, name=source.name, columns=COLUMNS, log=log))
    finished: set[tuple[str, ...]] = set()
    for (is_claim, *names), group in groupby(rows, key=lambda cells: (cells.has("rank"), *_identity(cells, critic))):
        if not is_claim:
            for cells in group:
                if (critique := _whole(cells, critic)) is not None:
                    yield critique
            continue
        together = list(group)
        if tuple(names) in finished:
            for cells in together:
                problem = "claims of this critique were further up, with others in between"
                cells.reject("image", problem, "put the rows of one critique next to each other")
            continue
        finished.add(tuple(names))
        if (critique := _from_claims(together, critic)) is not None:
            yield critique


def _identity(cells: Cells, critic: str) -> tuple[str, str, str, str]:
    image, named, version, source = (
        identity(text_of(cells.row.values.get(name))) for name in ("image", "critic", "critic_version", "source")
    )
    return image, named or critic, version, source.casefold()


def _whole(cells: Cells, critic: str) -> CritiqueRow | None:
    text = _own_text(cells, "text")
    if not text and not cells.has("claims"):
        cells.reject("text", "neither text nor claims are filled in", "fill in one of them")
    is_split = False
    if cells.has("claims"):
        claims = _stated(cells)
    else:
        split = split_claims(text)
        claims = [ClaimRow(rank, claim) for rank, claim in enumerate(split.claims, start=1)]
        is_split = split.manner in ("numbered", "bullets")
    critique = _critique(cells, critic, text=text, claims=claims, n_rows=1)
    return critique and replace(critique, is_split=is_split)


def _from_claims(together: list[Cells], critic: str) -> CritiqueRow | None:
    """One critique of its claims' rows; a claim that is refused does not take the others with it."""
    claims: dict[int, ClaimRow] = {}
    first = together[0]
    n_rows = 0
    for cells in together:
        claim = _claim(cells, "claim" if cells.has("claim") else "text")
        if cells.ok and claim.rank in claims:
            cells.reject("rank", f"another claim of this critique has rank {claim.rank}", "give each a rank of its own")
        if cells.ok:
            claims[claim.rank] = claim
            n_rows += 1
    if not claims:
        return None
    whole = Cells(Row(first.row.file, first.row.number, first.row.values | {"text": None}), RejectLog())
    text = _own_text(first, "text") if first.has("claim") else ""
    return _critique(whole, critic, text=text, claims=[claims[rank] for rank in sorted(claims)], n_rows=n_rows)


def _critique(cells: Cells, critic: str, *, text: str, claims: list[ClaimRow], n_rows: int) -> CritiqueRow | None:
    known = {*COLUMNS.required, *COLUMNS.optional}
    if not critic and not cells.has("critic"):
        cells.reject("critic", "no critic is named", "add a column critic, or name the critic of the whole file")
    critique = CritiqueRow(
        number=cells.row.number,
        n_rows=n_rows,
        image=cells.text("image", max_length=1_024),
        critic=cells.name("critic", max_length=200, required=False) or critic,
        critic_version=cells.name("critic_version", max_length=200, required=False),
        text=text,
        refined_prompt=cells.text("refined_prompt", required=False),
        claims=tuple(claims),
        source=_source(cells),
        provenance={name: value for name, value in cells.row.values.items() if name not in known and cells.has(name)},
    )
    return critique if cells.ok else None


def _source(cells: Cells) -> str:
    """Whether the critic saw this image, or the critique is a control: of another image, or written to be false."""
    source = cells.text("source", max_length=50, required=False).casefold() or Critique.Source.CRITIC
    if source not in Critique.Source.values:
        choices = ", ".join(Critique.Source.values)
        cells.reject("source", f'"{source}" is not a known source', f"write one of {choices}, or leave it empty")
    return source


def _own_text(cells: Cells, column: str) -> str:
    """The critic's words, line breaks and outer blanks included."""
    cells.text(column, max_length=MAX_TEXT, required=False)
    value = cells.row.values.get(column)
    return value if isinstance(value, str) and value.strip() else ""


def _claim(cells: Cells, text_column: str) -> ClaimRow:
    severity = cells.text("severity", max_length=50, required=False).casefold()
    if severity not in Claim.Severity.values:
        cells.reject("severity", f'"{severity}" is not a severity', "write minor or major, or leave it empty")
    return ClaimRow(
        rank=cells.integer("rank", low=1, high=MAX_CLAIMS),
        text=cells.text(text_column),
        kind=cells.text("kind", max_length=50, required=False),
        about=cells.text("about", max_length=300, required=False),
        severity=severity,
        confidence=cells.optional_number("confidence", low=0, high=1),
    )


def _stated(cells: Cells) -> list[ClaimRow]:
    """The claims of a list; it may come as JSON in a cell of text."""
    value = cells.row.values["claims"]
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):  # not JSON, or a number of more than 4,300 digits
            value = None
    if not isinstance(value, list) or len(value) > MAX_CLAIMS:
        problem = f"this is not a list of at most {MAX_CLAIMS} claims"
        cells.reject("claims", problem, 'write ["…", "…"] or [{"text": "…", "severity": "major"}]')
        return []
    claims: list[ClaimRow] = []
    ranks: set[int] = set()
    for place, entry in enumerate(value, start=1):
        claim = _entry(cells, entry, place)
        if claim is None:
            continue
        if claim.rank in ranks:
            cells.reject("claims", f"two claims have rank {claim.rank}", "give each a rank of its own, or none a rank")
        ranks.add(claim.rank)
        claims.append(claim)
    return sorted(claims, key=lambda claim: claim.rank)


def _entry(cells: Cells, entry: JsonValue, place: int) -> ClaimRow | None:
    """One entry of the list; what is wrong in it is reported under "claims", with its place."""
    values: dict[str, JsonValue] = dict(entry) if isinstance(entry, dict) else {"text": entry}
    values.setdefault("rank", place)
    own = RejectLog()
    claim = _claim(Cells(Row(cells.row.file, cells.row.number, values), own), "text")
    for reject in own.first:
        cells.reject("claims", f"claim {place}, {reject.field}: {reject.problem}", reject.cure)
    return None if own else claim
