// From an invitation to the audit trail: somebody comes for the first time, makes a token, uses it on a page of another
// origin, sees that, revokes it, and finds out what became of all this. Nothing is reloaded on the way.

import assert from 'node:assert/strict';

import { receiver, site } from '../browser/servers.mjs';
import { expectComplaint, heading, open, signIn, stage, visitor, walk } from './stage.mjs';

const EMAIL = 'packing@example.com';
const PASSWORD = 'a roll of brown paper';

/** Takes the invitation, chooses a password, and signs in with it. */
async function arrive(page) {
  await open(page, stage.links.invitation);
  assert.match(await page.locator('main').innerText(), /Paper and Ink/);
  await page.getByLabel('Your name').fill('Packing');
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
  await page.getByLabel('again').fill(PASSWORD);
  await page.getByRole('button', { name: 'Join the workspace' }).click();
  await page.waitForURL('**/dashboard/sign-in?done=joined');
  await signIn(page, { email: EMAIL, password: PASSWORD });
  assert.match(await page.locator('main').innerText(), /No client-side tokens yet/);
}

/** Makes a token for this site, from the list; ends on the token's page, with the token in the clipboard. */
async function create(page, origin) {
  await page.getByRole('link', { name: 'Create the first token' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Storefront');
  await page.getByLabel('Allowed origins').fill(origin);
  await page.getByRole('button', { name: 'Create the token' }).click();
  await page.waitForURL(/client-tokens\/ctkn_/);
  assert.equal(await heading(page), 'Storefront');
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: stage.url });
  const copy = page.getByRole('button', { name: 'Copy the token' });
  await copy.click();
  await page.getByText('Copied').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(copied, /^test_[A-Za-z0-9]{27}$/);
  return copied;
}

/** Makes a destination that is told of what happens to tokens. */
async function listen(page, url) {
  await page.getByRole('link', { name: 'Notifications', exact: true }).click();
  await page.getByRole('link', { name: 'New destination' }).first().click();
  await page.getByLabel('Description').fill('Order service');
  await page.getByLabel('URL or email address').fill(url);
  for (const name of ['client_token.created', 'client_token.updated', 'client_token.revoked']) await page.getByLabel(name).check();
  await page.getByRole('button', { name: 'Create the destination' }).click();
  await page.waitForURL(/destinations\/ntfset_/);
  await page.getByRole('link', { name: 'Client-side tokens', exact: true }).first().click();
}

/** Presents the token as a shop's page does, and waits there for its end. */
async function use(shop, token) {
  await shop.evaluate(async ([library, options]) => {
    const { Tollgate } = await import(library);
    const client = await Tollgate.initialize(options);
    window.ended = new Promise((resolve) => client.onRevoked(({ code }) => resolve(code)));
  }, [`${stage.url}/js/v1/tollgate.js`, { token, baseUrl: stage.url, environment: 'sandbox' }]);
}

/** A mark on the page that no reload leaves. */
const mark = (page) => page.evaluate(() => { window.marked = true; });
const isMarked = (page) => page.evaluate(() => window.marked === true);

async function from_the_invitation_to_the_audit_trail() {
  const [paper, hooks] = [await site({}), await receiver()];
  const page = await visitor();
  await arrive(page);
  await listen(page, hooks.url);
  const token = await create(page, paper.byName);
  const id = new URL(page.url()).pathname.split('/').pop();
  assert.equal((await hooks.told('client_token.created')).data.id, id);

  // Its usage appears on the page that is open already.
  await mark(page);
  assert.match(await page.locator('[data-live=usage] .evidence').innerText(), /^Never used/);
  const shop = await visitor();
  await shop.goto(paper.byName);
  await use(shop, token);
  const used = page.locator('[data-live=usage] .evidence', { hasText: /^Used \d+ times? in the last hour from 1 origin\./ });
  await used.waitFor({ timeout: 20_000 });
  await page.locator('[data-live=origins]', { hasText: paper.byName }).waitFor();
  assert(await isMarked(page), 'it was not loaded again');

  // The list of events is open in another tab while the token is revoked.
  const events = await page.context().newPage();
  await open(events, '/dashboard/events');
  await mark(events);
  assert.equal(await events.getByRole('link', { name: 'client_token.revoked' }).count(), 0);
  await page.getByRole('link', { name: /^Revoke/ }).click();
  assert.equal(await heading(page), 'Revoke Storefront?');
  assert.match(await page.locator('[data-live=evidence]').innerText(), /Used \d+ times? in the last hour from 1 origin\./);
  await page.getByRole('button', { name: 'Revoke now' }).click();
  await page.waitForURL(/done=revoked/);
  assert.match(await page.locator('[data-live=facts]').innerText(), /revoked/i);
  assert.equal(await shop.evaluate(() => window.ended), 'client_token_revoked', 'the shop is told');
  const told = await hooks.told('client_token.revoked');
  assert.equal(told.data.id, id);
  await events.getByRole('link', { name: 'client_token.revoked' }).waitFor();
  assert(await isMarked(events), 'it was not loaded again');

  await lookAtTheDelivery(events, told);
  await findInTheAuditTrail(page, id);
  expectComplaint(/401/); // the shop's, when its token had ended
}

/** From the list of events to what the receiver answered. */
async function lookAtTheDelivery(page, told) {
  await page.getByRole('link', { name: 'client_token.revoked' }).click();
  const deliveries = page.locator('[data-live=deliveries]');
  await deliveries.getByText('delivered').waitFor();
  await deliveries.getByRole('link', { name: 'client_token.revoked' }).click();
  await page.waitForURL(`**/deliveries/${told.notification_id}`);
  assert.match(await page.locator('[data-live=state]').innerText(), /delivered/i);
  const attempts = page.locator('[data-live=attempts] .attempt');
  assert.equal(await attempts.count(), 1);
  assert.match(await attempts.innerText(), /200/);
  await attempts.locator('summary', { hasText: 'Answer' }).click();
  await attempts.getByText('{"received":true}').waitFor();
}

/** Who did what to it, by the filter of the trail. */
async function findInTheAuditTrail(page, id) {
  await page.getByRole('link', { name: 'Audit trail' }).click();
  await page.getByLabel('What', { exact: true }).selectOption('client_token.revoked');
  await page.getByLabel('To what (an id)').fill(id);
  await page.getByRole('button', { name: 'Show' }).click();
  const rows = page.locator('table.trail tbody tr');
  await page.waitForURL(/subject=ctkn_/);
  assert.equal(await rows.count(), 1);
  const text = await rows.innerText();
  for (const part of ['Packing', EMAIL, 'Client-side token revoked', id, '127.0.0.1']) assert(text.includes(part), `${part} in ${text}`);
}

await walk(from_the_invitation_to_the_audit_trail);
