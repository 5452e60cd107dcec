import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { isObeliskError, ObeliskError } from '../shared/errors.ts';
import { Secret } from '../shared/secret.ts';
import { callInProcess } from '../wire/in-process.ts';
import type { SiteDependencies } from './handlers.ts';
import { siteRoutes, type SiteRoute } from './routes.ts';
import { createSessions } from './sessions.ts';

const NOTE =
  "---\ntitle: <b>Plans</b>\n---\n\n# Start\n\nSee ![[Größe's.PNG]] {{vault}}\n\n<script>alert(1)</script>\n";

const library: SiteDependencies['library'] = {
  names: () => ['Notizen'],
  status: () => [
    {
      name: 'Notizen',
      path: '/home/somebody/Notizen',
      state: 'ready',
      notes: 1,
      chunks: 1,
      pendingNotes: 0,
      embeddedChunks: 0,
      links: { resolved: 0, ambiguous: 0, unresolved: 0 },
      warnings: [{ path: 'private.md', line: 1, message: 'bad YAML' }],
    },
  ],
  search: (vault, query, options) =>
    Promise.resolve({
      notes: [
        {
          path: `${vault}/${query}`,
          title: JSON.stringify(options.filters ?? {}),
          score: options.limit ?? 0,
        },
      ],
      hits: [],
      sources: [],
      terms: [query],
      supported: true,
      tookMs: 1,
    }),
  note: (vault, path) =>
    path === 'Ordner/Plan.md'
      ? Promise.resolve({
          vault,
          path,
          text: NOTE,
          obsidianUrl: 'obsidian://open?vault=Mappe&file=Ordner%2FPlan',
          resolved: { "Größe's.PNG": "Bilder/Größe's.PNG" },
        })
      : Promise.reject(new ObeliskError('not_found', `vault ${vault} has no note ${path}`)),
};

const open = createSessions({ now: () => 0, random: randomBytes });
const locked = createSessions({ masterKey: new Secret('sk-right'), now: () => 0, random: randomBytes });

type Call = { readonly method?: string; readonly headers?: Record<string, string>; readonly body?: string };

function find(routes: readonly SiteRoute[], method: string, path: string): SiteRoute {
  const found = routes.findLast(
    (route) =>
      route.method === method &&
      (route.path.endsWith('*') ? path.startsWith(route.path.slice(0, -1)) : path === route.path),
  );
  assert.ok(found, `${method} ${path} has a route`);
  return found;
}

async function call(
  path: string,
  { method = 'GET', headers = {}, body = '' }: Call = {},
  sessions = open,
): Promise<{ status: number; headers: Record<string, string>; bytes: Buffer; text: string }> {
  const { handler } = find(siteRoutes({ library, sessions }), method, path.split('?')[0] ?? '');
  const response = await callInProcess(handler, { method, path, headers, body });
  const chunks: Buffer[] = [];
  for await (const chunk of response.body) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  return { status: response.status, headers: { ...response.headers }, bytes, text: bytes.toString() };
}

async function codeOf(path: string, options: Call = {}): Promise<string> {
  try {
    return `answered ${(await call(path, options)).status}`;
  } catch (error) {
    if (!isObeliskError(error)) throw error;
    return error.code;
  }
}

describe('the page and its files', () => {
  const policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

  for (const path of ['/', '/assets/app.js', '/vault/Notizen/Ordner/Plan.md', '/obelisk/v1/vaults']) {
    it(`${path} carries the strict policy`, async () => {
      const { status, headers } = await call(path);
      assert.equal(status, 200);
      assert.equal(headers['content-security-policy'], policy);
      assert.equal(headers['x-content-type-options'], 'nosniff');
      assert.equal(headers['referrer-policy'], 'no-referrer');
      assert.equal(headers['cross-origin-resource-policy'], 'same-origin');
    });
  }

  it('a file that the browser has is not sent again', async () => {
    const { etag } = (await call('/assets/style.css')).headers;
    assert.ok(etag);
    const again = await call('/assets/style.css', { headers: { 'if-none-match': `"other", W/${etag}` } });
    assert.equal(again.status, 304);
    assert.equal(again.bytes.length, 0);
  });

  it('a compressed file is the same file', async () => {
    const plain = await call('/assets/app.js');
    const packed = await call('/assets/app.js', { headers: { 'accept-encoding': 'br, gzip' } });
    assert.equal(packed.headers['content-encoding'], 'gzip');
    assert.notEqual(packed.headers['etag'], plain.headers['etag']);
    assert.deepEqual(gunzipSync(packed.bytes), plain.bytes);
    const refused = await call('/assets/app.js', { headers: { 'accept-encoding': 'gzip;q=0' } });
    assert.equal(refused.headers['content-encoding'], undefined);
  });

  it('no other file can be named', async () => {
    for (const name of ['tsconfig.json', '../routes.ts', '%2e%2e/routes.ts', 'index.html', ''])
      assert.equal(await codeOf(`/assets/${name}`), 'not_found');
  });
});

