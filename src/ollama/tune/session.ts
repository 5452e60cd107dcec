import { isObeliskError, ObeliskError } from '../../shared/errors.ts';
import type { OllamaShow } from '../api/api-types.ts';
import type { OllamaClient } from '../api/client.ts';
import { toOllamaModel } from '../fleet/model-facts.ts';
import type { OllamaModel } from '../fleet/model-facts.ts';
import type { RunnerOptions } from '../queue/runner-options.ts';
import { rememberHost, restoreHost } from './host-state.ts';
import { tuneMatrix } from './matrix.ts';
import type { TuneMatrix } from './matrix.ts';
import { countTokens, loadWith, memoryOf } from './measure.ts';
import type { Bench } from './measure.ts';
import { environmentAdvice, nowFigures, rowsOf } from './report.ts';
import type { TuneReport } from './report.ts';
import type { Setting } from './setting.ts';
import type { TuneRun, TuneStore } from './store.ts';
import { tune } from './tune.ts';
import type { TuneOutcome, TuneStep } from './tune.ts';
import { fitWorkload } from './workload.ts';
import type { Workload } from './workload.ts';

/** What was asked for. */
export type TuneWish = {
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly rounds: number;
  /** Milliseconds of this command. */
  readonly budgetMs: number;
  /** Whether one of prompt and answer may become slower where the whole becomes faster. */
  readonly allowsTrade: boolean;
  /** Options to try; empty: all that are worth it. */
  readonly only: readonly string[];
  /** Forgets what an earlier command measured and did not come to its end with. */
  readonly fresh: boolean;
};

/** One command that tunes. */
export type TuneSession = {
  readonly client: OllamaClient;
  /** As `/api/tags` prints it. */
  readonly model: string;
  readonly wish: TuneWish;
  /** What travels with every request now, and which of it the configuration sets. */
  readonly baseline: RunnerOptions;
  readonly configured: ReadonlySet<string>;
  /** Logical cores of the host; absent where it is another machine. */
  readonly cores?: number;
  /** Variables of the server that change speed, as far as they were seen. */
  readonly environment: Readonly<Record<string, string>>;
  readonly store: TuneStore;
  /** Milliseconds: monotonic, and since the epoch. */
  readonly clock: { readonly nowMs: () => number; readonly dateMs: () => number };
  /** What the gateway loads a model with. */
  readonly optionsOf: (model: string) => Promise<RunnerOptions>;
  /** Writes the profile, for what is faster beyond noise; absent: nothing is written, and what was measured is kept. */
  readonly write?: (setting: Setting) => Promise<void>;
  readonly listener: TuneListener;
  /** Pause before a disturbed measurement is repeated, in milliseconds. */
  readonly retryMs?: number;
};

/** Hears how it goes. */
export type TuneListener = {
  readonly onPlan: (plan: TunePlan) => void;
  readonly onStep: (step: TuneStep) => void;
  readonly onNotice: (notice: string) => void;
};

/** What will be tried. */
export type TunePlan = TuneMatrix & { readonly workload: Workload; readonly isResumed: boolean };

/** Words of the first prompt, by which tokens are counted. */
const SAMPLE_WORDS = 48;
/** A large model may take this long to come back. */
const RESTORE_MS = 600_000;

/**
 * Tunes a model on its host, writes what is faster, and leaves the host as it was: what was loaded is
 * loaded, for as long as it had left, also when this is broken off. Where the process dies, the next
 * tuning on the host brings that back.
 * @throws ObeliskError `unsupported` for a model that runs elsewhere, `overloaded` where others tune or
 *   use the model, and of Ollama.
 */
export async function runTuneSession(session: TuneSession, signal: AbortSignal): Promise<TuneReport> {
  const { client, model, store, clock, wish, baseline } = session;
  const deadlineMs = clock.nowMs() + wish.budgetMs;
  const about = await describe(session, signal);
  const { promptTokens, answerTokens, rounds, only, allowsTrade } = wish;
  const key = JSON.stringify([
    about.digest,
    about.version,
    baseline,
    promptTokens,
    answerTokens,
    rounds,
    only,
    allowsTrade,
  ]);
  const run = store.begin({ host: client.url, model, key }, { nowMs: clock.dateMs(), fresh: wish.fresh });
  try {
    const before = run.hostState() ?? (await rememberHost(client, signal));
    run.setHostState(before);
    try {
      const late = AbortSignal.timeout(Math.max(1, Math.ceil(deadlineMs - clock.nowMs())));
      return await tuneAndWrite(session, { about, run, deadlineMs, late }, signal);
    } finally {
      await restore(session, run);
    }
  } finally {
    run.release();
  }
}

type About = {
  readonly digest: string;
  readonly version: string;
  readonly model: OllamaModel;
  readonly hasDraft: boolean;
};

async function describe({ client, model }: TuneSession, signal: AbortSignal): Promise<About> {
  const [version, tags, show] = await Promise.all([
    client.version(signal),
    client.tags(signal),
    client.show(model, signal),
  ]);
  const tag = tags.find(({ name }) => name === model) ?? { name: model };
  const described = toOllamaModel(tag, show);
  if (described.remoteHost !== undefined) {
    throw new ObeliskError(
      'unsupported',
      `${model} runs at ${described.remoteHost}: there is nothing to tune on this host`,
    );
  }
  return { digest: described.digest, version, model: described, hasDraft: hasDraft(show) };
}

