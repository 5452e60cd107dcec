/** How the scripted Ollama misbehaves, each as the real one was seen to. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

import type { ScriptedCall } from './scripted-ollama-answers.ts';

/** One misbehaviour. `lines` come first and are what the answer would begin with. */
export type Fault =
  /** An answer of that status; without `error` its body is empty, as where the Host is refused. */
  | { readonly kind: 'refuse'; readonly status: number; readonly error?: string }
  /** These lines, then the end of a stream that is whole as HTTP goes. */
  | { readonly kind: 'lines'; readonly lines: readonly unknown[]; readonly everyMs?: number }
  /** These lines, then an error in the 200. */
  | { readonly kind: 'error-line'; readonly lines: readonly unknown[]; readonly error: string }
  /** These lines, then the connection breaks. */
  | { readonly kind: 'breaks'; readonly lines: readonly unknown[] }
  /** These lines, then nothing more, until the client leaves. */
  | { readonly kind: 'stalls'; readonly lines: readonly unknown[] }
  /** Not even a head, until the client leaves: a cold load. */
  | { readonly kind: 'silent' }
  /** Waits, then answers as it should. */
  | { readonly kind: 'late'; readonly afterMs: number }
  /** The runner dies: 500 before the first line, an error in the 200 behind it; the model is no longer loaded. */
  | { readonly kind: 'crash'; readonly lines?: readonly unknown[] }
  /** Anything at all: a page of another server. */
  | { readonly kind: 'page'; readonly status: number; readonly contentType: string; readonly body: string };

/** What Ollama says where a runner dies. */
export const CRASHED = 'llama runner process has terminated: exit status 2';
/** What Ollama says where too many wait. */
export const BUSY = 'server busy, please try again.  maximum pending requests exceeded';

/** Ollama has no room for another request. */
export const busy: Fault = { kind: 'refuse', status: 503, error: BUSY };
/** The check of Host and Origin: 403 without a word. */
export const forbidden: Fault = { kind: 'refuse', status: 403 };

/** A download whose bytes were not those of their digest. */
export function digestMismatch(digest: string): Fault {
  return {
    kind: 'error-line',
    lines: [{ status: 'pulling manifest' }, { status: 'verifying sha256 digest' }],
    error: `digest mismatch, file must be downloaded again: want ${digest}, got sha256:${'0'.repeat(64)}`,
  };
}

/** Sends the head of a stream, once. */
export function beginStream(response: ServerResponse): void {
  if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/x-ndjson' });
}

/** Sends lines, `everyMs` milliseconds apart; false once the client has left. */
export async function sendLines(
  response: ServerResponse,
  lines: readonly unknown[],
  everyMs = 0,
): Promise<boolean> {
  beginStream(response);
  for (const line of lines) {
    if (everyMs > 0) await sleep(everyMs);
    if (response.destroyed) return false;
    response.write(`${JSON.stringify(line)}\n`);
  }
  return !response.destroyed;
}

/** Sends JSON. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(body));
}

type Scene = { readonly call: ScriptedCall; crash(): void };

/** Misbehaves. */
export async function perform(fault: Fault, scene: Scene, answer: () => Promise<void>): Promise<void> {
  const { response } = scene.call;
  switch (fault.kind) {
    case 'refuse':
      if (fault.error === undefined) response.writeHead(fault.status).end();
      else sendJson(response, fault.status, { error: fault.error });
      return;
    case 'page':
      response.writeHead(fault.status, { 'content-type': fault.contentType }).end(fault.body);
      return;
    case 'silent':
      return;
    case 'late':
      await sleep(fault.afterMs);
      await answer();
      return;
    case 'crash':
      scene.crash();
      if (fault.lines === undefined) sendJson(response, 500, { error: CRASHED });
      else await performLines({ kind: 'error-line', lines: fault.lines, error: CRASHED }, response);
      return;
    default:
      await performLines(fault, response);
  }
}

type LineFault = Extract<Fault, { readonly lines: readonly unknown[] }>;

async function performLines(fault: LineFault, response: ServerResponse): Promise<void> {
  const there = await sendLines(response, fault.lines, fault.kind === 'lines' ? fault.everyMs : 0);
  if (!there || fault.kind === 'stalls') return;
  if (fault.kind === 'breaks') {
    // What was written leaves before the connection breaks.
    await new Promise((resolve) => response.write('', resolve));
    response.destroy();
    return;
  }
  if (fault.kind === 'error-line') response.write(`${JSON.stringify({ error: fault.error })}\n`);
  response.end();
}
