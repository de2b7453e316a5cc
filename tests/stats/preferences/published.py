"""Paired comparisons with published fits, as votes."""

import csv
from pathlib import Path

import numpy as np

from annotations.stats.preferences.votes import Votes

DATA = Path(__file__).resolve().parents[2] / "data" / "preferences"
Row = tuple[str, str, int, int, int]
"""first, second, outcome, count, side"""


def votes_of(rows: list[Row]) -> Votes:
    rows = [row for row in rows if row[3] > 0]
    names = sorted({row[0] for row in rows} | {row[1] for row in rows})
    first, second = (np.array([names.index(row[at]) for row in rows]) for at in (0, 1))
    outcome, count, side = (np.array([row[at] for row in rows]) for at in (2, 3, 4))
    return Votes(names, first, second, outcome, side=side, count=count)  # type: ignore[arg-type]  # rows mix kinds


def rows_of(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def games() -> Votes:
    return votes_of([(row["winner"], row["loser"], 0, int(row["count"]), 0) for row in rows_of("games.csv")])


def citations() -> Votes:
    return votes_of([(row["winner"], row["loser"], 0, int(row["count"]), 0) for row in rows_of("citations.csv")])


def baseball() -> Votes:
    rows: list[Row] = []
    for row in rows_of("baseball.csv"):
        for outcome, wins in ((0, "home.wins"), (1, "away.wins")):
            rows.append((row["home.team"], row["away.team"], outcome, int(row[wins]), 1))
    return votes_of(rows)


def pudding() -> Votes:
    rows: list[Row] = []
    for row in rows_of("pudding.csv"):
        for outcome, column in enumerate(("w_ij", "w_ji", "t_ij")):
            rows.append((row["i"], row["j"], outcome, int(row[column]), 0))
    return votes_of(rows)


def universities() -> Votes:
    rows: list[Row] = []
    for row in rows_of("universities.csv"):
        for outcome, column in enumerate(("w_ij", "w_ji", "t_ij")):
            rows.append((row["i"], row["j"], outcome, int(row[column]), 0))
    return votes_of(rows)


def football() -> Votes:
    rows: list[Row] = []
    for row in rows_of("football.csv"):
        for outcome, column in enumerate(("home_wins", "away_wins", "draws")):
            rows.append((row["home"], row["away"], outcome, int(row[column]), 1))
    return votes_of(rows)
