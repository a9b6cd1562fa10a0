#!/usr/bin/env python3
"""nginx in front, asking portreeve with `auth_request` and forwarding by itself.

The configuration of nginx is the one in docs/howto/put-portreeve-behind-nginx.md, with the addresses
of this test. Each request is also asked about over the access API: both must say the same. Last line:
`nginx: N passed, N failed`.

    run.py PORTREEVE        the built program; needs nginx
"""
import http.client
import http.server
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kinto"))
from service import Portreeve, free_port, stop, wait_until  # noqa: E402

HOWTO = HERE.parent.parent / "docs/howto/put-portreeve-behind-nginx.md"
START_LIMIT = 20  # seconds
ADMIN = "robin"
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "orders", "version": "1"},
    "paths": {
        "/orders": {"get": {"operationId": "listOrders", "responses": {"200": {"description": "ok"}}},
                    "post": {"operationId": "createOrder", "responses": {"201": {"description": "ok"}}}},
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {"operationId": "getOrder", "responses": {"200": {"description": "ok"}}},
            "delete": {"operationId": "deleteOrder", "responses": {"204": {"description": "gone"}}}},
    },
}


class Upstream:
    """The service behind nginx: answers every request with what it was sent."""

    def __init__(self):
        seen = self.seen = []

        class Echo(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                fields = {name.lower(): value for name, value in self.headers.items()}
                seen.append((self.command, self.path, fields, body))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_GET = do_POST = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Nginx:
    """Debian's nginx with the configuration of the how-to page."""

    def __init__(self, work, gate, upstream):
        self.port = free_port()
        shown = re.search(r"```nginx\n(.*?)```", HOWTO.read_text(), re.S).group(1)
        for written, here in (("127.0.0.1:8443", gate), ("127.0.0.1:3000", upstream),
                              ("listen 8080", f"listen 127.0.0.1:{self.port}")):
            if written not in shown:
                raise RuntimeError(f"the how-to page has no {written}")
            shown = shown.replace(written, here)
        folders = "".join(f"{kind}_temp_path {work}/{kind};\n" for kind in
                          ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        config = work / "nginx.conf"
        config.write_text(f"daemon off;\nmaster_process off;\npid {work}/nginx.pid;\n"
                          f"error_log {work}/nginx.log;\nevents {{}}\n"
                          f"http {{\naccess_log off;\n{folders}{shown}}}\n")
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.log = open(work / "nginx.out", "wb")
        self.process = subprocess.Popen([program, "-c", config, "-e", work / "nginx.log"],
                                        stdout=self.log, stderr=self.log)
        wait_until("nginx", START_LIMIT, self._listens)

    def _listens(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"nginx ended with {self.process.returncode}")
        try:
            return self.ask("GET", "/", {})[0] > 0
        except OSError:
            return False

    def ask(self, method, target, fields, body=None):
        """One request whose target nobody tidies up: (status, fields)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in fields.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("content-length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}

    def stop(self):
        stop(self.process)
        self.log.close()


class Scenario:
    """What the steps share, and the count of their checks."""

    def __init__(self, gate, nginx, upstream):
        self.gate, self.nginx, self.upstream = gate, nginx, upstream
        self.passed, self.failed, self.asked = 0, 0, []
        self.identity, self.key, self.grant = None, None, None

    def check(self, what, expected, actual):
        if expected == actual:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}: expected {expected!r}, got {actual!r}", flush=True)

    def ask(self, method, target, fields, body=None):
        status, answer = self.nginx.ask(method, target, fields, body)
        self.asked.append(answer.get("portreeve-request-id"))
        return status, answer

    def bearer(self):
        return {"Authorization": f"Bearer {self.key}"}

    def decision(self, method, target):
        """What the access API says of the same request."""
        question = {"subject": {"type": "identity", "id": self.identity}, "action": {"name": method},
                    "resource": {"type": "route", "id": target}}
        request = urllib.request.Request(
            f"{self.gate.console}/access/v1/evaluation", json.dumps(question).encode(),
            {"Content-Type": "application/json", "Authorization": f"Bearer {self.gate.token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)["decision"]

    def both(self, method, target, status, body=None):
        """nginx and the access API agree."""
        self.check(f"{method} {target}", status, self.ask(method, target, self.bearer(), body)[0])
        self.check(f"decision on {method} {target}", status == 200, self.decision(method, target))


def protect(s, work):
    document = work / "orders.json"
    document.write_text(json.dumps(DOCUMENT))
    s.gate("api", "add", "orders", "--path", "/orders", "--upstream", f"http://{s.upstream.address}",
           "--openapi", document, "--mode", "enforce")
    added = s.gate("identity", "add", "caller", "--kind", "service_account", "--owner", ADMIN)
    s.identity = added["id"]
    s.key = s.gate("key", "issue", s.identity, "--for", "30d")["key"]
    can = "listOrders,getOrder,createOrder"
    s.grant = s.gate("grant", "give", s.identity, "--api", "orders", "--can", can)["id"]


def refuse(s):
    """What must not pass does not, and says what it can."""
    status, fields = s.ask("GET", "/orders/42", {})
    s.check("without a key", 401, status)
    s.check("the challenge", 'Bearer realm="orders"', fields.get("www-authenticate"))
    wrong = s.key[:-1] + ("0" if s.key[-1] != "0" else "1")
    s.check("with a wrong key", 401, s.ask("GET", "/orders/42", {"Authorization": f"Bearer {wrong}"})[0])
    s.both("DELETE", "/orders/42", 403)
    s.both("GET", "/orders/42/lines", 403)
    s.both("GET", "/elsewhere", 403)
    for target in ("/orders/../orders/42", "/orders//42", "/orders/%2e%2e/42"):
        s.check(f"raw {target}", 403, s.ask("GET", target, s.bearer())[0])
    lies = {"X-Original-Method": "GET", "X-Original-URI": "/orders", "X-Original-Host": "other"}
    s.check("who says itself what it asks for", 403, s.ask("DELETE", "/orders/42", {**s.bearer(), **lies})[0])
    told = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/orders"}
    s.check("who says it in another way", 403, s.ask("GET", "/orders/42", {**s.bearer(), **told})[0])
    s.check("the endpoint is not for callers", 404, s.nginx.ask("GET", "/-/authorize", s.bearer())[0])
    s.check("nothing has reached the service", [], s.upstream.seen)


def allow(s):
    """What is granted passes, with the caller's identity and without its key."""
    forged = {**s.bearer(), "Portreeve-Identity": "root", "X-Api-Key-Hint": "x"}
    status, fields = s.ask("GET", "/orders/42?verbose=1", forged)
    s.check("granted", 200, status)
    method, path, sent, _ = s.upstream.seen[-1]
    s.check("the service is asked for", ("GET", "/orders/42?verbose=1"), (method, path))
    s.check("the service is told who calls", s.identity, sent.get("portreeve-identity"))
    s.check("the service gets no key", None, sent.get("authorization"))
    s.check("caller and service are told one id", fields.get("portreeve-request-id"),
            sent.get("portreeve-request-id"))
    s.both("GET", "/orders", 200)
    s.both("POST", "/orders", 200, b'{"id": 1}')
    s.check("the body arrives", b'{"id": 1}', s.upstream.seen[-1][3])
    s.check("by the other header", 200, s.ask("GET", "/orders/42", {"X-API-Key": s.key})[0])


def revoke(s):
    """From the next request on it is refused."""
    reached = len(s.upstream.seen)
    s.gate("grant", "revoke", s.grant, "--reason", "test")
    s.both("GET", "/orders/42", 403)
    s.check("nothing more has reached the service", reached, len(s.upstream.seen))


def prove(s):
    """Each request left exactly one record, which names its grant if it passed."""
    def found():
        calls = s.gate("call", "search", "--since", "1h")
        return calls if len(calls) >= len(s.asked) else None
    calls = [call for call in wait_until("records", 5, found) if call["path"] != "/"]
    s.check("one record for each request", sorted(s.asked), sorted(call["request_id"] for call in calls))
    passed = [call for call in calls if call["outcome"] == "allowed"]
    s.check("permitted", len(s.upstream.seen), len(passed))
    s.check("by the grant", {(s.grant,)}, {tuple(call["grant_ids"]) for call in passed})


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="portreeve-nginx-") as folder:
        work = pathlib.Path(folder)
        upstream = Upstream()
        gate, nginx, s = Portreeve(program, work, ADMIN), None, None
        try:
            written = gate.config.read_text()
            gate.config.write_text(f'trusted-proxies = ["127.0.0.1"]\n{written}\n'
                                   '[ext-auth]\ntrusted = ["127.0.0.1"]\n')
            gate.serve()
            nginx = Nginx(work, gate.proxy.split("//")[1], upstream.address)
            s = Scenario(gate, nginx, upstream)
            protect(s, work)
            for step in (refuse, allow, revoke, prove):
                step(s)
        except (RuntimeError, TimeoutError, KeyError, OSError) as error:
            logs = "".join((work / log).read_text()[-2000:] for log in ("portreeve.log", "nginx.log")
                           if (work / log).exists())
            print(f"FAILED {error!r}\n{logs}", flush=True)
            s = s or Scenario(gate, nginx, upstream)
            s.failed += 1
        finally:
            if nginx:
                nginx.stop()
            gate.stop()
    print(f"nginx: {s.passed} passed, {s.failed} failed")
    return 1 if s.failed else 0


if __name__ == "__main__":
    sys.exit(main())
