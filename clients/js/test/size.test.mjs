// What a page has to load.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';

test('the library is under 5 KiB gzipped, and depends on nothing', async () => {
  const source = await readFile(new URL('../tollgate.js', import.meta.url));
  const size = gzipSync(source).length;
  console.log(`tollgate.js: ${size} bytes gzipped`);
  assert(size < 5 * 1024, `${size} bytes`);
  assert.doesNotMatch(source.toString(), /^import |\bimport\(|\brequire\(/m);
  const { dependencies } = JSON.parse(await readFile(new URL('../package.json', import.meta.url)));
  assert.equal(dependencies, undefined);
});
