// The official Node SDK, unchanged, against a running Tollgate: what an integrator does, and what must be refused.
//
// TOLLGATE_URL            base URL of the server; its rate limit must be off, for this makes over 200 requests in a second or two
// TOLLGATE_KEY            API key with all permissions, of a sandbox workspace without client tokens
// TOLLGATE_KEY_TOKENS     API key with client_token.read and client_token.write only
// TOLLGATE_KEY_READ       API key with client_token.read only
// TOLLGATE_KEY_REVOKED    API key that was revoked
// TOLLGATE_TEST_NODE_MODULES  the node_modules folder that holds the SDK
//
// Prints `ok …` for each step and stops at the first that fails, with exit code 1.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const env = (name) => process.env[name] || stop(`${name} is not set`);
const url = env('TOLLGATE_URL');
const sdk = createRequire(`${env('TOLLGATE_TEST_NODE_MODULES')}/`)('@paddle/paddle-node-sdk');

const connect = (key, customHeaders) => new sdk.Paddle(key, { environment: url, logLevel: 'none', customHeaders });
const full = connect(env('TOLLGATE_KEY'));
const tokensOnly = connect(env('TOLLGATE_KEY_TOKENS'));
const readOnly = connect(env('TOLLGATE_KEY_READ'));
const revokedKey = connect(env('TOLLGATE_KEY_REVOKED'));

const TOKEN_ID = /^ctkn_[a-z\d]{26}$/;
const EVENT_ID = /^evt_[a-z\d]{26}$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const UNKNOWN_ID = 'ctkn_01h00000000000000000000000';
const TOTAL = 120;

// Debian 12 has Node 18, which lacks toReversed() and toSorted().
const reversed = (list) => [...list].reverse();
const sorted = (list) => [...list].sort();

function stop(reason) {
  console.error(reason);
  process.exit(1);
}

async function step(sentence, body) {
  try {
    await body();
  } catch (error) {
    // The SDK's errors hold the server's code and fields, which say more than a stack does.
    const answer = error instanceof sdk.ApiError ? `\n${JSON.stringify({ ...error })}` : '';
    stop(`FAILED ${sentence}\n${error.stack}${answer}`);
  }
  console.log(`ok ${sentence}`);
}

async function all(collection) {
  const items = [];
  for await (const item of collection) items.push(item);
  return items;
}

/** Expects a refusal with this code; `fields`, where given, are the fields that the server complains of. */
async function refused(code, request, fields) {
  const error = await request().then(
    () => assert.fail(`expected ${code}, but the request went through`),
    (error) => error,
  );
  if (!(error instanceof sdk.ApiError)) throw error;
  assert.equal(error.code, code, error.detail);
  assert.equal(error.type, 'request_error');
  assert.ok(error.detail.length > 0);
  assert.ok(error.documentationUrl.endsWith(`/errors/shared/${code}`), error.documentationUrl);
  if (fields) {
    assert.deepEqual(error.errors.map((one) => one.field), fields);
    for (const one of error.errors) assert.ok(one.message.length > 0);
  } else {
    assert.equal(error.errors, null);
  }
  return error;
}

/** The SDK has no resource for API keys, so these requests are made by hand, with the header as the SDK writes it. */
async function apiKeys(key, path = '') {
  const response = await fetch(`${url}/api-keys${path}`, {
    headers: { Authorization: `bearer ${key}`, 'Content-Type': 'application/json' },
  });
  return { status: response.status, body: await response.json() };
}

// What was made, oldest first, as the server answered at creation.
const made = [];
let revoked;

await step('a workspace begins without client tokens', async () => {
  const tokens = full.clientTokens.list();
  assert.deepEqual(await all(tokens), []);
  assert.equal(tokens.hasMore, false);
  assert.equal(tokens.estimatedTotal, 0);
});

await step('a client token is created from a name alone', async () => {
  const token = await full.clientTokens.create({ name: 'Web shop' });
  assert.equal(token.constructor.name, 'ClientToken'); // the SDK does not export this class
  assert.match(token.id, TOKEN_ID);
  assert.match(token.token, /^test_[a-zA-Z0-9]{27}$/);
  assert.equal(token.name, 'Web shop');
  assert.equal(token.description, null);
  assert.equal(token.status, 'active');
  assert.match(token.createdAt, TIMESTAMP);
  assert.equal(token.updatedAt, token.createdAt);
  assert.equal(token.revokedAt, null);
  made.push(token);
});

