// Every page of the dashboard's table, as addresses that can be opened. What an address names is found where a person
// finds it: on the pages that link to it. A page that nothing links to is an error here.

import { open, stage } from './stage.mjs';

/** Not pages: what goes on for ever, what is a file, and the way to a provider, which this server has none of. */
const isPage = (path) => path !== '/dashboard/live' && !path.startsWith('/dashboard/sign-in/openid') && !/\.(csv|json|txt)$/.test(path);

/** Whose session opens it, where it isn't the owner's; `null` is nobody's. And what no link tells. */
const SPECIAL = {
  '/dashboard/sign-in': { as: null },
  '/dashboard/no-workspace': { as: 'nobody' },
  '/dashboard/invitation/{secret}': { as: null, path: stage.links.second_invitation },
  '/dashboard/reset/{secret}': { as: null, path: stage.links.reset },
  '/dashboard/sign-in-link/{secret}': { as: null, path: stage.links.sign_in },
};

/** The day before today: what a shop did, without what was done to set the stage. */
const YESTERDAY = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
if (process.env.TOLLGATE_SCREENSHOTS) SPECIAL['/dashboard/audit'] = { as: 'owner', path: `/dashboard/audit?to=${YESTERDAY}` };

const pages = stage.table.filter(({ method, path }) => method === 'GET' && isPage(path)).map(({ path }) => path);

/** The row of the table that this path is of; those without placeholders come first. */
function rowOf(path) {
  const fits = (row) => new RegExp(`^${row.replaceAll('.', '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`).test(path);
  return pages.find((row) => row === path) ?? pages.find(fits);
}

/** What a picture of it is called: `client-tokens`, `client-token`, `client-token-revoke`. */
export const nameOf = (row) => NAMES[row] ?? row.replace('/dashboard/', '').replace(/ies\/\{[^}]+\}/g, 'y').replace(/s\/\{[^}]+\}/g, '')
  .replace(/\/\{[^}]+\}/g, '').replaceAll('/', '-');
const NAMES = { '/dashboard': 'home', '/dashboard/simulator/runs/{simulation}': 'simulator-runs' };

/** Things of the sample that have most to show, by what stands in their row of a list. */
const TELLING = /^\s*(Storefront|Warehouse|Newsletter tool)|Failed|Not taken/;

/** Where the page that is open links to on the server, without queries; the telling ones first. */
const links = async (page) => {
  const found = await page.evaluate(() => [...document.links].map((link) => ({
    path: link.origin === location.origin ? link.pathname : '',
    row: (link.closest('tr') ?? link).textContent,
  })));
  found.sort((one, other) => TELLING.test(other.row) - TELLING.test(one.row));
  return found.map(({ path }) => path);
};

/**
 * `{ places: [{ row, path, as }], missing }`: each row once, with something that its list shows; and the rows that
 * nothing leads to. Goes through the pages in `page`, which somebody signed in has open.
 */
export async function places(page) {
  const found = new Map();
  for (const row of pages) {
    if (SPECIAL[row]) found.set(row, { path: row, ...SPECIAL[row], row });
    else if (!row.includes('{')) found.set(row, { row, path: row, as: 'owner' });
  }
  const queue = [...found.values()].filter(({ as }) => as === 'owner').map(({ path }) => path);
  for (let path = queue.shift(); path && found.size < pages.length; path = queue.shift()) {
    await open(page, path);
    for (const linked of await links(page)) {
      const row = rowOf(linked);
      if (!row || found.has(row)) continue;
      found.set(row, { row, path: linked, as: 'owner' });
      queue.push(linked);
    }
  }
  const missing = pages.filter((row) => !found.has(row));
  return { places: [...found.values()], missing };
}
