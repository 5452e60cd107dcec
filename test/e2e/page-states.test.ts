import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import type { VaultStatus } from '../../src/rag/library.ts';
import { messageOf } from '../../src/shared/errors.ts';
import { siteRoutes } from '../../src/site/routes.ts';
import { createSessions } from '../../src/site/sessions.ts';
import type { Handler, HttpResponse } from '../../src/wire/http.ts';
import { createNodeServer } from '../../src/wire/node-server.ts';
import { chromiumPath, launchBrowser, watchPage } from '../browser.ts';

/** What the scripted gateway says to a question, piece by piece; it goes on when the test lets it. */
type Script = (say: (wire: string) => void, step: () => Promise<void>) => Promise<void>;

const SOURCE = {
  index: 1,
  vault: 'Notes',
  path: 'A.md',
  title: 'A',
  headingPath: ['Top'],
  startLine: 3,
  endLine: 3,
  obsidianUrl: 'obsidian://open?vault=Notes&file=A',
  url: '/vault/Notes/A.md#L3-L3',
};

const delta = (fields: object): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: fields }] })}\n\n`;
const FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

describe(
  'states of the page',
  { skip: chromiumPath === undefined && 'no Chromium (OBELISK_CHROMIUM)' },
  () => {
    const status: VaultStatus = {
      name: 'Notes',
      path: '/nowhere',
      state: 'indexing',
      notes: 40,
      chunks: 90,
      pendingNotes: 60,
      embeddedChunks: 0,
      links: { resolved: 0, ambiguous: 0, unresolved: 0 },
      warnings: [],
    };
    let statuses: VaultStatus[] = [status];
    let script: Script = () => Promise.resolve();
    let go: () => void = () => undefined;
    let leave: () => void = () => undefined;
    const asked: { model: string; messages: { role: string; content: string }[] }[] = [];
    const url = 'http://127.0.0.1:';
    let origin = '';
    let browser: Browser;

    const json = (response: HttpResponse, value: unknown): void => {
      response.head(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(value));
    };
    const chat: Handler = async (request, response) => {
      asked.push(JSON.parse((await request.body(1_000_000)).toString()));
      request.onGone(() => leave());
      response.head(200, { 'content-type': 'text/event-stream' });
      const step = (): Promise<void> =>
        new Promise((resolve) => {
          go = resolve;
        });
      await script((wire) => response.write(wire), step);
      response.end();
    };
    const routes = siteRoutes({
      sessions: createSessions({ now: Date.now, random: randomBytes }),
      library: {
        names: () => ['Notes'],
        status: () => statuses,
        search: () => Promise.reject(new Error('the page does not search')),
        note: (vault, path) =>
          Promise.resolve({
            vault,
            path,
            text: '# Top\n\nThe third line.\n',
            obsidianUrl: 'obsidian://x',
            resolved: {},
          }),
      },
    });
    const models: Handler = (_request, response) =>
      json(response, {
        data: [{ id: 'vault/Notes' }, { id: 'tiny:1b', mode: 'chat' }, { id: 'embed', mode: 'embedding' }],
      });
    const server = createNodeServer({
      handler(request, response) {
        if (request.path === '/v1/chat/completions') return chat(request, response);
        if (request.path === '/v1/models') return models(request, response);
        const route = routes.findLast((each) =>
          each.path.endsWith('*')
            ? request.path.startsWith(each.path.slice(0, -1))
            : each.path === request.path,
        );
        return route?.handler(request, response);
      },
      onError(error, _request, response) {
        if (!response.started) response.head(500, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message: messageOf(error) } }));
      },
    });

    before(async () => {
      const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
      origin = url + port;
      browser = await launchBrowser(chromiumPath ?? '');
    });
    after(async () => {
      await browser?.close();
      await server.close(0);
    });

    async function ask(page: Page, question = 'why?'): Promise<void> {
      await page.locator('#question').fill(question);
      await page.locator('#question').press('Enter');
    }

    it('tells how far the index is, and when it is done', async () => {
      const { page, problems, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await page.locator('#vault-state', { hasText: '40 of 100 notes' }).waitFor();
      statuses = [{ ...status, state: 'ready', notes: 100, pendingNotes: 0 }];
      await page.locator('#vault-state', { hasText: 'Notes, 100 notes' }).waitFor();
      statuses = [];
      await page.reload();
      await page.locator('#vault-state', { hasText: '--vault' }).waitFor();
      statuses = [{ ...status, state: 'ready' }];
      assert.deepEqual(problems, []);
      await close();
    });

    it('says that the model is loading while only comments come, then streams', async () => {
      script = async (say, step) => {
        say(': loading\n\n');
        await step();
        say(delta({ role: 'assistant', content: '' }) + delta({ content: 'First **wo' }));
        await step();
        say(
          delta({ content: 'rds** [1], not [2].' }) +
            delta({ sources: [SOURCE], obelisk: { supported: true } }) +
            FINISH,
        );
      };
      const { page, problems, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await ask(page);
      await page.locator('.status', { hasText: 'loading' }).waitFor();
      assert.equal(await page.locator('.answer').getAttribute('aria-busy'), 'true');
      go();
      await page.locator('.answer', { hasText: 'First **wo' }).waitFor();
      assert.equal(await page.locator('.status').isVisible(), false);
      go();
      await page.locator('.answer strong', { hasText: 'words' }).waitFor();
      await page.locator('#announcer', { hasText: 'Answer ready, 1 source.' }).waitFor({ state: 'attached' });
      assert.equal(
        await page.locator('.answer a.citation').count(),
        1,
        'a number without a source is no link',
      );
      assert.equal(await page.locator('.answer').getAttribute('aria-busy'), null);
      assert.equal(await page.locator('a.source .place').innerText(), 'A.md › Top, line 3');
      assert.deepEqual(problems, []);
      await close();
    });

    it('sends the earlier turns and the chosen writer along', async () => {
      script = (say) => Promise.resolve(say(delta({ content: 'Because.' }) + FINISH));
      const { page, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await page.locator('#writer').selectOption('tiny:1b');
      assert.deepEqual(await page.locator('#writer option').allInnerTexts(), ['Automatic', 'tiny:1b']);
      await ask(page, 'why?');
      await page.locator('.turn', { hasText: 'Because.' }).waitFor();
      await page.locator('#submit').waitFor();
      await ask(page, 'and then?');
      await page.locator('.turn').nth(1).locator('.answer', { hasText: 'Because.' }).waitFor();
      const last = asked.at(-1);
      assert.equal(last?.model, 'vault/Notes:tiny:1b');
      assert.deepEqual(last?.messages, [
        { role: 'user', content: 'why?' },
        { role: 'assistant', content: 'Because.' },
        { role: 'user', content: 'and then?' },
      ]);
      await close();
    });

    it('stops a stream with Escape, which closes it at the server, and keeps what came', async () => {
      script = async (say, step) => {
        say(delta({ content: 'A long' }));
        await step();
      };
      const left = new Promise<void>((resolve) => {
        leave = resolve;
      });
      const { page, problems, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await ask(page);
      await page.locator('.answer', { hasText: 'A long' }).waitFor();
      await page.keyboard.press('Escape');
      await page.locator('.aside', { hasText: 'Stopped' }).waitFor();
      assert.equal(await page.locator('.answer').innerText(), 'A long');
      await left;
      go();
      assert.deepEqual(problems, []);
      await close();
    });

    it('shows an error in the stream, or an end without a finish, and asks again on demand', async () => {
      script = (say) =>
        Promise.resolve(
          say(
            delta({ content: 'Half' }) + 'data: {"error":{"message":"ollama broke off"}}\n\ndata: [DONE]\n\n',
          ),
        );
      const { page, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await ask(page);
      await page.locator('[role=alert]', { hasText: 'ollama broke off' }).waitFor();
      assert.equal(await page.locator('.answer').innerText(), 'Half');
      script = (say) => Promise.resolve(say(delta({ content: 'Cut' })));
      await page.locator('.problem button').click();
      await page
        .locator('.turn')
        .nth(1)
        .locator('[role=alert]', { hasText: 'broke off before its end' })
        .waitFor();
      await close();
    });

    it('treats what a model writes as text, and its links as what they are', async () => {
      const hostile =
        '<img src=x onerror="window.pwned=1"> <script>window.pwned=1</script> [go](javascript:window.pwned=1) ' +
        '![pic](https://a.invalid/x.png) [bank](https://evil.invalid/?q=1) [1]';
      const source = {
        ...SOURCE,
        title: '<b>x</b>',
        url: 'javascript:window.pwned=1',
        obsidianUrl: 'javascript:window.pwned=1',
      };
      script = (say) =>
        Promise.resolve(say(delta({ content: hostile }) + delta({ sources: [source] }) + FINISH));
      const { page, problems, strays, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await ask(page);
      await page.locator('a.source').waitFor();
      assert.equal(await page.locator('.turn').locator('img, script, b, [href^="javascript:" i]').count(), 0);
      const link = page.locator('.answer a', { hasText: 'bank' });
      assert.equal(await link.innerText(), 'bank (evil.invalid)');
      assert.equal(await link.getAttribute('rel'), 'noopener noreferrer');
      await page.locator('a.citation').click();
      assert.equal(await page.evaluate<boolean>("'pwned' in window"), false);
      assert.deepEqual([problems, strays], [[], []]);
      await close();
    });

    it('lists the nearest notes, each once, under an answer that is not in the notes', async () => {
      const second = { ...SOURCE, index: 2, startLine: 9, endLine: 9, url: '/vault/Notes/A.md#L9' };
      const sources = [SOURCE, second, { ...SOURCE, index: 3, path: 'B.md', title: 'B' }];
      const fields = { sources, obelisk: { supported: false } };
      script = (say) => Promise.resolve(say(delta({ content: 'Not there.' }) + delta(fields) + FINISH));
      const { page, close } = await watchPage(browser, origin);
      await page.goto(origin);
      await ask(page);
      await page.locator('.nearest').waitFor();
      assert.deepEqual(await page.locator('.nearest .name').allInnerTexts(), ['A', 'B']);
      const named = `See [A](${origin.replace('127.0.0.1', 'localhost')}/vault/Notes/A.md#L3).`;
      script = (say) => Promise.resolve(say(delta({ content: named }) + delta(fields) + FINISH));
      await page.locator('#submit').waitFor();
      await ask(page);
      await page.locator('.turn').nth(1).locator('.answer a').click();
      await page.locator('#note-body .cited', { hasText: 'The third line.' }).waitFor();
      assert.equal(await page.locator('.nearest').count(), 1);
      await close();
    });

    it('asks before a link takes much of the answer along', async () => {
      const address = `https://evil.invalid/?q=${'a'.repeat(80)}`;
      script = (say) => Promise.resolve(say(delta({ content: `[more](${address})` }) + FINISH));
      const { page, strays, close } = await watchPage(browser, origin);
      const asking: string[] = [];
      page.on('dialog', (dialog) => {
        asking.push(dialog.message());
        void dialog.dismiss();
      });
      await page.goto(origin);
      await ask(page);
      await page.locator('.answer a').click();
      assert.match(asking[0] ?? '', /83 characters of data to evil\.invalid/);
      assert.deepEqual(strays, []);
      await close();
    });
  },
);
