/**
 * Tollgate in the browser: checks a client token, attaches it to requests, and tells when it is revoked.
 * One module, no dependencies; docs/browser.md is its guide.
 * @module
 */

const HEADER = 'Tollgate-Client-Token';
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** How long a check may take; a watching request may take this much longer than it waits. */
const LIMIT_MS = 10_000;
/** Watching requests begin no closer together, whatever the server does. */
const APART_MS = 1_000;
/** After the first failure in a row; doubles with each, up to the longest. */
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A request that lived this long was cut by something between; the server isn't in trouble. */
const LIVED_MS = 5_000;

/** What happened, and what to do next. */
const MESSAGES = {
  client_token_missing: 'No client token was given. Pass one as `token`.',
  client_token_malformed: 'This is no client token: one is test_ or live_ and 27 letters and digits. Copy it again.',
  client_token_bad_checksum: 'The client token was mistyped or cut: its checksum is wrong. Copy it again.',
  client_token_unknown: 'This Tollgate never issued this client token. Check that `baseUrl` leads to the one that did.',
  client_token_revoked: 'The client token was revoked, for good. Put a new one into the page.',
  client_token_expired: 'The client token has expired. Put a new one into the page, or set a later `expires_at`.',
  client_token_wrong_environment: 'The client token is for the other environment: test_ is sandbox, live_ is live.',
  origin_not_allowed: 'The client token is not allowed on this site. Add its origin to `allowed_origins`.',
  network_not_allowed: 'The client token is not allowed from this network. Add it to `allowed_networks`.',
  scope_not_allowed: 'The client token lacks the scope that is asked for. Add it to `scopes`.',
  client_token_rate_limited: 'The client token is used too often from this address. Wait `retryAfterSeconds`.',
  index_too_old: 'Tollgate has lost touch with its store and lets nobody in. Try again soon.',
  index_behind: 'Tollgate does not know the latest changes yet. Try again soon.',
  network_failure: 'This device is offline. Try again when it is back.',
  server_unreachable: 'Tollgate gave no answer. Check `baseUrl`, that the server runs, and the `connect-src` of the CSP.',
  unexpected_answer: 'What answered is not Tollgate. Check `baseUrl`.',
  redirect_refused: 'The request was redirected, and the client token does not follow. Ask for the final address.',
};

/** After these, a token never lets anybody in again. */
const FINAL = ['client_token_revoked', 'client_token_expired', 'client_token_unknown'];

/** Why something did not work. Programs look at `code`; `message` is for whoever builds the page. */
export class TollgateError extends Error {
  name = 'TollgateError';

  /**
   * @param {string} code
   * @param {{ message?: string, detail?: string, status?: number, retryAfterSeconds?: number, cause?: unknown }} [more]
   */
  constructor(code, { message, detail, status, retryAfterSeconds, cause } = {}) {
    super(message ?? MESSAGES[code] ?? detail ?? code, { cause });
    /** Stable; all are in docs/browser.md. */
    this.code = code;
    /** What the server said. */
    this.detail = detail;
    /** Of the answer, if there was one. */
    this.status = status;
    /** How long the server wants to be left alone. */
    this.retryAfterSeconds = retryAfterSeconds;
    /** Whether the same can work later, with nothing changed. */
    this.temporary = status >= 429 || /^(network_failure|server_unreachable)$/.test(code);
  }
}

const wrong = (message) => new TollgateError('invalid_options', { message });

/** CRC-32 in five digits to the base of 62: finds slips, not forgeries. */
function checksum(text) {
  let crc = ~0;
  for (let place = 0; place < text.length; place++) {
    crc ^= text.charCodeAt(place);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 && 0xedb88320);
  }
  let rest = ~crc >>> 0;
  let digits = '';
  for (; digits.length < 5; rest = Math.floor(rest / 62)) digits = DIGITS[rest % 62] + digits;
  return digits;
}

