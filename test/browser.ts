import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';

/** Where distributions put a Chromium that can be driven; `OBELISK_CHROMIUM` goes first. */
const CANDIDATES = [
  process.env['OBELISK_CHROMIUM'] ?? '',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
];

/** The browser of this machine, if there is one. */
export const chromiumPath: string | undefined = CANDIDATES.find((path) => path !== '' && existsSync(path));

/** A page that remembers what should not have happened on it. */
export type WatchedPage = {
  readonly page: Page;
  /** Errors and warnings on the console, and exceptions nobody caught. */
  readonly problems: readonly string[];
  /** Requests to anywhere but the server. */
  readonly strays: readonly string[];
  close(): Promise<void>;
};

/** Starts the browser without whatever it would load for itself. */
export async function launchBrowser(executablePath: string): Promise<Browser> {
  const args =
    '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';
  return chromium.launch({ executablePath, headless: true, args: args.split(' ') });
}

/** Opens a page in a context of its own and watches it. */
export async function watchPage(
  browser: Browser,
  origin: string,
  options: BrowserContextOptions = {},
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const problems: string[] = [];
  const strays: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') problems.push(message.text());
  });
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${origin}/`)) strays.push(request.url());
  });
  return { page, problems, strays, close: () => context.close() };
}
