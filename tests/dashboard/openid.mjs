// Signing in through an OpenID Connect provider: there, through its own pages, and back.

import assert from 'node:assert/strict';

import { expectComplaint, heading, open, place, stage, visitor, walk } from './stage.mjs';

const RETURN = '/dashboard/sign-in/openid/return';
const SIGN_IN = { name: 'Sign in with Example ID' };

/** To the provider, which asks who it is. */
async function leave(page, wanted = '/dashboard') {
  await open(page, wanted);
  await page.getByRole('link', SIGN_IN).click();
}

async function come(page, who, wanted) {
  await leave(page, wanted);
  await page.getByRole('button', { name: who, exact: true }).click();
}

async function refused(page, words) {
  await page.waitForURL(`${stage.url}${RETURN}?**`);
  assert.equal(await heading(page), 'You aren’t signed in');
  assert.match(await page.getByRole('alert').innerText(), words);
  const cookies = (await page.context().cookies(stage.url)).map(({ name }) => name);
  assert.deepEqual(cookies, ['tollgate-visitor'], 'neither a session nor what was remembered');
}

const who = (page) => page.locator('.menu.account summary .email').innerText();

async function a_provider_that_gives_no_answer_is_told() {
  const page = await visitor();
  await leave(page);
  await page.getByText('Example ID gave no answer.').waitFor();
  expectComplaint(/503/);
  await page.getByRole('link', { name: 'To the sign-in page' }).click();
  await page.waitForURL(`${stage.url}/dashboard/sign-in`);

  const told = { method: 'POST', body: JSON.stringify({ redirect: stage.url + RETURN }) };
  assert.equal((await fetch(`${stage.provider}/control`, told)).status, 204, 'it is there from now on');
}

async function whoever_has_an_account_goes_on_where_they_wanted_to() {
  const page = await visitor();
  await come(page, 'owner', '/dashboard/events?type=client_token.created');
  await page.waitForURL(`${stage.url}/dashboard/events?type=client_token.created`);
  assert.equal(await who(page), stage.people.owner.email);
  const cookies = (await page.context().cookies(stage.url)).map(({ name }) => name).sort();
  assert(!cookies.includes('tollgate-openid'), 'what was remembered is forgotten');

  await open(page, '/dashboard/sign-in/openid?next=/dashboard/api-keys');
  assert.equal(place(page), '/dashboard/api-keys', 'who is signed in needs no provider');
}

async function whoever_is_invited_becomes_a_member() {
  const page = await visitor();
  await open(page, stage.links.invitation);
  await page.getByRole('link', SIGN_IN).click();
  await page.getByRole('button', { name: 'invited', exact: true }).click();
  await page.waitForURL(`${stage.url}/dashboard/client-tokens`);
  assert.equal(await who(page), 'packing@example.com');
  await open(page, '/dashboard/account');
  assert.match(await page.locator('main').innerText(), /Pia Packing/);
  await open(page, stage.links.invitation);
  expectComplaint(/410/);
}

async function a_stranger_stays_outside() {
  const page = await visitor();
  await come(page, 'stranger');
  await refused(page, /There is no account for eve@example\.com here\. Ask an admin/);
  expectComplaint(/403/);
}

async function an_address_that_nobody_vouches_for_opens_nothing() {
  const page = await visitor();
  await come(page, 'unverified');
  await refused(page, /Example ID doesn’t vouch for your email address/);
  expectComplaint(/403/);
}

async function whoever_stops_there_is_not_signed_in_and_can_try_again() {
  const page = await visitor();
  await come(page, 'cancel');
  await refused(page, /Example ID didn’t let you in, or you stopped there/);
  expectComplaint(/403/);
  await page.getByRole('link', { name: 'Try Example ID again' }).click();
  await page.getByRole('button', { name: 'owner', exact: true }).click();
  await page.waitForURL(`${stage.url}/dashboard/client-tokens`);
}

async function the_way_back_of_another_browser_leads_nowhere() {
  const page = await visitor();
  await leave(page);
  const [remembered] = (await page.context().cookies(stage.url)).filter(({ name }) => name === 'tollgate-openid');
  assert.deepEqual([remembered.httpOnly, remembered.sameSite], [true, 'Lax']);
  await page.context().clearCookies({ name: 'tollgate-openid' });
  await page.getByRole('button', { name: 'owner', exact: true }).click();
  await refused(page, /was begun in another browser/);
  expectComplaint(/400/);
  const way = page.url();

  const other = await visitor();
  await leave(other); // so that it remembers something, too
  await other.goto(way);
  await refused(other, /was begun in another browser/);
  expectComplaint(/400/);

  // It was the way back of somebody, though.
  await page.context().addCookies([remembered]);
  await page.goto(way);
  await page.waitForURL(`${stage.url}/dashboard/client-tokens`);
}

await walk(
  a_provider_that_gives_no_answer_is_told,
  whoever_has_an_account_goes_on_where_they_wanted_to,
  whoever_is_invited_becomes_a_member,
  a_stranger_stays_outside,
  an_address_that_nobody_vouches_for_opens_nothing,
  whoever_stops_there_is_not_signed_in_and_can_try_again,
  the_way_back_of_another_browser_leads_nowhere,
);
