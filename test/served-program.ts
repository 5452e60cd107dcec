/** The real program on a configuration file that a test rewrites, and upstreams that answer slowly. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { pathToFileURL } from 'node:url';
import { startProgram } from './program.ts';
import type { Program } from './program.ts';
import { chunk, chunkedHead, lastChunk } from './upstream-scripts.ts';
import { send, stall, wait } from './upstream.ts';
import type { Step } from './upstream.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-life-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const event = (content: string, finish: string | null = null): string =>
  chunk(
    `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`,
  );

const begun = [send(chunkedHead('text/event-stream') + event('Hi'))];

/** An upstream that begins to stream and never goes on. */
export const endless: readonly Step[] = [...begun, stall];

/** An upstream that goes on after a moment and ends well. */
export const slow: readonly Step[] = [
  ...begun,
  wait(800),
  send(event(' there', 'stop') + chunk('data: [DONE]\n\n') + lastChunk),
];

/** How long a test waits for what a signal, a poll or a timer in the program brings about, in milliseconds. */
export const PATIENCE_MS = 30_000;

let programs = 0;

/** A configuration with one model `m` at an upstream, no vault, and `more`. */
export function configOf(origin: string, more = ''): string {
  const params = `{model: openai/x, api_base: "${origin}/v1", api_key: sk-upstream}`;
  return `model_list:\n  - {model_name: m, litellm_params: ${params}}\nvaults: []\n${more}`;
}

/** A running server. */
export type ServedProgram = AsyncDisposable &
  Program & {
    /** Where its configuration lies. */
    readonly cwd: string;
    /** Writes its configuration anew. */
    write(text: string): void;
    /** Files in its data directory whose name begins with `server.`. */
    word(): readonly string[];
  };

/** How a server is started beside its configuration. */
export type Serving = {
  /** A module that runs in the process before the program. */
  readonly preload?: string;
  /** Flags of Node. */
  readonly flags?: string;
};

/** Starts the server on a configuration file of its own. */
export async function serving(text: string, { preload, flags = '' }: Serving = {}): Promise<ServedProgram> {
  programs += 1;
  const cwd = mkdtempSync(path.join(folder, `${programs}-`));
  const write = (next: string): void => writeFileSync(path.join(cwd, 'obelisk.yaml'), next);
  const script = path.join(cwd, 'preload.mjs');
  const data = path.join(cwd, 'data');
  write(text);
  if (preload !== undefined) writeFileSync(script, preload);
  const program = await startProgram({
    args: ['serve', '--port', '0'],
    cwd,
    env: {
      OBELISK_DATA_DIR: data,
      NODE_OPTIONS:
        `${preload === undefined ? '' : `--import=${pathToFileURL(script).href}`} ${flags}`.trim(),
    },
  });
  const word = (): readonly string[] => readdirSync(data).filter((file) => file.startsWith('server.'));
  return { ...program, cwd, write, word, [Symbol.asyncDispose]: () => program.stop() };
}

/** Asks the model `m`. */
export function ask({ url }: Pick<Program, 'url'>, stream = true, key = 'any'): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify({ model: 'm', stream, messages: [{ role: 'user', content: 'Hi' }] }),
  });
}
