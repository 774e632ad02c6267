// What a role and a workspace are the limit of: shown to people as what isn't there, and refused by the server anyway.

import assert from 'node:assert/strict';

import { api, expectComplaint, heading, live, open, place, sandbox, stage, visitor, walk } from './stage.mjs';

/** The strip on top, the colours of the badge, and what the tab says: how one tells where one is. */
async function look(page) {
  await open(page, '/dashboard/client-tokens');
  return page.evaluate(() => {
    const style = (element, pseudo) => {
      const { backgroundImage, backgroundColor, color } = getComputedStyle(element, pseudo);
      return `${backgroundImage} ${backgroundColor} ${color}`;
    };
    const badge = document.querySelector('.menu.workspace summary .environment');
    return { strip: style(document.body, '::before'), badge: style(badge), says: badge.textContent, title: document.title };
  });
}

async function switchTo(page, { name }, environment) {
  await page.locator('.menu.workspace summary').click();
  await page.locator('.menu.workspace button', { hasText: `${name} ${environment}` }).click();
  await page.waitForFunction((says) => document.querySelector('.menu.workspace summary .environment').textContent === says, environment);
}

async function sandbox_and_live_can_not_be_confused() {
  const page = await visitor({ as: 'owner' });
  const first = await look(page);
  assert.equal(first.says, 'Sandbox');
  assert.match(first.title, /Client-side tokens · Paper and Ink \(Sandbox\)/);
  await switchTo(page, live, 'Live');
  assert.equal(place(page), '/dashboard/client-tokens');
  const second = await look(page);
  assert.equal(second.says, 'Live');
  assert.match(second.title, /Client-side tokens · Paper and Ink \(Live\)/);
  assert.notEqual(first.strip, second.strip);
  assert.notEqual(first.badge, second.badge);
  await switchTo(page, sandbox, 'Sandbox');
  assert.deepEqual(await look(page), first);
}

async function a_form_in_an_old_tab_acts_in_the_workspace_that_it_showed() {
  const old = await visitor({ as: 'owner' });
  await open(old, '/dashboard/client-tokens/new');
  const tab = await old.context().newPage();
  await open(tab, '/dashboard/client-tokens');
  await switchTo(tab, live, 'Live');
  await old.getByLabel('Name', { exact: true }).fill('From an old tab');
  await old.getByRole('button', { name: 'Create the token' }).click();
  await old.waitForURL(/client-tokens\/ctkn_/);
  const names = async (workspace) => (await api('GET', '/client-tokens?per_page=100', undefined, workspace)).map(({ name }) => name);
  assert((await names(sandbox)).includes('From an old tab'));
  assert.deepEqual(await names(live), []);
  // Where it leads is a page of that workspace, and says so.
  assert.equal(await old.locator('.menu.workspace summary .environment').innerText(), 'Sandbox');
}

/** The ways on the pages to change something: buttons of forms that are sent, and links to such forms. */
const changing = (page) => page.evaluate(() => [...document.querySelectorAll('main form[method=post], main a.button')]
  .map((each) => each.action ?? each.href));

async function a_viewer_finds_nothing_that_changes_anything() {
  const page = await visitor({ as: 'viewer' });
  for (const { method, path } of stage.table) {
    if (method !== 'GET' || path.includes('{') || path === '/dashboard/live') continue;
    const answer = await page.request.get(stage.url + path);
    if (answer.status() !== 200 || !answer.headers()['content-type'].startsWith('text/html')) continue;
    await open(page, path);
    if (path.startsWith('/dashboard/account')) continue; // their own
    assert.deepEqual(await changing(page), [], path);
  }
  const [token] = await api('GET', '/client-tokens');
  await open(page, `/dashboard/client-tokens/${token.id}`);
  assert.deepEqual(await changing(page), []);
}

/** Sends a form by script from the page that is open, as somebody would who knows more than the page shows. */
const send = (page, path, fields) => page.evaluate(async ([path, given]) => {
  const mine = { proof: document.querySelector('[name=proof]').value, workspace: document.querySelector('.menu.workspace code').textContent };
  const answer = await fetch(path, { method: 'POST', body: new URLSearchParams({ ...mine, ...given }) });
  return { status: answer.status, text: await answer.text() };
}, [path, fields]);

async function what_a_role_lacks_is_refused_whoever_sends_it() {
  const [token] = await api('GET', '/client-tokens');
  for (const [as, path, fields] of [
    ['viewer', '/dashboard/client-tokens/new', { name: 'By a viewer' }],
    ['viewer', `/dashboard/client-tokens/${token.id}/revoke`, { when: 'now' }],
    ['developer', '/dashboard/api-keys/new', { name: 'By a developer' }],
  ]) {
    const page = await visitor({ as });
    await open(page, '/dashboard/client-tokens');
    const { status, text } = await send(page, path, fields);
    assert.equal(status, 403, `${as} ${path}`);
    assert.match(text, /Your role doesn(&#39;|')t allow this/);
    expectComplaint(/403/);
  }
  const answer = await send(await opened('owner'), '/dashboard/client-tokens/new', { name: '' });
  assert.equal(answer.status, 422, 'the same way is open to an owner');
  expectComplaint(/422/);
  const now = await api('GET', `/client-tokens/${token.id}`);
  assert.deepEqual(now, token, 'nothing changed');
}

async function opened(as) {
  const page = await visitor({ as });
  await open(page, '/dashboard/client-tokens');
  return page;
}

async function what_a_role_does_not_allow_is_a_page_that_says_so() {
  const page = await opened('viewer');
  await open(page, '/dashboard/client-tokens/new');
  assert.match(await heading(page), /Your role doesn.t allow this/);
  assert.match(await page.locator('main').innerText(), /Ask an admin or an owner/);
  expectComplaint(/403/);
}

await walk(
  sandbox_and_live_can_not_be_confused,
  a_form_in_an_old_tab_acts_in_the_workspace_that_it_showed,
  a_viewer_finds_nothing_that_changes_anything,
  what_a_role_lacks_is_refused_whoever_sends_it,
  what_a_role_does_not_allow_is_a_page_that_says_so,
);
