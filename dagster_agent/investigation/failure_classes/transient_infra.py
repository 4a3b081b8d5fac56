"""The network, the service or the worker failed; the code and the data are not to blame.

Why it matters: the same run usually succeeds minutes later, so it is worth a bounded retry.
Here too: time-outs of statements and tasks, warehouses that are suspended or starting, rate limits
(HTTP 429), 5xx, lost heartbeats, pods that were evicted or preempted.
Not here: memory, disk and quota (`out_of_resources`), waiting for a lock (`concurrency_lock`), a
certificate or a host name that is configured wrongly (`config_env`), a log line that announces
a retry after which something else failed.
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

TRANSIENT_INFRA = failure_class(
    id="transient-infra",
    retryable=True,
    description=__doc__,
    rules=(
        rule(
            "connection-lost",
            0.95,
            r"\bconnection (?:was )?(?:aborted|reset|broken|dropped|interrupted|lost)\b",
            r"\b(?:connectionreseterror|connectionabortederror|brokenpipeerror"
            r"|remotedisconnected)\b",
            r"\b(?:broken ?pipe|econnreset|epipe|reset by peer|socket hang up)\b",
            r"\b(?:remote end closed connection|incompleteread|unexpected_?eof_while_reading)\b",
            r"\bconnection (?:is|was|has been|already|unexpectedly)(?: been)? (?:closed"
            r"|terminated)\b",
            r"\bserver (?:unexpectedly )?closed the connection\b",
            r"\bclosed the connection unexpectedly\b",
            r"\b(?:ssl syscall error|unexpected eof(?!, expected)|eof detected"
            r"|eof occurred in violation of protocol)\b",
            r"\b(?:server socket closed|upstream connect error|communications? link failure)\b",
            r"\b(?:lost connection to|server has gone away|session expired)\b",
            r"\bconnection to (?:the )?(?:server|host|client) (?:was )?(?:lost|closed)",
            r"\bterminating connection due to\b",
            r"\bora-0(?:3113|3114|3135|3136)\b",
            r"\bora-12(?:537|570|547)\b",
            r"\b(?:server terminated abnormally|channel is not open|no route to host)\b",
            r"\bconnection (?:forcibly )?closed by (?:remote|peer|the remote)",
        ),
        rule(
            "connection-refused",
            0.92,
            r"\bconnection ?refused\b",
            r"\b(?:econnrefused|newconnectionerror|endpointconnectionerror)\b",
            r"\bfailed to (?:establish|connect|open)[^\n]{0,60}(?:connection|to server|to host)\b",
            r"\bcould not connect to (?:server|the server|the endpoint|host|any|the database)",
            r"\bcould not establish (?:a )?connection\b",
            r"\b250001 \(08001\)[^\n]{0,40}could not connect\b",
            r"\bora-12(?:541|514|170|543)\b",
            r"\bis the server running on (?:that |the )?host\b",
            r"\bnetwork is unreachable\b",
            r"\b(?:can't|cannot|could not|unable to) (?:create|open|establish) (?:a )?connection\b",
        ),
        rule(
            "name-resolution",
            0.88,
            r"\btemporary failure in name resolution\b",
            r"\bnameresolutionerror\b",
            r"\bname or service not known\b",
            r"\b(?:eai_again|gaierror|getaddrinfo failed)\b",
            r"\bunknownhostexception\b",
            r"\bfailed to resolve ['\"]",
            r"\bno address associated with hostname\b",
        ),
        rule(
            "statement-timeout",
            0.95,
            r"\bcanceling statement due to (?:statement|user|idle|client) ?\w*(?: timeout"
            r"| request)?",
            r"\bstatement or warehouse timeout\b",
            r"\b000630 \(",
            r"\bstatement_?timeout\b(?! ?[=:])[^\n]{0,40}(?:exceeded|reached|cancel)",
            r"\bquery (?:execution )?(?:was )?(?:cancel+ed|aborted|killed)[^\n]{0,60}time",
            r"\b(?:query|statement|operation|job|execution|request)(?: has)? timed[ _-]?out\b",
            r"\bexceeded (?:the )?(?:maximum )?(?:execution |run ?|statement |query "
            r"|elapsed )?time(?: limit)?\b",
            r"\b(?:exceeded_time_limit|timeout_exceeded|query_execution_timeout\w*)\b",
            r"\bquerycancell?ed(?:error)?\b",
            r"\bora-01013\b",
            r"\bmaximum statement execution time exceeded\b",
            r"\bquery \([\w-]+\) cancelled on (?:user's request|system)",
            r"\b000604 \(57014\)",
        ),
        rule(
            "timeout",
            0.92,
            r"\b(?:read|connect|connection|socket|gateway|request|network|login|pool|http|rpc"
            r"|query)[ _-]?time(?:d[ _-]?out|out)\b(?! ?[=:] ?\d)(?! (?:is set|set to|parameter"
            r"|value|seconds))",
            r"\b(?:read|connect|pool|socket|login|sensor|asyncio\.|futures\.)?time(?:d)?out"
            r"(?:error|exception|expired)\b",
            r"\b(?:operation|connection|request|connect|read|write|attempt|call|process"
            r"|task) timed out\b",
            r"\btimed out (?:after|waiting|while|trying|during|because|due)\b",
            r"\b(?:never started|did not (?:start|complete|finish|respond) (?:with)?in)\b",
            r"\betimedout\b",
            r"\besockettimedout\b",
            r"\bdeadline ?_?exceeded\b",
            r"\bdeadline of [\d.]+s? exceeded\b",
            r"\btimeout of [\d.]+ ?m?s(?:ec\w*)? exceeded",
            r"\btimeout (?:expired|exceeded|reached|occurred|while|waiting|after|error)\b",
            r"^(?:[\w.]+: )?(?:the )?(?:\w+ )?timed out\.?$",
        ),
        rule(
            "task-timeout",
            0.93,
            r"\bairflow(?:task|sensor)timeout\b",
            r"\b(?:sensor has timed out|exceeded maximum runtime|longer than the timeout of)\b",
            r"\brun timed out due to taking longer\b",
            r"\bsubprocess\.timeoutexpired\b|\btask timed out after\b",
        ),
        rule(
            "unavailable",
            0.94,
            r"\b(?:502|503|504)(?: server error)?:? ?(?:bad gateway|service|gateway|temporarily"
            r"|backend)",
            r"\b(?:service|server|cluster|endpoint|backend|warehouse)(?: is)?(?: currently"
            r"| temporarily)? unavailable\b",
            r"\btemporarily[ _](?:unavailable|unable)\b",
            r"\b(?:bad gateway|serviceunavailable|backenderror)\b",
            r"\btoo many 50\d error responses\b|\breturned \[50[2-4]\b",
            r"\binternal ?server ?error\b",
            r"\b(?:http(?:/[\d.]+)?|status(?:[ _]?code)?|response(?:[ _]code)?|error|code)\W{1,4}"
            r"(?:50[0-4]|52[0-9])\b",
            r"\b50[0-4] (?:server error|internal|get|post|put|head)\b",
            r"\bstatuscode\.(?:unavailable|internal|unknown|aborted)\b",
            r"\bgrpc_status:14\b",
            r"\bdagsteruser ?code(?:unreachable|process)error\b",
            r"\bcould not reach user code server\b",
            r"\b(?:server_(?:starting_up|shutting_down)|no_nodes_available|remote_(?:host_gone"
            r"|task_error)|page_transport_\w+|too_many_requests_failed)\b",
            r"\bthe database system is (?:starting up|shutting down|in recovery)",
            r"\bnot currently available\b[^\n]{0,40}\b(?:re)?try\b",
            r"\bafter telling it to shut down\b",
            r"\bplease (?:try|retry) (?:again|your request)(?: later| in (?:a few|\d+))",
        ),
        rule(
            "rate-limit",
            0.95,
            r"\b429\b[^\n]{0,40}(?:too many|client error|rate|resource)",
            r"\btoo ?many ?requests\b",
            r"\b(?:http|status(?:[ _]?code)?|error|code)\W{1,4}429\b",
            r"\brate[ _-]?limit(?:s|ed|ing)?(?: has been| was| is)? ?(?:exceeded|reached|hit"
            r"|error)\b",
            r"\brate[ _-]limited\b",
            r"\b(?:hit|reached|exceed\w*)[^\n]{0,40}?\brate[ _-]limits?\b",
            r"\b(?:rate|job ?rate|userrate)limitexceeded\b",
            r"\b(?:exceeded rate limits|ratelimitexceeded|quota for rate)\b",
            r"\brate exceeded\b",
            r"\b(?:throttling(?:exception|error)?|throttled|slowdown|requestlimitexceeded)\b",
            r"\brequest_limit_exceeded\b",
            r"\bprovisionedthroughputexceeded\b",
            r"\bapi calls? per (?:second|minute|hour|day)\b",
        ),
        rule(
            "rate-quota",
            0.98,
            r"\bexceeded rate limits\b",
        ),
        rule(
            "max-retries",
            0.86,
            r"\bmax(?:imum)? retr(?:y|ies)(?: count)?(?: duration)? ?(?:exceeded|reached)\b",
            r"\bmaxretryerror\b",
            r"\bretry request would exceed\b",
            r"\bexceeded max(?:imum)? (?:number of )?retries\b",
            r"\bretryerror\b",
            r"\bretries exhausted\b",
            r"\bconnectionerror: \(",
        ),
        rule(
            "snowflake",
            0.94,
            r"\b(?:300002|300010)\b",
            r"\bprocessing aborted due to error \d",
            r"\bsql execution internal error\b",
            r"\bwarehouse [^\n]{0,120}?(?:was |is |has been )?suspended\b",
            r"\b0006[01]7 \(",
            r"\b(?:250003|250002|251008|290404|290503)\b",
            r"\bfailed to execute request\b",
            r"\bsession (?:no longer exists|is gone)\b|\b39011[12]\b",
        ),
        rule(
            "bigquery",
            0.94,
            r"\ban internal error occurred and the request could not be completed\b",
            r"\binternal error encountered\b",
            r"\bretrying the job may solve\b",
            r"\bretrydeadline",
            r"\bjob [^\n]{0,80} was cancelled by the system\b",
            r"\berror encountered during execution\. retrying may solve the problem\b",
        ),
        rule(
            "databricks",
            0.93,
            r"\b(?:spark driver has stopped unexpectedly|driverstoppedexception)\b",
            r"\bdriver(?: is)? (?:down|unreachable)\b|\bfailed to reach the driver\b",
            r"\bcluster [^\n]{0,80}?(?:was |is )?(?:terminated|terminating|restarting|not "
            r"(?:running|ready))\b",
            r"\b(?:execut(?:or|orlost)failure|lost executor|fetchfailedexception"
            r"|executor heartbeat timed out)\b",
            r"\bcluster_?(?:terminated|start_?failure|not_?ready)\b",
            r"\bspot (?:instance|vm) [^\n]{0,40}(?:terminat|preempt|reclaim)",
            r"\binvalid sessionhandle\b",
            r"\bsession handle [^\n]{0,120}(?:closed|not been initialized)",
            r"\bcould not be scheduled\b",
            r"\bcloud_provider_\w+",
            r"\bspark context[^\n]{0,40}(?:stopped|shut down)\b",
        ),
        rule(
            "worker-lost",
            0.92,
            r"\bzombie (?:job|task)|\bworkerlosterror\b",
            r"\bheartbeat (?:recovered|timed? ?out|timeout|has stopped|failed)",
            r"\b(?:no|missed|missing|lost|without a) heartbeats?\b",
            r"\bkilled externally\b|\bfinished \(\w+\) although the task says\b",
            r"\b(?:received|terminated by) (?:signal )?(?:sigterm|15)\b",
            r"\bsigterm\b[^\n]{0,40}terminat",
            r"\bexit(?:ed)?(?: with)?(?: return)?(?: (?:code|status))?:? (?:-15|143)\b",
            r"\bnegsignal\.sigterm\b",
            r"\b(?:preempt(?:ed|ion|ing)|spot interruption|node (?:was )?(?:not ready|lost"
            r"|shutdown|drained))\b",
            r"\b(?:pod|container|task|worker|run)\b[^\n]{0,60}\b(?:was )?evicted\b",
            r"\brun worker (?:failed|crashed|unexpectedly|is unhealthy)",
            r"\bpod [^\n]{0,80}(?:returned a failure|not found|was deleted)",
            r"\b(?:run has been|run was|marked as) (?:failed|canceled) from outside "
            r"(?:of )?the execution context\b",
            r"\bk8s job has no active pods\b",
            r"\bdetected run worker status\b",
            r"\badministratively_(?:killed|preempted)\b",
        ),
        rule(
            "stopped-outside",
            0.88,
            r"\bexternally set to (?:failed|skipped|none|removed)\b",
            r"\b(?:became (?:unusable|unhealthy)|is unusable since|driver is unhealthy)\b",
            r"\btcp/ip connection\b[^\n]{0,80}?failed",
            r"\btcp provider: ",
            r"\btook (?:longer than|too long)\b",
            r"\bpodlaunchfailed\w*",
            r"\bsql execution canceled\b",
            r"\bcancell?ed by (?:the )?(?:server|system)\b",
        ),
        rule(
            "airbyte",
            0.92,
            r"\b(?:heartbeat_timeout|the source is unresponsive)\b",
            r"\bdidn't send any records in the last\b",
            r"\btransient_error\b",
            r"\bairbyte could not track the sync\b",
            r"\btemporal\b[^\n]{0,60}(?:timeout|unavailable)",
        ),
        rule(
            "fivetran",
            0.87,
            r"\bsync (?:was |has been |is )?rescheduled\b",
            r"\brescheduled the sync\b",
            r"\"?sync_state\W+rescheduled\b",
        ),
        rule(
            "sqlstate",
            0.83,
            sqlstate("08[0-9a-z]{3}", "57p0[1-3]", "57014", "58030", "xx000", "hyt0[01]"),
        ),
        rule(
            "codes",
            0.92,
            clickhouse(159, 160, 203, 209, 210, 242, 279, 319, 425, 999),
            mysql(1053, 1152, 1158, 1159, 1160, 1161, 1317, 2002, 2003, 2006, 2013, 2055, 3024),
            mssql(64, 121, 233, 596, 4221, 6005, 10053, 10054, 10060, 40143, 40197, 40501, 40613),
        ),
        rule(
            "words",
            0.67,
            r"\b(?:transient|intermittent|temporary) (?:\w+ )?(?:error|failure|problem|issue)\b",
            r"\b(?:network|connection|connectivity|communication|i/o|ssl) (?:error|failure|problem"
            r"|issue)\b",
            r"\b(?:unable|failed|cannot|could not) (?:to )?(?:connect|reach|contact)\b",
            r"\b(?:connection|network|socket|server|host|endpoint|cluster|driver|node)\b"
            r"[^\n]{0,60}?\b(?:lost|dropped|disconnected|unreachable|interrupted|unhealthy"
            r"|unusable|failed)\b",
            r"\bserver ?disconnected(?:error)?\b|\bfailedtoconnecterror\b",
            r"\bcould not be submitted to infrastructure\b",
            r"\ban error occurred \(internal\w*\)|\binternal_error\b",
            r"\binternal error (?:occurred|encountered|\()",
            r"\bfailed to download\b|\btimed[ -]?out\b",
        ),
    ),
)
