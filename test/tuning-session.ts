/** Tunings of a model at a server of `tuning-ollama.ts`, with a file of measurements of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after } from 'node:test';
import { createOllamaClient } from '../src/ollama/api/client.ts';
import type { RunnerOptions } from '../src/ollama/queue/runner-options.ts';
import type { TuneReport } from '../src/ollama/tune/report.ts';
import { runTuneSession } from '../src/ollama/tune/session.ts';
import type { TuneSession } from '../src/ollama/tune/session.ts';
import { openTuneStore } from '../src/ollama/tune/store.ts';
import { createUpstreamClient } from '../src/wire/upstream-client.ts';
import type { Speed, TuningOllama } from './tuning-ollama.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'obelisk-tune-'));
const upstream = createUpstreamClient();
after(async () => {
  await upstream.close();
  rmSync(folder, { recursive: true, force: true });
});

const never = new AbortController().signal;
/** What the gateway loads every model with, until something is written. */
export const PROFILE: RunnerOptions = { num_ctx: 2048 };
let files = 0;

/** A tuning, what it wrote and what it said. */
export type Tuning = {
  readonly report: Promise<TuneReport>;
  readonly written: RunnerOptions[];
  readonly steps: string[];
};

/** What a test changes of it. */
export type Changes = Partial<Omit<TuneSession, 'wish'>> & {
  readonly wish?: Partial<TuneSession['wish']>;
  readonly file?: string;
  /** Writes nothing. */
  readonly isDry?: boolean;
  readonly signal?: AbortSignal;
  readonly onStep?: (count: number) => void;
};

/** Starts a tuning of a small model at a server. */
export function tuneAt(
  ollama: TuningOllama,
  { file = newFile(), signal = never, onStep, isDry = false, ...changes }: Changes = {},
): Tuning {
  const [written, steps]: [RunnerOptions[], string[]] = [[], []];
  const store = openTuneStore(file);
  const wish = {
    promptTokens: 200,
    answerTokens: 40,
    rounds: 8,
    budgetMs: 600_000,
    only: [],
    allowsTrade: false,
    fresh: false,
  };
  const session: TuneSession = {
    client: createOllamaClient({ url: ollama.url, upstream }),
    model: 'tiny:latest',
    baseline: PROFILE,
    configured: new Set(),
    cores: 4,
    environment: {},
    retryMs: 1,
    store,
    clock: { nowMs: () => performance.now(), dateMs: () => Date.now() },
    optionsOf: () => Promise.resolve({ ...PROFILE, ...Object.assign({}, ...written) }),
    ...(isDry ? {} : { write: (setting: RunnerOptions) => Promise.resolve(void written.push(setting)) }),
    listener: {
      onPlan: () => undefined,
      onNotice: (notice) => steps.push(notice),
      onStep: ({ stage, round, setting }) => {
        steps.push(`${stage} ${round} ${setting}`);
        onStep?.(steps.length);
      },
    },
    ...changes,
    wish: { ...wish, ...changes.wish },
  };
  const report = runTuneSession(session, signal).finally(() => store.close());
  return { report, written, steps };
}

/** A file that is not there yet. */
export function newFile(): string {
  files += 1;
  return path.join(folder, `${files}.sqlite`);
}

/** Nothing makes a difference. */
export const even = (): Speed => ({ prompt: 1_000, answer: 50 });

/** Two threads are a fifth faster than anything else. */
export const likesTwo = ({ num_thread: threads }: Readonly<Record<string, unknown>>): Speed =>
  threads === 2 ? { prompt: 1_200, answer: 60 } : { prompt: 1_000, answer: 50 };
