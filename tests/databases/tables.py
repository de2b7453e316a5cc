"""What the tables of an SQLite file are, whatever the order in which their columns came."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

_CONSTRAINT = re.compile(r'CONSTRAINT "(\w+)" (CHECK|UNIQUE)')


def tables_of(file: Path) -> dict[str, set[object]]:
    """By table: its columns, references, constraints and indexes. By "": all applied migrations."""
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        found: dict[str, set[object]] = {
            "": set(database.execute("SELECT app, name FROM django_migrations")),
        }
        for name, sql in database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'"):
            # Each column as name, type, whether it may be empty, default and place in the primary key.
            columns = {row[1:] for row in database.execute(f'PRAGMA table_info("{name}")')}
            references = {row[2:5] for row in database.execute(f'PRAGMA foreign_key_list("{name}")')}
            found[name] = {*columns, *references, *_CONSTRAINT.findall(sql)}
        for name, sql in database.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'index'"):
            found[name] |= {sql} if sql else set()
    return found
