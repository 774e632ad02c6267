"""The official Python SDK, unchanged, against a running Tollgate: what an integrator does, and what must be refused.

TOLLGATE_URL          base URL of the server; its rate limit must be off, for this makes over 200 requests in a second or two
TOLLGATE_KEY          API key with all permissions, of a sandbox workspace without client tokens
TOLLGATE_KEY_TOKENS   API key with client_token.read and client_token.write only
TOLLGATE_KEY_READ     API key with client_token.read only
TOLLGATE_KEY_REVOKED  API key that was revoked

Prints `ok …` for each step and stops at the first that fails, with exit code 1.
"""

import os
import re
import sys
import traceback
from datetime import timedelta

from paddle_billing import Client, Options
from paddle_billing.Entities.ClientToken import ClientToken
from paddle_billing.Entities.ClientTokens import ClientTokenStatus
from paddle_billing.Entities.Events import EventTypeName
from paddle_billing.Exceptions.ApiError import ApiError
from paddle_billing.Notifications.Entities.ApiKey import ApiKey as ApiKeyInEvent
from paddle_billing.Notifications.Entities.ClientToken import ClientToken as ClientTokenInEvent
from paddle_billing.Resources.ClientTokens.Operations import CreateClientToken, ListClientTokens, UpdateClientToken
from paddle_billing.Resources.Events.Operations import ListEvents
from paddle_billing.Resources.Shared.Operations import Pager
from paddle_billing.Resources.Shared.Operations.List.OrderBy import OrderBy

ACTIVE, REVOKED = ClientTokenStatus.Active, ClientTokenStatus.Revoked
UNKNOWN_ID = "ctkn_01h00000000000000000000000"
TOTAL = 120


def env(name):
    return os.environ.get(name) or sys.exit(f"{name} is not set")


class Environment:
    """The SDK knows two environments; all it asks of one is its base URL."""

    base_url = env("TOLLGATE_URL")


def connect(key):
    return Client(key, options=Options(environment=Environment()))


full = connect(env("TOLLGATE_KEY"))
tokens_only = connect(env("TOLLGATE_KEY_TOKENS"))
read_only = connect(env("TOLLGATE_KEY_READ"))
revoked_key = connect(env("TOLLGATE_KEY_REVOKED"))

made = []  # what was made, oldest first, as the server answered at creation
revoked = None  # the token that was revoked, as the server answered then


def step(sentence):
    """Runs the function at once, as one step of the journey."""

    def run(body):
        try:
            body()
        except Exception as error:
            traceback.print_exc()
            # The SDK's errors hold the server's code and fields, which say more than a stack does.
            sys.exit(f"FAILED {sentence}\n{error!r}")
        print(f"ok {sentence}", flush=True)

    return run


def equal(actual, expected, what=""):
    if actual != expected:
        raise AssertionError(f"{what}: {actual!r} is not {expected!r}")


def matches(pattern, text):
    if not re.fullmatch(pattern, text):
        raise AssertionError(f"{text!r} does not match {pattern}")


def newest_first(tokens):
    return list(reversed(tokens))


def pages(size=50, order=None, after=None):
    return Pager(after=after, order_by=order or OrderBy.id_descending(), per_page=size)


def pagination(client):
    """`meta.pagination` of the last list that was asked for; the SDK keeps only a part of it."""
    return client.client_tokens.response.json()["meta"]["pagination"]


def refused(code, request, fields=None):
    """Expects a refusal with this code; `fields`, where given, are the fields that the server complains of."""
    try:
        request()
    except ApiError as error:
        equal(error.error_code, code, error.detail)
        equal(error.error_type, "request_error")
        assert error.detail, "an error says what is wrong"
        assert error.docs_url.endswith(f"/errors/shared/{code}"), error.docs_url
        equal([one.field for one in error.field_errors], fields or [], "fields")
        assert all(one.error for one in error.field_errors), "each field's error says what is wrong"
        return error
    raise AssertionError(f"expected {code}, but the request went through")


