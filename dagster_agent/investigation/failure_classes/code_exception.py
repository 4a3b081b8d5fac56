"""Code of the project raised: Python of an asset, an op, a DAG, a dbt Python model, a UDF.

Why it matters: a bug, or data that the code did not expect; the traceback says where.
Here too: `dagster.Failure` and `AirflowFailException` without more, definitions that Dagster
refuses, division by zero in SQL, crashes (signal 11), internal errors of a tool.
Not here: an exception whose message tells a more exact class (a database error, a time-out, a
refused connection), modules that are not installed (`config_env`). A wrapper such as
`DagsterExecutionStepExecutionError` decides only where no other line says anything, and an
exception whose whole message is that something failed decides nothing (`unknown`).
"""

from __future__ import annotations

from dagster_agent.investigation.failure_class import failure_class, rule, sqlstate

_NO_WRAPPER = (
    r"(?!\S{0,120}(?:dagsterdbtcli\w*error|cosmosdbtrunerror|calledprocesserror"
    r"|airflowexception: (?:bash|cannot execute|dbt|task|job|run)\b))"
)
"""Not an exception that only repeats that a command failed."""
_SAYS_SOMETHING = (
    r"(?! (?:something (?:unexpected )?(?:went wrong|happened)|(?:an )?(?:unknown |unexpected )?"
    r"error(?: has)?(?: occurred)?|(?:the )?(?:\w+ )?(?:step|task|job|run|command|process|operation"
    r"|query)(?: \S{1,80})? (?:has )?(?:failed|did not (?:succeed|complete|finish))"
    r"(?: or [\w ]{1,30}| with (?:result )?(?:state|status|code|exit code|return code)\b[^\n]*)?)"
    r"(?:[.!]*$|[,;:.] ?(?:please )?(?:see|check|look)\b))"
)
"""Not an exception whose whole message is that something failed."""

CODE_EXCEPTION = failure_class(
    id="code-exception",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "python-builtin",
            0.83,
            r"(?:^|[\s:])(?:builtins\.)?(?:keyerror|valueerror|typeerror|attributeerror|indexerror"
            r"|zerodivisionerror|assertionerror|nameerror|unboundlocalerror|notimplementederror"
            r"|recursionerror|stopiteration|unicodedecodeerror|unicodeencodeerror|lookuperror"
            r"|arithmeticerror|overflowerror|floatingpointerror|syntaxerror|indentationerror"
            r"|filenotfounderror|isadirectoryerror|notadirectoryerror|fileexistserror)"
            rf"(?::|$){_SAYS_SOMETHING}",
            r"(?:^|[\s.])jsondecodeerror(?::|$)",
            r"\bnonetype' object\b",
            r"\bunhashable type\b",
            r"\bname '?\w+'? (?:is )?not defined\b",
        ),
        rule(
            "python-syntax",
            0.97,
            r"(?:^|[\s(])(?:syntaxerror|indentationerror|taberror): ",
        ),
        rule(
            "dagster",
            0.83,
            r"\bdagster(?:invariantviolation|invaliddefinition|invalidinvocation|subprocess"
            r"|pipesexecution|stepoutputnotfound|invalidsubset)error\b",
            r"\bdagster\._core\.definitions\.events\.failure\b",
            r"\bdagster\._check\.\w+\b",
            r"^checkerror: ",
            r"\bsensorexecutionerror\b",
            r"\bscheduleexecutionerror\b",
            r"\bdagsterresourcefunctionerror\b",
            r"\bhookexecutionerror\b",
        ),
        rule(
            "airflow",
            0.8,
            r"\bairflowfailexception\b",
            r"\bairflowdagcycleexception\b",
        ),
        rule(
            "broken-dag",
            0.8,
            r"\bbroken dag: ",
        ),
        rule(
            "snowpark",
            0.88,
            r"\b100357 \(",
            r"\bpython interpreter error\b",
            r"\bpython model failed with traceback\b",
            r"\b100351 \(",
            r"\b100132 \(p0000\): javascript execution error\b",
        ),
        rule(
            "spark-udf",
            0.86,
            r"\bpythonexception\b",
            r"\bpython_exception\b",
            r"\bfailed to execute user defined function\b",
            r"\budf_user_code_error\b",
        ),
        rule(
            "division",
            0.84,
            r"\bdivision by zero\b",
            r"\bdivide[ _]by[ _]zero\b",
            r"\bdivisionbyzero\b",
            sqlstate("22012"),
        ),
        rule(
            "crash",
            0.84,
            r"\bsegmentation fault\b",
            r"\bsigsegv\b",
            r"\bsignal 11\b",
            r"\bexit(?:ed)?(?: with)?(?: code)?:? (?:-11|139)\b",
            r"\bcore dumped\b",
            r"\bsigabrt\b",
        ),
        rule(
            "raised-in-sql",
            0.72,
            r"\binvalid input error: (?!merge)",
            r"\bp0001\b",
            r"\braiseexception\b",
            r"\buser_raised_exception\b",
        ),
        rule(
            "java",
            0.72,
            r"\b(?:nullpointerexception|classcastexception|illegalargumentexception"
            r"|illegalstateexception|indexoutofboundsexception|numberformatexception"
            r"|nosuchelementexception)\b",
        ),
        rule(
            "airbyte",
            0.62,
            r"\bsomething went wrong in the connector\b",
            r"\bsystem_error\b",
            r"\bexited with non-zero exit code [1-9]\b",
        ),
        rule(
            "internal",
            0.62,
            r"\binternalexception\b",
            r"^internal error: ",
            r"\bunhandled (?:error|exception)\b",
            r"\bthis is a bug\b",
            r"\bdatabase has been invalidated\b",
            r"\bresult_state failed\b",
        ),
        rule(
            "exception-line",
            0.6,
            rf"^{_NO_WRAPPER}(?:[\w-]{{1,80}}\.){{0,12}}\w{{2,80}}(?:error|exception)"
            rf"(?::(?= )|$){_SAYS_SOMETHING}",
            rf"(?:\berror - |\berror \| |\] ){_NO_WRAPPER}(?:[\w-]{{1,80}}\.){{0,12}}"
            rf"\w{{2,80}}(?:error|exception):(?= ){_SAYS_SOMETHING}",
            rf"\bexception:(?= \S){_SAYS_SOMETHING}",
            rf"^{_NO_WRAPPER}(?:[\w-]{{1,80}}\.){{0,10}}(?:exceptions|errors)\.\w{{2,80}}:(?= )"
            rf"{_SAYS_SOMETHING}",
            r"\braised an? (?:\w+ )?exception\b",
            r"\buncaught exception\b",
        ),
        rule(
            "traceback",
            0.55,
            r"\btraceback \(most recent call last\):?\s*\n[^\n]*\S",
        ),
        rule(
            "wrapper",
            0.5,
            r"\b(?:dagsterexecutionstepexecutionerror|dagsterexecution\w+error)\b",
            r"\berror occurred while executing op\b",
        ),
    ),
)