await step('a client token is created with a description, both in any script', async () => {
  const name = 'Boutique d’été: 夏の店 🛍️ "q" \\ <b>';
  const description = 'Première ligne\nВторая строка\t€';
  const token = await full.clientTokens.create({ name, description });
  assert.equal(token.name, name);
  assert.equal(token.description, description);
  made.push(token);
});

await step('a description of null is none', async () => {
  const token = await full.clientTokens.create({ name: 'Null', description: null });
  assert.equal(token.description, null);
  made.push(token);
});

await step('lengths are counted in characters: 150 of a name and 500 of a description fit', async () => {
  const token = await full.clientTokens.create({ name: '🔑'.repeat(150), description: '🔑'.repeat(500) });
  assert.equal(token.name, '🔑'.repeat(150));
  assert.equal(token.description, '🔑'.repeat(500));
  made.push(token);
});

await step('a key with the two client-token permissions creates tokens', async () => {
  while (made.length < TOTAL) made.push(await tokensOnly.clientTokens.create({ name: `Token ${made.length + 1}` }));
});

await step('a client token is fetched as it was created', async () => {
  for (const token of made.slice(0, 4)) assert.deepEqual(await readOnly.clientTokens.get(token.id), token);
});

await step('120 tokens are iterated over pages of 50, newest first, none twice', async () => {
  const tokens = readOnly.clientTokens.list({ perPage: 50 });
  assert.deepEqual(await all(tokens), reversed(made));
  assert.equal(tokens.estimatedTotal, TOTAL);
  for (const key of ['id', 'token', 'name']) assert.equal(new Set(made.map((token) => token[key])).size, TOTAL, key);
});

await step('pages hold 50, 50 and 20, and each tells the total', async () => {
  const tokens = full.clientTokens.list({ perPage: 50 });
  for (const [length, more] of [[50, true], [50, true], [20, false]]) {
    assert.equal((await tokens.next()).length, length);
    assert.equal(tokens.hasMore, more);
    assert.equal(tokens.estimatedTotal, TOTAL);
  }
});

await step('tokens are listed oldest first, and after one of them', async () => {
  assert.deepEqual(await all(full.clientTokens.list({ orderBy: 'id[ASC]', perPage: 7 })), made);
  const later = await all(full.clientTokens.list({ orderBy: 'id[ASC]', after: made[99].id }));
  assert.deepEqual(later, made.slice(100));
  const earlier = await all(full.clientTokens.list({ after: made[99].id }));
  assert.deepEqual(earlier, reversed(made.slice(0, 99)));
});

await step('a page holds 50 unless asked, and more than the limit is taken as the limit', async () => {
  assert.equal((await full.clientTokens.list().next()).length, 50);
  assert.equal((await full.clientTokens.list({ perPage: 5000 }).next()).length, TOTAL);
});

await step('the total is not counted for those who skip it', async () => {
  const tokens = connect(env('TOLLGATE_KEY'), { 'Skip-Count': 'true' }).clientTokens.list({ perPage: 50 });
  assert.equal((await all(tokens)).length, TOTAL);
  assert.equal(tokens.estimatedTotal, -1);
});

await step('a client token is revoked', async () => {
  const before = made[10];
  revoked = await tokensOnly.clientTokens.revoke(before.id);
  assert.match(revoked.revokedAt, TIMESTAMP);
  assert.ok(revoked.revokedAt >= before.createdAt);
  assert.deepEqual({ ...revoked }, { ...before, status: 'revoked', updatedAt: revoked.revokedAt, revokedAt: revoked.revokedAt });
  assert.deepEqual(await full.clientTokens.get(before.id), revoked);
});

await step('revoking again changes nothing', async () => {
  assert.deepEqual(await full.clientTokens.revoke(revoked.id), revoked);
  assert.deepEqual(await full.clientTokens.get(revoked.id), revoked);
});

