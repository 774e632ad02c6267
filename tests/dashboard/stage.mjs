// What the dashboard's scripts stand on: people at their browsers, who are watched, and the runner of the cases.
//
// TOLLGATE_STAGE  what `stage.rs` set: { url, table, workspaces, people, links }

import assert from 'node:assert/strict';

import { launch } from '../browser/chromium.mjs';

export const stage = JSON.parse(process.env.TOLLGATE_STAGE);
export const { sandbox, live } = stage.workspaces;
export const browser = await launch();

/** What pages complained of since the case began: whatever is left at its end fails it. */
let complaints = [];
let contexts = [];

/**
 * Somebody's browser with one page open. `as` is signed in from the beginning. Errors on the console, violations of the
 * Content-Security-Policy among them, uncaught ones, dialogs, and answers that tell of a fault of the server are complaints.
 */
export async function visitor({ as, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, ...options });
  contexts.push(context);
  context.setDefaultTimeout(10_000);
  context.on('page', watch);
  if (as) await context.addCookies([cookie(stage.people[as].session)]);
  return context.newPage();
}

/** The session's cookie, as a browser keeps it. */
export const cookie = (session) => ({ name: 'tollgate-session', value: session, url: stage.url, httpOnly: true, sameSite: 'Lax' });

function watch(page) {
  const complain = (text) => complaints.push(`${new URL(page.url(), stage.url).pathname}: ${text}`);
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && complain(message.text()));
  page.on('pageerror', (error) => complain(`uncaught: ${error.message}`));
  page.on('dialog', (dialog) => {
    complain(`${dialog.type()}: ${dialog.message()}`);
    dialog.dismiss();
  });
  page.on('response', (response) => response.status() >= 500 && complain(`${response.status()} ${response.url()}`));
}

/** The case expects complaints like this one, at least one. */
export function expectComplaint(pattern) {
  const rest = complaints.filter((complaint) => !pattern.test(complaint));
  assert(rest.length < complaints.length, `no complaint like ${pattern} among ${JSON.stringify(complaints)}`);
  complaints = rest;
}

export const open = (page, path) => page.goto(stage.url + path);
/** Where the page is, on the server. */
export const place = (page) => page.url().slice(stage.url.length);
export const heading = (page) => page.locator('h1').innerText();

/** Signs in with the password, from the entrance. */
export async function signIn(page, { email, password }, next = '/dashboard/client-tokens') {
  await open(page, '/dashboard/sign-in');
  await page.getByLabel('Email address').fill(email);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.waitForURL(stage.url + next);
}

/** The management API, with the key of a workspace. */
export async function api(method, path, body, { key } = sandbox) {
  const response = await fetch(stage.url + path, {
    method,
    headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const answer = await response.json();
  assert(response.ok, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer.data;
}

/** However long a page takes: a case that isn't over by then never will be. In milliseconds. */
const PATIENCE = 180_000;

function within(patience, promise) {
  let timer;
  const late = new Promise((_, reject) => { timer = setTimeout(() => reject(new Error('it goes on and on')), patience); });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Runs the cases one after the other; the functions' names are theirs. */
export async function walk(...cases) {
  for (const each of cases) {
    const name = each.name.replaceAll('_', ' ');
    const began = performance.now();
    complaints = [];
    try {
      await within(PATIENCE, each());
      assert.deepEqual(complaints, [], 'the pages complained');
      console.log(`ok ${name} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      process.exitCode = 1;
      console.log(`not ok ${name}\n${error.stack}\ncomplaints: ${JSON.stringify(complaints, null, 1)}`);
    }
    await Promise.all(contexts.map((context) => context.close()));
    contexts = [];
  }
  await browser.close();
}
