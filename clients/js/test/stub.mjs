// A server that keeps Tollgate's side of `GET /tollgate/client`, for the library's own tests.

import { createServer } from 'node:http';
import { once } from 'node:events';

/** Tokens with the right checksums, worked out by the program in docs/decisions/0002-credentials.md. */
export const SANDBOX = 'test_AAAAAAAAAAAAAAAAAAAAAAZSnzi';
export const OTHER = 'test_zZ9y8X7w6V5u4T3s2R1q0Pg6Hg5';
export const LIVE = 'live_0123456789ABCDEFGHIJabLeqCn';

/** Listens on a free port until `close`; answers each request by what `answer` returns: `{ status, headers, body }`. */
export async function serve(answer) {
  const requests = [];
  const server = createServer(async (request, response) => {
    const seen = { method: request.method, url: request.url, headers: request.headers };
    requests.push(seen);
    const { status = 200, headers = {}, body = '' } = await answer(seen);
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { base: `http://127.0.0.1:${server.address().port}`, requests, close };
}

export const accepted = (token) => ({
  body: {
    data: {
      token_id: 'ctkn_01kjpx8smt1jx21jct317jay33',
      environment: token?.startsWith('live') ? 'live' : 'sandbox',
      expires_at: null,
      sequence: 12,
    },
  },
});

export const refused = (status, code, headers = {}) => ({
  status,
  headers,
  body: { error: { code, detail: `The server's words on ${code}.` } },
});

/** A Tollgate that lets everybody in. */
export const tollgate = () => serve(({ headers }) => accepted(headers['tollgate-client-token']));
