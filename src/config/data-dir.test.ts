import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultDataDir, resolvePath } from './data-dir.ts';

test('each platform keeps data in its own place', () => {
  assert.equal(
    defaultDataDir({ platform: 'linux', homeDir: '/home/ada', environment: {} }),
    '/home/ada/.local/share/obelisk',
  );
  assert.equal(
    defaultDataDir({ platform: 'linux', homeDir: '/home/ada', environment: { XDG_DATA_HOME: '/data' } }),
    '/data/obelisk',
  );
  assert.equal(
    defaultDataDir({ platform: 'darwin', homeDir: '/Users/ada', environment: { XDG_DATA_HOME: '/data' } }),
    '/Users/ada/Library/Application Support/obelisk',
  );
  assert.equal(
    defaultDataDir({ platform: 'win32', homeDir: 'C:\\Users\\ada', environment: {} }),
    'C:\\Users\\ada\\AppData\\Local\\obelisk',
  );
  assert.equal(
    defaultDataDir({
      platform: 'win32',
      homeDir: 'C:\\Users\\ada',
      environment: { LOCALAPPDATA: 'D:\\Local' },
    }),
    'D:\\Local\\obelisk',
  );
});

test('a relative XDG_DATA_HOME is ignored, as its specification asks', () => {
  assert.equal(
    defaultDataDir({ platform: 'linux', homeDir: '/home/ada', environment: { XDG_DATA_HOME: 'data' } }),
    '/home/ada/.local/share/obelisk',
  );
});

test('~ is the home directory only where it stands alone or before a separator', () => {
  const linux = { baseDir: '/srv', homeDir: '/home/ada', platform: 'linux' } as const;
  assert.equal(resolvePath('~', linux), '/home/ada');
  assert.equal(resolvePath('~/Notes', linux), '/home/ada/Notes');
  assert.equal(resolvePath('~ada', linux), '/srv/~ada');
  assert.equal(resolvePath('a/../b', linux), '/srv/b');
  assert.equal(resolvePath('/abs', linux), '/abs');
  const windows = { baseDir: 'C:\\work', homeDir: 'C:\\Users\\ada', platform: 'win32' } as const;
  assert.equal(resolvePath('~\\Notes', windows), 'C:\\Users\\ada\\Notes');
  assert.equal(resolvePath('~/Notes', windows), 'C:\\Users\\ada\\Notes');
  assert.equal(resolvePath('D:\\Notes', windows), 'D:\\Notes');
});
