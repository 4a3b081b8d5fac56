"""What a SELECT is made of, beside functions: everything that is not listed is refused.

So are DML, DDL, commands, SELECT INTO, FOR UPDATE, parameters, variables, stages, semantic views,
model attributes, `TRANSFORM ... USING`, custom operators, and whatever sqlglot adds later.
"""

from __future__ import annotations

from sqlglot import exp

_CLAUSES = """
    Alias Aliases All Any AtIndex AtTimeZone Between BitString Boolean Bracket ByteString CTE
    Changes Cluster Column ColumnDef Comprehension Connect Cube DataType DataTypeParam Distinct
    Distribute Except Fetch Filter ForIn FormatJson From FromTimeZone Group GroupingSets Having
    HavingMax Heredoc HexString HistoricalData Identifier IgnoreNulls In Intersect Interval
    IntervalOp IntervalSpan JSON JSONColumnDef JSONExtractQuote JSONKeyValue JSONPath JSONPathFilter
    JSONPathKey JSONPathRecursive JSONPathRoot JSONPathScript JSONPathSelector JSONPathSlice
    JSONPathSubscript JSONPathUnion JSONPathWildcard JSONSchema JSONValue Join Lambda Lateral Limit
    LimitOptions Literal MatchRecognize MatchRecognizeMeasure National Nearest Null
    ObjectIdentifier Offset OnCondition OpenJSONColumnDef Order Ordered OverflowTruncateBehavior
    PartitionByExcluding Pivot PivotAlias PivotAny PositionalColumn Prior PseudoType Pseudocolumn
    Qualify RawString RecursiveWithSearch RespectNulls Rollup Select Slice Sort Star Subquery Table
    TableAlias TableColumn TableFromRows TableSample TranslateCharacters Tuple UnicodeString Union
    UnpivotColumns Values Var Variadic Version Where Window WindowSpec With WithinGroup XMLNamespace
    _TimeUnit
"""
_OPERATORS = """
    Add Adjacent BitwiseAnd BitwiseLeftShift BitwiseNot BitwiseOr BitwiseRightShift BitwiseXor DPipe
    Distance DistanceNd Div Dot EQ Escape ExtendsLeft ExtendsRight GT GTE Glob ILike IntDiv Is Kwarg
    LT LTE Like Match Mod Mul NEQ Neg NestedJSONSelect Not NullSafeEQ NullSafeNEQ Overlaps Paren
    PropertyEQ SimilarTo Sub
"""
_ALLOWED = frozenset((_CLAUSES + _OPERATORS).split())

SOURCES = (
    exp.AtIndex,
    exp.Table,
    exp.Subquery,
    exp.Lateral,
    exp.Unnest,
    exp.Values,
    exp.TableFromRows,
    exp.Pivot,
)
"""What may stand in FROM and after JOIN."""


def is_syntax(node: exp.Expr) -> bool:
    """Whether a node that is no function may be part of a SELECT."""
    return type(node).__name__ in _ALLOWED
