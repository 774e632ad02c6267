// Debian's Chromium, driven by Playwright's core.
//
// TOLLGATE_TEST_BROWSER_MODULES the node_modules folder with playwright-core
// TOLLGATE_TEST_CHROMIUM        the browser

import { createRequire } from 'node:module';

const { TOLLGATE_TEST_BROWSER_MODULES: modules, TOLLGATE_TEST_CHROMIUM: executablePath } = process.env;
export const require = createRequire(`${modules}/`);
const { chromium } = require('playwright-core');

const FLAGS = [
  '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update',
  '--disable-sync',
];

/** A browser with a fresh profile. */
export const launch = () => chromium.launch({ executablePath, args: FLAGS, chromiumSandbox: false });