/** A model with a draft model says so in its Modelfile. */
function hasDraft({ modelfile }: OllamaShow): boolean {
  return /^DRAFT\s/im.test(modelfile ?? '');
}

type Work = {
  readonly about: About;
  readonly run: TuneRun;
  readonly deadlineMs: number;
  readonly late: AbortSignal;
};

async function tuneAndWrite(session: TuneSession, work: Work, signal: AbortSignal): Promise<TuneReport> {
  const { client, model, baseline, listener, wish, store, clock } = session;
  const { run, deadlineMs, late } = work;
  const { bench, matrix } = await prepareInTime(session, work, signal);
  listener.onPlan({ ...matrix, workload: bench.workload, isResumed: run.isResumed });
  const task = {
    bench,
    baseline,
    dimensions: matrix.dimensions,
    rounds: wish.rounds,
    allowsTrade: wish.allowsTrade,
    deadlineMs,
    late,
    journal: run.journal,
    onStep: listener.onStep,
    ...(session.retryMs === undefined ? {} : { retryMs: session.retryMs }),
  };
  const outcome = await tune(task, signal);
  const written = await writeFound(session, outcome);
  const now = nowFigures(run.journal, matrix);
  const earlier = store.earlier({ host: client.url, model });
  const kept =
    now === undefined ? undefined : { atMs: clock.dateMs(), environment: session.environment, now };
  const report = {
    model,
    host: client.url,
    isResumed: run.isResumed,
    workload: bench.workload,
    skipped: matrix.skipped,
    rows: rowsOf(run.journal, matrix, bench.workload),
    outcome,
    advice: kept === undefined ? [] : environmentAdvice(kept, earlier),
    ...(now === undefined ? {} : { now }),
    ...(written === undefined ? {} : { written }),
  };
  const isEnd = outcome.found === undefined ? outcome.isComplete : written !== undefined;
  if (isEnd && kept !== undefined) run.finish(kept);
  return report;
}

/** Where nothing may be written, the same command without that word writes it from what was measured. */
async function writeFound(session: TuneSession, { found }: TuneOutcome): Promise<Setting | undefined> {
  if (found === undefined || session.write === undefined) return undefined;
  await session.write(found.setting);
  return found.setting;
}

type Prepared = { readonly bench: Bench; readonly matrix: TuneMatrix };

async function prepareInTime(session: TuneSession, work: Work, signal: AbortSignal): Promise<Prepared> {
  try {
    return await prepare(session, work.about, AbortSignal.any([signal, work.late]));
  } catch (error) {
    if (!work.late.aborted || signal.aborted) throw error;
    const message = `${session.model} did not load and answer in the time there was; give it more with --minutes`;
    throw new ObeliskError('upstream_timeout', message, { cause: error });
  }
}

/** Loads the model as it is now, and looks at what there is to tune. */
async function prepare(session: TuneSession, about: About, signal: AbortSignal): Promise<Prepared> {
  const { client, model, baseline, wish, clock } = session;
  const kind = about.model.chat ? 'chat' : 'embedding';
  const numCtx = baseline['num_ctx'];
  const asked: Workload = {
    kind,
    promptTokens: wish.promptTokens,
    answerTokens: kind === 'chat' ? wish.answerTokens : 0,
    wordsPerToken: 1,
  };
  const workload = fitWorkload(asked, typeof numCtx === 'number' ? numCtx : about.model.contextLength);
  const bench = { client, model, workload, nowMs: clock.nowMs };
  await loadWith(bench, baseline, signal);
  const tokens = await countTokens(bench, { options: baseline, words: SAMPLE_WORDS }, signal);
  const memory = await memoryOf(bench, signal);
  const matrix = tuneMatrix(
    {
      kind,
      options: baseline,
      configured: session.configured,
      hasDraft: about.hasDraft,
      ...memory,
      ...(session.cores === undefined ? {} : { cores: session.cores }),
      ...(about.model.shape === undefined ? {} : { blockCount: about.model.shape.blockCount }),
    },
    wish.only,
  );
  const wordsPerToken = SAMPLE_WORDS / Math.max(1, tokens);
  return { bench: { ...bench, workload: { ...workload, wordsPerToken } }, matrix };
}

async function restore(session: TuneSession, run: TuneRun): Promise<void> {
  const before = run.hostState();
  if (before === undefined) return;
  const { client, model, optionsOf, listener, clock } = session;
  try {
    // What was broken off is brought back all the same; a second Ctrl-C ends that too.
    const patience = AbortSignal.timeout(RESTORE_MS);
    await restoreHost({ client, model, before, optionsOf, nowMs: clock.dateMs }, patience);
    run.setHostState(undefined);
  } catch (error) {
    if (!isObeliskError(error)) throw error;
    listener.onNotice(`what ${client.url} had loaded could not be brought back: ${error.message}`);
  }
}
