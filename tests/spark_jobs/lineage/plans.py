"""Which columns of which tables a DataFrame's columns come from, told from the plan that Spark analysed."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from spark_jobs.lineage.columns import ColumnLineage, Source
from spark_jobs.tables import Table, all_tables

Node = dict[str, Any]
Sources = frozenset[Source]

_NOTHING: Sources = frozenset()
_TABLES = {table.full_name: table for table in all_tables()}
_MADE_IN_PYTHON = {"LocalRelation", "LogicalRDD", "OneRowRelation", "Range"}
_PASSING_ON = {"RepartitionByExpression", "ResolvedHint", "Sort", "SubqueryAlias"}


def empty(spark: SparkSession, table: Table) -> DataFrame:
    """A table without rows, whose name is in every plan that is made of it."""
    return spark.createDataFrame([], schema=table.columns).alias(table.full_name)


def lineage_of(rows: DataFrame) -> ColumnLineage:
    """What a plan tells. The DataFrame is a classic session's, made of `empty` tables.

    A column comes from all that its expression names, through every step of the plan; one that only counts or numbers
    rows, from what decides which rows those are. Filters, joins, groups and windows decide that.
    """
    root = _tree(iter(json.loads(rows._jdf.queryExecution().analyzed().toJSON())))
    told = _read(root)
    columns = zip(rows.columns, _output(root), strict=True)
    return ColumnLineage({name: of for name, number in columns if (of := told.of(number))}, told.rows)


@dataclass(frozen=True)
class _Told:
    """What is known at a node of the plan.

    Attributes:
        columns: Where each attribute comes from, by its id.
        rows: What has decided so far which rows there are.
    """

    columns: dict[int, Sources]
    rows: Sources = _NOTHING

    def of(self, number: int) -> Sources:
        return self.columns.get(number, _NOTHING)

    def named_in(self, *expressions: list[Node]) -> Sources:
        """All that some expressions refer to."""
        nodes = (node for expression in expressions for node in expression)
        return _all(self.of(_number(node)) for node in nodes if node["class"].endswith(".AttributeReference"))

    def deciding(self, *expressions: list[Node]) -> "_Told":
        return _Told(self.columns, self.rows | self.named_in(*expressions))

    def with_columns(self, columns: dict[int, Sources]) -> "_Told":
        return _Told(self.columns | columns, self.rows)


def _read(node: Node) -> _Told:
    kind = _kind(node)
    if kind == "SubqueryAlias" and node["identifier"]["name"] in _TABLES:
        return _read_table(_TABLES[node["identifier"]["name"]], node)
    below = [_read(child) for child in node["children"]]
    told = _Told({k: v for each in below for k, v in each.columns.items()}, _all(each.rows for each in below))
    if kind in _READERS:
        return _READERS[kind](node, told)
    assert kind in _MADE_IN_PYTHON | _PASSING_ON, f"{kind} is a node of which no lineage is known"
    return told


def _read_table(table: Table, alias: Node) -> _Told:
    """A table's own columns; Spark numbers them anew in each copy of it in the plan."""
    (leaf,) = alias["children"]
    return _Told({_number(attribute[0]): frozenset({(table, attribute[0]["name"])}) for attribute in leaf["output"]})


def _read_project(node: Node, told: _Told) -> _Told:
    return told.with_columns({_number(named[0]): told.named_in(named) for named in node["projectList"]})


def _read_aggregate(node: Node, told: _Told) -> _Told:
    grouped = told.deciding(*node["groupingExpressions"])
    counts_rows = {
        _number(named[0]): grouped.rows
        for named in node["aggregateExpressions"]
        if not told.named_in(named) and any(_kind(part) == "AggregateExpression" for part in named)
    }
    values = {_number(named[0]): told.named_in(named) for named in node["aggregateExpressions"]}
    return grouped.with_columns(values | counts_rows)


def _read_window(node: Node, told: _Told) -> _Told:
    window = (*node["partitionSpec"], *node["orderSpec"])
    values = {
        _number(named[0]): told.named_in(_function(named)) or told.named_in(*window)
        for named in node["windowExpressions"]
    }
    return told.deciding(*window).with_columns(values)


def _function(named: list[Node]) -> list[Node]:
    """The function of a window's expression, without the window."""
    alias = _tree(iter(named))
    (windowed,) = alias["children"]
    return list(_flat(windowed["children"][0]))


def _read_generate(node: Node, told: _Told) -> _Told:
    sources = told.named_in(node["generator"])
    return told.with_columns({_number(attribute[0]): sources for attribute in node["generatorOutput"]})


def _read_union(node: Node, told: _Told) -> _Told:
    """Its columns are called as the first child's, and hold what is in the same place of each."""
    same_place = zip(*map(_output, node["children"]), strict=True)
    return told.with_columns({numbers[0]: _all(map(told.of, numbers)) for numbers in same_place})


_READERS: dict[str, Callable[[Node, _Told], _Told]] = {
    "Aggregate": _read_aggregate,
    "Deduplicate": lambda node, told: told.deciding(*node["keys"]),
    "Filter": lambda node, told: told.deciding(node["condition"]),
    "Generate": _read_generate,
    "Join": lambda node, told: told.deciding(node.get("condition") or []),
    "Project": _read_project,
    "Union": _read_union,
    "Window": _read_window,
}


def _output(node: Node) -> list[int]:
    """The attributes that a node gives to the one above it, in their order."""
    for name in ("projectList", "aggregateExpressions", "output"):
        if name in node:
            return [_number(named[0]) for named in node[name]]
    first, *others = node["children"]
    is_only_first = _kind(node) == "Union" or any(kind in str(node.get("joinType")) for kind in ("Semi", "Anti"))
    added = [*node.get("windowExpressions", []), *node.get("generatorOutput", [])]
    kept = _output(first) if is_only_first else [number for child in (first, *others) for number in _output(child)]
    return [*kept, *(_number(named[0]) for named in added)]


def _tree(preorder: Iterator[Node]) -> Node:
    """Spark writes a tree as a list in which each node is followed by its children."""
    node = next(preorder)
    return node | {"children": [_tree(preorder) for _ in range(node["num-children"])]}


def _flat(node: Node) -> Iterator[Node]:
    yield node
    for child in node["children"]:
        yield from _flat(child)


def _kind(node: Node) -> str:
    kind: str = node["class"].rsplit(".", 1)[-1]
    return kind


def _number(node: Node) -> int:
    number: int = node["exprId"]["id"]
    return number


def _all(each: Iterable[Sources]) -> Sources:
    return _NOTHING.union(*each)
