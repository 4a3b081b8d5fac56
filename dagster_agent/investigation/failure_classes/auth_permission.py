"""Somebody may not: who is calling is not known, or may not do this.

Why it matters: a credential expired or a grant is missing; no retry and no code change helps.
Here too: credentials that cannot be found, addresses that are not allowed, locked users.
Not here: Snowflake's "does not exist or not authorized" (`missing_relation`), a profile or
variable that is not set (`config_env`), an idle session that expired (`transient_infra`).
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

AUTH_PERMISSION = failure_class(
    id="auth-permission",
    retryable=False,
    description=__doc__,
    rules=(
        rule(
            "denied",
            0.96,
            r"\b(?:permission|access|authori[sz]ation|privilege)s?[ _]?denied\b"
            r"(?! for database file)",
            r"\baccessdenied(?:exception|error)?\b",
            r"\bpermissionerror\b",
            r"\beacces\b",
            r"\binsufficient[ _]?(?:privileges?|permissions?|access|scopes?"
            r"|authenticationscopes)\b",
            r"\binsufficientprivilege\b",
            r"\bmust be (?:owner|superuser|a superuser)\b",
            r"\bnot the owner of\b",
            r"\b(?:does not|doesn't|do not|don't) have (?:the )?(?:\w+[. ]){0,4}?[`\"']?"
            r"[\w. ]{0,40}[`\"']? ?(?:permissions?|privileges?|access|rights?|authori[sz]ation)\b",
            r"\b(?:does not|doesn't) have (?:use|select|modify|create|usage|manage|execute|read"
            r"|write|owner)\w*\b",
            r"\b(?:is|are) not authori[sz]ed to (?:perform|access|use|assume|execute|view|query)",
            r"\bnot authori[sz]ed\b(?<!exist or not authorized)(?<!exist or not authorised)",
            r"\bunauthori[sz]ed(?:_access|operation|exception|error)?\b",
            r"\bora-01031\b",
            r"\bora-41900\b",
            r"\brequires? (?:the )?[\w. ]{0,60}(?:permission|privilege)s?\b",
            r"\b(?:no|missing|lacks?|without) (?:\w+ ){0,2}(?:permissions?|privileges?)\b",
            r"\bpermission [`'\"]?[\w.]{1,80}[`'\"]? denied\b",
            r"\baccess_denied\b",
            r"\bcommand denied to user\b",
            r"\b(?:permissions?|privileges?) (?:are|is) required\b",
        ),
        rule(
            "codes",
            0.93,
            clickhouse(192, 193, 194, 497, 516),
            mysql(1044, 1045, 1142, 1143, 1227, 1370, 1698, 1820),
            mssql(229, 230, 262, 297, 300, 916, 4060, 15247, 18452, 18456, 40532, 40615),
        ),
        rule(
            "http",
            0.95,
            r"\b40[13] client error\b",
            r"\b40[13] (?:unauthorized|forbidden|access denied|permission)",
            r"\b(?:http(?:/[\d.]+)?|status(?:[ _]?code)?|response(?:[ _]code)?|error"
            r"|code)\W{1,4}40[13]\b(?![^\n]{0,60}(?:rate ?limit|quota))",
            r"\bforbidden\b(?!_)",
        ),
        rule(
            "login",
            0.97,
            r"\b(?:password )?authentication(?: \w+)? (?:failed|failure|error|exception)\b",
            r"\bauthenticationfailed\b",
            r"\bauthenticationexception\b",
            r"\bauthenticationerror\b",
            r"\bfailed to (?:authenticate|login|log in|authorize)\b",
            r"\blogin failed\b",
            r"\bcould not authenticate\b",
            r"\b(?:incorrect|invalid|wrong|bad) (?:username|user ?name|user|login)(?: or |/"
            r"| and )password\b",
            r"\binvalid (?:password|credentials?|api[ _-]?key|access[ _-]?token|access key|client"
            r"(?: secret|_secret)?|token\b|jwt|oauth)",
            r"\binvalidpassword\b",
            r"\binvalidauthorizationspecification\b",
            r"\binvalidcredentials\w*",
            r"\baccess denied for user\b",
            r"\bora-01017\b",
            r"\bora-28000\b",
            r"\bora-28001\b",
            r"\bno pg_hba\.conf entry\b",
            r"\bfatal: role \"[^\"\n]{1,80}\" does not exist",
            r"\bcredentials? (?:are |is |were |was |have |has )?(?:been )?(?:invalid|expired"
            r"|incorrect|rejected|revoked|not valid)\b",
            r"\buser [^\n]{0,80}(?:temporarily |is )?locked\b",
            r"\baccount (?:is |has been )?(?:locked|disabled)\b",
            r"\brole [^\n]{1,120}? (?:specified in the connect string|is not granted to"
            r"|does not exist or not authorized)",
            r"\b(?:39010[0-9]|390144|390189|390318|394300|250001 \(08001\)[^\n]{0,80}incorrect)\b",
        ),
        rule(
            "token",
            0.96,
            r"\b(?:access |refresh |auth\w* |session |security |bearer |personal access |jwt |id "
            r"|api )?token(?: \w+){0,3} (?:has |have |is |was |been )*(?:expired|invalid|revoked"
            r"|not valid)\b",
            r"\bexpiredtoken(?:exception)?\b",
            r"\bexpired[ _](?:access[ _])?token\b",
            r"\btoken_expired\b",
            r"\bjwt token is invalid\b",
            r"\binvalid_grant\b",
            r"\binvalid_client\b",
            r"\binvalid_token\b",
            r"\brefresherror\b",
            r"\binvalidclienttokenid\b",
            r"\bsignaturedoesnotmatch\b",
            r"\bunrecognizedclientexception\b",
            r"\binvalidaccesskeyid\b",
            r"\binvalid_session_id\b",
            r"\bauthfailure\b",
            r"\bsecurity token included in the request\b",
            r"\bmust authenticate again\b",
            r"\bre-?authenticat(?:e|ion)\b",
            r"\bre-?authori[sz](?:e|ation)\b",
            r"\breconnect (?:your|the) (?:account|connector|connection)\b",
        ),
        rule(
            "no-credentials",
            0.92,
            r"\bnocredentialserror\b",
            r"\bunable to locate credentials\b",
            r"\bpartialcredentialserror\b",
            r"\bdefaultcredentialserror\b",
            r"\b(?:default|application) credentials (?:were|was) not found\b",
            r"\bcould not automatically determine credentials\b",
            r"\bcould not load credentials\b",
            r"\bno credentials (?:found|provided|available)\b",
            r"\bcredential unavailable\b",
            r"\bcredentialunavailableerror\b",
        ),
        rule(
            "network-policy",
            0.95,
            r"\bis not allowed to access\b",
            r"\bnot allowed to access snowflake\b",
            r"\bip [^\n]{0,60}(?:not|isn't) (?:allowed|whitelisted|in)\b",
            r"\bnetwork policy\b",
            r"\bblocked by (?:vpc|network|firewall|ip)\b",
            r"\bvpc service controls\b",
            r"\bip access list\b",
            r"\brequest is prohibited by organization's policy\b",
        ),
        rule(
            "not-authorize",
            0.87,
            r"\b(?:do|does) not authori[sz]e\b",
            r"\brole [^\n]{1,160} is not (?:associated|attached|assigned)\b",
        ),
        rule(
            "azure",
            0.93,
            r"\baadsts\d+",
            r"\bvalidating (?:access |oauth )?token\b",
            r"\bclientauthenticationerror\b",
            r"\bdefaultazurecredential failed\b",
        ),
        rule(
            "ssh",
            0.94,
            r"\bpermission denied \(publickey",
            r"\bhost key verification failed\b",
            r"\bcorrect access rights\b",
            r"\bcould not read (?:username|password) for\b",
        ),
        rule(
            "bigquery",
            0.95,
            r"\baccess denied: (?:project|dataset|table|view|bigquery)",
            r"\baccessdenied\b",
        ),
        rule(
            "sqlstate",
            0.84,
            sqlstate("42501", "28000", "28p01", "28[0-9a-z]{3}", "42502"),
        ),
        rule(
            "words",
            0.69,
            r"\b(?:permission|privilege|access|scope|authori[sz]ation|credential|authentication"
            r"|password|secret)s?(?:\(s\))?\b[^\n]{0,60}?\b(?:denied|expired|invalid|insufficient"
            r"|revoked|failed|rejected)\b",
            r"\b(?:permission|privilege|scope|credential|authentication|grant)s?\b[^\n]{0,30}?\b"
            r"(?:missing|required|not granted)\b",
            r"\b(?:insufficient|invalid|expired|incorrect|failed)\b[^\n]{0,40}?\b(?:permission"
            r"|privilege|credential|authentication|password|scope)",
            r"\b(?:hasn't|not|has not) been granted\b",
            r"\b\w{2,40}authentication(?:error|failed|exception)\b",
            r"\b(?:permission|authentication|authori[sz]ation|credentials?|login) (?:error|issue"
            r"|problem|failure)\b",
        ),
    ),
)
