import type { TuneJournal } from './journal.ts';
import type { TuneMatrix } from './matrix.ts';
import type { Sample } from './measure.ts';
import { NOW, settingKey } from './setting.ts';
import type { Setting } from './setting.ts';
import type { KeptTuning } from './store.ts';
import { checkStage, FINAL_STAGE, searchStage } from './tune.ts';
import type { TuneOutcome } from './tune.ts';
import { compareSettings, figuresOf, isSample } from './verdict.ts';
import type { Comparison, Figures, Round } from './verdict.ts';
import type { Workload } from './workload.ts';

/** How one setting did in one stage. */
export type TuneRow = {
  /** Where its values were looked through, where the chosen one was compared, or several together. */
  readonly stage: 'search' | 'check' | 'together';
  readonly setting: string;
  /** What it was compared with in the same rounds. */
  readonly against: string;
  readonly comparison: Comparison;
  readonly figures?: Figures;
  /** What Ollama said, where it could not be measured. */
  readonly failure?: string;
};

/** Everything that a tuning found. */
export type TuneReport = {
  readonly model: string;
  readonly host: string;
  readonly isResumed: boolean;
  readonly workload: Workload;
  readonly skipped: TuneMatrix['skipped'];
  /** What counts now, over every stage; absent before its first measurement. */
  readonly now?: Figures;
  readonly rows: readonly TuneRow[];
  readonly outcome: TuneOutcome;
  /** Options that the profile has from now on. */
  readonly written?: Setting;
  /** What the environment of the server may be worth; each one sentence. */
  readonly advice: readonly string[];
};

/** Sums the journal up. */
export function rowsOf(
  journal: TuneJournal,
  { dimensions }: Pick<TuneMatrix, 'dimensions'>,
  workload: Workload,
): readonly TuneRow[] {
  return stagesOf(dimensions).flatMap((stage) => rowsOfStage(stage, journal.rounds(stage.name), workload));
}

/** A stage, and the option that it is about; absent where it is about several together. */
type Stage = { readonly name: string; readonly kind: TuneRow['stage']; readonly option?: string };

function stagesOf(dimensions: TuneMatrix['dimensions']): readonly Stage[] {
  return [
    ...dimensions.flatMap(({ option }): readonly Stage[] => [
      { name: searchStage(option), kind: 'search', option },
      { name: checkStage(option), kind: 'check', option },
    ]),
    { name: FINAL_STAGE, kind: 'together' },
  ];
}

function rowsOfStage(
  { kind, option }: Stage,
  rounds: readonly Round[],
  workload: Workload,
): readonly TuneRow[] {
  const keys = [...new Set(rounds.flatMap((round) => [...round.keys()]))];
  const base = baseOf(keys, option);
  return keys
    .filter((key) => key !== base)
    .map((key): TuneRow => {
      const figures = figuresOf(samplesOf(rounds, key));
      const [failure] = rounds.flatMap((round) => {
        const one = round.get(key);
        return one !== undefined && 'failed' in one ? [one.failed] : [];
      });
      return {
        stage: kind,
        setting: key,
        against: base,
        comparison: compareSettings(rounds, { base, other: key, workload }),
        ...(figures === undefined ? {} : { figures }),
        ...(failure === undefined ? {} : { failure }),
      };
    });
}

/** The one without the option that was looked through is the one that was the best before. */
function baseOf(keys: readonly string[], option: string | undefined): string {
  const without = keys.find((key) => !key.split(' ').some((part) => part.startsWith(`${option ?? ''}=`)));
  return option === undefined ? settingKey(NOW) : (without ?? settingKey(NOW));
}

/** What counts now, over all stages. */
export function nowFigures(
  journal: TuneJournal,
  { dimensions }: Pick<TuneMatrix, 'dimensions'>,
): Figures | undefined {
  return figuresOf(
    stagesOf(dimensions).flatMap(({ name }) => samplesOf(journal.rounds(name), settingKey(NOW))),
  );
}

function samplesOf(rounds: readonly Round[], key: string): readonly Sample[] {
  return rounds.flatMap((round) => {
    const one = round.get(key);
    return isSample(one) ? [one] : [];
  });
}

/** Variables of the server that change speed and that no request can set. */
export const SPEED_VARIABLES = [
  'OLLAMA_FLASH_ATTENTION',
  'OLLAMA_KV_CACHE_TYPE',
  'OLLAMA_NUM_PARALLEL',
  'OLLAMA_SCHED_SPREAD',
  'OLLAMA_LLM_LIBRARY',
] as const;

/** Less than this may be the weather. */
const NOTABLE = 1.05;

/**
 * Compares with earlier tunings under another environment. Those were not measured side by side, so
 * that nothing is decided by it: it is worth a try, or it is not.
 */
export function environmentAdvice(now: KeptTuning, earlier: readonly KeptTuning[]): readonly string[] {
  const advice = new Map<string, string>();
  for (const before of earlier) {
    const changes = differencesOf(before.environment, now.environment);
    const ratio = speedOf(before.now) / speedOf(now.now);
    const name = changes.join(', ');
    if (name === '' || advice.has(name) || !Number.isFinite(ratio) || Math.max(ratio, 1 / ratio) < NOTABLE)
      continue;
    const day = new Date(before.atMs).toISOString().slice(0, 10);
    const [was, is] = [speedOf(before.now).toFixed(1), speedOf(now.now).toFixed(1)];
    advice.set(
      name,
      `with ${name} it made ${was} tokens a second on ${day}, now ${is}; that was not measured side by side`,
    );
  }
  return [...advice.values()];
}

function speedOf({ answerSpeed, promptSpeed }: Figures): number {
  return answerSpeed ?? promptSpeed;
}

function differencesOf(
  before: Readonly<Record<string, string>>,
  now: Readonly<Record<string, string>>,
): readonly string[] {
  return SPEED_VARIABLES.filter((name) => before[name] !== now[name]).map((name) =>
    before[name] === undefined ? `${name} not set` : `${name}=${before[name]}`,
  );
}
