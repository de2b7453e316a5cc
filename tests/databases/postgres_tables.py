"""What the tables of a PostgreSQL schema are, whatever the order in which their columns came."""

from django.db import connection

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = %s::regnamespace AND c.relkind = 'r'
"""
_CONSTRAINTS = """
SELECT c.relname, k.conname, pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = %s::regnamespace AND k.contype <> 'n'
"""
_INDEXES = """
SELECT tablename, indexname, replace(indexdef, ' ON ' || schemaname || '.', ' ON ')
FROM pg_indexes
WHERE schemaname = %s
"""
_MIGRATIONS = "SELECT 'django_migrations', app, name FROM django_migrations"


def tables_of_schema(schema: str) -> set[tuple[object, ...]]:
    """Columns, constraints and indexes of all tables, each with its table's name; and all applied migrations.

    The schema becomes the one in which this transaction looks for names, so that definitions come without it.
    """
    found: set[tuple[object, ...]] = set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config('search_path', %s, true)", [schema])
        for query in (_COLUMNS, _CONSTRAINTS, _INDEXES):
            cursor.execute(query, [schema])
            found |= set(cursor.fetchall())
        cursor.execute(_MIGRATIONS)
        return found | set(cursor.fetchall())
