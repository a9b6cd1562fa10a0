#!/usr/bin/env python3
"""Protects a real service with portreeve, from its published description to the evidence of a review.

Kinto is a storage service written by others. Its Swagger document is imported, three identities
get keys and different grants, real requests go through the gate, a review removes one grant under
load, and the evidence of it is verified and then tampered with. Last line: `kinto: N passed, N failed`.

    run.py PORTREEVE        the built program; needs the packages in requirements.txt
"""
import http.client
import pathlib
import sys
import tempfile
import time

import requests

from load import Caller, stop_all
from service import Kinto, Portreeve, wait_until

RECORDS = "/v1/buckets/shop/collections/orders/records"
ADMIN = "robin"      # owns and reviews
WRITER = "get_records,get_record,create_record,update_record,patch_record"
USAGE_LIMIT = 5      # seconds until a call must be visible
COMPLETE_LIMIT = 30  # seconds until a signed review must be complete
REVIEW = f"""
[[review]]
name = "kinto"
fallback = "{ADMIN}"
days = 14

[review.of]
apis = ["kinto"]
"""


class Scenario:
    """What the steps share, and the count of their checks."""

    def __init__(self, work, gate, kinto):
        self.work, self.gate, self.kinto = work, gate, kinto
        self.passed, self.failed = 0, 0
        self.identity, self.key, self.grant = {}, {}, {}

    def check(self, what, expected, actual):
        if expected == actual:
            self.passed += 1
            return
        self.failed += 1
        print(f"FAILED {what}: expected {expected!r}, got {actual!r}", flush=True)

    def call(self, who, method, path, **body):
        """One request through the gate: (status, reason or None)."""
        headers = {"Authorization": f"Bearer {self.key[who]}"} if who else {}
        answer = requests.request(method, self.gate.proxy + path, headers=headers, timeout=10, **body)
        problem = answer.headers.get("content-type", "").startswith("application/problem+json")
        return answer.status_code, answer.json().get("reason") if problem else None

    def allowed(self, who, method, path, status, **body):
        self.check(f"{who} {method} {path}", (status, None), self.call(who, method, path, **body))

    def refused(self, who, method, path, status, reason, **body):
        self.check(f"{who} {method} {path}", (status, reason), self.call(who, method, path, **body))


def protect(s):
    """One command turns the published description into a protected API."""
    s.gate("api", "add", "kinto", "--path", "/v1", "--upstream", s.kinto.url,
           "--openapi", f"{s.kinto.url}/v1/__api__", "--impact", "high", "--mode", "enforce")
    operations = {op["id"]: op for op in s.gate("api", "show", "kinto")["operations"]}
    s.check("operations are named as Kinto names them", True,
            {"get_records", "create_record", "delete_bucket", "batch"} <= operations.keys())
    s.check("templates carry the base path", "/v1/buckets/{bucket_id}/collections",
            operations["get_collections"]["path"])


def give_access(s):
    for name, can in (("reader", "read"), ("writer", WRITER), ("admin-tool", "all")):
        added = s.gate("identity", "add", name, "--kind", "service_account", "--owner", ADMIN,
                       "--environment", "production", "--purpose", "Kinto scenario")
        s.identity[name] = added["id"]
        s.key[name] = s.gate("key", "issue", added["id"], "--for", "30d")["key"]
        given = s.gate("grant", "give", added["id"], "--api", "kinto", "--can", can)
        s.grant[name] = given["id"]


def refuse(s):
    """What must not pass does not, before anything else is tried."""
    s.refused(None, "GET", RECORDS, 401, "no_credential")
    s.key["stranger"] = s.key["reader"][:-1] + ("0" if s.key["reader"][-1] != "0" else "1")
    s.refused("stranger", "GET", RECORDS, 401, "invalid_credential")
    s.refused("reader", "PUT", "/v1/buckets/shop", 403, "no_grant")
    s.refused("writer", "DELETE", "/v1/buckets/shop", 403, "no_grant")
    s.refused("writer", "POST", "/v1/batch", 403, "no_grant", json={"requests": []})
    s.refused("admin-tool", "GET", "/v1/nothing/here", 403, "unknown_operation")
    s.refused("reader", "GET", "/elsewhere", 404, "unknown_api")
    for target in ("/v1/buckets/../buckets", "/v1/buckets/%2e%2e/buckets", "/v1//buckets"):
        s.check(f"raw {target}", 400, raw_status(s, target))


def raw_status(s, target):
    """Status of a request whose target no client library has tidied up."""
    connection = http.client.HTTPConnection(s.gate.proxy.split("//")[1], timeout=10)
    connection.putrequest("GET", target, skip_accept_encoding=True)
    connection.putheader("Authorization", f"Bearer {s.key['reader']}")
    connection.endheaders()
    status = connection.getresponse().status
    connection.close()
    return status


