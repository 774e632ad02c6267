// What `initialize` finds out without the server, and what it makes of the server's answers.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { readFile } from 'node:fs/promises';

import { Tollgate, TollgateClient, TollgateError } from '../tollgate.js';
import { LIVE, OTHER, SANDBOX, accepted, refused, serve } from './stub.mjs';

let server;
let answer;

before(async () => {
  server = await serve((request) => answer(request));
});
after(() => server.close());

/** The error that it ends with. */
async function failure(options) {
  const outcome = await Tollgate.initialize(options).catch((error) => error);
  assert(outcome instanceof TollgateError, `${outcome}`);
  return outcome;
}

test('a good token gives a client that knows which it is', async () => {
  for (const token of [SANDBOX, OTHER, LIVE]) {
    answer = ({ headers, url }) => {
      assert.equal(headers['tollgate-client-token'], token);
      assert.equal(url, '/tollgate/client');
      return accepted(token);
    };
    const client = await Tollgate.initialize({ token, baseUrl: server.base });
    assert(client instanceof TollgateClient);
    assert.equal(client.tokenId, 'ctkn_01kjpx8smt1jx21jct317jay33');
    assert.equal(client.environment, token === LIVE ? 'live' : 'sandbox');
    assert.equal(client.expiresAt, null);
  }
});

test('the path and the slash of the base stay, and the environment is asked for', async () => {
  for (const end of ['', '/', '//']) {
    answer = ({ url }) => {
      assert.equal(url, '/inner/gate/tollgate/client?environment=sandbox');
      return accepted(SANDBOX);
    };
    await Tollgate.initialize({ token: SANDBOX, baseUrl: `${server.base}/inner/gate${end}`, environment: 'sandbox' });
  }
});

test('what is no token, and a token of the other environment, are refused before anybody is asked', async () => {
  const asked = server.requests.length;
  const swapped = SANDBOX.slice(0, -2) + SANDBOX.at(-1) + SANDBOX.at(-2);
  for (const [token, code, environment] of [
    [undefined, 'client_token_missing'],
    ['', 'client_token_missing'],
    ['test_', 'client_token_malformed'],
    [` ${SANDBOX}`, 'client_token_malformed'],
    [`${SANDBOX}\n`, 'client_token_malformed'],
    [`${SANDBOX}a`, 'client_token_malformed'],
    [SANDBOX.slice(0, -1), 'client_token_malformed'],
    [SANDBOX.replace('test', 'TEST'), 'client_token_malformed'],
    [SANDBOX.replace('test', 'prod'), 'client_token_malformed'],
    [SANDBOX.replace('AAA', 'AéA'), 'client_token_malformed'],
    [42, 'client_token_malformed'],
    ['pdl_sdbx_apikey_01kjpx8smt1jx21jct317jay33_AAAAAAAAAAAAAAAAAAAAAA_abc', 'client_token_malformed'],
    [swapped, 'client_token_bad_checksum'],
    [SANDBOX.replace('test', 'live'), 'client_token_bad_checksum'],
    ['test_da3059212d9a85cee360c0488e1', 'client_token_bad_checksum'],
    [SANDBOX, 'client_token_wrong_environment', 'live'],
    [LIVE, 'client_token_wrong_environment', 'sandbox'],
  ]) {
    const error = await failure({ token, baseUrl: server.base, environment });
    assert.equal(error.code, code, `${token}`);
    assert.equal(error.status, undefined);
    assert.equal(error.temporary, false);
  }
  assert.match((await failure({ token: 'pdl_live_apikey_x', baseUrl: server.base })).message, /API key/);
  assert.equal(server.requests.length, asked);
});

test('options that make no sense are named', async () => {
  for (const [more, named] of [
    [{ baseUrl: undefined }, /baseUrl/],
    [{ baseUrl: 'tollgate.example' }, /baseUrl/],
    [{ baseUrl: 'ftp://tollgate.example' }, /baseUrl/],
    [{ baseUrl: 'https://user@tollgate.example' }, /baseUrl/],
    [{ baseUrl: 'https://tollgate.example/?a=b' }, /baseUrl/],
    [{ allowedBaseUrls: ['https://api.example/#top'] }, /allowedBaseUrls/],
    [{ environment: 'production' }, /environment/],
  ]) {
    const error = await failure({ token: SANDBOX, baseUrl: server.base, ...more });
    assert.equal(error.code, 'invalid_options');
    assert.match(error.message, named);
  }
  assert.equal((await failure(undefined)).code, 'invalid_options');
});