/** What can be known without asking anybody. */
function checkToken(token, environment) {
  if (!token) throw new TollgateError('client_token_missing');
  if (/^pdl_/.test(token)) {
    const message = 'This is an API key, which must never be in a page. Revoke it, and use a client token.';
    throw new TollgateError('client_token_malformed', { message });
  }
  if (!/^(test|live)_[a-zA-Z0-9]{27}$/.test(token)) throw new TollgateError('client_token_malformed');
  if (checksum(token.slice(0, -5)) !== token.slice(-5)) throw new TollgateError('client_token_bad_checksum');
  if (environment && (environment === 'live') !== token.startsWith('live')) {
    throw new TollgateError('client_token_wrong_environment');
  }
}

/** The address of a base, its path ending in a slash. */
function base(name, text) {
  let url;
  try {
    url = new URL(text, globalThis.document?.baseURI);
  } catch {
    throw wrong(`\`${name}\` is no URL: ${text}`);
  }
  if (!/^https?:$/.test(url.protocol) || url.username || url.password || url.search || url.hash) {
    throw wrong(`\`${name}\` must be an http or https URL without user, query or fragment: ${text}`);
  }
  url.pathname = url.pathname.replace(/\/*$/, '/');
  return url;
}

/** Whether an address is a base or below it, by whole segments of parsed paths; text is never compared with text. */
function isBelow(url, { origin, pathname }) {
  // Some servers take an encoded slash for a slash, and climb.
  const climbs = /[/\\]\.\.([/\\]|$)/.test(url.pathname.replace(/%2e/gi, '.').replace(/%2f|%5c/gi, '/'));
  return url.origin === origin && !climbs && `${url.pathname}/`.startsWith(pathname);
}

/** Asks the server about a token: what it says of an accepted one, or an error. */
async function ask(url, token, limit, control) {
  const timer = setTimeout(() => control.abort(), limit);
  let status;
  try {
    const response = await fetch(url, {
      headers: { [HEADER]: token },
      cache: 'no-store',
      credentials: 'omit',
      redirect: 'error',
      referrerPolicy: 'strict-origin', // a page of the same origin sends no Origin
      signal: control.signal,
    });
    status = response.status;
    const { data, error } = await response.json();
    if (response.ok && data.token_id) return data;
    throw new TollgateError(`${error.code}`, {
      detail: error.detail,
      status,
      retryAfterSeconds: +response.headers.get('Retry-After') || undefined,
    });
  } catch (cause) {
    if (cause instanceof TollgateError) throw cause;
    const answered = status && !control.signal.aborted;
    const offline = globalThis.navigator?.onLine === false;
    const code = answered ? 'unexpected_answer' : offline ? 'network_failure' : 'server_unreachable';
    throw new TollgateError(code, { status, cause });
  } finally {
    clearTimeout(timer);
  }
}

/** @typedef {(error: TollgateError) => void} RevokedCallback */

/** A token that was accepted; made by {@link Tollgate.initialize}. */
export class TollgateClient {
  #token;
  #url;
  #allowed;
  /** @type {Set<{ callback: RevokedCallback }>} */
  #listeners = new Set();
  /** Why the token is of no use any more. */
  #end;
  #closed = false;
  #watching = false;
  #asking = new AbortController();
  #wake = () => {};

  constructor(token, url, allowed, data) {
    this.#token = token;
    this.#url = url;
    this.#allowed = allowed;
    /** @readonly @type {string} `ctkn_…` */
    this.tokenId = data.token_id;
    /** @readonly @type {'sandbox' | 'live'} */
    this.environment = data.environment;
    /** @readonly @type {string | null} RFC 3339 */
    this.expiresAt = data.expires_at ?? null;
  }

  /**
   * As the global `fetch`; the token goes along to the allowed bases and what is below them. Such a request follows no
   * redirect, since the token would go wherever it leads: it fails with `redirect_refused`.
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   */
  async fetch(input, init) {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!this.#allowed.some((allowed) => isBelow(url, allowed))) return fetch(request);
    const follows = request.redirect === 'follow';
    const carrying = follows ? new Request(request, { redirect: 'manual' }) : request;
    carrying.headers.set(HEADER, this.#token);
    const response = await fetch(carrying);
    // Browsers hide a redirect's status, Node shows it.
    if (follows && (response.type === 'opaqueredirect' || /^30[12378]$/.test(`${response.status}`))) {
      throw new TollgateError('redirect_refused');
    }
    return response;
  }

  /**
   * Calls back once when the token is revoked, has expired or is known no more: within two seconds while the page is
   * visible, else when it is again. While anybody listens, one request waits at the server.
   * @param {RevokedCallback} callback
   * @returns {() => void} stops listening
   */
  onRevoked(callback) {
    const listener = { callback };
    if (!this.#closed) this.#listeners.add(listener);
    if (this.#end) this.#tell();
    else this.#watch();
    return () => {
      this.#listeners.delete(listener);
      if (!this.#listeners.size) this.#stir();
    };
  }

  /** Stops watching, for good. `fetch` goes on. */
  close() {
    this.#closed = true;
    this.#listeners.clear();
    this.#stir();
  }

  #tell() {
    for (const listener of this.#listeners) {
      // One that throws is reported as any error of the page is, and stops no other.
      queueMicrotask(() => this.#listeners.delete(listener) && listener.callback(this.#end));
    }
  }

  /** Ends whatever is waited for, so that the loop looks around. */
  #stir = () => {
    this.#asking.abort();
    this.#wake();
  };

  /** Until the time is over or something stirs. */
  #pause(milliseconds) {
    return new Promise((resolve) => {
      const timer = milliseconds < Infinity && setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #watch() {
    if (this.#watching) return;
    this.#watching = true;
    const page = globalThis.document;
    // A hidden page holds no connection; one that comes back, or comes online, looks at once.
    page?.addEventListener('visibilitychange', this.#stir);
    globalThis.addEventListener?.('online', this.#stir);
    let failures = 0;
    let notBefore = 0;
    while (this.#listeners.size) {
      const early = page?.visibilityState === 'hidden' ? Infinity : notBefore - Date.now();
      if (early > 0) {
        await this.#pause(early);
        continue;
      }
      const began = Date.now();
      const control = (this.#asking = new AbortController());
      const seconds = 20 + Math.floor(Math.random() * 6); // not all pages at the same moment
      const url = new URL(this.#url);
      url.searchParams.set('wait_seconds', `${seconds}`);
      try {
        await ask(url, this.#token, seconds * 1000 + LIMIT_MS, control);
        failures = 0;
        notBefore = began + APART_MS;
      } catch (error) {
        if (FINAL.includes(error.code)) {
          this.#end = error;
          this.#tell();
          break;
        }
        const now = Date.now();
        if (now - began > LIVED_MS) failures = 0;
        notBefore = now + (error.retryAfterSeconds ?? 0) * 1000;
        const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** failures++) * (0.5 + Math.random() / 2);
        if (!control.signal.aborted) await this.#pause(pause);
      }
    }
    page?.removeEventListener('visibilitychange', this.#stir);
    globalThis.removeEventListener?.('online', this.#stir);
    this.#watching = false;
  }
}

/**
 * Checks a token: its form and environment here, the rest with the server. Rejects with a {@link TollgateError}.
 * @param {object} options
 * @param {string} options.token `test_…` or `live_…`
 * @param {string | URL} options.baseUrl where Tollgate is
 * @param {'sandbox' | 'live'} [options.environment] what the page is for: a token of the other is refused
 * @param {(string | URL)[]} [options.allowedBaseUrls] where `client.fetch` attaches the token; `[baseUrl]` when absent
 * @param {RevokedCallback} [options.onRevoked] as {@link TollgateClient.onRevoked}
 */
async function initialize(options) {
  const { token, baseUrl, environment, allowedBaseUrls, onRevoked } = options ?? {};
  if (environment && !/^(sandbox|live)$/.test(environment)) throw wrong("`environment` is 'sandbox' or 'live'.");
  if (!baseUrl) throw wrong('`baseUrl` is missing: where is Tollgate?');
  const server = base('baseUrl', baseUrl);
  const allowed = allowedBaseUrls?.map((url) => base('allowedBaseUrls', url)) ?? [server];
  checkToken(token, environment);
  const url = new URL('tollgate/client', server);
  if (environment) url.searchParams.set('environment', environment);
  const client = new TollgateClient(token, url, allowed, await ask(url, token, LIMIT_MS, new AbortController()));
  if (onRevoked) client.onRevoked(onRevoked);
  return client;
}

/** Where everything begins: `await Tollgate.initialize({ token, baseUrl })`. */
export const Tollgate = Object.freeze({ initialize });
