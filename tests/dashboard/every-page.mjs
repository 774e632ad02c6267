// Every page of the table, where there is much to see and where there is nothing: axe-core finds nothing in light and dark,
// nothing is wider than a small phone, and none is heavier than it may be.
//
// TOLLGATE_SCREENSHOTS  when set, the folder that takes a picture of each page, light and dark

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { require } from '../browser/chromium.mjs';
import { nameOf, places } from './places.mjs';
import { expectComplaint, live, open, sandbox, stage, visitor, walk } from './stage.mjs';

const { TOLLGATE_SCREENSHOTS: screenshots } = process.env;
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** Bytes of a page with its style sheet and script, before the server compresses anything. */
const HEAVIEST = 100 * 1024;
const WIDE = { width: 1200, height: 800 };
const NARROW = { width: 360, height: 740 };

/** What axe-core finds; `only` these rules. */
const violations = (page, only) => page.evaluate(async (rules) => {
  const { violations: all } = await window.axe.run(document, { resultTypes: ['violations'], ...(rules && { runOnly: rules }) });
  return all.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`));
}, only);

/** What sticks out to the right of a window of this width. */
async function overflow(page) {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const wide = [...document.body.querySelectorAll('*')].filter((each) => each.getBoundingClientRect().right > width + 0.5);
    return wide.slice(0, 5).map((each) => each.outerHTML.slice(0, 160));
  });
}

const weight = (page) => page.evaluate(() => {
  const loaded = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
  return loaded.reduce((sum, { decodedBodySize }) => sum + decodedBodySize, 0);
});

/** Opens a page of the table and looks at it. */
async function look(page, { row, path }, say) {
  const answer = await open(page, path);
  if (answer.status() !== 200) say(`answers ${answer.status()}`);
  if (row !== '/dashboard' && new URL(page.url()).pathname !== path) say(`leads to ${page.url()}`);
  await inspect(page, nameOf(row), say);
}

/** Looks at the page that is open, in light, in dark, and narrow. */
async function inspect(page, name, say) {
  const heavy = await weight(page);
  if (heavy > HEAVIEST) say(`weighs ${heavy} bytes`);
  await page.evaluate(AXE);
  for (const violation of await violations(page)) say(`light: ${violation}`);
  await picture(page, `${name}-light`);
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const violation of await violations(page, ['color-contrast', 'link-in-text-block'])) say(`dark: ${violation}`);
  await picture(page, `${name}-dark`);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW);
  for (const wide of await overflow(page)) say(`at 360 px: ${wide}`);
  await page.setViewportSize(WIDE);
}

async function picture(page, name) {
  if (!screenshots || name.startsWith('home-')) return;
  const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), 2_400);
  await page.screenshot({ path: join(screenshots, `${name}.png`), clip: { x: 0, y: 0, width: 1200, height }, fullPage: true });
}

/** Each page that can be reached in this workspace; those that need something to be there only if there is. */
async function lookAtAll(workspace, needed) {
  const pages = new Map();
  for (const as of ['owner', 'nobody', null]) pages.set(as, await visitor({ as, viewport: WIDE, reducedMotion: 'reduce' }));
  await pages.get('owner').context().addCookies([{ name: 'tollgate-workspace', value: workspace.id, url: stage.url }]);
  const { places: all, missing } = await places(pages.get('owner'));
  if (needed) assert.deepEqual(missing, [], 'nothing links to these');
  assert.equal(new Set(all.map(({ row }) => nameOf(row))).size, all.length, 'each has a name of its own');
  const wrong = [];
  for (const each of all) await look(pages.get(each.as), each, (text) => wrong.push(`${each.path} ${text}`));
  console.log(`looked at ${all.length} pages`);
  assert.deepEqual(wrong, []);
}

async function where_there_is_much_to_see() {
  await lookAtAll(sandbox, true);
}

async function where_there_is_nothing_yet() {
  await lookAtAll(live, false);
}

/** Pages that only a form leads to: `[name, address, status, what is filled in, button, what is ticked]`. */
const ANSWERS = [
  ['client-token-refused', '/dashboard/client-tokens/new', 422, { allowed_origins: 'nowhere' }, 'Create the token'],
  ['api-key-refused', '/dashboard/api-keys/new', 422, {}, 'Create the key'],
  ['api-key-created', '/dashboard/api-keys/new', 200, { name: 'Order service' }, 'Create the key', 'client_token.read'],
  ['destination-refused', '/dashboard/notifications/destinations/new', 422, { destination: 'nowhere' }, 'Create the destination'],
  ['simulation-refused', '/dashboard/simulator', 422, { payload: '{' }, /^Send/],
  ['invitation-refused', '/dashboard/settings/invite', 422, { email: 'nobody' }, 'Invite'],
  ['invitation-made', '/dashboard/settings/invite', 200, { email: 'binding@example.com' }, 'Invite', 'developer'],
  ['password-refused', '/dashboard/account', 422, { current: 'wrong', password: 'short' }, /password/i],
  ['sign-in-refused', '/dashboard/sign-in', 422, { email: 'owner@example.com', password: 'wrong' }, /^Sign in$/],
];

async function what_forms_answer() {
  const wrong = [];
  for (const [name, path, status, fields, button, ticked] of ANSWERS) {
    const page = await visitor({ as: path.endsWith('sign-in') ? null : 'owner', viewport: WIDE, reducedMotion: 'reduce' });
    await open(page, path);
    await page.evaluate(() => { for (const form of document.forms) form.noValidate = true; });
    for (const [field, text] of Object.entries(fields)) await page.locator(`main [name="${field}"]`).fill(text);
    if (ticked) await page.locator(`main [value="${ticked}"]`).check();
    const [answer] = await Promise.all([
      page.waitForResponse((response) => response.request().method() === 'POST'),
      page.locator('main').getByRole('button', { name: button }).first().click(),
    ]);
    await page.waitForLoadState();
    const say = (text) => wrong.push(`${name}: ${text}`);
    if (answer.status() !== status && !(status === 200 && answer.status() === 303)) say(`answers ${answer.status()}`);
    await inspect(page, name, say);
    if (status !== 200) {
      assert(await page.getByRole('alert').count(), `${name} says what is wrong`);
      expectComplaint(new RegExp(`${status}`));
    }
    await page.context().close();
  }
  assert.deepEqual(wrong, []);
}

await walk(where_there_is_much_to_see, what_forms_answer, ...(screenshots ? [] : [where_there_is_nothing_yet]));
