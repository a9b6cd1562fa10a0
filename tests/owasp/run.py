#!/usr/bin/env python3
"""A service with the flaws that APIs are breached by, with and without portreeve in front.

The service trusts whoever asks: it hands out any object (OWASP API1:2023), lets anybody administer it
(API5), stores every property that it is sent and answers with all that it has (API3), and lists
everybody's records. Each flaw is first exploited against the service itself, which must succeed, and
then through the gate, which must not; what the caller needs must pass. Last line:
`owasp: N passed, N failed`.

    run.py PORTREEVE        the built program
"""
import gzip
import http.client
import http.server
import json
import pathlib
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "kinto"))
from service import Portreeve, wait_until  # noqa: E402

ADMIN = "robin"


def text(data_class=None):
    return {"type": "string", **({"x-data-class": data_class} if data_class else {})}


USER = {"type": "object", "properties": {
    "id": text(), "tenant": text(), "name": text(), "role": text(),
    "ssn": text("pii"), "diagnosis": text("phi"), "password_hash": text("secret")}}
ONE = {"200": {"description": "ok", "content": {"application/json": {"schema": USER}}}}
MANY = {"200": {"description": "ok", "content": {"application/json": {
    "schema": {"type": "array", "items": USER}}}}}
BY_ID = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
         for name in ("tenant", "id")]
DOCUMENT = {
    "openapi": "3.1.0", "info": {"title": "clinic", "version": "1"},
    "paths": {
        "/tenants/{tenant}/users": {
            "parameters": BY_ID[:1], "get": {"operationId": "listUsers", "responses": MANY}},
        "/tenants/{tenant}/users/{id}": {
            "parameters": BY_ID,
            "get": {"operationId": "getUser", "responses": ONE},
            "patch": {"operationId": "changeUser", "requestBody": {"content": {
                "application/json": {"schema": USER}}}, "responses": ONE},
            "delete": {"operationId": "removeUser", "tags": ["admin"],
                       "responses": {"204": {"description": "gone"}}}},
        "/users/{id}": {"parameters": BY_ID[1:], "get": {"operationId": "anyUser", "responses": ONE}},
    },
}


class Clinic:
    """The service: it checks nothing."""

    def __init__(self):
        users = self.users = {
            str(number): {"id": str(number), "tenant": tenant, "name": name, "role": "user",
                          "ssn": f"078-05-{number}", "diagnosis": "flu", "password_hash": "x"}
            for number, tenant, name in ((1, "acme", "Ann"), (2, "acme", "Art"), (3, "globex", "Gus"))}

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                length = int(self.headers.get("content-length", 0))
                body = self.rfile.read(length)
                method = self.headers.get("x-http-method-override", self.command)
                parts = self.path.split("?")[0].strip("/").split("/")
                user = users.get(parts[-1])
                if parts[-1] == "users":
                    self.reply(200, list(users.values()))
                elif user is None:
                    self.reply(404, {})
                elif method == "PATCH":
                    user.update(json.loads(body))
                    self.reply(200, user)
                elif method == "DELETE":
                    users.pop(user["id"])
                    self.reply(200, {})
                else:
                    self.reply(200, user)

            def reply(self, status, value):
                body = json.dumps(value).encode()
                packs = "gzip" in self.headers.get("accept-encoding", "")
                body = gzip.compress(body) if packs else body
                self.send_response(status)
                self.send_header("content-type", "application/json")
                if packs:
                    self.send_header("content-encoding", "gzip")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = "127.0.0.1:%d" % self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Scenario:
    """What the steps share, and the count of their checks."""

    def __init__(self, gate, clinic):
        self.gate, self.clinic, self.key = gate, clinic, None
        self.passed, self.failed = 0, 0

    def check(self, what, expected, actual):
        if expected == actual:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}: expected {expected!r}, got {actual!r}", flush=True)

    def send(self, address, method, target, body, fields):
        connection = http.client.HTTPConnection(*address.split(":"), timeout=10)
        payload = None if body is None else json.dumps(body)
        sent = {**({"content-type": "application/json"} if body is not None else {}), **fields}
        connection.request(method, target, payload, sent)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        if answer.getheader("content-encoding") == "gzip":
            content = gzip.decompress(content)
        return answer.status, json.loads(content or b"null")

    def direct(self, method, target, body=None, fields=None):
        return self.send(self.clinic.address, method, target, body, fields or {})

    def gated(self, method, target, body=None, fields=None):
        bearer = {"authorization": f"Bearer {self.key}"}
        address = self.gate.proxy.split("//")[1]
        return self.send(address, method, f"/clinic{target}", body, {**bearer, **(fields or {})})

    def refused(self, what, reason, answer):
        status, page = answer
        self.check(what, (403, reason), (status, (page or {}).get("reason")))


def protect(s, work):
    """Ann's application: it reads and renames the users of its own tenant."""
    document = work / "clinic.json"
    document.write_text(json.dumps(DOCUMENT))
    s.gate("api", "add", "clinic", "--path", "/clinic", "--upstream", f"http://{s.clinic.address}",
           "--openapi", document, "--mode", "enforce")
    who = s.gate("identity", "add", "app", "--kind", "service_account", "--owner", ADMIN)["id"]
    s.gate("identity", "attributes", who, "--set", "tenant=acme")
    s.key = s.gate("key", "issue", who, "--for", "30d")["key"]
    give = ("grant", "give", who, "--api", "clinic")
    path = ("--when", "path.tenant = identity.tenant")
    own = (*path, "--when", "response.tenant = identity.tenant")
    shown = ("--field", "no pii", "--field", "no phi", "--field", "no secret")
    s.gate(*give, "--can", "getUser", *own, *shown)
    s.gate(*give, "--can", "listUsers", *path, "--when", "response[].tenant = identity.tenant", *shown)
    s.gate(*give, "--can", "changeUser", *own, *shown, "--writes", "name")
    s.gate(*give, "--can", "anyUser", "--when", "response.tenant = identity.tenant", *shown)


