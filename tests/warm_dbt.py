"""The command `dbt` for tests, without the five seconds that its start takes.

A process imports dbt, parses a tiny project (dbt writes code for its own classes as it goes), and
forks for each command. So every command is dbt's own command line in a process of its own, with the
caller's folder, variables and streams. `executable()` is the path of a script to run like `dbt`.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

REAL = str(Path(sys.executable).with_name("dbt"))
_TINY = {
    "dbt_project.yml": "name: tiny\nprofile: tiny\n",
    "profiles.yml": "tiny: {target: dev, outputs: {dev: {type: duckdb, path: tiny.duckdb}}}\n",
    "models/a.sql": "select 1 as id\n",
    "models/a.yml": "models: [{name: a, columns: [{name: id, data_tests: [unique]}]}]\n",
}
_CLIENT = """#!{python} -IS
import json, os, signal, socket, sys

server = socket.socket(socket.AF_UNIX)
try:
    server.connect({address!r})
except OSError:
    os.execv({real!r}, [{real!r}, *sys.argv[1:]])
request = {{"args": sys.argv[1:], "folder": os.getcwd(), "environment": dict(os.environ)}}
socket.send_fds(server, [b"x"], [0, 1, 2])
stream = server.makefile("rw")
print(json.dumps(request), file=stream, flush=True)
process = int(stream.readline())
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os.kill(process, number))
sys.exit(int(stream.readline() or 1))
"""


@cache
def executable() -> str:
    """Path of the script; the process behind it ends with this one."""
    folder = Path(tempfile.mkdtemp(prefix="warm-dbt-"))
    address = str(folder / "socket")
    client = folder / "dbt"
    client.write_text(_CLIENT.format(python=sys.executable, address=address, real=REAL))
    client.chmod(0o700)
    said = folder / "log"
    with said.open("w") as log:
        serving = subprocess.Popen(
            [sys.executable, "-P", __file__, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
        )
    assert serving.stdout is not None
    assert serving.stdout.readline() == b"ready\n", said.read_text()
    _SERVING.append(serving)
    return str(client)


_SERVING: list[subprocess.Popen[bytes]] = []


def end() -> None:
    """Stop serving; for the end of the tests."""
    for serving in _SERVING:
        serving.communicate()  # closes its input, at which it ends
        shutil.rmtree(Path(executable()).parent, ignore_errors=True)


def run(root: Path, *args: str, check: bool = True) -> str:
    """Run a command on the project in `root`, which has its own profiles; what dbt printed."""
    done = subprocess.run(
        [executable(), *args, "--profiles-dir", "."],
        cwd=root,
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout


def _serve(folder: Path) -> None:
    _warm_up(folder / "tiny")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the forks
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(folder / "socket"))
    listening.listen()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if os.fork() == 0:
        sys.stdin.read()  # the parent closes it, or is gone
        os.kill(os.getppid(), signal.SIGKILL)
        os._exit(0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _command(connection)
        connection.close()


def _warm_up(tiny: Path) -> None:
    from dbt.cli.main import dbtRunner

    for name, text in _TINY.items():
        (tiny / name).parent.mkdir(parents=True, exist_ok=True)
        (tiny / name).write_text(text)
    where = ["--project-dir", str(tiny), "--profiles-dir", str(tiny)]
    # its static parser starts threads; a fork has none of them, and would wait for them for ever
    where += ["--no-static-parser", "--no-send-anonymous-usage-stats"]
    runner: Any = dbtRunner()
    for _ in range(2):  # the second time it reads what it has parsed
        done = runner.invoke(["--quiet", "parse", *where])
        assert done.success, done.exception
    assert len(list(Path("/proc/self/task").glob("*"))) <= 1


def _command(connection: socket.socket) -> None:
    """In a fork: have a command run in another, and tell of its end when its locks are gone."""
    _, streams, _, _ = socket.recv_fds(connection, 1, 3)
    stream = connection.makefile("rw")
    request: dict[str, Any] = json.loads(stream.readline())
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    process = os.fork()
    if process == 0:
        _become(request, streams)
    print(process, file=stream, flush=True)
    _, status = os.waitpid(process, 0)
    print(os.waitstatus_to_exitcode(status), file=stream, flush=True)
    os._exit(0)


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Leaves as any command does, so that what it has opened is closed."""
    from dbt.cli.main import cli

    for number, own in enumerate(streams):
        os.dup2(own, number)
        os.close(own)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    sys.argv = ["dbt", *request["args"]]
    cli(request["args"], prog_name="dbt")
    sys.exit()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
