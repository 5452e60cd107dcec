import assert from 'node:assert/strict';
import { test } from 'node:test';

import { versionWarning } from './known-holes.ts';

test('a version with known holes is warned of, with the version that closes all of them', () => {
  assert.match(versionWarning('0.1.28') ?? '', /CVE-2026-7482.*CVE-2024-28224.*update it to 0\.17\.1/);
  assert.match(versionWarning('0.17.0') ?? '', /CVE-2026-7482/);
  assert.match(versionWarning('v0.9.6') ?? '', /CVE-2025-51471/);
});

test('a version without known holes, and one that says nothing, is not warned of', () => {
  for (const version of [
    '0.17.1',
    '0.17.1-rc2',
    '0.24.0',
    '0.33.0-rc2',
    '1.0.0',
    '0.0.0',
    'unknown',
    '0.0.0-dev',
  ]) {
    assert.equal(versionWarning(version), undefined, version);
  }
});
