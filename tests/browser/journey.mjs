// The browser library and the stand-in for Paddle.js, in Chromium, against a running server.
//
// TOLLGATE_URL                  where it listens
// TOLLGATE_KEY                  an API key of a sandbox workspace that may write client tokens
// TOLLGATE_TEST_BROWSER_MODULES the node_modules folder with playwright-core and @paddle/paddle-js
// TOLLGATE_TEST_CHROMIUM        the browser
// TOLLGATE_SCREENSHOTS          when set, the folder that takes pictures of the demo page
//
// Prints `ok …` for each case; ends with 1 when one fails.

import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';

import { launch } from './chromium.mjs';
import { backend, nowhere, site } from './servers.mjs';

const { TOLLGATE_URL: tollgate, TOLLGATE_KEY: key, TOLLGATE_TEST_BROWSER_MODULES: modules } = process.env;
const { TOLLGATE_SCREENSHOTS: screenshots } = process.env;

const LOADER = join(modules, '@paddle/paddle-js/dist/index.esm.js');
const DEMO = fileURLToPath(new URL('../../clients/js/demo.html', import.meta.url));
const CDN = 'https://cdn.paddle.com/paddle/v2/paddle.js';
/** What the library promises of a revocation, in milliseconds. */
const PROMISED = 2_000;

// --- the management API