test('each refusal of the server has its code and a sentence that says what to do', async () => {
  const verdict = await readFile(new URL('../../../crates/domain/src/verdict.rs', import.meta.url), 'utf8');
  const codes = [...verdict.matchAll(/Self::\w+(?: \{ \.\. \})? => "(\w+)"/g)].map(([, code]) => code);
  assert(codes.length >= 13, `${codes}`);
  for (const code of codes) {
    const status = { client_token_rate_limited: 429, index_too_old: 503, index_behind: 503 }[code] ?? 403;
    answer = () => refused(status, code, status === 429 ? { 'Retry-After': '7' } : {});
    const error = await failure({ token: SANDBOX, baseUrl: server.base });
    assert.equal(error.code, code);
    assert.equal(error.status, status);
    assert.equal(error.temporary, status >= 429);
    assert.equal(error.retryAfterSeconds, status === 429 ? 7 : undefined);
    assert.equal(error.detail, `The server's words on ${code}.`);
    assert.notEqual(error.message, error.detail, `${code} has words of its own`);
    assert.match(error.message, /^[A-Z].*\.$/);
  }
});

test('the guide tells every code that there is', async () => {
  const guide = await readFile(new URL('../../../docs/browser.md', import.meta.url), 'utf8');
  const source = await readFile(new URL('../tollgate.js', import.meta.url), 'utf8');
  const [, messages] = source.match(/const MESSAGES = \{(.*?)\n\};/s);
  const codes = [...messages.matchAll(/^  (\w+):/gm)].map(([, code]) => code);
  assert(codes.length > 15, `${codes}`);
  const told = [...guide.matchAll(/^\| `(\w+)` \|.*\|.*\|$/gm)].map(([, code]) => code);
  assert.deepEqual(told.toSorted(), ['invalid_options', ...codes].toSorted());
});

test('a refusal that is new to the library is passed on with the words of the server', async () => {
  answer = () => refused(429, 'too_many_requests', { 'Retry-After': '3' });
  const error = await failure({ token: SANDBOX, baseUrl: server.base });
  assert.equal(error.code, 'too_many_requests');
  assert.equal(error.message, "The server's words on too_many_requests.");
  assert.equal(error.retryAfterSeconds, 3);
});

test('an answer that is not from Tollgate is called that', async () => {
  for (const [body, status] of [
    ['<h1>It works</h1>', 200],
    ['{}', 200],
    ['null', 200],
    ['{"data":{}}', 200],
    ['{"data":null}', 404],
    ['<h1>Bad gateway</h1>', 502],
  ]) {
    answer = () => ({ body, status });
    const error = await failure({ token: SANDBOX, baseUrl: server.base });
    assert.equal(error.code, 'unexpected_answer', body);
    assert.equal(error.status, status);
    assert.equal(error.temporary, status === 502);
  }
});

test('a server that is gone and a device that is offline are told apart', async () => {
  const gone = await serve(() => ({}));
  gone.close();
  const error = await failure({ token: SANDBOX, baseUrl: gone.base });
  assert.equal(error.code, 'server_unreachable');
  assert.equal(error.temporary, true);
  assert(error.cause instanceof TypeError);

  const navigator = Object.getOwnPropertyDescriptor(globalThis, 'navigator');
  Object.defineProperty(globalThis, 'navigator', { value: { onLine: false }, configurable: true });
  const offline = await failure({ token: SANDBOX, baseUrl: gone.base });
  if (navigator) Object.defineProperty(globalThis, 'navigator', navigator);
  else delete globalThis.navigator;
  assert.equal(offline.code, 'network_failure');
  assert.equal(offline.temporary, true);
});

test('a check is not led elsewhere by a redirect', async () => {
  const elsewhere = await serve(() => accepted(SANDBOX));
  answer = () => ({ status: 307, headers: { Location: `${elsewhere.base}/tollgate/client` } });
  const error = await failure({ token: SANDBOX, baseUrl: server.base });
  elsewhere.close();
  assert.equal(error.code, 'server_unreachable');
  assert.deepEqual(elsewhere.requests, []);
});