describe('a note', () => {
  it('is in its page as text that nothing in it can leave', async () => {
    const { status, text } = await call('/vault/Notizen/Ordner/Plan.md');
    assert.equal(status, 200);
    assert.ok(!text.includes('<b>Plans'), 'its title is text');
    assert.ok(!text.includes('<script>alert'), 'its HTML is text');
    assert.ok(text.includes('{{vault}}'), 'its braces are text');
    assert.match(text, /data-line="5"/);
    assert.match(text, /src="\/vault-files\/Notizen\/Bilder\/Gr%C3%B6%C3%9Fe(?:'|&#39;)s\.PNG"/);
    assert.match(text, /href="obsidian:\/\/open\?vault=Mappe&amp;file=Ordner%2FPlan"/);
  });

  it('comes as JSON for the panel', async () => {
    const view: unknown = JSON.parse((await call('/obelisk/v1/vaults/Notizen/notes/Ordner/Plan.md')).text);
    assert.ok(typeof view === 'object' && view !== null && 'html' in view && typeof view.html === 'string');
    assert.match(view.html, /<h1[^>]*data-line="5"/);
  });

  it('that does not exist is a page that says so, and an error for programs', async () => {
    const { status, text } = await call('/vault/Notizen/No%3Cb%3E.md');
    assert.equal(status, 404);
    assert.ok(text.includes('No&lt;b&gt;.md') && !text.includes('No<b>'));
    assert.equal(await codeOf('/obelisk/v1/vaults/Notizen/notes/Nowhere.md'), 'not_found');
  });

  it('is not in the page of somebody without a session', async () => {
    const path = '/vault/Notizen/Ordner/Plan.md';
    const stranger = await call(path, {}, locked);
    assert.equal(stranger.status, 401);
    assert.ok(!stranger.text.includes('Start'));
    assert.match(stranger.text, /data-state="locked"/);
    assert.doesNotMatch(stranger.text, /obsidian:/);
    const cookie =
      locked.open('sk-right', { header: () => undefined, remoteAddress: 'a' }).split(';')[0] ?? '';
    assert.match((await call(path, { headers: { cookie } }, locked)).text, /Start/);
  });
});

describe('what the page asks for', () => {
  it('the list of vaults tells their state, and not where they lie', async () => {
    const { text } = await call('/obelisk/v1/vaults');
    const list: unknown = JSON.parse(text);
    assert.ok(typeof list === 'object' && list !== null && 'data' in list && Array.isArray(list.data));
    assert.match(text, /"state":"ready"/);
    assert.match(text, /"warnings":1/);
    assert.ok(!text.includes('somebody'));
  });

  it('a search uses the only vault, its limit and filters', async () => {
    const { text } = await call('/obelisk/v1/search?q=plans&limit=3&folder=Ordner&tag=work');
    assert.match(text, /"path":"Notizen\/plans"/);
    assert.match(text, /"score":3/);
    assert.ok(text.includes(JSON.stringify(JSON.stringify({ folder: 'Ordner', tag: 'work' }))));
  });

  for (const query of ['', 'q=%20', 'q=a&limit=0', 'q=a&limit=51', 'q=a&limit=x', `q=${'a'.repeat(4_001)}`]) {
    it(`a search with ${JSON.stringify(query.slice(0, 20))} is refused`, async () => {
      assert.equal(await codeOf(`/obelisk/v1/search?${query}`), 'invalid_request');
    });
  }
});

it('what shows a vault’s content needs the key', () => {
  const openPaths = siteRoutes({ library, sessions: open })
    .filter((route) => route.access === 'open')
    .map((route) => `${route.method} ${route.path}`);
  assert.deepEqual(openPaths, [
    'GET /',
    'GET /assets/*',
    'GET /vault/*',
    'POST /obelisk/v1/session',
    'DELETE /obelisk/v1/session',
  ]);
});
