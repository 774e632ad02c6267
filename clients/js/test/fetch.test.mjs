// Where `client.fetch` attaches the token, and where not.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { Tollgate } from '../tollgate.js';
import { SANDBOX, serve, tollgate } from './stub.mjs';

let gate;
const open = [];

before(async () => {
  gate = await tollgate();
});
after(() => gate.close());
afterEach(() => open.splice(0).forEach((server) => server.close()));

async function backend(answer = () => ({ body: 'ok' })) {
  const server = await serve(answer);
  open.push(server);
  return server;
}

const client = (...allowedBaseUrls) =>
  Tollgate.initialize({ token: SANDBOX, baseUrl: gate.base, ...(allowedBaseUrls.length && { allowedBaseUrls }) });

const carried = (server) => server.requests.map(({ headers }) => headers['tollgate-client-token']);

test('the token goes to an allowed base, with whatever else is sent', async () => {
  const api = await backend(({ method, headers }) => ({ body: `${method} ${headers['x-more']}` }));
  const page = await client(api.base);
  const init = { method: 'POST', headers: { 'X-More': 'yes' }, body: 'hello' };
  for (const input of [`${api.base}/items`, new URL(`${api.base}/items`), new Request(`${api.base}/items`)]) {
    assert.equal(await (await page.fetch(input, init)).text(), 'POST yes');
  }
  assert.deepEqual(carried(api), [SANDBOX, SANDBOX, SANDBOX]);
});

test('without a list, the base of Tollgate alone is allowed', async () => {
  const api = await backend();
  const page = await client();
  await page.fetch(`${api.base}/items`);
  await page.fetch(`${gate.base}/anything`);
  assert.deepEqual(carried(api), [undefined]);
  assert.equal(carried(gate).at(-1), SANDBOX);
});

test('a list stands for itself: the base of Tollgate is not in it unless it is said', async () => {
  const page = await client('https://api.example');
  await page.fetch(`${gate.base}/anything`);
  assert.equal(carried(gate).at(-1), undefined);
});

test('a base is compared by origin and whole segments of its path', async (context) => {
  const seen = [];
  const page = await client('https://api.example/v1', 'http://localhost:3000/');
  context.mock.method(globalThis, 'fetch', async (request) => {
    seen.push(request.headers.get('Tollgate-Client-Token'));
    return new Response('');
  });
  for (const [address, expected] of [
    ['https://api.example/v1', true],
    ['https://api.example/v1?q=1#top', true],
    ['https://API.example:443/v1/items', true],
    ['https://api.example/v1/a%2Fb', true],
    ['https://api.example/x/../v1/items', true],
    ['http://localhost:3000/anything', true],
    ['https://api.example/v10/items', false],
    ['https://api.example/v1-secret', false],
    ['https://api.example/', false],
    ['https://api.example/V1/items', false],
    ['https://api.example/v1/../admin', false],
    ['https://api.example/v1/%2e%2e/admin', false],
    ['https://api.example/v1/..%2fadmin', false],
    ['https://api.example/v1/%2E.%5Cadmin', false],
    ['https://api.example/v1\\..\\admin', false],
    ['http://api.example/v1', false],
    ['https://api.example:8443/v1', false],
    ['https://api.example.evil.test/v1', false],
    ['https://evil.test/https://api.example/v1', false],
    ['https://evil.test/?https://api.example/v1', false],
    ['https://xapi.example/v1', false],
    ['https://example/v1', false],
    ['http://localhost:30001/', false],
    ['http://127.0.0.1:3000/', false],
    ['blob:https://api.example/v1', false],
    ['data:text/plain,https://api.example/v1', false],
  ]) {
    await page.fetch(address);
    assert.equal(seen.pop(), expected ? SANDBOX : null, address);
  }
});

test('the token does not follow a redirect, not even within the base', async () => {
  const elsewhere = await backend();
  for (const status of [301, 302, 303, 307, 308]) {
    const api = await backend(({ url }) =>
      url === '/away'
        ? { status, headers: { Location: `${elsewhere.base}/caught` } }
        : { status, headers: { Location: '/inside' } },
    );
    const page = await client(api.base);
    for (const path of ['/away', '/near']) {
      await assert.rejects(page.fetch(api.base + path), { name: 'TollgateError', code: 'redirect_refused' });
    }
    assert.equal(api.requests.length, 2);
  }
  assert.deepEqual(elsewhere.requests, []);
});

test('whoever asks for redirects to be shown or to fail gets that', async () => {
  const api = await backend(() => ({ status: 302, headers: { Location: '/inside' } }));
  const page = await client(api.base);
  assert.equal((await page.fetch(`${api.base}/a`, { redirect: 'manual' })).status, 302);
  await assert.rejects(page.fetch(`${api.base}/a`, { redirect: 'error' }), TypeError);
});

test('where no token goes, redirects are followed as ever', async () => {
  const end = await backend(() => ({ body: 'end' }));
  const other = await backend(() => ({ status: 302, headers: { Location: end.base } }));
  const page = await client('https://api.example');
  assert.equal(await (await page.fetch(other.base)).text(), 'end');
  assert.deepEqual(carried(end), [undefined]);
});

test('an answer of 304 or 300 is no redirect', async () => {
  const api = await backend(({ url }) => ({ status: Number(url.slice(1)) }));
  const page = await client(api.base);
  for (const status of [300, 304]) assert.equal((await page.fetch(`${api.base}/${status}`)).status, status);
});
