"""A webhook receiver as the official Python SDK has it, unchanged.

Listens on a free port and prints {"port": …}. A line {"secret": …} on standard input sets the secret, and is answered with
{"secret_is_set": true}. Each request is checked: what holds is answered with 200, what doesn't with 401; a line tells what was
found. It ends with its standard input.
"""

import hashlib
import hmac
import json
import logging
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

from paddle_billing.Entities.Event import Event
from paddle_billing.Notifications import Secret, Verifier

logging.disable(logging.CRITICAL)
secret = None
saying = threading.Lock()


def say(value):
    with saying:
        print(json.dumps(value), flush=True)


def holds(body, header, key=None):
    request = SimpleNamespace(body=body, headers={"Paddle-Signature": header})
    return Verifier().verify(request, Secret(key or secret))


def signed(body, age):
    """As the server signs, but `age` seconds ago."""
    ts = int(time.time()) - age
    h1 = hmac.new(secret.encode(), f"{ts}:".encode() + body, hashlib.sha256).hexdigest()
    return f"ts={ts};h1={h1}"


def look(body, header):
    if not holds(body, header):
        return {"accepted": False}
    event = Event.from_dict(json.loads(body))
    return {
        "accepted": True,
        "event_type": event.event_type.value,
        "event_id": event.event_id,
        "subject": event.data.id,
        "kind": type(event.data).__name__ if event.event_type.is_known() else "unknown",
        "refuses_tampered": not holds(body.replace(b'"event_id"', b'"event_ID"'), header),
        "accepts_five_seconds": holds(body, signed(body, 4)),
        "refuses_older": not holds(body, signed(body, 7)),
        "refuses_another_secret": not holds(body, header, secret + "x"),
    }


class Receiver(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # keeps connections

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        found = look(body, self.headers["Paddle-Signature"])
        self.send_response(200 if found["accepted"] else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()
        say(found)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
say({"port": server.server_address[1]})
for line in sys.stdin:
    secret = json.loads(line)["secret"]
    say({"secret_is_set": True})
os._exit(0)
