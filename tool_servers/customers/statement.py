"""SQL of a model → one SELECT over the tables that it may read, written anew from what the parser understood.

Only what is known to be harmless passes: each node of the syntax tree is of a kind listed here, each function
too. What is run is made from the tree, so that parser and database cannot read one text in two ways, and is
read and checked once more, so that nothing gets in by the writing. This is one of two walls: the database
refuses writes by itself (`sqlite_reader.py`, `postgres_reader.py`).
"""

import re
from collections.abc import Collection, Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

MAX_DEPTH = 60

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_QUERIES = (exp.Select, exp.SetOperation, exp.Subquery)
_CLAUSES = (
    *(exp.With, exp.CTE, exp.From, exp.Join, exp.Where, exp.Group, exp.Having, exp.Order, exp.Ordered),
    *(exp.Limit, exp.Offset, exp.Distinct, exp.Window, exp.WindowSpec, exp.Filter, exp.Rollup, exp.Cube),
    *(exp.Table, exp.TableAlias, exp.Column, exp.Identifier, exp.Star, exp.Alias, exp.Paren, exp.Tuple),
    *(exp.Literal, exp.Null, exp.Boolean, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var),
    *(exp.Case, exp.If, exp.Cast, exp.Between, exp.In, exp.Exists, exp.Not, exp.Neg, exp.Escape),
)
_OPERATORS = (
    *(exp.And, exp.Or, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.DPipe, exp.Is),
    *(exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike),
    *(exp.NullSafeEQ, exp.NullSafeNEQ),
)
_FUNCTIONS = (
    *(exp.Count, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Round, exp.Abs, exp.Ceil, exp.Floor, exp.Sign),
    *(exp.Coalesce, exp.Nullif, exp.Lower, exp.Upper, exp.Length, exp.Substring, exp.Trim, exp.Concat),
    *(exp.Replace, exp.Left, exp.Right, exp.GroupConcat, exp.StrPosition, exp.Greatest, exp.Least),
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue),
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.Extract, exp.Date, exp.Datetime),
)
_KNOWN = (*_QUERIES, *_CLAUSES, *_OPERATORS, *_FUNCTIONS)
# SQLite itself says no more of them than "syntax error".
_UNKNOWN_TO_SQLITE = (exp.Left, exp.Right, exp.Concat, exp.Extract, exp.Interval)


class Refused(Exception):
    """It is no statement that is run here; the text says why, and what to send instead."""


def checked(sql: str, dialect: str, readable: Collection[str]) -> str:
    """The statement to run. `dialect`: sqlite or postgres. Raises Refused.

    >>> checked("select name from customers -- all of them", "sqlite", {"customers"})
    'SELECT name FROM customers'
    >>> checked("SELECT 1; DELETE FROM customers", "sqlite", {"customers"})
    Traceback (most recent call last):
      ...
    tool_servers.customers.statement.Refused: there are 2 statements; send one SELECT
    """
    if "\0" in sql:
        raise Refused("it has the character U+0000; send it without")
    try:
        written = _read(sql, dialect, readable).sql(dialect=dialect, comments=False)
        # A quoted word that stands where a keyword may stand is written without its quotes.
        _read(written, dialect, readable)
    except SqlglotError as error:
        raise Refused(f"it cannot be read as SQL: {_first_line(error)}") from None
    except RecursionError:
        raise Refused("it is nested too deep; send a simpler SELECT") from None
    return written


def _read(sql: str, dialect: str, readable: Collection[str]) -> exp.Expression:
    parsed = sqlglot.parse(sql, dialect=dialect)
    # A comment after the last semicolon is none.
    statements = [each for each in parsed if not isinstance(each, exp.Semicolon)]
    if len(statements) != 1:
        raise Refused(f"there are {len(statements)} statements; send one SELECT")
    tree = statements[0]
    if not isinstance(tree, _QUERIES):
        raise Refused("it is no SELECT, and nothing else is run; send one SELECT")
    for node, depth in _nodes(tree):
        if depth > MAX_DEPTH:
            raise Refused(f"it is nested more than {MAX_DEPTH} deep; send a simpler SELECT")
        _check(node, dialect, readable)
    return tree


def _check(node: exp.Expression, dialect: str, readable: Collection[str]) -> None:
    if type(node) not in _KNOWN and not isinstance(node, exp.SetOperation):
        raise Refused(_not_run(node, dialect))
    if dialect == "sqlite" and isinstance(node, _UNKNOWN_TO_SQLITE):
        cure = "take parts of text and of dates by substring, join text by ||"
        raise Refused(f'"{node.sql(dialect=dialect)[:60]}" is not known to this database; {cure}')
    if isinstance(node, exp.Table) and not _may_read(node, dialect, readable):
        known = ", ".join(sorted(readable))
        raise Refused(f'there is no table "{node.sql()[:60]}" to read; the tables are {known}')
    if isinstance(node, exp.DataType) and node.this == exp.DType.USERDEFINED:
        raise Refused(f'the type "{node.sql()[:60]}" is not known; cast to text, integer, numeric or date')
    if isinstance(node, exp.Identifier | exp.Var):
        _check_name(node)


def _nodes(tree: exp.Expression) -> Iterator[tuple[exp.Expression, int]]:
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_expressions()]


def _may_read(table: exp.Table, dialect: str, readable: Collection[str]) -> bool:
    """Whether it is a name alone (no function, none of another schema) of what may be read."""
    if not isinstance(table.this, exp.Identifier) or table.db or table.catalog:
        return False
    return _key(table.this, dialect) in {*readable, *_ctes(table, dialect)}


def _ctes(table: exp.Table, dialect: str) -> Iterator[str]:
    """The names that WITH gives where this table stands: elsewhere they may be those of real tables."""
    below: exp.Expr = table
    above = table.parent
    while above is not None:
        if isinstance(above, exp.With):
            before = above.expressions.index(below)
            named = above.expressions[: before + 1 if above.recursive else before]
        else:
            given = above.args.get("with_")
            named = [] if given is None or given is below else given.expressions
        yield from (_key(cte.args["alias"].this, dialect) for cte in named)
        below, above = above, above.parent


def _key(name: exp.Identifier, dialect: str) -> str:
    """The name as the database compares it."""
    return str(name.name if name.quoted and dialect == "postgres" else name.name.lower())


def _check_name(name: exp.Identifier | exp.Var) -> None:
    # What is not quoted is written as it was read, so it must be a word.
    quoted = isinstance(name, exp.Identifier) and name.quoted
    is_word = name.name.isprintable() if quoted else _WORD.fullmatch(name.name)
    if not is_word:
        raise Refused(f"{name.name[:60]!a} is no name of a column or table; write names as words")


def _not_run(node: exp.Expression, dialect: str) -> str:
    fact = f'"{node.sql(dialect=dialect)[:60]}" is not run here; send a SELECT without it'
    return f"{fact} (of dates, take parts by substring)" if isinstance(node, exp.Func) else fact


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
