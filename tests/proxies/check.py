"""Runs a proxy with exactly the configuration that the documentation gives, before a real Tollgate and a small application.

    unshare --net python3 check.py TOLLGATE DOCS PROXY

TOLLGATE is the program, DOCS the directory with the configurations, PROXY one of nginx, caddy, haproxy, apache. The
configurations name fixed ports, so this runs in a network of its own. Prints a line per case; exits with 1 when one fails.
"""

import http.client
import http.server
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOLLGATE, DOCS, PROXY = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), sys.argv[3]
ORIGIN = "https://shop.example"

failures = []


def check(what, seen, expected):
    good = seen == expected
    print(f"{'ok  ' if good else 'FAIL'} {PROXY}: {what}" + ("" if good else f": {seen!r}, not {expected!r}"), flush=True)
    if not good:
        failures.append(what)


class Application(http.server.BaseHTTPRequestHandler):
    """Answers with what it was asked and told."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        told = {name.lower(): value for name, value in self.headers.items()}
        body = json.dumps({"path": self.path, "told": told}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_OPTIONS = do_POST = do_GET

    def log_message(self, *_):
        pass


def wait_for(port):
    deadline = time.monotonic() + 30
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(f"nothing listens on port {port}")
            time.sleep(0.02)  # nothing can be awaited: another program begins to listen


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    def told(self, name):
        return json.loads(self.body)["told"].get(name)


def ask(path, headers=(), method="GET", connection=None):
    connection = connection or http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
    connection.request(method, path, headers=dict(headers))
    return Answer(connection.getresponse())


def command(*arguments):
    done = subprocess.run([TOLLGATE, *arguments, "--json"], check=True, capture_output=True, text=True)
    return json.loads(done.stdout)


def api(method, path, key, body=None):
    connection = http.client.HTTPConnection("127.0.0.1", 8787, timeout=30)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status >= 300:
        sys.exit(f"{method} {path}: {response.status} {answer}")
    return answer["data"]


def start_proxy(scratch):
    if PROXY == "nginx":
        settings = f"daemon off; pid {scratch}/nginx.pid; error_log stderr error;"
        arguments = ["nginx", "-c", str(DOCS / "nginx.conf"), "-g", settings]
    elif PROXY == "caddy":
        arguments = ["caddy", "run", "--adapter", "caddyfile", "--config", str(DOCS / "Caddyfile")]
    elif PROXY == "haproxy":
        arguments = ["haproxy", "-db", "-f", "haproxy.cfg"]
    elif PROXY == "apache":
        arguments = ["apache2", "-d", ".", "-f", "apache.conf", "-D", "FOREGROUND"]
    else:
        sys.exit(f"no such proxy: {PROXY}")
    if shutil.which(arguments[0]) is None:
        sys.exit(f"{arguments[0]} isn't installed")
    environment = {**os.environ, "HOME": scratch, "XDG_CONFIG_HOME": scratch, "XDG_DATA_HOME": scratch}
    return subprocess.Popen(arguments, cwd=DOCS, env=environment)


def revoked_while_traffic_flows(key, token):
    """Several clients ask without a pause; what begins after the revocation was answered must be refused."""
    revoked_at, stop = [], threading.Event()
    late, before = [], [0]

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=30)
        while not stop.is_set():
            began = bool(revoked_at)
            answer = ask("/api/things", {"Tollgate-Client-Token": token["token"]}, connection=connection)
            if began:
                late.append(answer.status)
                if len(late) >= 400:
                    stop.set()
            elif answer.status == 200:
                before[0] += 1

    clients = [threading.Thread(target=client) for _ in range(8)]
    for thread in clients:
        thread.start()
    while before[0] < 200:
        time.sleep(0.005)  # until traffic flows
    api("PATCH", f"/client-tokens/{token['id']}", key, {"status": "revoked"})
    revoked_at.append(time.monotonic())
    for thread in clients:
        thread.join()
    check(f"{before[0]} passed before the revocation; of {len(late)} begun after it, none", set(late), {401})


def main():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    scratch = tempfile.mkdtemp(prefix="tollgate-proxies-")
    processes = []
    try:
        application = http.server.ThreadingHTTPServer(("127.0.0.1", 3000), Application)
        threading.Thread(target=application.serve_forever, daemon=True).start()

        data = ["--data-dir", f"{scratch}/data"]
        workspace = command("workspace", "create", *data, "--name", "Shop", "--environment", "sandbox")
        key = command(
            "key", "create", *data, "--workspace", workspace["id"], "--name", "Checks",
            "--permission", "client_token.read", "--permission", "client_token.write",
        )["secret"]
        # Many requests come from one address here.
        tollgate = subprocess.Popen([TOLLGATE, "serve", *data, "--requests-per-minute", "0"], stdout=subprocess.DEVNULL)
        processes.append(tollgate)
        wait_for(8787)
        proxy = start_proxy(scratch)
        processes.append(proxy)
        wait_for(8080)

        def token(name, restrictions=None):
            return api("POST", "/tollgate/client-tokens", key, {"name": name, "restrictions": restrictions})

        plain = token("Plain")
        narrow = token("Only for the shop", {"allowed_origins": [ORIGIN]})
        reports = token("Reports", {"scopes": ["reports"]})
        things = token("Things", {"scopes": ["things"]})
        near = token("From this machine", {"allowed_networks": ["127.0.0.0/8"]})
        far = token("From elsewhere", {"allowed_networks": ["192.0.2.0/24"]})
        twice = token("Twice a day", {"rate_limit": {"requests": 2, "period_seconds": 86400}})

        def with_token(of, **headers):
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return {"Tollgate-Client-Token": of["token"], **named}

        answer = ask("/")
        check("what needs no token passes without one", answer.status, 200)
        answer = ask("/", {"Tollgate-Token-Id": "forged", "Tollgate-Workspace-Id": "forged"})
        check("there, nobody can pretend to have one", answer.told("tollgate-token-id") or "", "")

        answer = ask("/api/things?x=1", with_token(plain, Tollgate_Token_Id="forged"))
        check("a good token passes", answer.status, 200)
        check("the application is told whose it is", answer.told("tollgate-token-id"), plain["id"])
        check("and the workspace", answer.told("tollgate-workspace-id"), workspace["id"])
        check("and the environment", answer.told("tollgate-environment"), "sandbox")
        check("a POST passes with it, too", ask("/api/things", with_token(plain), "POST").status, 200)
        check("as a bearer", ask("/api/", {"Authorization": f"Bearer {plain['token']}"}).status, 200)
        check("as the compatible header", ask("/api/", {"Paddle-Clienttoken": plain["token"]}).status, 200)
        check("in the query", ask(f"/api/?client_token={plain['token']}").status, 200)
        check("a preflight passes without one", ask("/api/things", {"Origin": ORIGIN}, "OPTIONS").status, 200)

        for spelling in ["/%61pi/things", "//api/things", "/x/../api/things", "/./api/things", "/api/./reports/../things"]:
            check(f"{spelling} is no way around", ask(spelling).status in (400, 401), True)
        answer = ask("/api/reports/../reports/1", with_token(things))
        check("nor around a scope", answer.status in (400, 403), True)

        answer = ask("/api/things")
        check("without a token nobody passes", answer.status, 401)
        check("and is told how to present one", "Bearer" in answer.headers.get("www-authenticate", ""), True)
        answer = ask("/api/things", {"Tollgate-Client-Token": plain["token"][:-1] + "~"})
        check("what is no token is refused", answer.status, 401)
        check("with a code", answer.headers.get("tollgate-denial"), "client_token_malformed")

        check("its own origin passes", ask("/api/", with_token(narrow, Origin=ORIGIN)).status, 200)
        answer = ask("/api/", with_token(narrow, Origin="https://shop.example.evil.test"))
        check("another origin is refused", answer.status, 403)
        check("with a code", answer.headers.get("tollgate-denial"), "origin_not_allowed")
        check("so is no origin at all", ask("/api/", with_token(narrow)).status, 403)

        check("a scope in the client's own query is none", ask("/api/reports/1?scope=things", with_token(things)).status, 403)
        check("the route's scope passes", ask("/api/reports/1", with_token(reports)).status, 200)
        check("a missing scope is refused there", ask("/api/reports/1", with_token(things)).status, 403)
        check("and passes where none is asked for", ask("/api/things", with_token(things)).status, 200)
        check("a token without scopes passes everywhere", ask("/api/reports/1", with_token(plain)).status, 200)

        check("its own network passes", ask("/api/", with_token(near)).status, 200)
        forged = with_token(far, X_Forwarded_For="192.0.2.7")
        check("another network can't be pretended", ask("/api/", forged).status, 403)

        limited = [ask("/api/", with_token(twice)).status for _ in range(3)]
        check("a rate limit refuses the third", limited, [200, 200, 403 if PROXY == "nginx" else 429])

        revoked_while_traffic_flows(key, plain)

        tollgate.send_signal(signal.SIGKILL)
        tollgate.wait()
        check("without Tollgate nobody passes", ask("/api/", with_token(reports)).status >= 500, True)
        check("what needs no token still passes", ask("/").status, 200)
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
        shutil.rmtree(scratch, ignore_errors=True)
    sys.exit(1 if failures else 0)


main()
