// Every page of the table, where there is much to see and where there is nothing: axe-core finds nothing in light and dark,
// nothing is wider than a small phone, and none is heavier than it may be.
//
// TOLLGATE_SCREENSHOTS  when set, the folder that takes a picture of each page, light and dark

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { require } from '../browser/chromium.mjs';
import { nameOf, places } from './places.mjs';
import { live, open, sandbox, stage, visitor, walk } from './stage.mjs';

const { TOLLGATE_SCREENSHOTS: screenshots } = process.env;
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
/** Bytes of a page with its style sheet and script, before the server compresses anything. */
const HEAVIEST = 100 * 1024;
const WIDE = { width: 1200, height: 800 };
const NARROW = { width: 360, height: 740 };

/** What axe-core finds; `only` these rules. */
async function violations(page, only) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (rules) => {
    const options = { resultTypes: ['violations'], ...(rules && { runOnly: rules }) };
    const { violations: all } = await window.axe.run(document, options);
    return all.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`));
  }, only);
  return found;
}

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

async function look(page, { row, path }, say) {
  const answer = await open(page, path);
  if (!answer.headers()['content-type'].startsWith('text/html')) return;
  if (answer.status() !== 200) say(`answers ${answer.status()}`);
  if (/^\/dashboard.+/.test(row) && new URL(page.url()).pathname !== path) say(`leads to ${page.url()}`);
  const heavy = await weight(page);
  if (heavy > HEAVIEST) say(`weighs ${heavy} bytes`);
  for (const violation of await violations(page)) say(`light: ${violation}`);
  if (screenshots) await picture(page, row, 'light');
  await page.emulateMedia({ colorScheme: 'dark' });
  for (const violation of await violations(page, ['color-contrast', 'link-in-text-block'])) say(`dark: ${violation}`);
  if (screenshots) await picture(page, row, 'dark');
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(NARROW);
  for (const wide of await overflow(page)) say(`at 360 px: ${wide}`);
  await page.setViewportSize(WIDE);
}

async function picture(page, row, scheme) {
  if (row === '/dashboard') return;
  const height = Math.min(await page.evaluate(() => document.documentElement.scrollHeight), 2_400);
  await page.screenshot({ path: join(screenshots, `${nameOf(row)}-${scheme}.png`), clip: { x: 0, y: 0, width: 1200, height }, fullPage: true });
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

await walk(where_there_is_much_to_see, ...(screenshots ? [] : [where_there_is_nothing_yet]));
