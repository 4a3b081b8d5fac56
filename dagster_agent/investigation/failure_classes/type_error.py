"""A value or an expression has a type that the statement cannot use or convert.

Why it matters: usually the source started to send another type, or a column was retyped.
Here too: values out of the range or too long for their type, functions and operators that have
no form for the given types, load errors of a single value, types that cannot be merged.
Not here: a `TypeError` of Python (`code_exception`), a type that a dbt contract forbids
(`contract_violation`), a function that does not exist at all (`sql_syntax`).
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import (
    clickhouse,
    failure_class,
    mssql,
    mysql,
    rule,
    sqlstate,
)

TYPE_ERROR = failure_class(
    id="type-error",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "duckdb",
            0.96,
            r"\bconversion error: ",
            r"\bcould not convert (?:string|value) ",
            r"\bcan't be cast (?:because|to)\b",
            r"\bout of range error: ",
            r"\bcould not (?:choose a best candidate function|parse string)\b",
            r"\bmismatch type error\b",
            r"\btype mismatch: ",
            r"\bcould not cast value\b",
            r"\bunimplemented (?:type for )?cast\b",
            r"\bcannot (?:compare|mix|combine) (?:values? of )?types?\b",
            r"\b(?:u?int(?:eger)?\d{0,3}|bigint|smallint|tinyint|numeric|decimal|float\d{0,2}"
            r"|long|arithmetic) overflow\b",
        ),
        rule(
            "no-function-for-types",
            0.93,
            r"\bno (?:function|operator) matches the given name and argument types?\b",
            r"\boperator does not exist: ",
            r"\bargument of \w+ must be type\b",
            r"\bno matching signature for\b",
            r"\binvalid argument types for function\b",
            r"\bunexpected parameters? \([^\n]{0,200}for function\b",
            r"\bargument type mismatch\b",
            r"\bcannot be applied to (?:[\w, ]{0,60})?\(?[\w, ]{0,80}(?:varchar|integer|bigint"
            r"|date|timestamp)",
        ),
        rule(
            "postgres",
            0.96,
            r"\binvalid input syntax for (?:type )?\w+",
            r"\bis of type [^\n]{1,80}? but expression is of type\b",
            r"\b\w+ types [^\n]{1,120}? cannot be matched\b",
            r"\bvalue too long for type\b",
            r"\b(?:integer|bigint|smallint|numeric field|date/time field|value) out of range\b",
            r"\bdate/time field value out of range\b",
            r"\bnumeric field overflow\b",
            r"\bcannot cast type [^\n]{1,80}? to\b",
            r"\bcannot be cast (?:automatically )?to type\b",
            r"\bvalue \"[^\"\n]{0,80}\" is out of range for type\b",
        ),
        rule(
            "psycopg-class",
            0.96,
            r"\b(?:invalidtextrepresentation|datatypemismatch|numericvalueoutofrange"
            r"|stringdatarighttruncation|invaliddatetimeformat|cannotcoerce"
            r"|datetimefieldoverflow)\b",
        ),
        rule(
            "snowflake",
            0.97,
            r"\b(?:numeric|boolean|timestamp|date|time|uuid) (?:value )?[\"'][^\n]{0,200}?"
            r"[\"'] is not recognized",
            r"\bfailed to cast variant value\b",
            r"\bcan ?not convert parameter\b",
            r"\binconsistent data types? for result columns\b",
            r"\bexpression type does not match column data type\b",
            r"\binvalid data type \[",
            r"\bstring [^\n]{0,200}? is too long and would be truncated",
            r"\binvalid argument types\b",
            r"\b001044 \(",
            r"\b0010(?:07|65) \(",
            r"\b10003[58] \(",
            r"\b100132 \(",
            r"\bcan't parse [\"'][^\n]{0,80}? as (?:date|time|timestamp|number)",
            r"\bnumber out of representable range\b",
            r"\berror parsing json\b",
        ),
        rule(
            "bigquery",
            0.96,
            r"\bbad (?:int64|double|float64|bool|numeric|timestamp|date|datetime|string"
            r"|bytes) value\b",
            r"\bcould not cast literal\b",
            r"\binvalid (?:date|timestamp|datetime)(?: string)?: [\"']",
            r"\brequires return type\b",
            r"\bhas type \S+ which does not match\b",
            r"\bvalue of type [^\n]{1,80}? cannot be assigned to\b",
            r"\binvalid cast from\b",
            r"\bcannot coerce\b",
            r"\bhas type [^\n]{1,80}? which cannot be inserted into column\b",
            r"\bcolumn \d+ in (?:union|except|intersect) (?:all|distinct) has incompatible types\b",
            r"\bcould not (?:parse|convert) [\"'`]?[^\n]{0,120}? (?:as|to) (?:int64|int|double"
            r"|float|bool|numeric|timestamp|date|datetime|integer|type)",
            r"\b(?:failed to parse input string|invalid (?:timestamp|date|datetime) string)\b",
            r"\binvalid (?:nan|date|timestamp|datetime|numeric|json) value\b",
            r"\bquery (?:column|parameter) \d+ has type\b",
            r"\bfield [^\n]{1,120}? has changed type from\b",
        ),
        rule(
            "spark-condition",
            0.97,
            r"\b(?:datatype_mismatch|cast_invalid_input|cast_overflow\w*"
            r"|numeric_value_out_of_range)\b",
            r"\b(?:cannot_parse_(?:timestamp|decimal)|invalid_typed_literal|arithmetic_overflow)\b",
            r"\b(?:delta_failed_to_merge_fields|delta_merge_incompatible_datatype)\b",
            r"\b(?:incompatible_column_type|incompatible_data_for_table"
            r"|merge_incompatible_data_?type)\b",
            r"\bdue to data type mismatch\b",
            r"\bfailed to merge (?:fields|incompatible data types)\b",
            r"\bcannot (?:up )?cast [^\n]{1,200}? (?:to|from|as) ",
            r"\bcannot safely cast\b",
            r"\bfailed_read_file\.parquet_column_data_type_mismatch\b",
            r"\bparquet column cannot be converted\b",
        ),
        rule(
            "redshift-load",
            0.94,
            r"\bstl_load_errors\b",
            r"\bsys_load_error_detail\b",
            r"\bstring length exceeds ddl length\b",
            r"\binvalid digit, value\b",
            r"\boverflow, column type\b",
            r"\bspectrum scan error\b[^\n]{0,200}incompatible\b",
            r"\b(?:has an incompatible parquet schema|incompatible parquet schema for column)\b",
        ),
        rule(
            "trino",
            0.96,
            r"\bname=(?:type_mismatch|invalid_cast_argument|invalid_function_argument)\b",
            r"\b(?:type_mismatch|invalid_cast_argument|hive_bad_data|operator_not_found"
            r"|column_type_unknown)\b",
            r"\bcannot (?:apply operator|cast '|cast value)",
            r"\bunexpected parameters \(",
            r"\bvalue cannot be cast to\b",
        ),
        rule(
            "mssql",
            0.95,
            r"\b(?:error converting data type|conversion failed when converting"
            r"|arithmetic overflow error)\b",
            r"\bstring or binary data would be truncated\b",
            r"\boperand type clash\b",
        ),
        rule(
            "mysql",
            0.94,
            r"\bincorrect (?:integer|decimal|datetime|date|double|string|time|timestamp) value\b",
            r"\bdata too long for column\b",
            r"\bout of range value for column\b",
            r"\bdata truncated for column\b",
        ),
        rule(
            "oracle",
            0.96,
            r"\bora-(?:01722|01858|01843|01861|00932|01438|12899|06502|01830)\b",
        ),
        rule(
            "clickhouse",
            0.94,
            r"\b(?:cannot_parse_\w+|illegal_type_of_argument|cannot_convert_type|no_common_type)\b",
        ),
        rule(
            "arrow",
            0.93,
            r"\b(?:arrowinvalid|arrowtypeerror|arrownotimplementederror)\b",
            r"\bcould not convert [^\n]{0,120}? with type \w+: tried to convert\b",
            r"\bexpected bytes, got a '\w+' object\b",
            r"\b(?:schemafieldnotfound|intcastingnanerror|outofboundsdatetime)\b",
        ),
        rule(
            "json",
            0.9,
            r"\b(?:mapper|document)_parsing_exception\b",
            r"\bfailed to parse json\b",
            r"\bcould not parse value\b",
        ),
        rule(
            "dataframe",
            0.96,
            r"\b(?:failed to determine supertype|no supertype for types)\b",
            r"\bincompatible merge dtype\b",
            r"\binvalid series dtype\b",
            r"\b(?:data ?)?type [^\n]{1,80} is incompatible with (?:expected )?type\b",
        ),
        rule(
            "codes",
            0.92,
            clickhouse(6, 27, 38, 41, 43, 53, 70, 72, 131, 386, 407),
            mysql(1264, 1265, 1292, 1366, 1406, 1690),
            mssql(206, 241, 242, 245, 2628, 8114, 8115, 8152),
        ),
        rule(
            "fusion",
            0.95,
            r"\bdbt0(?:20[3-69]|210|211|226|228|230|244|4(?:0[67]|1[0-6]))\b",
        ),
        rule(
            "dagster-type-check",
            0.88,
            r"\bdagstertypecheckdidnotpass\b",
            r"\btype check failed for step\b",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate(
                "22p02", "42804", "22003", "22001", "22007", "22008", "22018", "42846", "42k09"
            ),
        ),
        rule(
            "undefined-function",
            0.82,
            sqlstate("42883"),
        ),
        rule(
            "words",
            0.69,
            r"\b(?:cannot|can't|could not|unable to|failed to|error) (?:\w+ )?(?:convert|cast"
            r"|coerc)\w*",
            r"\btypes?\b[^\n]{0,60}?\b(?:does not|do not|doesn't|don't) match\b",
            r"\b(?:type mismatch|mismatched types?|incompatible (?:data )?types?)\b",
            r"\b(?:expects?|expected|requires?|must be)(?: of)?(?: an?)? (?:return |data ?)?type\b",
            r"\bdata ?types?\b[^\n]{0,60}?\b(?:mismatch|invalid|incompatible|unsupported"
            r"|not match)",
            r"\b(?:cast|conversion|casting|coercion)\b[^\n]{0,40}?\b(?:fail\w*|error|invalid"
            r"|not allowed)\b",
            r"\binvalid (?:type|number|timestamp|datetime|date|numeric|integer|boolean)\b"
            r"(?! of)",
        ),
    ),
)
