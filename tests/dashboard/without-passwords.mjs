// Where passwords are switched off: an invitation is taken by a name alone, and a passkey is added at once.

import assert from 'node:assert/strict';

import { authenticator } from './authenticator.mjs';
import { expectComplaint, heading, open, stage, visitor, walk } from './stage.mjs';

const passwords = (page) => page.locator('input[type=password]').count();

async function whoever_is_invited_joins_by_name_and_signs_in_by_passkey() {
  const page = await visitor();
  await authenticator(page);
  await open(page, stage.links.invitation);
  assert.equal(await passwords(page), 0);
  await page.getByLabel('Your name').fill('Pia Packing');
  await page.getByRole('button', { name: 'Join the workspace' }).click();
  await page.waitForURL('**/dashboard/account?done=joined');
  assert.match(await page.getByRole('status').innerText(), /Add a passkey below before you leave/);
  assert.equal(await passwords(page), 0);
  await page.getByLabel('Name of a new passkey').fill('Phone');
  await page.getByRole('button', { name: 'Add a passkey' }).click();
  await page.waitForURL('**/dashboard/account?done=passkey-added');

  await page.context().clearCookies();
  await open(page, '/dashboard/sign-in');
  assert.equal(await passwords(page), 0);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.waitForURL('**/dashboard/client-tokens');
  assert.equal(await page.locator('.menu.account summary .email').innerText(), 'packing@example.com');

  const again = await visitor();
  await open(again, stage.links.invitation);
  assert.match(await again.locator('main').innerText(), /The link isn.t valid/);
  expectComplaint(/410/);
}

async function nothing_is_offered_that_passwords_are_for() {
  const page = await visitor({ as: 'owner' });
  await open(page, '/dashboard/account');
  assert.equal(await passwords(page), 0);
  await open(page, '/dashboard/settings');
  await page.getByRole('link', { name: `Manage ${stage.people.viewer.email}` }).click();
  assert.equal(await page.getByRole('button', { name: 'Make the link' }).count(), 0);
  await open(page, stage.links.reset);
  assert.equal(await heading(page), 'Passwords are switched off');
  expectComplaint(/409/);
}

async function without_scripts_the_page_says_what_is_needed() {
  const page = await visitor({ javaScriptEnabled: false });
  await open(page, '/dashboard/sign-in');
  assert(await page.getByText('Passkeys need a browser that has them').isVisible());
  await page.goto(`${stage.url.replace('localhost', '127.0.0.1')}/dashboard/sign-in`);
  assert(await page.getByText('Browsers have no passkeys at this address').isVisible());
}

await walk(
  whoever_is_invited_joins_by_name_and_signs_in_by_passkey,
  nothing_is_offered_that_passwords_are_for,
  without_scripts_the_page_says_what_is_needed,
);