async function call(method, path, body) {
  const response = await fetch(tollgate + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer = await response.json();
  assert(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.data;
}

const createToken = (restrictions) =>
  call('POST', '/tollgate/client-tokens', { name: 'Journey', ...(restrictions && { restrictions }) });
const revoke = ({ id }) => call('PATCH', `/client-tokens/${id}`, { status: 'revoked' });

// --- the browser

const shop = await site({ '/loader.mjs': LOADER, '/demo.html': DEMO, '/pinned': await pinnedPage(true), '/tampered': await pinnedPage(false) });
const api = await backend();
const elsewhere = await backend();
const browser = await launch();

/** A page of the shop, and what it said and asked for. */
async function open(address = shop.byName, prepare = async () => {}) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.said = [];
  page.asked = [];
  page.on('console', (message) => page.said.push(message.text()));
  page.on('pageerror', (error) => page.said.push(`uncaught: ${error.message}`));
  page.on('request', (request) => page.asked.push(request.url()));
  await prepare(page);
  await page.goto(address);
  return page;
}

/** Initialises as a page does; tells what became of it. The client stays in `window.client`. */
function initialize(page, options) {
  return page.evaluate(
    async ([library, given]) => {
      const { Tollgate } = await import(library);
      try {
        window.client = await Tollgate.initialize(given);
        return { id: window.client.tokenId, environment: window.client.environment };
      } catch (error) {
        return { name: error.name, code: error.code, status: error.status, message: error.message };
      }
    },
    [`${tollgate}/js/v1/tollgate.js`, { baseUrl: tollgate, ...options }],
  );
}

/** A page with a strict policy, whose import map pins the library's bytes. */
async function pinnedPage(untouched) {
  const manifestUrl = `${tollgate}/js/v1/manifest.json`;
  const { file, integrity } = await (await fetch(manifestUrl)).json();
  const library = new URL(file, manifestUrl).href;
  const hash = untouched ? integrity : `sha384-${'A'.repeat(64)}`;
  const map = JSON.stringify({ imports: { tollgate: library }, integrity: { [library]: hash } });
  return {
    headers: { 'Content-Security-Policy': `default-src 'none'; script-src 'nonce-n1' ${tollgate}; connect-src ${tollgate}` },
    html: `<!doctype html><title>Pinned</title><script type="importmap" nonce="n1">${map}</script>
      <script type="module" nonce="n1">
        const token = decodeURIComponent(location.search.slice(1));
        window.outcome = import('tollgate')
          .then(({ Tollgate }) => Tollgate.initialize({ token, baseUrl: '${tollgate}' }))
          .then((client) => client.tokenId, (error) => error.name);
      </script>`,
  };
}

// --- the library

async function a_good_token_initialises_and_goes_to_the_backend() {
  const token = await createToken();
  const page = await open();
  const options = { token: token.token, environment: 'sandbox', allowedBaseUrls: [`${api.base}/v1`] };
  assert.deepEqual(await initialize(page, options), { id: token.id, environment: 'sandbox' });
  const body = await page.evaluate(async (url) => (await window.client.fetch(url)).json(), `${api.base}/v1/items`);
  assert.deepEqual(body, { open: true });
  assert.deepEqual(api.received.pop(), { url: '/v1/items', token: token.token });
  await page.context().close();
}

async function the_token_goes_nowhere_else_and_follows_no_redirect() {
  const token = await createToken();
  const page = await open();
  await initialize(page, { token: token.token, allowedBaseUrls: [`${api.base}/v1`, `${api.base}/to`] });
  const ask = (url) => page.evaluate((url) => window.client.fetch(url).then(({ status }) => status, ({ code }) => code), url);
  for (const other of [elsewhere, api]) {
    for (const path of ['/v10/items', '/v1/../items', '/v1/..%2fitems', '/items?/v1/']) {
      assert.equal(await ask(other.base + path), 200);
      assert.equal(other.received.pop().token, undefined, path);
    }
  }
  assert.equal(await ask(`${elsewhere.base}/v1/items`), 200);
  assert.equal(elsewhere.received.pop().token, undefined, 'another origin');

  for (const target of [`${elsewhere.base}/caught`, `${api.base}/v1/inside`]) {
    assert.equal(await ask(`${api.base}/to?${encodeURIComponent(target)}`), 'redirect_refused');
    assert.equal(api.received.pop().token, token.token, 'the first one was allowed');
  }
  assert.deepEqual([api.received, elsewhere.received], [[], []], 'nobody was led anywhere');
  await page.context().close();
}

async function a_revoked_token_is_refused() {
  const token = await createToken();
  await revoke(token);
  const page = await open();
  const outcome = await initialize(page, { token: token.token });
  assert.deepEqual([outcome.name, outcome.code, outcome.status], ['TollgateError', 'client_token_revoked', 401]);
  await page.context().close();
}

async function a_token_of_another_site_is_refused() {
  const token = await createToken({ allowed_origins: [shop.byAddress] });
  const allowed = await open(shop.byAddress);
  assert.deepEqual(await initialize(allowed, { token: token.token }), { id: token.id, environment: 'sandbox' });
  const refused = await open(shop.byName);
  const outcome = await initialize(refused, { token: token.token });
  assert.deepEqual([outcome.code, outcome.status], ['origin_not_allowed', 403]);
  await Promise.all([allowed, refused].map((page) => page.context().close()));
}

async function what_can_be_known_without_the_network_is_found_without_it() {
  const { token } = await createToken();
  const page = await open();
  await page.evaluate((library) => import(library), `${tollgate}/js/v1/tollgate.js`);
  page.asked.length = 0;
  for (const [options, code] of [
    [{ token: token.slice(0, -1) }, 'client_token_malformed'],
    [{ token: key }, 'client_token_malformed'],
    [{ token: token.slice(0, -1) + (token.endsWith('a') ? 'b' : 'a') }, 'client_token_bad_checksum'],
    [{ token, environment: 'live' }, 'client_token_wrong_environment'],
    [{ token: '' }, 'client_token_missing'],
  ]) {
    assert.equal((await initialize(page, options)).code, code);
  }
  assert.deepEqual(page.asked, [], 'no request left the page');
  await page.context().close();
}

async function a_revocation_is_told_within_two_seconds() {
  const times = [];
  for (let round = 0; round < 3; round++) {
    const token = await createToken();
    const page = await open();
    assert.equal((await initialize(page, { token: token.token })).id, token.id);
    const calls = [];
    let told;
    const call = new Promise((resolve) => (told = resolve));
    await page.exposeFunction('told', (code) => told(calls.push(code)));
    const waits = page.waitForRequest((request) => request.method() === 'GET' && request.url().includes('wait_seconds='));
    await page.evaluate(() => window.client.onRevoked(({ code }) => window.told(code)) && undefined);
    await waits;
    const began = performance.now();
    await revoke(token);
    await call;
    times.push(performance.now() - began);
    assert.deepEqual(calls, ['client_token_revoked']);
    await page.context().close();
  }
  console.log(`told ${times.map((time) => time.toFixed(0)).join(', ')} ms after the revocation was sent`);
  assert(Math.max(...times) < PROMISED, `${times}`);
}

async function a_server_that_is_gone_is_told_apart() {
  const { token } = await createToken();
  const page = await open();
  assert.equal((await initialize(page, { token, baseUrl: await nowhere() })).code, 'server_unreachable');
  assert.equal((await initialize(page, { token, baseUrl: `${tollgate}/nowhere` })).code, 'server_unreachable'); // no CORS there
  await page.context().setOffline(true);
  assert.equal((await initialize(page, { token })).code, 'network_failure');
  await page.context().close();
}

async function a_page_can_pin_the_bytes_under_a_strict_policy() {
  const token = await createToken();
  const page = await open(`${shop.byName}/pinned?${token.token}`);
  assert.equal(await page.evaluate(() => window.outcome), token.id);
  const tampered = await open(`${shop.byName}/tampered?${token.token}`);
  assert.equal(await tampered.evaluate(() => window.outcome), 'TypeError');
  await Promise.all([page, tampered].map((page) => page.context().close()));
}

// --- the stand-in for Paddle.js

/** Only the script's address leads to Tollgate; the page says where the rest is. */
async function routed(page) {
  await page.addInitScript((base) => (window.TOLLGATE_BASE_URL = base), tollgate);
  await page.route(CDN, async (route) => route.fulfill({ response: await route.fetch({ url: `${tollgate}/paddle/v2/paddle.js` }) }));
}

/** The whole host leads to Tollgate, as behind a proxy of one's own; nothing is said. */
async function allRouted(page) {
  await page.route('https://cdn.paddle.com/**', async (route) => {
    const { pathname, search } = new URL(route.request().url());
    await route.fulfill({ response: await route.fetch({ url: tollgate + pathname + search }) });
  });
}

/** Through the official loader, unchanged. Tells what it ended with once the server's answer is there. */
function loaded(page, options) {
  return page.evaluate(async (given) => {
    const { initializePaddle } = await import('/loader.mjs');
    window.events = [];
    const paddle = await initializePaddle({ ...given, eventCallback: (event) => window.events.push(event) });
    while (paddle.Status.tokenCheck === 'pending') await new Promise((resolve) => setTimeout(resolve, 5));
    const { Initialized, Version, Status } = paddle;
    return { Initialized, Version, check: Status.tokenCheck, library: Status.libraryVersion, events: window.events };
  }, options);
}

async function the_official_loader_initialises_unchanged() {
  const { token } = await createToken();
  for (const prepare of [routed, allRouted]) {
    const page = await open(shop.byName, prepare);
    const { library, ...outcome } = await loaded(page, { token, environment: 'sandbox' });
    assert.match(library, /^tollgate/);
    assert.deepEqual(outcome, { Initialized: true, Version: 'v1', check: 'allowed', events: [] });
    assert.deepEqual(page.said, []);
    await page.context().close();
  }
}

async function the_stand_in_says_what_is_wrong() {
  const created = await createToken();
  const page = await open(shop.byName, routed);
  const misfit = await loaded(page, { token: created.token });
  assert.deepEqual([misfit.Initialized, misfit.check], [false, 'not started']);
  assert.match(page.said.join(), /Paddle.Environment.set\('sandbox'\) before Paddle.Initialize/);
  const malformed = await loaded(page, { token: created.token.slice(1), environment: 'sandbox' });
  assert.equal(malformed.Initialized, false);
  assert.match(page.said.join(), /must be a client-side token/);

  await revoke(created);
  const { Initialized, check, events } = await loaded(page, { token: created.token, environment: 'sandbox' });
  assert.deepEqual([Initialized, check], [true, 'client_token_revoked']);
  const [{ detail, documentation_url: documentation, ...event }] = events;
  assert.deepEqual(event, { name: 'checkout.error', type: 'api_error', code: 'client_token_revoked' });
  assert(detail && documentation.startsWith('http'), `${detail} ${documentation}`);
  assert.match(page.said.join(), /not accepted: client_token_revoked/);

  assert.match(await thrown(page, 'Paddle.Initialize({})'), /only once/);
  assert.match(await thrown(page, "Paddle.Environment.set('live')"), /'sandbox' or 'production'/);
  await page.context().close();
}

const thrown = (page, code) => page.evaluate(`(() => { try { ${code}; return 'nothing' } catch (error) { return error.message } })()`);

async function what_is_not_emulated_says_so() {
  const page = await open();
  await page.addScriptTag({ url: `${tollgate}/paddle/v2/paddle.js` });
  for (const name of [
    'Checkout.open', 'Checkout.updateCheckout', 'Checkout.updateItems', 'Checkout.close', 'PricePreview', 'TransactionPreview',
    'Retain.demo', 'Retain.initCancellationFlow', 'Spinner.show', 'Spinner.hide', 'Setup', 'Update', 'Environment.get', 'AnythingNew',
  ]) {
    assert.match(await thrown(page, `Paddle.${name}({})`), new RegExp(`Paddle\\.${name}\\(\\) is not emulated`));
  }
  assert.equal(await page.evaluate('Paddle.then === undefined && Paddle.Initialized === false'), true);
  await page.context().close();
}

async function the_script_finds_the_tollgate_that_served_it() {
  const created = await createToken();
  const page = await open();
  await page.addScriptTag({ url: `${tollgate}/paddle/v2/paddle.js` });
  await page.evaluate((token) => {
    window.Paddle.Environment.set('sandbox');
    window.Paddle.Initialize({ token, pwCustomer: {} });
  }, created.token);
  await page.waitForFunction("Paddle.Status.tokenCheck === 'allowed'");
  await page.context().close();
}

// --- the demo page

async function the_demo_page_shows_each_state() {
  const token = await createToken();
  const shown = async (given, state) => {
    const page = await open(`${shop.byName}/demo.html?${new URLSearchParams({ base: tollgate, ...given })}`);
    await page.setViewportSize({ width: 760, height: 720 });
    await page.waitForSelector(`[data-state=${state}]`);
    return page;
  };
  const picture = (page, name) => screenshots && page.screenshot({ path: join(screenshots, `browser-${name}.png`) });
  const ready = await shown({ token: token.token }, 'ready');
  assert.match(await ready.textContent('dl'), new RegExp(token.id));
  await picture(ready, 'ready');
  const elsewhereOnly = await createToken({ allowed_origins: ['https://elsewhere.example'] });
  const refused = await shown({ token: elsewhereOnly.token }, 'refused');
  assert.match(await refused.textContent('section'), /allowed_origins.*origin_not_allowed/s);
  await picture(refused, 'refused');
  await revoke(token);
  await ready.waitForSelector('[data-state=revoked]');
  await picture(ready, 'revoked');
  await Promise.all([ready, refused].map((page) => page.context().close()));
}

let failed = 0;
for (const walk of [
  a_good_token_initialises_and_goes_to_the_backend,
  the_token_goes_nowhere_else_and_follows_no_redirect,
  a_revoked_token_is_refused,
  a_token_of_another_site_is_refused,
  what_can_be_known_without_the_network_is_found_without_it,
  a_revocation_is_told_within_two_seconds,
  a_server_that_is_gone_is_told_apart,
  a_page_can_pin_the_bytes_under_a_strict_policy,
  the_official_loader_initialises_unchanged,
  the_stand_in_says_what_is_wrong,
  what_is_not_emulated_says_so,
  the_script_finds_the_tollgate_that_served_it,
  the_demo_page_shows_each_state,
]) {
  const name = walk.name.replaceAll('_', ' ');
  try {
    await walk();
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}\n${error.stack}`);
  }
}
await browser.close();
process.exitCode = failed ? 1 : 0;
