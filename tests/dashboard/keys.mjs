// Somebody who has a keyboard and nothing else. Where the focus is must always be seen.

import assert from 'node:assert/strict';

/** Has the page complain, on its console, of whatever a mouse or a finger does. */
export const withoutMouse = (page) => page.addInitScript(() => {
  for (const type of ['pointerdown', 'mousedown', 'touchstart']) {
    addEventListener(type, () => console.error(`somebody used a ${type}`), true);
  }
});

/** Whether whoever looks at the page sees where they are: an outline, on something that is in the window. */
const focus = (page) => page.evaluate(() => {
  const at = document.activeElement;
  if (!at || at === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(at);
  const { width, height, top, left } = at.getBoundingClientRect();
  const inWindow = top < innerHeight && top + height > 0 && left < innerWidth && left + width > 0;
  return { html: at.outerHTML.slice(0, 120), visible: outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2 && width > 0 && inWindow };
});

/** Presses Tab until the focus is on it. */
export async function reach(page, target) {
  const seen = [];
  for (let presses = 0; presses < 200; presses++) {
    if ((await target.count()) && (await target.first().evaluate((element) => element === document.activeElement))) return;
    await page.keyboard.press('Tab');
    const here = await focus(page);
    if (!here) continue; // past the end, in the window's own controls
    assert(here.visible, `the focus can't be seen on ${here.html}`);
    seen.push(here.html);
  }
  assert.fail(`Tab doesn't lead to ${target}, only to\n${seen.join('\n')}`);
}

/** Puts text into a field in place of what is there. */
export async function type(page, label, text) {
  await reach(page, page.getByLabel(label, { exact: true }));
  await page.keyboard.press('Control+a');
  await page.keyboard.type(text);
}

/** Presses a button or follows a link. */
export async function press(page, role, name) {
  await reach(page, page.getByRole(role, { name }));
  await page.keyboard.press('Enter');
}
