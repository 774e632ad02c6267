// The whole way by keyboard: signing in, making a token, copying it, revoking it, looking at what came of it, signing out.

import assert from 'node:assert/strict';

import { receiver } from '../browser/servers.mjs';
import { press, reach, type, withoutMouse } from './keys.mjs';
import { api, heading, open, stage, visitor, walk } from './stage.mjs';

const { owner } = stage.people;

async function sign_in(page) {
  await open(page, '/dashboard/client-tokens');
  await page.waitForURL(/sign-in\?next=/);
  await type(page, 'Email address', owner.email);
  await type(page, 'Password', owner.password);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/dashboard/client-tokens');
}

async function the_first_tab_skips_to_the_content() {
  const page = await visitor({ as: 'owner' });
  await withoutMouse(page);
  await open(page, '/dashboard/client-tokens');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  assert(await page.evaluate(() => document.querySelector('main').contains(document.activeElement)), 'past the navigation');
}

async function menus_open_and_close() {
  const page = await visitor({ as: 'owner' });
  await withoutMouse(page);
  await open(page, '/dashboard/client-tokens');
  const summary = page.locator('.menu.workspace summary');
  await reach(page, summary);
  await page.keyboard.press('Enter');
  await page.locator('.menu.workspace[open]').waitFor();
  await page.keyboard.press('Escape');
  await page.locator('.menu.workspace:not([open])').waitFor();
  assert(await summary.evaluate((element) => element === document.activeElement), 'the focus goes back');
  await page.keyboard.press('Space');
  await press(page, 'button', /Paper and Ink Live/);
  await page.locator('body.live').waitFor();
}

/** Makes a destination; looks in the form at what a radio button and a checkbox do. */
async function make_a_destination(page, url) {
  await press(page, 'link', 'Notifications');
  await press(page, 'link', 'New destination');
  await type(page, 'Description', 'Order service');
  await type(page, 'URL or email address', url);
  const [all, real] = ['all', 'platform'].map((value) => page.locator(`[name=traffic_source][value=${value}]`));
  await reach(page, page.locator('[name=traffic_source]:checked'));
  for (const wanted of [real, all]) {
    for (let presses = 0; presses < 3 && !(await wanted.isChecked()); presses++) await page.keyboard.press('ArrowDown');
    assert(await wanted.isChecked(), 'the arrows choose');
  }
  const revoked = page.locator('[value="client_token.revoked"]');
  await reach(page, revoked);
  const before = await revoked.isChecked();
  await page.keyboard.press('Space');
  assert.notEqual(await revoked.isChecked(), before, 'the space bar ticks it');
  if (before) await page.keyboard.press('Space');
  await press(page, 'button', 'Create the destination');
  await page.waitForURL(/destinations\/ntfset_/);
  await press(page, 'link', 'Client-side tokens');
}

/** From the list of events to what a receiver answered. */
async function look_at_the_delivery(page) {
  await press(page, 'link', 'Events');
  await press(page, 'link', 'client_token.revoked');
  await page.locator('[data-live=deliveries]').getByText('delivered').waitFor();
  await reach(page, page.locator('[data-live=deliveries]').getByRole('link', { name: 'client_token.revoked' }));
  await page.keyboard.press('Enter');
  await reach(page, page.locator('summary', { hasText: 'Answer' }));
  await page.keyboard.press('Enter');
  await page.getByText('{"received":true}').waitFor();
}

async function a_token_lives_and_dies() {
  const page = await visitor();
  const hooks = await receiver();
  await withoutMouse(page);
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write'], { origin: stage.url });
  await sign_in(page);
  await make_a_destination(page, hooks.url);
  await press(page, 'link', 'Create the first token');
  await type(page, 'Name', 'By keyboard');
  await type(page, 'Allowed origins, one a line', 'https://shop.example.com');
  const report = page.getByLabel(/^Only report origins/);
  await reach(page, report);
  await page.keyboard.press('Space');
  assert(await report.isChecked());
  await page.keyboard.press('Space');
  await press(page, 'button', 'Create the token');
  await page.waitForURL(/client-tokens\/ctkn_/);
  assert.equal(await heading(page), 'By keyboard');

  await press(page, 'button', 'Copy the token');
  await page.getByText('Copied').waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const id = new URL(page.url()).pathname.split('/').pop();
  assert.equal((await api('GET', `/client-tokens/${id}`)).token, copied);

  await press(page, 'link', /^Revoke/);
  await page.waitForURL(/\/revoke$/);
  // A select by its arrows; then what was meant.
  const overlap = page.getByLabel('Revoke the old token');
  await reach(page, overlap);
  await page.keyboard.press('ArrowUp');
  assert.equal(await overlap.inputValue(), 'day');
  await press(page, 'button', 'Revoke now');
  await page.waitForURL(/done=revoked/);
  assert.equal((await hooks.told('client_token.revoked')).data.id, id);
  await look_at_the_delivery(page);
  await find_in_the_audit_trail(page, id);
  await sign_out(page);
}

/** By the filter: what it is about, then what was done. */
async function find_in_the_audit_trail(page, id) {
  await press(page, 'link', 'Audit trail');
  await type(page, 'To what (an id)', id);
  await press(page, 'button', 'Show');
  await page.waitForURL(/subject=ctkn_/);
  const revoked = page.locator('table.trail tr', { hasText: 'Client-side token revoked' });
  await reach(page, revoked.locator('summary'));
  await page.keyboard.press('Enter');
  await revoked.getByText('"status": "revoked"').waitFor();
}

async function sign_out(page) {
  await reach(page, page.locator('.menu.account summary'));
  await page.keyboard.press('Enter');
  await press(page, 'button', /^Sign out$/);
  await page.waitForURL('**/dashboard/sign-in?done=signed-out');
}

await walk(
  the_first_tab_skips_to_the_content,
  menus_open_and_close,
  a_token_lives_and_dies,
);