await step('setting the status that a token has changes nothing', async () => {
  assert.deepEqual(await full.clientTokens.update(made[0].id, { status: 'active' }), made[0]);
  assert.deepEqual(await full.clientTokens.get(made[0].id), made[0]);
});

await step('a revoked token stays revoked', async () => {
  await refused('invalid_field', () => full.clientTokens.update(revoked.id, { status: 'active' }), ['status']);
  assert.deepEqual(await full.clientTokens.get(revoked.id), revoked);
});

await step('lists hide revoked tokens unless asked for them', async () => {
  const active = reversed(made.filter((token) => token.id !== revoked.id));
  const both = reversed(made.map((token) => (token.id === revoked.id ? revoked : token)));
  for (const [filter, expected] of [[{}, active], [{ status: ['active'] }, active], [{ status: ['revoked'] }, [revoked]], [{ status: ['active', 'revoked'] }, both]]) {
    const tokens = full.clientTokens.list(filter);
    assert.deepEqual(await all(tokens), expected);
    assert.equal(tokens.estimatedTotal, expected.length);
  }
});

await step('a key does only what it may', async () => {
  await refused('forbidden', () => readOnly.clientTokens.create({ name: 'No' }));
  await refused('forbidden', () => readOnly.clientTokens.revoke(made[0].id));
  await refused('forbidden', () => tokensOnly.events.list().next());
  const listed = await apiKeys(env('TOLLGATE_KEY_TOKENS'));
  assert.equal(listed.status, 403);
  assert.equal(listed.body.error.code, 'forbidden');
});

await step('a bad key and a revoked key are refused', async () => {
  const wellFormed = `pdl_sdbx_apikey_01h00000000000000000000000_${'a'.repeat(22)}_aaa`;
  for (const key of ['nonsense', wellFormed, `${env('TOLLGATE_KEY')}x`]) {
    await refused('invalid_token', () => connect(key).clientTokens.list().next());
  }
  await refused('invalid_token', () => revokedKey.clientTokens.list().next());
  await refused('invalid_token', () => revokedKey.clientTokens.create({ name: 'No' }));
});

await step('a bad body is refused, and the field is named', async () => {
  const create = (body) => () => full.clientTokens.create(body);
  await refused('bad_request', create({ name: '' }), ['name']);
  await refused('bad_request', create({ name: 'n'.repeat(151) }), ['name']);
  await refused('bad_request', create({ name: null }), ['name']);
  await refused('bad_request', create({ name: 5 }), ['name']);
  await refused('bad_request', create({ name: 'n', description: 'd'.repeat(501) }), ['description']);
  await refused('bad_request', create({ name: 'n', description: '' }), ['description']);
  await refused('bad_request', create({}), ['(root)']);
  await refused('bad_request', () => full.clientTokens.update(made[0].id, {}), ['(root)']);
  await refused('bad_request', () => full.clientTokens.update(made[0].id, { status: 'gone' }), ['status']);
});

await step('a bad query is refused, and the parameter is named', async () => {
  const list = (query) => () => full.clientTokens.list(query).next();
  await refused('bad_request', list({ perPage: 0 }), ['per_page']);
  await refused('bad_request', list({ orderBy: 'name[ASC]' }), ['order_by']);
  await refused('bad_request', list({ after: 'nonsense' }), ['after']);
  await refused('bad_request', list({ status: ['gone'] }), ['status']);
});

await step('an unknown id and a malformed id are told apart', async () => {
  const unknown = await refused('not_found', () => full.clientTokens.get(UNKNOWN_ID));
  assert.equal(unknown.detail, `Client token ${UNKNOWN_ID} not found.`);
  await refused('not_found', () => full.clientTokens.revoke(UNKNOWN_ID));
  await refused('bad_request', () => full.clientTokens.get('nonsense'), ['client_token_id']);
  await refused('bad_request', () => full.clientTokens.get(''), ['client_token_id']); // the SDK sends `{client_token_id}` itself
});