def objects(s):
    """API1: Broken Object Level Authorization."""
    s.check("BOLA without", (200, "Gus"), name(s.direct("GET", "/tenants/globex/users/3")))
    s.check("BOLA by another path, without", (200, "Gus"), name(s.direct("GET", "/tenants/acme/users/3")))
    s.check("own object", (200, "Ann"), name(s.gated("GET", "/tenants/acme/users/1")))
    s.refused("another tenant's object", "object_not_allowed", s.gated("GET", "/tenants/globex/users/3"))
    withheld(s, "another tenant's object under the own tenant's path",
             s.gated("GET", "/tenants/acme/users/3"))
    s.check("own object, of a path that names no tenant", (200, "Art"), name(s.gated("GET", "/users/2")))
    withheld(s, "another's object, of a path that names no tenant", s.gated("GET", "/users/3"))


def functions(s):
    """API5: Broken Function Level Authorization."""
    s.direct("DELETE", "/tenants/acme/users/2")
    s.check("BFLA without", False, "2" in s.clinic.users)
    s.clinic.users["2"] = {**s.clinic.users["1"], "id": "2", "name": "Art"}
    s.refused("administration", "no_grant", s.gated("DELETE", "/tenants/acme/users/2"))
    override = {"x-http-method-override": "DELETE"}
    status, _ = s.gated("GET", "/tenants/acme/users/2", fields=override)
    s.check("administration by an override", 400, status)
    s.refused("an operation that nobody described", "unknown_operation", s.gated("POST", "/internal/reset"))
    s.check("nothing is gone", True, "2" in s.clinic.users)


def properties(s):
    """API3: Broken Object Property Level Authorization, both ways."""
    s.direct("PATCH", "/tenants/acme/users/2", {"role": "admin"})
    s.check("mass assignment without", "admin", s.clinic.users["2"]["role"])
    s.clinic.users["2"]["role"] = "user"
    for what, body in (("plain", {"name": "Al", "role": "admin"}),
                       ("in another case", {"name": "Al", "Role": "admin"})):
        answer = s.gated("PATCH", "/tenants/acme/users/2", body)
        s.refused(f"mass assignment {what}", "object_not_allowed", answer)
    s.check("the role stays", "user", s.clinic.users["2"]["role"])
    s.check("what may be written is", (200, "Al"),
            name(s.gated("PATCH", "/tenants/acme/users/2", {"name": "Al"})))
    s.check("excessive exposure without", True, "ssn" in s.direct("GET", "/tenants/acme/users/1")[1])
    for what, fields in (("plain", {}), ("packed", {"accept-encoding": "gzip"})):
        status, user = s.gated("GET", "/tenants/acme/users/1", fields=fields)
        s.check(f"what is shown, {what}", (200, ["id", "name", "role", "tenant"]), (status, sorted(user)))


def records(s):
    """Lists of everybody's records."""
    s.check("everybody's records without", 3, len(s.direct("GET", "/tenants/acme/users")[1]))
    status, users = s.gated("GET", "/tenants/acme/users")
    s.check("own records", (200, {"acme"}, 2), (status, {user["tenant"] for user in users}, len(users)))
    s.check("no class of data slips through", set(),
            {key for user in users for key in user} - {"id", "name", "role", "tenant"})


def prove(s):
    """What was removed and refused stands in the records; that it cannot be seen is proved."""
    def found():
        calls = s.gate("call", "search", "--since", "1h", "--limit", "1000")
        return calls if any(call["outcome"] == "withheld" for call in calls) else None
    calls = wait_until("records", 5, found)
    removed = {field for call in calls for field in call["fields_removed"]}
    s.check("what was removed is recorded", {"ssn", "diagnosis", "password_hash"},
            {field.split(".")[-1].removeprefix("[]") for field in removed}
            & {"ssn", "diagnosis", "password_hash"})
    proof = s.gate("policy", "prove", "--never-sees", "phi")
    s.check("nobody sees health data", True, proof["holds"])


def name(answer):
    status, user = answer
    return status, (user or {}).get("name")


def withheld(s, what, answer):
    s.check(what, (False, None), (answer[0] == 200, name(answer)[1]))


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="portreeve-owasp-") as folder:
        work = pathlib.Path(folder)
        clinic, gate = Clinic(), Portreeve(program, work, ADMIN)
        s = Scenario(gate, clinic)
        try:
            gate.serve()
            protect(s, work)
            for step in (objects, functions, properties, records, prove):
                step(s)
        except (RuntimeError, TimeoutError, KeyError, OSError, ValueError) as error:
            log = (work / "portreeve.log").read_text()[-2000:]
            print(f"FAILED {error!r}\n{log}", flush=True)
            s.failed += 1
        finally:
            gate.stop()
    print(f"owasp: {s.passed} passed, {s.failed} failed")
    return 1 if s.failed else 0


if __name__ == "__main__":
    sys.exit(main())