@step("a workspace begins without client tokens")
def _():
    equal(list(full.client_tokens.list()), [])
    equal(pagination(full)["has_more"], False)
    equal(pagination(full)["estimated_total"], 0)


@step("a client token is created from a name alone")
def _():
    token = full.client_tokens.create(CreateClientToken(name="Web shop"))
    assert isinstance(token, ClientToken)
    matches(r"ctkn_[a-z\d]{26}", token.id)
    matches(r"test_[a-zA-Z0-9]{27}", token.token)
    equal(token.name, "Web shop")
    equal(token.description, None)
    equal(token.status, ACTIVE)
    equal(token.created_at.utcoffset(), timedelta(0))
    equal(token.updated_at, token.created_at)
    equal(token.revoked_at, None)
    made.append(token)


@step("a client token is created with a description, both in any script")
def _():
    # The SDK escapes all that is not ASCII, so these arrive as \u…, in pairs beyond the basic plane.
    name = 'Boutique d’été: 夏の店 🛍️ "q" \\ <b>'
    description = "Première ligne\nВторая строка\t€"
    token = full.client_tokens.create(CreateClientToken(name=name, description=description))
    equal(token.name, name)
    equal(token.description, description)
    made.append(token)


@step("a description of null is none")
def _():
    token = full.client_tokens.create(CreateClientToken(name="Null", description=None))
    equal(token.description, None)
    made.append(token)


@step("lengths are counted in characters: 150 of a name and 500 of a description fit")
def _():
    token = full.client_tokens.create(CreateClientToken(name="🔑" * 150, description="🔑" * 500))
    equal(token.name, "🔑" * 150)
    equal(token.description, "🔑" * 500)
    made.append(token)


@step("a key with the two client-token permissions creates tokens")
def _():
    while len(made) < TOTAL:
        made.append(tokens_only.client_tokens.create(CreateClientToken(name=f"Token {len(made) + 1}")))


@step("a client token is fetched as it was created")
def _():
    for token in made[:4]:
        equal(read_only.client_tokens.get(token.id), token)


@step("120 tokens are iterated over pages of 50, newest first, none twice")
def _():
    tokens = read_only.client_tokens.list(ListClientTokens(pager=pages(50)))
    equal(pagination(read_only)["estimated_total"], TOTAL)
    equal(list(tokens), newest_first(made))
    for key in ("id", "token", "name"):
        equal(len({getattr(token, key) for token in made}), TOTAL, key)


@step("pages hold 50, 50 and 20")
def _():
    page = full.client_tokens.list(ListClientTokens(pager=pages(50)))
    equal((len(page.items), page.paginator.has_more), (50, True))
    page = page.paginator.next_page()
    equal((len(page.items), page.paginator.has_more), (50, True))
    page = page.paginator.next_page()
    equal((len(page.items), page.paginator.has_more), (20, False))


@step("tokens are listed oldest first, and after one of them")
def _():
    ascending = OrderBy.id_ascending()
    equal(list(full.client_tokens.list(ListClientTokens(pager=pages(7, ascending)))), made)
    later = full.client_tokens.list(ListClientTokens(pager=pages(50, ascending, made[99].id)))
    equal(list(later), made[100:])
    earlier = full.client_tokens.list(ListClientTokens(pager=pages(50, after=made[99].id)))
    equal(list(earlier), newest_first(made[:99]))


@step("a page holds 50, newest first, unless asked, and more than the limit is taken as the limit")
def _():
    equal(full.client_tokens.list().items, newest_first(made)[:50])
    equal(len(full.client_tokens.list(ListClientTokens(pager=pages(5000))).items), TOTAL)
    equal(pagination(full)["per_page"], 200)


@step("a client token is revoked")
def _():
    global revoked
    before = made[10]
    revoked = tokens_only.client_tokens.revoke(before.id)
    equal(revoked.status, REVOKED)
    equal(revoked.revoked_at, revoked.updated_at)
    assert revoked.revoked_at >= before.created_at
    for key in ("id", "token", "name", "description", "created_at"):
        equal(getattr(revoked, key), getattr(before, key), key)
    equal(full.client_tokens.get(before.id), revoked)


