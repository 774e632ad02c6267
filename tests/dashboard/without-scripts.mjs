// With JavaScript off: making a token and revoking it work the same, and nothing is offered that needs scripts.

import assert from 'node:assert/strict';

import { api, heading, open, signIn, stage, visitor, walk } from './stage.mjs';

async function a_token_is_made_and_revoked() {
  const page = await visitor({ javaScriptEnabled: false });
  await signIn(page, stage.people.owner);
  await page.getByRole('link', { name: 'Create the first token' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Without scripts');
  await page.getByRole('button', { name: 'Create the token' }).click();
  await page.waitForURL(/client-tokens\/ctkn_/);
  assert.equal(await heading(page), 'Without scripts');
  const id = new URL(page.url()).pathname.split('/').pop();
  const token = await api('GET', `/client-tokens/${id}`);
  assert(await page.getByText(token.token, { exact: true }).first().isVisible(), 'it can be copied by hand');
  assert.equal(await page.locator('button.copy:visible').count(), 0, 'no button that does nothing');

  await page.getByRole('link', { name: /^Revoke/ }).click();
  assert.match(await page.locator('[data-live=evidence]').innerText(), /Never used/);
  await page.getByRole('button', { name: 'Revoke now' }).click();
  await page.waitForURL(/done=revoked/);
  assert.equal((await api('GET', `/client-tokens/${id}`)).status, 'revoked');
}

async function menus_and_switching_work() {
  const page = await visitor({ as: 'owner', javaScriptEnabled: false });
  await open(page, '/dashboard/client-tokens');
  await page.locator('.menu.workspace summary').click();
  await page.getByRole('button', { name: /Paper and Ink Live/ }).click();
  await page.locator('body.live').waitFor();
  await page.locator('.menu.account summary').click();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL('**/dashboard/sign-in?done=signed-out');
}

await walk(a_token_is_made_and_revoked, menus_and_switching_work);
