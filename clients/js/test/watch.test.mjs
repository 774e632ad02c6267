// `onRevoked`: when it asks, when it waits, when it calls. Time stands still unless a test moves it, and the server is a
// function: each request to it waits until the test answers.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';

import { Tollgate } from '../tollgate.js';
import { SANDBOX, accepted, refused } from './stub.mjs';

const BASE = 'https://tollgate.example';

/** Requests that wait for an answer, oldest first. */
let waiting;
/** Clients of the test, closed at its end. */
let clients;

class Page extends EventTarget {
  visibilityState = 'visible';
  baseURI = 'https://shop.example/';

  becomes(state) {
    this.visibilityState = state;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

/** Lets everything happen that needs no time. */
async function settle() {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}

async function pass(milliseconds) {
  mock.timers.tick(milliseconds);
  await settle();
}

function response({ status = 200, headers, body }) {
  return new Response(JSON.stringify(body), { status, headers });
}

beforeEach(() => {
  waiting = [];
  clients = [];
  mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  mock.method(Math, 'random', () => 0.5);
  mock.method(globalThis, 'fetch', (url, { signal }) => {
    if (!url.searchParams.has('wait_seconds')) return Promise.resolve(response(accepted(SANDBOX)));
    return new Promise((resolve, reject) => {
      const request = {
        asked: [...url.searchParams.keys()],
        seconds: Number(url.searchParams.get('wait_seconds')),
        answer: async (value) => {
          waiting.splice(waiting.indexOf(request), 1);
          resolve(response(value));
          await settle();
        },
        fail: async () => {
          waiting.splice(waiting.indexOf(request), 1);
          reject(new TypeError('fetch failed'));
          await settle();
        },
      };
      waiting.push(request);
      signal.addEventListener('abort', () => {
        if (waiting.includes(request)) waiting.splice(waiting.indexOf(request), 1);
        reject(signal.reason);
      });
    });
  });
});

afterEach(async () => {
  clients.forEach((client) => client.close());
  await settle();
  assert.equal(waiting.length, 0, 'a client that is closed waits for nothing');
  delete globalThis.document;
  mock.reset();
  mock.timers.reset();
});

/** A client and what it was told. */
async function watching(more = {}) {
  const told = [];
  const client = await Tollgate.initialize({ token: SANDBOX, baseUrl: BASE, onRevoked: (error) => told.push(error), ...more });
  clients.push(client);
  await settle();
  return { client, told };
}

const REVOKED = refused(401, 'client_token_revoked');

test('one request waits at the server, and a revocation is told once', async () => {
  const { told } = await watching();
  assert.equal(waiting.length, 1);
  assert.deepEqual(waiting[0].asked, ['wait_seconds']);
  assert(waiting[0].seconds >= 1 && waiting[0].seconds <= 25);
  await waiting[0].answer(REVOKED);
  assert.deepEqual(told.map(({ code }) => code), ['client_token_revoked']);
  await pass(600_000);
  assert.equal(waiting.length, 0);
  assert.equal(told.length, 1);
});

test('nothing waits until somebody listens', async () => {
  const { client } = await watching({ onRevoked: undefined });
  assert.equal(waiting.length, 0);
  client.onRevoked(() => {});
  client.onRevoked(() => {});
  assert.equal(waiting.length, 1, 'one request for all');
});

test('a wait that ends without news is followed by the next at once', async () => {
  const { told } = await watching();
  await pass(20_000);
  const [first] = waiting;
  await first.answer(accepted(SANDBOX));
  assert.equal(waiting.length, 1);
  assert.notEqual(waiting[0], first);
  assert.equal(told.length, 0);
});

test('a server that never waits is asked once a second', async () => {
  await watching();
  for (let round = 0; round < 5; round++) {
    await waiting[0].answer(accepted(SANDBOX));
    await pass(999);
    assert.equal(waiting.length, 0);
    await pass(1);
    assert.equal(waiting.length, 1);
  }
});

test('a token that has expired or is known no more is told, too', async () => {
  for (const code of ['client_token_expired', 'client_token_unknown']) {
    const { told } = await watching();
    await waiting[0].answer(refused(401, code));
    assert.deepEqual(told.map((error) => error.code), [code]);
  }
});

test('what may pass is not taken for a revocation', async () => {
  const { told } = await watching();
  for (const value of [
    refused(403, 'origin_not_allowed'),
    refused(403, 'network_not_allowed'),
    refused(429, 'client_token_rate_limited'),
    refused(503, 'index_too_old'),
    { status: 401, body: { message: 'a proxy wants a password' } },
    { status: 502, body: 'bad gateway' },
  ]) {
    await waiting[0].answer(value);
    await pass(60_000);
  }
  assert.equal(told.length, 0);
  await waiting[0].answer(REVOKED);
  assert.equal(told.length, 1);
});

test('failures in a row are met with longer and longer pauses, up to half a minute', async () => {
  await watching();
  const pauses = [];
  for (let round = 0; round < 9; round++) {
    await waiting[0].fail();
    let pause = 0;
    for (; waiting.length === 0; pause += 125) await pass(125);
    pauses.push(pause);
  }
  // Half to all of it is waited; here, chance always says three quarters.
  assert.deepEqual(pauses, [375, 750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500]);
  await waiting[0].answer(accepted(SANDBOX));
  await pass(1000);
  await waiting[0].fail();
  await pass(375);
  assert.equal(waiting.length, 1, 'an answer makes them short again');
});

test('a proxy that cuts waiting requests does not make the pauses longer', async () => {
  await watching();
  for (let round = 0; round < 5; round++) {
    await pass(10_000);
    await waiting[0].answer({ status: 504, body: 'gateway timeout' });
    await pass(375);
    assert.equal(waiting.length, 1);
  }
});

test('a request that hangs is given up and made again', async () => {
  await watching();
  const [hanging] = waiting;
  await pass(hanging.seconds * 1000 + 10_000);
  assert.equal(waiting.length, 1);
  assert.notEqual(waiting[0], hanging);
});

test('the time that the server wants to be left alone is kept, whatever the page does', async () => {
  globalThis.document = new Page();
  await watching();
  await waiting[0].answer(refused(429, 'client_token_rate_limited', { 'Retry-After': '20' }));
  await pass(10_000);
  document.becomes('hidden');
  await settle();
  document.becomes('visible');
  await pass(9_999);
  assert.equal(waiting.length, 0);
  await pass(1);
  assert.equal(waiting.length, 1);
});

test('a hidden page holds no connection, and looks at once when it is visible again', async () => {
  globalThis.document = new Page();
  const { told } = await watching();
  await pass(5_000);
  document.becomes('hidden');
  await settle();
  assert.equal(waiting.length, 0);
  await pass(3_600_000);
  assert.equal(waiting.length, 0);
  document.becomes('visible');
  await settle();
  await waiting[0].answer(REVOKED);
  assert.equal(told.length, 1);
});

test('a page that comes back in the middle of a pause looks at once', async () => {
  globalThis.document = new Page();
  await watching();
  for (let round = 0; round < 8; round++) {
    await waiting[0].fail();
    if (round < 7) await pass(30_000);
  }
  assert.equal(waiting.length, 0);
  document.becomes('hidden');
  document.becomes('visible');
  await settle();
  assert.equal(waiting.length, 1);
});

test('a client that is closed tells nobody anything', async () => {
  const { client, told } = await watching();
  client.close();
  client.close();
  await settle();
  assert.equal(waiting.length, 0);
  client.onRevoked((error) => told.push(error));
  await pass(60_000);
  assert.equal(waiting.length, 0);
  assert.equal(told.length, 0);
});

test('whoever stops listening is not called, and the last one ends the waiting', async () => {
  const { client, told } = await watching({ onRevoked: undefined });
  const [first, second] = ['first', 'second'].map((name) => client.onRevoked(() => told.push(name)));
  first();
  await settle();
  assert.equal(waiting.length, 1);
  second();
  await settle();
  assert.equal(waiting.length, 0);
  client.onRevoked(() => told.push('third'));
  await settle();
  await waiting[0].answer(REVOKED);
  assert.deepEqual(told, ['third']);
});

test('whoever listens after the revocation is told as well', async () => {
  const { client, told } = await watching();
  await waiting[0].answer(REVOKED);
  client.onRevoked((error) => told.push(error));
  await settle();
  assert.equal(told.length, 2);
  assert.equal(told[0], told[1]);
  assert.equal(waiting.length, 0);
});

test('a callback that throws is the error of the page, and stops no other', async () => {
  const { client, told } = await watching({
    onRevoked: () => {
      throw new Error('mine');
    },
  });
  client.onRevoked((error) => told.push(error));
  const uncaught = [];
  const others = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.once('uncaughtException', (error) => uncaught.push(error.message));
  await waiting[0].answer(REVOKED);
  others.forEach((listener) => process.on('uncaughtException', listener));
  assert.deepEqual(uncaught, ['mine']);
  assert.equal(told.length, 1);
});
