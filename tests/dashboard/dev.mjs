// The link that `tollgate dev` prints, in a browser.

import assert from 'node:assert/strict';

import { expectComplaint, heading, open, stage, visitor, walk } from './stage.mjs';

async function follow() {
  const page = await visitor();
  await open(page, stage.links.sign_in);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  return page;
}

async function it_signs_in_once() {
  const page = await follow();
  await page.waitForURL('**/dashboard/client-tokens');
  assert.equal(await heading(page), 'Client-side tokens');
  await page.getByRole('link', { name: 'First token' }).click();
  await page.waitForURL(/client-tokens\/ctkn_/);
  const second = await follow();
  await second.getByText(/link/i).first().waitFor();
  expectComplaint(/410/);
  await open(second, '/dashboard/client-tokens');
  assert.match(second.url(), /sign-in\?next=/);
}

await walk(it_signs_in_once);
