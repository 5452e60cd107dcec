import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Browser, Page } from 'playwright-core';
import { chromiumPath, launchBrowser, watchPage } from '../browser.ts';
import { LIGHTHOUSE, MAP, ZEBRA } from '../harbour-notes.ts';
import { startProgram, type Program } from '../program.ts';

const MASTER_KEY = 'sk-obelisk-e2e-0123456789abcdef';

const WATCH_MS = 20_000;

async function askByKeyboard(page: Page, question: string): Promise<void> {
  const turns = await page.locator('.turn').count();
  await page.locator('#question').focus();
  await page.keyboard.type(question);
  await page.keyboard.press('Enter');
  await page.locator('.turn').nth(turns).locator('.answer:not([aria-busy])').waitFor({ timeout: WATCH_MS });
}

/** The page's policy forbids `eval`, by which a browser would be asked to wait for an expression. */
async function untilSeen(page: Page, selector: string): Promise<void> {
  const end = performance.now() + WATCH_MS;
  const height = page.viewportSize()?.height ?? 0;
  for (;;) {
    const box = await page.locator(selector).first().boundingBox();
    if (box !== null && box.y >= 0 && box.y < height) return;
    assert.ok(performance.now() < end, `${selector} comes into view`);
    await page.waitForTimeout(50);
  }
}