await step('events tell each change once, in order, with the token as it was then', async () => {
  const types = ['client_token.created', 'client_token.updated', 'client_token.revoked'];
  const events = full.events.list({ eventType: types, orderBy: 'id[ASC]', perPage: 50 });
  const found = await all(events);
  const expected = [
    ...made.map((token) => [sdk.EventName.ClientTokenCreated, token]),
    [sdk.EventName.ClientTokenUpdated, revoked],
    [sdk.EventName.ClientTokenRevoked, revoked],
  ];
  // The tokens' classes differ, one is for resources and one for events; their fields do not.
  assert.deepEqual(found.map((event) => [event.eventType, { ...event.data }]), expected.map(([type, token]) => [type, { ...token }]));
  assert.equal(events.estimatedTotal, expected.length);
  for (const event of found) {
    assert.match(event.eventId, EVENT_ID);
    assert.match(event.occurredAt, TIMESTAMP);
    assert.equal(event.notificationId, null);
  }
  assert.equal(new Set(found.map((event) => event.eventId)).size, found.length);
  for (const event of found.slice(-2)) assert.equal(event.occurredAt, revoked.revokedAt);
});

await step('events are filtered by type, newest first, and have the classes of the SDK', async () => {
  for (const [type, eventClass, count] of [
    ['client_token.created', sdk.ClientTokenCreatedEvent, TOTAL],
    ['client_token.updated', sdk.ClientTokenUpdatedEvent, 1],
    ['client_token.revoked', sdk.ClientTokenRevokedEvent, 1],
  ]) {
    const events = await all(full.events.list({ eventType: [type] }));
    assert.equal(events.length, count);
    for (const event of events) {
      assert.ok(event instanceof eventClass, type);
      assert.ok(event.data instanceof sdk.ClientTokenNotification, type);
    }
    const ids = events.map((event) => event.eventId);
    assert.deepEqual(ids, reversed(sorted(ids)));
  }
});

await step('events of API keys show no secret', async () => {
  const events = await all(full.events.list({ eventType: ['api_key.created', 'api_key.revoked'] }));
  assert.ok(events.some((event) => event instanceof sdk.ApiKeyCreatedEvent));
  assert.ok(events.some((event) => event instanceof sdk.ApiKeyRevokedEvent && event.data.status === 'revoked'));
  for (const event of events) {
    assert.match(event.data.id, /^apikey_[a-z\d]{26}$/);
    assert.match(event.data.key, /^pdl_sdbx_apikey_[a-z\d]{10}\*{4}$/);
  }
});

await step('event types are listed for any key', async () => {
  const types = await readOnly.eventTypes.list();
  const find = (name) => types.find((type) => type.name === name);
  for (const name of ['created', 'updated', 'revoked']) {
    const type = find(`client_token.${name}`);
    assert.ok(type instanceof sdk.EventType, name);
    assert.equal(type.description, `Occurs when a client token is ${name}.`);
    assert.equal(type.group, 'Client Token');
    assert.deepEqual(type.availableVersions, [1]);
  }
  for (const name of ['created', 'updated', 'expiring', 'expired', 'revoked']) assert.equal(find(`api_key.${name}`)?.group, 'API Key', name);
});

await step('API keys are listed oldest first without their secrets, and a key may always get itself', async () => {
  const { status, body } = await apiKeys(env('TOLLGATE_KEY'));
  assert.equal(status, 200);
  const ids = body.data.map((key) => key.id);
  assert.deepEqual(ids, sorted(ids));
  for (const name of ['TOLLGATE_KEY', 'TOLLGATE_KEY_TOKENS', 'TOLLGATE_KEY_READ']) {
    const secret = env(name);
    const id = `apikey_${secret.split('_')[3]}`;
    const listed = body.data.find((key) => key.id === id);
    assert.equal(listed?.key, `${secret.slice(0, 26)}****`, name);
    const own = await apiKeys(secret, `/${id}`);
    assert.equal(own.status, 200, name);
    assert.deepEqual(own.body.data.permissions, listed.permissions);
  }
  const permissions = (name) => body.data.find((key) => key.id === `apikey_${env(name).split('_')[3]}`).permissions;
  assert.deepEqual(sorted(permissions('TOLLGATE_KEY_TOKENS')), ['client_token.read', 'client_token.write']);
  assert.deepEqual(permissions('TOLLGATE_KEY_READ'), ['client_token.read']);
});

await step('what was refused left nothing behind', async () => {
  assert.equal((await all(full.clientTokens.list({ status: ['active', 'revoked'] }))).length, TOTAL);
});