@step("revoking again changes nothing")
def _():
    equal(full.client_tokens.revoke(revoked.id), revoked)
    equal(full.client_tokens.get(revoked.id), revoked)


@step("setting the status that a token has changes nothing")
def _():
    equal(full.client_tokens.update(made[0].id, UpdateClientToken(status=ACTIVE)), made[0])
    equal(full.client_tokens.get(made[0].id), made[0])


@step("a revoked token stays revoked")
def _():
    refused("invalid_field", lambda: full.client_tokens.update(revoked.id, UpdateClientToken(status=ACTIVE)), ["status"])
    equal(full.client_tokens.get(revoked.id), revoked)


@step("lists hide revoked tokens unless asked for them")
def _():
    active = newest_first([token for token in made if token.id != revoked.id])
    both = newest_first([revoked if token.id == revoked.id else token for token in made])
    for statuses, expected in (([], active), ([ACTIVE], active), ([REVOKED], [revoked]), ([ACTIVE, REVOKED], both)):
        tokens = full.client_tokens.list(ListClientTokens(pager=pages(), statuses=statuses))
        equal(pagination(full)["estimated_total"], len(expected))
        equal(list(tokens), expected)


@step("a key does only what it may")
def _():
    refused("forbidden", lambda: read_only.client_tokens.create(CreateClientToken(name="No")))
    refused("forbidden", lambda: read_only.client_tokens.revoke(made[0].id))
    refused("forbidden", lambda: tokens_only.events.list())
    refused("forbidden", lambda: tokens_only.get_raw("/api-keys"))  # the SDK has no resource for API keys


@step("a bad key and a revoked key are refused")
def _():
    well_formed = f"pdl_sdbx_apikey_01h00000000000000000000000_{'a' * 22}_aaa"
    for key in ("nonsense", well_formed, env("TOLLGATE_KEY") + "x"):
        refused("invalid_token", lambda: connect(key).client_tokens.list())
    refused("invalid_token", lambda: revoked_key.client_tokens.list())
    refused("invalid_token", lambda: revoked_key.client_tokens.create(CreateClientToken(name="No")))


@step("a bad body is refused, and the field is named")
def _():
    def create(fields, **body):
        refused("bad_request", lambda: full.client_tokens.create(CreateClientToken(**body)), fields)

    create(["name"], name="")
    create(["name"], name="n" * 151)
    create(["name"], name=None)
    create(["name"], name=5)
    create(["description"], name="n", description="d" * 501)
    create(["description"], name="n", description="")
    # A dictionary that says nothing would be sent as no body at all; an operation that says nothing is sent as {}.
    refused("bad_request", lambda: full.client_tokens.update(made[0].id, UpdateClientToken()), ["(root)"])
    gone = UpdateClientToken(status=ClientTokenStatus("gone"))
    refused("bad_request", lambda: full.client_tokens.update(made[0].id, gone), ["status"])


@step("a bad query is refused, and the parameter is named")
def _():
    def listing(fields, pager=None, statuses=None):
        refused("bad_request", lambda: full.client_tokens.list(ListClientTokens(pager, statuses)), fields)

    listing(["per_page"], pages(0))
    listing(["order_by"], pages(50, OrderBy("name", "asc")))
    listing(["after"], pages(50, after="nonsense"))
    listing(["status"], statuses=[ClientTokenStatus("gone")])


@step("an unknown id and a malformed id are told apart")
def _():
    unknown = refused("not_found", lambda: full.client_tokens.get(UNKNOWN_ID))
    equal(unknown.detail, f"Client token {UNKNOWN_ID} not found.")
    refused("not_found", lambda: full.client_tokens.revoke(UNKNOWN_ID))
    refused("bad_request", lambda: full.client_tokens.get("nonsense"), ["client_token_id"])
    refused("invalid_url", lambda: full.client_tokens.get(""))  # the SDK asks for /client-tokens/, which is no list


