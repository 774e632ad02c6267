/**
 * A stand-in for the start-up of Paddle.js, version 2: `Paddle.Environment.set`, `Paddle.Initialize`,
 * `Paddle.Initialized` and `Paddle.Status`, checked against the Tollgate that served this file. Everything else throws.
 * Not affiliated with Paddle. docs/browser.md tells how to route the script's address here.
 */
(() => {
  'use strict';

  const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
  const LIMIT_MS = 10_000;

  // Both names, since the official loader looks for the second.
  if (window.PaddleBillingV1) {
    console.warn('[Tollgate] Paddle.js is on this page already; the second one does nothing.');
    return;
  }

  /** From …/paddle/v2/paddle.js; only known while the script runs for the first time. */
  const servedFrom = document.currentScript?.src && new URL('../..', document.currentScript.src).href;

  let environment = 'production';
  let token;
  let initialized = false;
  let check = 'not started';

  const failure = (message) => new Error(`[Tollgate] ${message}`);

  /** CRC-32 in five digits to the base of 62. */
  function checksum(text) {
    let crc = ~0;
    for (const character of text) {
      crc ^= character.charCodeAt(0);
      for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
    }
    let rest = ~crc >>> 0;
    let digits = '';
    for (; digits.length < 5; rest = Math.floor(rest / 62)) digits = DIGITS[rest % 62] + digits;
    return digits;
  }

  function requireToken(given) {
    if (!given) {
      throw failure('Paddle.Initialize() needs a client-side token: pass it as `token`. A seller id is not enough.');
    }
    if (/^pdl_/.test(given)) {
      throw failure('This is an API key, which must never be in a page. Revoke it, and pass a client-side token.');
    }
    if (!/^(test|live)_[a-zA-Z0-9]{27}$/.test(given)) {
      throw failure('`token` must be a client-side token: test_ or live_, then 27 letters and digits. Copy it again.');
    }
    if (checksum(given.slice(0, -5)) !== given.slice(-5)) {
      throw failure('Tollgate did not issue this client-side token: it was mistyped, or it is one of Paddle itself.');
    }
  }

  function requireFit(given, chosen) {
    const fits = given.startsWith('live') ? 'production' : 'sandbox';
    if (fits !== chosen) {
      const word = `${given.slice(0, 5)}…`;
      throw failure(
        `The client-side token ${word} is for ${fits}, but the environment is ${chosen}. ` +
          (fits === 'sandbox'
            ? "Call Paddle.Environment.set('sandbox') before Paddle.Initialize()."
            : "Leave out Paddle.Environment.set('sandbox'), or use a test_ token."),
      );
    }
  }

  /** Asks Tollgate about the token. What it says, or why it says nothing. */
  async function verdict(base) {
    try {
      const address = new URL('tollgate/client', base);
      address.searchParams.set('environment', environment === 'sandbox' ? 'sandbox' : 'live');
      const answer = await fetch(address, {
        headers: { 'Paddle-Clienttoken': token },
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        referrerPolicy: 'strict-origin',
        signal: AbortSignal.timeout(LIMIT_MS),
      });
      const { data, error } = await answer.json();
      if (answer.ok && data.token_id) return {};
      return { type: 'api_error', code: error.code, detail: error.detail, documentation_url: error.documentation_url };
    } catch (cause) {
      const detail = `No Tollgate answered at ${base} (${cause.message}). Set window.TOLLGATE_BASE_URL to where it is.`;
      return { type: 'front-end_error', code: 'server_unreachable', detail };
    }
  }

  async function checkWithServer(base, eventCallback) {
    check = 'pending';
    const { code, ...more } = await verdict(base);
    check = code ?? 'allowed';
    if (!code) return;
    console.error(`[Tollgate] The client-side token was not accepted: ${code}. ${more.detail}`);
    const { type, detail, documentation_url = new URL('tollgate/errors', base).href } = more;
    eventCallback?.({ name: 'checkout.error', type, code, detail, documentation_url });
  }

  function notEmulated(name) {
    return () => {
      throw failure(`${name}() is not emulated: Tollgate stands in for the start-up of Paddle.js only.`);
    };
  }

  /** An object whose every other member throws when it is called. `theirs` is how those members are written. */
  function onlyStartUp(path, members, theirs) {
    return new Proxy(Object.freeze(members), {
      get: (target, name, receiver) =>
        // What doesn't look like one is asked of any object: by `await`, by frameworks, by the console.
        name in target || typeof name === 'symbol' || !theirs.test(name)
          ? Reflect.get(target, name, receiver)
          : notEmulated(`${path}.${name}`),
    });
  }

  const group = (name, members) => onlyStartUp(`Paddle.${name}`, members, /^(?!then$|toJSON$)[a-z]/);

  const Environment = {
    set(chosen) {
      if (chosen !== 'sandbox' && chosen !== 'production') {
        throw failure(`Paddle.Environment.set() takes 'sandbox' or 'production', not ${JSON.stringify(chosen)}.`);
      }
      if (initialized) requireFit(token, chosen);
      environment = chosen;
    },
  };

  const Status = {
    libraryVersion: 'tollgate-1',
    /** Ours: `not started`, `pending`, `allowed`, or the code of what was wrong. */
    get tokenCheck() {
      return check;
    },
  };

  function Initialize(options) {
    if (initialized) throw failure('Paddle.Initialize() can be called only once on a page.');
    const { token: given, eventCallback } = options ?? {};
    requireToken(given);
    requireFit(given, environment);
    if (eventCallback && typeof eventCallback !== 'function') throw failure('`eventCallback` must be a function.');
    const where = window.TOLLGATE_BASE_URL ?? servedFrom;
    if (!where) throw failure('Set window.TOLLGATE_BASE_URL to where Tollgate is.');
    const base = new URL(`${where}`.replace(/\/*$/, '/'), document.baseURI).href;
    token = given;
    initialized = true;
    checkWithServer(base, eventCallback);
  }

  const members = {
    Version: 'v1',
    get Initialized() {
      return initialized;
    },
    Initialize,
    Environment: group('Environment', Environment),
    Status: Object.freeze(Status),
    Checkout: group('Checkout', {}),
    Retain: group('Retain', {}),
    Spinner: group('Spinner', {}),
  };
  window.Paddle = window.PaddleBillingV1 = onlyStartUp('Paddle', members, /^[A-Z]/);
})();
