// A webhook receiver as the official Node SDK and a Standard Webhooks library have it, unchanged.
//
// TOLLGATE_TEST_NODE_MODULES  the node_modules folder that holds both
//
// Listens on a free port and prints {"port": …}. A line {"secret": …, "standard": …} on standard input sets the secrets, for the
// SDK and for the library, and is answered with {"secret_is_set": true}. Each request is checked: what holds is answered with 200,
// what doesn't with 401; a line tells what was found. It ends with its standard input.

import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

const require = createRequire(`${process.env.TOLLGATE_TEST_NODE_MODULES}/`);
const { Paddle, LogLevel } = require('@paddle/paddle-node-sdk');
const { Webhook } = require('standardwebhooks');

const { webhooks } = new Paddle('pdl_sdbx_apikey_unused', { logLevel: LogLevel.none });
const say = (value) => console.log(JSON.stringify(value));
let secrets;

const refused = (check) => check().then(() => false, () => true);

/** As the server signs, but `age` seconds ago. */
function signed(secret, body, age) {
  const ts = Math.floor(Date.now() / 1000) - age;
  const h1 = createHmac('sha256', secret).update(`${ts}:${body}`).digest('hex');
  return `ts=${ts};h1=${h1}`;
}

async function look(request, body) {
  const { secret, standard: standardSecret } = secrets; // which may change meanwhile
  const sdk = (text, header) => webhooks.unmarshal(text, secret, header);
  const header = request.headers['paddle-signature'];
  let event;
  try {
    event = await sdk(body, header);
  } catch (error) {
    return { accepted: false, error: error.message };
  }
  const standard = (text) => new Webhook(standardSecret).verify(text, request.headers);
  const tampered = body.replace('"event_id"', '"event_ID"');
  return {
    accepted: true,
    event_type: event.eventType,
    event_id: event.eventId,
    subject: event.data.id,
    kind: event.constructor.name,
    refuses_tampered: await refused(() => sdk(tampered, header)),
    accepts_five_seconds: (await sdk(body, signed(secret, body, 4))).eventId === event.eventId,
    refuses_older: await refused(() => sdk(body, signed(secret, body, 7))),
    refuses_another_secret: await refused(() => webhooks.unmarshal(body, `${secret}x`, header)),
    standard_accepts: standard(body).event_id === event.eventId,
    standard_refuses_tampered: await refused(async () => standard(tampered)),
  };
}

const server = createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const found = await look(request, Buffer.concat(parts).toString());
  response.writeHead(found.accepted ? 200 : 401).end();
  say(found);
});
server.listen(0, '127.0.0.1', () => say({ port: server.address().port }));

const commands = createInterface({ input: process.stdin });
commands.on('line', (line) => {
  secrets = JSON.parse(line);
  say({ secret_is_set: true });
});
commands.on('close', () => process.exit(0));
