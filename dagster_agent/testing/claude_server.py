"""`serve`: a `ScriptedClaude` behind a local address, for runs that make a client of their own."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dagster_agent.testing.scripted_claude import ScriptedClaude


@contextmanager
def serve(claude: ScriptedClaude) -> Generator[str]:
    """Serve the script on this machine until the block ends.

    Set `claude.base_url` to the address, and ANTHROPIC_API_KEY to any text.

    Args:
        claude: Answers, one request after the other.

    Yields:
        The address, `http://127.0.0.1:<port>`.
    """
    import httpx2

    transport = claude.transport()
    one_at_a_time = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            request = httpx2.Request(
                "POST",
                f"http://fake.invalid{self.path}",
                headers=dict(self.headers.items()),
                content=self.rfile.read(length),
            )
            with one_at_a_time:
                answer = transport.handle_request(request)
            body = answer.read()
            self.send_response(answer.status_code)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as inherited
            """Say nothing on standard error."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