def use(s):
    """Creates, reads, lists, updates and deletes, by those who may."""
    s.allowed("admin-tool", "PUT", "/v1/buckets/shop", 201)
    s.allowed("admin-tool", "PUT", "/v1/buckets/shop/collections/orders", 201)
    for number in range(5):
        s.allowed("writer", "POST", RECORDS, 201, json={"data": {"id": f"order-{number}", "total": number}})
    s.allowed("writer", "PATCH", f"{RECORDS}/order-1", 200, json={"data": {"total": 10}})
    s.allowed("reader", "GET", f"{RECORDS}/order-1", 200)
    s.allowed("reader", "GET", RECORDS, 200)
    s.allowed("admin-tool", "DELETE", f"{RECORDS}/order-4", 200)
    s.refused("reader", "DELETE", f"{RECORDS}/order-1", 403, "no_grant")
    direct = requests.get(f"{s.kinto.url}{RECORDS}", timeout=10).json()["data"]
    through = requests.get(f"{s.gate.proxy}{RECORDS}", timeout=10,
                           headers={"Authorization": f"Bearer {s.key['reader']}"}).json()["data"]
    s.check("the gate changes nothing in an answer", direct, through)
    s.check("Kinto holds what was written", 4, len(direct))


def see_usage(s):
    """Calls are visible within seconds, with the grant that let them pass."""
    def of(name):
        return s.gate("call", "search", "--since", "1h", "--identity", s.identity[name])
    calls = wait_until("calls of the writer", USAGE_LIMIT, lambda: len(of("writer")) >= 8 and of("writer"))
    passed = [call for call in calls if call["outcome"] == "allowed"]
    s.check("allowed calls of the writer", 6, len(passed))
    s.check("each names the grant that let it pass", {(s.grant["writer"],)},
            {tuple(call["grant_ids"]) for call in passed})
    s.check("refused ones name none", {()},
            {tuple(call["grant_ids"]) for call in calls if call["outcome"] == "refused"})


def review(s):
    """The reader's grant is removed by a signed review while all three are calling."""
    started = s.gate("review", "start", "kinto")
    items = {item["grant_id"]: item for item in s.gate("review", "items", started["id"])}
    s.check("the review covers exactly the three grants", set(s.grant.values()), set(items))
    for name in s.grant:
        verdict = "remove" if name == "reader" else "keep"
        s.gate("review", "decide", items[s.grant[name]]["id"], verdict, "--note", f"{verdict} {name}")
    s.allowed("reader", "GET", RECORDS, 200)  # a draft changes nothing

    url = s.gate.proxy + RECORDS
    callers = {name: Caller(name, url, s.key[name]) for name in s.grant}
    for caller in callers.values():
        caller.start()
    wait_until("load", 20, lambda: all(len(caller.answers) > 50 for caller in callers.values()))
    s.gate("review", "sign", started["id"])
    acknowledged = time.monotonic()
    wait_until("load after the sign-off", 20,
               lambda: all(len(c.sent_after(acknowledged)) > 50 for c in callers.values()))
    stop_all(callers.values())
    judge_load(s, callers, acknowledged)
    wait_until("completion", COMPLETE_LIMIT, lambda: s.gate("review", "status", started["id"])["state"]
               in ("COMPLETED", "SEALED"))
    return started["id"]


def judge_load(s, callers, acknowledged):
    reader = callers.pop("reader")
    before = [status for sent, status in reader.answers if sent <= acknowledged]
    after = reader.sent_after(acknowledged)
    s.check("the reader was let through before", True, before.count(200) > 50)
    s.check("allowed after the acknowledged removal", 0, sum(status < 400 for status in after))
    s.check("refused as 403 after it", {403}, set(after))
    for caller in callers.values():
        failures = [status for _, status in caller.answers if status != 200]
        s.check(f"failures of {caller.name}", [], failures)
    total = sum(len(caller.answers) for caller in (reader, *callers.values()))
    print(f"load: {total} requests, {len(after)} of the reader after the removal, none let through"
          if not any(status < 400 for status in after) else "load: let through after the removal")


def prove(s, campaign):
    """The evidence holds, and one flipped byte anywhere in it does not."""
    bundle = s.work / "evidence.json"
    s.gate("evidence", "build", campaign, "-o", bundle)
    code, out, err = s.gate.run("evidence", "verify", bundle)
    s.check(f"evidence verifies ({out} {err})", 0, code)
    whole = bundle.read_bytes()
    for part in (1, 3, 5, 7):
        at = next(i for i in range(len(whole) * part // 8, len(whole)) if chr(whole[i]).isalnum())
        tampered = s.work / "tampered.json"
        tampered.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        s.check(f"evidence with byte {at} flipped", 1, s.gate.run("evidence", "verify", tampered)[0])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="portreeve-kinto-") as folder:
        work = pathlib.Path(folder)
        kinto = Kinto(work)
        gate = Portreeve(program, work, ADMIN)
        s = Scenario(work, gate, kinto)
        try:
            gate.configure(REVIEW)
            gate.serve()
            for step in (protect, give_access, refuse, use, see_usage):
                step(s)
            prove(s, review(s))
        except (RuntimeError, TimeoutError, KeyError) as error:
            s.failed += 1
            print(f"FAILED {error!r}\n{(work / 'portreeve.log').read_text()[-2000:]}", flush=True)
        finally:
            gate.stop()
            kinto.stop()
    print(f"kinto: {s.passed} passed, {s.failed} failed")
    return 1 if s.failed else 0


if __name__ == "__main__":
    sys.exit(main())
