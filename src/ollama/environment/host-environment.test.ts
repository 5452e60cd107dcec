import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findHostEnvironment } from './host-environment.ts';
import type { HostEnvironment, MachineLook } from './machine-look.ts';

const URL = 'http://127.0.0.1:11434';
const TCP =
  '  sl  local_address rem_address   st\n   0: 0100007F:2CAA 00000000:0000 0A 0:0 0:0 0 997 0 4242 1\n';

type Machine = {
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly links?: Readonly<Record<string, string>>;
  /** Output by the program and the beginning of what it is given. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly platform?: NodeJS.Platform;
};

function machine({
  files = {},
  folders = {},
  links = {},
  programs = {},
  platform = 'linux',
}: Machine): MachineLook {
  return {
    platform,
    ownAddresses: new Set(['192.168.1.7']),
    readText: (file) => Promise.resolve(files[file]),
    list: (folder) => Promise.resolve(folders[folder]),
    readLink: (file) => Promise.resolve(links[file]),
    run: (program, given) => {
      const line = [program, ...given].join(' ');
      return Promise.resolve(Object.entries(programs).find(([start]) => line.startsWith(start))?.[1]);
    },
  };
}

const SERVER: Machine = {
  files: {
    '/proc/net/tcp': TCP,
    '/proc/7/cmdline': '/usr/local/bin/ollama\0serve\0',
    '/proc/7/environ':
      'OLLAMA_HOST=0.0.0.0\0PATH=/bin\0AWS_SECRET=no\0HTTPS_PROXY=http://me:word@proxy\0OLLAMA_KEEP_ALIVE=-1\0',
    '/proc/8/cmdline': 'ollama\0run\0llama3\0',
  },
  folders: { '/proc': ['7', '8', 'net'], '/proc/7/fd': ['0', '3'] },
  links: { '/proc/7/fd/3': 'socket:[4242]' },
};

const values = ({ values: found }: HostEnvironment): Readonly<Record<string, string>> =>
  Object.fromEntries(found);

test('the process that listens at the port is read: only what is Ollama’s, and no password', async () => {
  const found = await findHostEnvironment(URL, machine(SERVER));
  assert.equal(found.source, 'process');
  assert.deepEqual(values(found), {
    OLLAMA_HOST: '0.0.0.0',
    HTTPS_PROXY: '(hidden)',
    OLLAMA_KEEP_ALIVE: '-1',
  });
  assert.match(found.explanation, /process 7/);
});

test('a server at another port is not taken for the one that answers', async () => {
  const found = await findHostEnvironment('http://127.0.0.1:11500', machine(SERVER));
  assert.equal(found.source, 'unknown');
});

test('an address of this machine counts as this machine, any other one as unknown', async () => {
  assert.equal((await findHostEnvironment('http://192.168.1.7:11434', machine(SERVER))).source, 'process');
  const far = await findHostEnvironment('http://192.168.1.8:11434', machine(SERVER));
  assert.equal(far.source, 'unknown');
  assert.match(far.explanation, /another machine/);
});

const UNIT = [
  'LoadState=loaded',
  'ActiveState=active',
  'FragmentPath=/etc/systemd/system/ollama.service',
  'Environment=PATH=/usr/bin OLLAMA_NUM_PARALLEL=2 "OLLAMA_MODELS=/srv/my models"',
  'EnvironmentFiles=/etc/default/ollama (ignore_errors=yes)',
  'EnvironmentFiles=/root/secret (ignore_errors=no)',
  '',
].join('\n');

test('where the process is another user’s, the unit tells, and its files win over it', async () => {
  const { '/proc/7/environ': _unread, ...files } = SERVER.files ?? {};
  const setting = {
    ...SERVER,
    files: { ...files, '/etc/default/ollama': '# ours\nOLLAMA_NUM_PARALLEL="4"\nOLLAMA_DEBUG=1\n' },
    folders: { '/proc': ['7'] },
    programs: { 'systemctl show ollama.service': UNIT },
  };
  const found = await findHostEnvironment(URL, machine(setting));
  assert.equal(found.source, 'systemd');
  assert.deepEqual(values(found), {
    OLLAMA_NUM_PARALLEL: '4',
    OLLAMA_MODELS: '/srv/my models',
    OLLAMA_DEBUG: '1',
  });
  assert.match(found.explanation, /except \/root\/secret, which may not be read/);
  const without = await findHostEnvironment(URL, machine({ ...setting, programs: {} }));
  assert.equal(without.source, 'unknown');
  assert.match(without.explanation, /process 7 belongs to another user/);
});

test('a unit that does not run says nothing of the server that answers', async () => {
  const stopped = UNIT.replace('ActiveState=active', 'ActiveState=inactive');
  const found = await findHostEnvironment(URL, machine({ programs: { 'systemctl show': stopped } }));
  assert.equal(found.source, 'unknown');
  assert.match(found.explanation, /does not run/);
});

test('a container that publishes the port is asked, of Docker or of Podman', async () => {
  for (const program of ['docker', 'podman']) {
    const programs = {
      [`${program} ps --quiet --filter publish=11434`]: 'c0ffee123456\n',
      [`${program} inspect`]: 'PATH=/bin\nOLLAMA_HOST=0.0.0.0:11434\nNVIDIA_VISIBLE_DEVICES=all\n',
    };
    const found = await findHostEnvironment(URL, machine({ programs }));
    assert.equal(found.source, 'container');
    assert.deepEqual(values(found), { OLLAMA_HOST: '0.0.0.0:11434' });
  }
});

test('on a Mac the process is read, else what launchd would give', async () => {
  const process = {
    'lsof -nP -iTCP:11434': '77\n',
    'ps eww':
      '/Applications/Ollama.app/Contents/Resources/ollama serve OLLAMA_MODELS=/Users/me/My Models OLLAMA_KEEP_ALIVE=1h HOME=/Users/me\n',
  };
  const found = await findHostEnvironment(URL, machine({ platform: 'darwin', programs: process }));
  assert.deepEqual(values(found), { OLLAMA_MODELS: '/Users/me/My Models', OLLAMA_KEEP_ALIVE: '1h' });
  const launchd = { 'launchctl getenv OLLAMA_HOST': '0.0.0.0\n', 'launchctl getenv': '' };
  const service = await findHostEnvironment(URL, machine({ platform: 'darwin', programs: launchd }));
  assert.equal(service.source, 'launchd');
  assert.deepEqual(values(service), { OLLAMA_HOST: '0.0.0.0' });
});

test('on Windows the environment of the user is read, which wins over that of the machine', async () => {
  const programs = {
    'reg query HKLM':
      '\r\nHKEY\r\n    OLLAMA_HOST    REG_SZ    127.0.0.1\r\n    OLLAMA_DEBUG    REG_SZ    1\r\n',
    'reg query HKCU':
      '\r\nHKEY\r\n    OLLAMA_HOST    REG_SZ    0.0.0.0\r\n    OLLAMA_MODELS    REG_EXPAND_SZ    D:\\my models\r\n',
  };
  const found = await findHostEnvironment(URL, machine({ platform: 'win32', programs }));
  assert.equal(found.source, 'registry');
  assert.deepEqual(values(found), {
    OLLAMA_HOST: '0.0.0.0',
    OLLAMA_DEBUG: '1',
    OLLAMA_MODELS: 'D:\\my models',
  });
});
