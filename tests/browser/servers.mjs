// What stands beside Tollgate in the browser's journey: sites that serve pages, and backends that tell what they were sent.

import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

async function listen(handle) {
  const server = createServer((request, response) => {
    handle(request, response).catch((error) => response.writeHead(500).end(`${error.stack}`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.unref();
  return server.address().port;
}

/** A site of its own: `pages` maps a path to a file, or to `{ html, headers }`. Any other path is an empty page. */
export async function site(pages) {
  const port = await listen(async (request, response) => {
    const path = new URL(request.url, 'http://site').pathname;
    const page = pages[path] ?? { html: '<!doctype html><title>A shop</title><h1>A shop</h1>' };
    if (typeof page !== 'string') {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', ...page.headers }).end(page.html);
      return;
    }
    const type = page.endsWith('.html') ? 'text/html; charset=utf-8' : 'text/javascript; charset=utf-8';
    response.writeHead(200, { 'Content-Type': type }).end(await readFile(page));
  });
  return { byName: `http://localhost:${port}`, byAddress: `http://127.0.0.1:${port}` };
}

/** Lets any site send it anything, and keeps what it was sent. `/to?…` redirects to the address in its query. */
export async function backend() {
  const received = [];
  const port = await listen(async (request, response) => {
    response.setHeader('Access-Control-Allow-Origin', request.headers.origin ?? '*');
    response.setHeader('Access-Control-Allow-Headers', 'tollgate-client-token');
    if (request.method === 'OPTIONS') {
      response.writeHead(204).end();
      return;
    }
    received.push({ url: request.url, token: request.headers['tollgate-client-token'] });
    if (request.url.startsWith('/to?')) {
      response.writeHead(307, { Location: decodeURIComponent(request.url.slice(4)) }).end();
      return;
    }
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"open":true}');
  });
  return { base: `http://127.0.0.1:${port}`, received };
}

/** Takes webhooks. `told(type)` waits for one of this event type that wasn't waited for before, and gives what it tells. */
export async function receiver() {
  const kept = [];
  const waiting = [];
  const port = await listen(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const event = JSON.parse(Buffer.concat(parts).toString());
    response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"received":true}');
    const asked = waiting.findIndex(({ type }) => type === event.event_type);
    if (asked === -1) kept.push(event);
    else waiting.splice(asked, 1)[0].resolve(event);
  });
  const told = (type) => {
    const known = kept.findIndex((event) => event.event_type === type);
    if (known !== -1) return Promise.resolve(kept.splice(known, 1)[0]);
    return new Promise((resolve) => waiting.push({ type, resolve }));
  };
  return { url: `http://127.0.0.1:${port}/webhooks`, told };
}

/** Where nothing listens any more. */
export async function nowhere() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}
