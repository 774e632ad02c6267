// An OpenID Connect provider with people to choose from, on a port of its own. Prints { url } when it listens; before it is
// told where people come from, it is as good as down.
//
//   POST /control  { redirect } registers Tollgate, at this redirect address
//
// TOLLGATE_TEST_BROWSER_MODULES the node_modules folder with oidc-provider

import { once } from 'node:events';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(`${process.env.TOLLGATE_TEST_BROWSER_MODULES}/`);
const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')));

/** Whom the provider knows, by the names of the page's buttons. */
const PEOPLE = {
  owner: { email: 'owner@example.com', email_verified: true, name: 'Shop owner' },
  invited: { email: 'packing@example.com', email_verified: true, name: 'Pia Packing' },
  stranger: { email: 'eve@example.com', email_verified: true },
  unverified: { email: 'printing@example.com', email_verified: false },
};

const server = createServer((request, response) => answer(request, response));
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const url = `http://127.0.0.1:${server.address().port}`;
let provider;

function registered(redirect) {
  const made = new Provider(url, {
    clients: [{ client_id: 'tollgate', client_secret: 'a secret of the provider', redirect_uris: [redirect] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    cookies: { keys: ['only for these cases'] },
    pkce: { required: () => true },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...PEOPLE[id] }) }),
    // Nobody is asked whether Tollgate may know who they are.
    async loadExistingGrant({ oidc: { client, session } }) {
      const grant = new made.Grant({ clientId: client.clientId, accountId: session.accountId });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  return made;
}

async function body(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString();
}

async function answer(request, response) {
  if (request.url === '/control') {
    provider = registered(JSON.parse(await body(request)).redirect);
    response.writeHead(204).end();
  } else if (request.url === '/favicon.ico') {
    response.writeHead(204).end();
  } else if (!provider) {
    request.socket.destroy();
  } else if (!request.url.startsWith('/interaction/')) {
    provider.callback()(request, response);
  } else if (request.method === 'GET') {
    const buttons = [...Object.keys(PEOPLE), 'cancel'].map((who) => `<button name="who" value="${who}">${who}</button>`);
    response.writeHead(200, { 'Content-Type': 'text/html' });
    response.end(`<!doctype html><html lang="en"><title>Who are you?</title><form method="post">${buttons.join(' ')}</form></html>`);
  } else {
    const who = new URLSearchParams(await body(request)).get('who');
    const result = who === 'cancel' ? { error: 'access_denied' } : { login: { accountId: who } };
    await provider.interactionFinished(request, response, result);
  }
}

console.log(JSON.stringify({ url }));
