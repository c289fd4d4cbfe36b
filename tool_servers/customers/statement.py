"""SQL of a model → one SELECT over the tables that it may read, written anew from what the parser understood.

Only what is known to be harmless passes: each node of the syntax tree is of a kind listed here, each function
too. What is run is made from the tree, so that parser and database cannot read one text in two ways. This is
one of two walls: the database refuses writes by itself (`queries.py`).
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
    *(exp.CurrentDate, exp.CurrentTimestamp, exp.Extract),
)
_KNOWN = (*_QUERIES, *_CLAUSES, *_OPERATORS, *_FUNCTIONS)


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
    try:
        statements = sqlglot.parse(sql, dialect=dialect)
        if len(statements) != 1:
            raise Refused(f"there are {len(statements)} statements; send one SELECT")
        tree = statements[0]
        if not isinstance(tree, _QUERIES):
            raise Refused("it is no SELECT, and nothing else is run; send one SELECT")
        _check(tree, readable)
        return tree.sql(dialect=dialect, comments=False)
    except SqlglotError as error:
        raise Refused(f"it cannot be read as SQL: {_first_line(error)}") from None
    except RecursionError:
        raise Refused("it is nested too deep; send a simpler SELECT") from None


def _check(tree: exp.Expression, readable: Collection[str]) -> None:
    tables = {*readable, *(cte.alias for cte in tree.find_all(exp.CTE))}
    for node, depth in _nodes(tree):
        if depth > MAX_DEPTH:
            raise Refused(f"it is nested more than {MAX_DEPTH} deep; send a simpler SELECT")
        if type(node) not in _KNOWN and not isinstance(node, exp.SetOperation):
            raise Refused(f"{_named(node)} is not run here; send a SELECT without it")
        if isinstance(node, exp.Table) and not (_is_plain(node) and node.name in tables):
            known = ", ".join(sorted(readable))
            raise Refused(f'there is no table "{node.sql()[:60]}" to read; the tables are {known}')
        if isinstance(node, exp.Identifier):
            _check_name(node)


def _nodes(tree: exp.Expression) -> Iterator[tuple[exp.Expression, int]]:
    waiting = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_expressions()]


def _is_plain(table: exp.Table) -> bool:
    """Whether it is a name alone: no function, and none of another schema."""
    return isinstance(table.this, exp.Identifier) and not (table.db or table.catalog)


def _check_name(identifier: exp.Identifier) -> None:
    # What is not quoted is written as it was read, so it must be a word.
    is_word = identifier.name.isprintable() if identifier.quoted else _WORD.fullmatch(identifier.name)
    if not is_word:
        raise Refused(f"{identifier.name[:60]!a} is no name of a column or table; write names as words")


def _named(node: exp.Expression) -> str:
    if isinstance(node, exp.Anonymous):
        return f'the function "{node.name[:60]}"'
    return f'"{type(node).__name__.upper()}"'


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:200]
