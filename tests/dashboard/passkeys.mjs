// Passkeys: added on the page of the account, used at the entrance, renamed, removed, and worth nothing from then on.

import assert from 'node:assert/strict';

import { authenticator } from './authenticator.mjs';
import { expectComplaint, heading, open, place, signIn, stage, visitor, walk } from './stage.mjs';

const NAME = 'Name of a new passkey';
const SIGN_IN = { name: 'Sign in with a passkey' };

async function add(page, name) {
  await open(page, '/dashboard/account');
  await page.getByLabel(NAME).fill(name);
  await page.getByRole('button', { name: 'Add a passkey' }).click();
}

async function added(page, name) {
  await add(page, name);
  await page.waitForURL('**/dashboard/account?done=passkey-added');
}

/** The account's list: name, and when it was last used. */
const listed = (page) => page.locator('section[aria-labelledby=passkeys] tbody tr').evaluateAll((rows) => {
  return rows.map(({ cells }) => [cells[0].innerText, cells[2].innerText]);
});

async function signOut(page) {
  await page.locator('.menu.account summary').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/dashboard/sign-in?done=signed-out');
}

async function one_is_added_signs_in_and_is_worth_nothing_when_it_is_removed() {
  const page = await visitor();
  const device = await authenticator(page);
  await signIn(page, stage.people.developer);
  await added(page, 'Laptop <b>');
  assert.deepEqual(await listed(page), [['Laptop <b>', 'never']]);
  assert.equal(await device.holds(), 1);

  await signOut(page);
  await open(page, '/dashboard/events');
  await page.getByRole('button', SIGN_IN).click();
  await page.waitForURL('**/dashboard/events');
  assert.equal(await page.locator('.menu.account summary .email').innerText(), stage.people.developer.email);

  await open(page, '/dashboard/account');
  const [[, used]] = await listed(page);
  assert.notEqual(used, 'never');
  await page.getByRole('link', { name: 'Rename or remove Laptop <b>' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Old laptop');
  await page.getByRole('button', { name: 'Rename it' }).click();
  await page.waitForURL('**/dashboard/account?done=passkey-renamed');
  await page.getByRole('link', { name: 'Rename or remove Old laptop' }).click();
  await page.getByRole('link', { name: 'Remove …' }).click();
  assert.equal(await heading(page), 'Remove Old laptop?');
  await page.getByRole('button', { name: 'Remove the passkey' }).click();
  await page.waitForURL('**/dashboard/account?done=passkey-removed');
  assert.deepEqual(await listed(page), []);

  await signOut(page);
  await page.getByRole('button', SIGN_IN).click();
  await page.getByText('Nobody here has this passkey.').waitFor();
  expectComplaint(/422/);
  assert.equal(await device.holds(), 1, 'the device has it still');
  await open(page, '/dashboard/events');
  assert.match(place(page), /^\/dashboard\/sign-in/, 'nobody is signed in');
}

async function what_the_device_does_not_do_is_told_and_can_be_tried_again() {
  const page = await visitor({ as: 'admin' });
  const device = await authenticator(page);
  await add(page, ' ');
  await page.getByText('Name: ').waitFor();
  expectComplaint(/422/);
  assert.equal(await device.holds(), 0, 'the device was not asked');

  await added(page, 'Phone');
  await add(page, 'Phone again');
  await page.getByText('This device has a passkey of yours already.').waitFor();
  await signOut(page);
  await device.verifies(false);
  await page.getByRole('button', SIGN_IN).click();
  await page.getByText('No passkey was chosen, or it took too long.').waitFor();
  await device.verifies(true);
  await page.getByRole('button', SIGN_IN).click();
  await page.waitForURL('**/dashboard/client-tokens');
}

async function a_page_that_is_too_old_says_so() {
  const page = await visitor();
  await authenticator(page);
  await open(page, '/dashboard/sign-in');
  await page.context().clearCookies();
  await page.getByRole('button', SIGN_IN).click();
  await page.getByText('This page is too old.').waitFor();
  expectComplaint(/403/);
}

async function where_there_are_none_nothing_is_offered_that_does_nothing() {
  const page = await visitor({ javaScriptEnabled: false });
  await open(page, '/dashboard/sign-in');
  assert.equal(await page.getByRole('button', SIGN_IN).count(), 0, 'without scripts');
  await signIn(page, stage.people.viewer);
  await open(page, '/dashboard/account');
  assert.equal(await page.getByLabel(NAME).isVisible(), false);
  assert(await page.getByText('To add one, use a browser that has passkeys').isVisible());

  const elsewhere = await visitor();
  await elsewhere.goto(`${stage.url.replace('localhost', '127.0.0.1')}/dashboard/sign-in`);
  assert.equal(await elsewhere.locator('form[data-passkey]').count(), 0, 'at an IP address');
}

await walk(
  one_is_added_signs_in_and_is_worth_nothing_when_it_is_removed,
  what_the_device_does_not_do_is_told_and_can_be_tried_again,
  a_page_that_is_too_old_says_so,
  where_there_are_none_nothing_is_offered_that_does_nothing,
);
