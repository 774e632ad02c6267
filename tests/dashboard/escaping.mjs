// Whatever people write is shown as text: markup, what turns the reading around, formulas, 150 emoji in a row.

import assert from 'node:assert/strict';

import { places } from './places.mjs';
import { open, sandbox, stage, visitor, walk } from './stage.mjs';

/** What no page of ours holds, and what sticks out; the marks of a name that was taken for something else. */
const wrong = (page) => page.evaluate(() => {
  const found = [];
  const say = (what, element) => found.push(`${what}: ${element.outerHTML.slice(0, 200)}`);
  for (const script of document.scripts) if (!script.src.startsWith(`${location.origin}/`) || script.text) say('script', script);
  for (const image of document.querySelectorAll('img, iframe, object, embed, base, style, form[action^="http"]')) say('foreign', image);
  for (const element of document.querySelectorAll('*')) {
    for (const { name } of element.attributes) if (/^on|^style$/.test(name)) say(`attribute ${name}`, element);
  }
  for (const link of document.links) if (!link.textContent.trim() && !link.ariaLabel) say('a link without words', link);
  // What turns the reading around must end where the name ends.
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = words.nextNode(); text; text = words.nextNode()) {
    if (!/[\u202a-\u202e\u2066-\u2069]/.test(text.data)) continue;
    const around = text.parentElement;
    if (around.closest('bdi, pre, code, option, textarea, script')) continue;
    if (!/isolate|plaintext/.test(getComputedStyle(around).unicodeBidi)) say('not isolated', around);
  }
  if (document.documentElement.scrollWidth > document.documentElement.clientWidth) {
    const wide = [...document.body.querySelectorAll('*')].find((each) => each.getBoundingClientRect().right > innerWidth + 0.5);
    say(`wider than ${innerWidth} px`, wide);
  }
  return found;
});

const weight = (page) => page.evaluate(() => performance.getEntriesByType('navigation')[0].decodedBodySize);

/** The pages where names of each kind are seen next to each other. */
const LISTS = ['/dashboard/client-tokens?status=active', '/dashboard/api-keys', '/dashboard/notifications', '/dashboard/simulator', '/dashboard/settings'];

async function on_every_page_names_are_text() {
  const page = await visitor({ as: 'owner' });
  await page.context().addCookies([{ name: 'tollgate-workspace', value: sandbox.id, url: stage.url }]);
  const { places: all } = await places(page);
  const found = [];
  for (const { path, as } of all) {
    if (as !== 'owner') continue;
    const answer = await page.request.get(stage.url + path);
    if (!answer.headers()['content-type'].startsWith('text/html')) continue;
    await open(page, path);
    for (const width of [360, 1200]) {
      await page.setViewportSize({ width, height: 800 });
      found.push(...(await wrong(page)).map((text) => `${path}: ${text}`));
    }
    if ((await weight(page)) > 100 * 1024) found.push(`${path}: ${await weight(page)} bytes`);
  }
  assert.deepEqual(found, []);
}

async function on_every_thing_of_each_name_it_is_text() {
  const page = await visitor({ as: 'owner', viewport: { width: 360, height: 800 } });
  const found = [];
  const seen = new Set();
  for (const list of ['client-tokens', 'api-keys', 'notifications', 'simulator']) {
    await open(page, `/dashboard/${list}`);
    const links = await page.locator(`main a[href^="/dashboard/${list}/"]`).evaluateAll((all) => all.map((link) => [link.pathname, link.textContent]));
    for (const [path, text] of links) {
      if (seen.has(list + text) || path.endsWith('/new')) continue;
      seen.add(list + text);
      await open(page, path);
      found.push(...(await wrong(page)).map((problem) => `${path}: ${problem}`));
    }
  }
  assert(seen.size > stage.texts.length, 'things were looked at');
  assert.deepEqual(found, []);
}

async function lists_show_each_name_as_it_was_given() {
  const page = await visitor({ as: 'owner' });
  for (const list of LISTS) {
    await open(page, list);
    let shown = '';
    for (;;) {
      shown += await page.evaluate(() => [...document.querySelectorAll('main bdi')].map((each) => each.textContent).join('\n'));
      const older = page.getByRole('link', { name: 'Older' });
      if (!(await older.count())) break;
      await page.goto(new URL(await older.getAttribute('href'), page.url()).href);
    }
    const texts = /notif|simul/.test(list) ? stage.texts.slice(0, 10) : stage.texts;
    for (const text of texts) assert(shown.includes(text), `${text} on ${list}`);
  }
  await page.locator('.menu.workspace summary').click();
  const workspaces = await page.locator('.menu.workspace bdi').allTextContents();
  for (const text of stage.texts) assert(workspaces.includes(text), `${text} among workspaces`);
}

/** The fields of each line, as a spreadsheet reads them. */
function parsed(csv) {
  const lines = [[]];
  for (const [, quoted, plain, end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r\n|$)/g)) {
    lines.at(-1).push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '\r\n') lines.push([]);
    if (end === '') break;
  }
  return lines.filter((line) => line.length > 1);
}

async function the_exported_trail_holds_no_formula() {
  const page = await visitor({ as: 'owner' });
  const answer = await page.request.get(`${stage.url}/dashboard/audit.csv`);
  assert.equal(answer.status(), 200);
  assert.match(answer.headers()['content-type'], /^text\/csv/);
  assert.match(answer.headers()['content-disposition'], /^attachment/);
  const lines = parsed(await answer.text());
  assert(lines.length > 50, `${lines.length} lines`);
  const formulas = lines.flat().filter((field) => /^[=+\-@\t\r]/.test(field));
  assert.deepEqual(formulas, []);
  assert(lines.flat().some((field) => field.includes('=1+1@example.com')), 'it is there as text');
}

await walk(
  on_every_page_names_are_text,
  on_every_thing_of_each_name_it_is_text,
  lists_show_each_name_as_it_was_given,
  the_exported_trail_holds_no_formula,
);