def facts(token):
    """Tokens in resources and tokens in events have different classes with the same fields."""
    return {key: str(value) for key, value in vars(token).items()}


@step("events tell each change once, in order, with the token as it was then")
def _():
    types = [EventTypeName.ClientTokenCreated, EventTypeName.ClientTokenUpdated, EventTypeName.ClientTokenRevoked]
    events = list(full.events.list(ListEvents(pager=pages(50, OrderBy.id_ascending()), event_types=types)))
    expected = [(types[0], token) for token in made] + [(types[1], revoked), (types[2], revoked)]
    equal([str(event.event_type) for event in events], [str(name) for name, _ in expected])
    for event, (_, token) in zip(events, expected):
        matches(r"evt_[a-z\d]{26}", event.event_id)
        equal(event.occurred_at.utcoffset(), timedelta(0))
        assert isinstance(event.data, ClientTokenInEvent), event
        equal(facts(event.data), facts(token))
    equal(len({event.event_id for event in events}), len(events))
    for event in events[-2:]:
        equal(event.occurred_at, revoked.revoked_at)


@step("events are filtered by type, newest first")
def _():
    for name, count in (("created", TOTAL), ("updated", 1), ("revoked", 1)):
        kind = EventTypeName(f"client_token.{name}")
        events = list(full.events.list(ListEvents(pager=pages(), event_types=[kind])))
        equal(len(events), count, name)
        ids = [event.event_id for event in events]
        equal(ids, sorted(ids, reverse=True))
        assert all(event.event_type == kind for event in events), name


@step("events of API keys show no secret")
def _():
    created, gone = EventTypeName.ApiKeyCreated, EventTypeName.ApiKeyRevoked
    events = list(full.events.list(ListEvents(pager=pages(), event_types=[created, gone])))
    assert all(isinstance(event.data, ApiKeyInEvent) for event in events), "the SDK could not read an event"
    assert any(event.event_type == created for event in events), "no key was created"
    assert any(event.event_type == gone and event.data.status == "revoked" for event in events), "no key was revoked"
    for event in events:
        matches(r"apikey_[a-z\d]{26}", event.data.id)
        matches(r"pdl_sdbx_apikey_[a-z\d]{10}\*{4}", event.data.key)


@step("event types are listed for any key")
def _():
    types = {str(kind.name): kind for kind in read_only.event_types.list()}
    for name in ("created", "updated", "revoked"):
        kind = types[f"client_token.{name}"]
        equal(kind.description, f"Occurs when a client token is {name}.")
        equal(kind.group, "Client Token")
        equal(kind.available_versions, [1])
    for name in ("created", "updated", "expiring", "expired", "revoked"):
        equal(types[f"api_key.{name}"].group, "API Key")


@step("API keys are listed oldest first without their secrets, and a key may always get itself")
def _():
    listed = full.get_raw("/api-keys").json()["data"]
    ids = [key["id"] for key in listed]
    equal(ids, sorted(ids))
    by_id = {key["id"]: key for key in listed}
    permissions = {}
    for client, name in ((full, "TOLLGATE_KEY"), (tokens_only, "TOLLGATE_KEY_TOKENS"), (read_only, "TOLLGATE_KEY_READ")):
        secret = env(name)
        key_id = "apikey_" + secret.split("_")[3]
        equal(by_id[key_id]["key"], secret[:26] + "****", name)
        permissions[name] = client.get_raw(f"/api-keys/{key_id}").json()["data"]["permissions"]
    equal(sorted(permissions["TOLLGATE_KEY_TOKENS"]), ["client_token.read", "client_token.write"])
    equal(permissions["TOLLGATE_KEY_READ"], ["client_token.read"])


@step("what was refused left nothing behind")
def _():
    tokens = full.client_tokens.list(ListClientTokens(pager=pages(), statuses=[ACTIVE, REVOKED]))
    equal(len(list(tokens)), TOTAL)