describe(
  'the page in a real browser',
  { skip: chromiumPath === undefined && 'no Chromium (OBELISK_CHROMIUM)' },
  () => {
    let folder: string;
    let vault: string;
    let program: Program;
    let browser: Browser;
    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'obelisk-page-'));
      vault = join(folder, 'Harbour');
      await mkdir(join(vault, 'Sea'), { recursive: true });
      await writeFile(join(vault, 'Sea', 'Lighthouse.md'), LIGHTHOUSE);
      await writeFile(join(vault, 'Gulls.md'), '# Gulls\n\nGulls nest on the northern cliff.\n');
      await writeFile(join(vault, 'Zebra.md'), ZEBRA);
      await writeFile(join(vault, 'Map.md'), MAP);
      browser = await launchBrowser(chromiumPath ?? '');
      program = await startProgram({ args: ['serve', '--port', '0', '--vault', vault] });
    });
    after(async () => {
      await program?.stop();
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it('answers a question typed on the keyboard and opens the citation at its lines', async () => {
      const { page, problems, strays, close } = await watchPage(browser, program.url);
      const response = await page.goto(program.url);
      assert.match(
        response?.headers()['content-security-policy'] ?? '',
        /^default-src 'none'; script-src 'self'/,
      );
      await page.locator('#question:focus').waitFor();
      await askByKeyboard(page, 'What is the lighthouse keeper called?');
      assert.match(await page.locator('.answer').innerText(), /Amundsen/);

      const citation = page.locator('.answer a.citation').first();
      const [, first, last = first] =
        /#L(\d+)(?:-L(\d+))?$/.exec((await citation.getAttribute('href')) ?? '') ?? [];
      const [start, end] = [Number(first), Number(last)];
      const cited = LIGHTHOUSE.split('\n')
        .slice(start - 1, end)
        .join('\n');
      assert.match(cited, /called Amundsen/, 'the cited lines hold the answer');
      await citation.focus();
      await page.keyboard.press('Enter');
      const marked = page.locator('#note-body .cited');
      await marked.first().waitFor({ timeout: WATCH_MS });
      assert.match((await marked.allInnerTexts()).join('\n'), /called Amundsen/);
      for (const node of await marked.all()) {
        const [from, to] = await Promise.all(
          ['data-line', 'data-end-line'].map((name) => node.getAttribute(name)),
        );
        assert.ok(
          Number(from) <= end && Number(to) >= start,
          `lines ${from}-${to} are among ${start}-${end}`,
        );
      }
      assert.doesNotMatch(
        (await marked.allInnerTexts()).join('\n'),
        /paint and stairs/,
        'the rest is not marked',
      );
      await untilSeen(page, '#note-body .cited');
      assert.match(
        (await page.locator('#note-obsidian').getAttribute('href')) ?? '',
        /^obsidian:\/\/open\?vault=Harbour&file=/,
      );

      await page.locator('#note-body a', { hasText: 'Gulls' }).click();
      await page.locator('#note-title', { hasText: 'Gulls' }).waitFor();
      await page.keyboard.press('Escape');
      await page.locator('#note').waitFor({ state: 'hidden' });
      assert.equal(
        await page.locator('.answer a.citation:focus').count(),
        1,
        'the keyboard is back at the citation',
      );
      assert.deepEqual([problems, strays], [[], []]);
      await close();
    });

    it('asks what was typed before the page knew the vaults, once it knows them', async () => {
      const { page, problems, close } = await watchPage(browser, program.url);
      const { promise: typed, resolve } = Promise.withResolvers<undefined>();
      await page.route('**/obelisk/v1/vaults', async (route) => {
        await typed;
        await route.continue();
      });
      await page.goto(program.url);
      await page.locator('#question').focus();
      await page.keyboard.type('What is the lighthouse keeper called?');
      await page.keyboard.press('Enter');
      resolve(undefined);
      const answer = page.locator('.answer:not([aria-busy])');
      await answer.waitFor({ timeout: WATCH_MS });
      assert.match(await answer.innerText(), /Amundsen/);
      assert.deepEqual(problems, []);
      await close();
    });

    it('keeps the conversation for a follow-up, and says what is not in the notes', async () => {
      const { page, problems, close } = await watchPage(browser, program.url);
      await page.goto(program.url);
      await askByKeyboard(page, 'What is the lighthouse keeper called?');
      await askByKeyboard(page, 'Which parliament ratified quantum chromodynamics subsidies?');
      assert.equal(await page.locator('.turn').count(), 2);
      const nearest = page.locator('.turn').nth(1).locator('.answer a[data-note]').first();
      const name = await nearest.innerText();
      await nearest.click();
      await page.locator('#note-title', { hasText: name }).waitFor();
      assert.deepEqual(problems, []);
      await close();
    });

    it('runs nothing and fetches nothing that a note carries', async () => {
      const { page, problems, strays, close } = await watchPage(browser, program.url);
      const dialogs: string[] = [];
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      await page.goto(program.url);
      await askByKeyboard(page, 'Where was the zebra protocol signed?');
      assert.match(await page.locator('.answer').innerText(), /Tromsø/);
      await page.locator('a.source', { hasText: 'Zebra' }).first().click();
      await page.locator('#note-body h1').waitFor();
      const active =
        'script, iframe, svg, style, form, object, embed, base, [onerror], [onload], [href^="javascript:" i]';
      assert.equal(
        await page.locator('#main, #note').locator(active).and(page.locator(':not(#composer)')).count(),
        0,
      );
      await page.goto(`${program.url}/vault/Harbour/Zebra.md`);
      await page.locator('#note-body h1').waitFor();
      assert.equal(await page.locator('#note-body').locator(active).count(), 0);
      for (const link of await page.locator('#note-body a').all())
        await link.click({ noWaitAfter: true, trial: true });
      assert.equal(await page.evaluate<boolean>("'pwned' in window"), false);
      assert.deepEqual([dialogs, problems, strays], [[], [], []]);
      await close();
    });

    it('opens a link to a heading or block at it, and shows the pictures a note holds', async () => {
      const { page, problems, close } = await watchPage(browser, program.url);
      await page.goto(program.url);
      await askByKeyboard(page, 'Where is the compass rose drawn?');
      await page.locator('a.source', { hasText: 'Map' }).first().click();
      const picture = page.locator('#note-body img[alt="rose"]');
      await picture.waitFor();
      assert.deepEqual(await picture.boundingBox().then((box) => [box?.width, box?.height]), [40, 30]);
      await page.locator('#note-body a', { hasText: 'The bay' }).click();
      await untilSeen(page, '#h-the-bay');
      await page.locator('#note-body a', { hasText: 'Repairs' }).click();
      await page.locator('#note-title', { hasText: 'Lighthouse' }).waitFor();
      await untilSeen(page, '#h-repairs');
      await page.goto(`${program.url}/vault/Harbour/Map.md`);
      await page.locator('#note-body a', { hasText: 'feeder' }).click();
      await page.waitForURL(/Lighthouse\.md#b-gulls$/);
      await untilSeen(page, '#b-gulls');
      assert.deepEqual(problems, []);
      await close();
    });

    it('shows a note at its own address, marked, and without scripts too', async () => {
      const address = `${program.url}/vault/Harbour/Sea/Lighthouse.md#L11-L11`;
      const { page, problems, close } = await watchPage(browser, program.url);
      await page.goto(address);
      assert.match(await page.locator('.cited').innerText(), /called Amundsen/);
      const missing = await page.goto(`${program.url}/vault/Harbour/Nowhere.md`);
      assert.equal(missing?.status(), 404);
      assert.match(await page.locator('main').innerText(), /no note|not found|does not exist/i);
      await close();
      assert.deepEqual(
        problems.filter((problem) => !problem.includes('404')),
        [],
      );

      const plain = await watchPage(browser, program.url, { javaScriptEnabled: false });
      await plain.page.goto(address);
      assert.match(await plain.page.locator('#note-body').innerText(), /called Amundsen/);
      await plain.close();
    });

    it('fits a phone, where the back button closes the note', async () => {
      const { page, close } = await watchPage(browser, program.url, {
        viewport: { width: 360, height: 640 },
      });
      await page.goto(program.url);
      await askByKeyboard(page, 'What is the lighthouse keeper called?');
      const overflow = (): Promise<number> =>
        page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.equal(await overflow(), 0);
      assert.equal(
        await page.getByRole('button', { name: 'Sign out' }).count(),
        0,
        'no key, nothing to leave',
      );
      await page.locator('.answer a.citation').first().click();
      await page.locator('#note-body .cited').first().waitFor();
      assert.equal((await page.locator('#note').boundingBox())?.width, 360);
      assert.equal(await overflow(), 0);
      await page.goBack();
      await page.locator('#note').waitFor({ state: 'hidden' });
      assert.equal(await page.locator('.turn').count(), 1, 'the conversation is still there');
      await close();
    });

    it('asks for the key where one is set, and keeps it from scripts', async () => {
      const config = join(folder, 'obelisk.yaml');
      await writeFile(
        config,
        `general_settings:\n  master_key: ${MASTER_KEY}\nvaults:\n  - name: Hafen\n    path: ${vault}\n`,
      );
      const locked = await startProgram({ args: ['serve', '--port', '0', '--config', config] });
      try {
        assert.equal((await fetch(`${locked.url}/obelisk/v1/vaults`)).status, 401);
        const stranger = await fetch(`${locked.url}/vault/Hafen/Sea/Lighthouse.md`);
        assert.doesNotMatch(await stranger.text(), /Amundsen/);
        const { page, problems, strays, close } = await watchPage(browser, locked.url);
        await page.goto(`${locked.url}/vault/Hafen/Sea/Lighthouse.md#L11`);
        await page.locator('#key-input:focus').waitFor();
        await page.keyboard.type('wrong');
        await page.keyboard.press('Enter');
        await page.locator('#key-problem', { hasText: /key/ }).waitFor();
        await page.keyboard.type(MASTER_KEY);
        await page.keyboard.press('Enter');
        await page.locator('.cited', { hasText: 'Amundsen' }).waitFor({ timeout: WATCH_MS });
        const obsidian = page.getByRole('link', { name: 'Open in Obsidian' });
        const address = 'obsidian://open?vault=Harbour&file=Sea%2FLighthouse';
        assert.equal(await obsidian.getAttribute('href'), address, 'Obsidian knows the folder’s name');
        await page.goto(locked.url);
        await askByKeyboard(page, 'What is the lighthouse keeper called?');
        assert.match(await page.locator('.answer').innerText(), /Amundsen/);
        assert.equal(await page.evaluate<string>('document.cookie + JSON.stringify(localStorage)'), '{}');
        assert.deepEqual(
          problems.filter((problem) => !problem.includes('401')),
          [],
        );
        assert.deepEqual(strays, []);
        await page.getByRole('button', { name: 'Sign out' }).click();
        await page.locator('#key-input:focus').waitFor();
        assert.equal(await page.locator('.turn').count(), 0, 'nothing of the conversation stays');
        await page.reload();
        await page.locator('#key-input:focus').waitFor();
        await close();
      } finally {
        await locked.stop();
      }
    });
  },
);
