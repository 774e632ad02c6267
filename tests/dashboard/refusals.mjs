// What should not be let in, as a browser shows it: each page says what happened and what to do.

import assert from 'node:assert/strict';

import { site } from '../browser/servers.mjs';
import { cookie, expectComplaint, heading, open, place, signIn, stage, visitor, walk } from './stage.mjs';

const { owner } = stage.people;

const answer = (page) => page.locator('main').innerText();

/** Follows a link that signs in, or shows why not. */
async function follow(page, link) {
  await open(page, link);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
}

async function a_link_signs_in_once() {
  const first = await visitor();
  await follow(first, stage.links.sign_in);
  await first.waitForURL('**/dashboard/client-tokens');
  const second = await visitor();
  await follow(second, stage.links.sign_in);
  assert.match(await answer(second), /link/i);
  assert.match(await answer(second), /new one|another|ask/i, 'it says what to do');
  assert.deepEqual((await second.context().cookies()).map(({ name }) => name), ['tollgate-visitor']);
  await open(second, '/dashboard/client-tokens');
  assert.match(place(second), /^\/dashboard\/sign-in\?next=/);
  expectComplaint(/410/);
}

async function a_stolen_session_is_worth_nothing_after_signing_out() {
  const page = await visitor();
  await signIn(page, owner);
  const stolen = (await page.context().cookies()).find(({ name }) => name === 'tollgate-session');
  const thief = await visitor();
  await thief.context().addCookies([cookie(stolen.value)]);
  await open(thief, '/dashboard/client-tokens');
  assert.equal(await heading(thief), 'Client-side tokens', 'it was good before');

  await page.locator('.menu.account summary').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/dashboard/sign-in?done=signed-out');
  assert.match(await answer(page), /You are signed out\./);

  await thief.locator('.menu.account summary').click();
  await thief.getByRole('button', { name: 'Sign out everywhere' }).click();
  assert.equal(await heading(thief), 'You are signed out');
  assert.match(await answer(thief), /Nothing was changed. Sign in and try again/);
  expectComplaint(/403/);
  await open(thief, '/dashboard/client-tokens');
  assert.match(place(thief), /^\/dashboard\/sign-in\?next=%2Fdashboard%2Fclient-tokens/);
}

async function a_form_with_a_wrong_proof_is_refused() {
  const page = await visitor({ as: 'owner' });
  await open(page, '/dashboard/client-tokens');
  await page.evaluate(() => {
    for (const field of document.querySelectorAll('[name=proof]')) field.value = 'guess';
  });
  await page.locator('.menu.account summary').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  assert.equal(await heading(page), "This form can't be trusted");
  assert.match(await answer(page), /Nothing was changed. Open the page anew/);
  expectComplaint(/403/);
  await open(page, '/dashboard/client-tokens');
  assert.equal(await heading(page), 'Client-side tokens', 'still signed in');
}

async function a_page_of_another_origin_sends_nothing_with_the_session() {
  const page = await visitor({ as: 'owner' });
  await open(page, '/dashboard/client-tokens');
  const proof = await page.locator('[name=proof]').first().inputValue();
  // The same host by another name is another site to the browser, and the form there has even found out the proof.
  const elsewhere = await visitor({ as: 'owner' });
  await elsewhere.route('http://attacker.test/', (route) => route.fulfill({ contentType: 'text/html', body:
    `<form method="post" action="${stage.url}/dashboard/sign-out-everywhere"><input name="proof" value="${proof}"><button>Win</button></form>` }));
  await elsewhere.goto('http://attacker.test/');
  await elsewhere.getByRole('button').click();
  await elsewhere.waitForURL(`${stage.url}/**`);
  assert.match(await heading(elsewhere), /can't be trusted|signed out/);
  expectComplaint(/403/);
  await page.reload();
  assert.equal(await heading(page), 'Client-side tokens');
}

async function no_other_page_can_frame_it() {
  const html = `<!doctype html><iframe src="${stage.url}/dashboard/sign-in"></iframe>`;
  const attacker = await site({ '/frame': { html } });
  const page = await visitor({ as: 'owner' });
  await page.goto(`${attacker.byName}/frame`, { waitUntil: 'load' });
  const [, frame] = page.frames();
  await frame.waitForURL('chrome-error://chromewebdata/'); // the browser's page that tells of it
  expectComplaint(/frame-ancestors 'none'/);
}

await walk(
  a_link_signs_in_once,
  a_stolen_session_is_worth_nothing_after_signing_out,
  a_form_with_a_wrong_proof_is_refused,
  a_page_of_another_origin_sends_nothing_with_the_session,
  no_other_page_can_frame_it,
);
