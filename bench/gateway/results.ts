import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { dirname } from 'node:path';
import type { Usage } from './verdicts.ts';

/** One measurement of one program. */
export type Round = {
  readonly scenario: string;
  readonly program: string;
  readonly round: number;
  readonly at: string;
  /** How often it was measured until the machine was quiet. */
  readonly tries: number;
  /** Why it does not count: foreign load in every try, or the wrong core was busy. */
  readonly noisy?: string;
  readonly void?: string;
  /** Why there are no figures: the program could not do what was asked. */
  readonly failed?: string;
  readonly usage?: Usage;
  /** Figures by name; the unit is part of the name. */
  readonly figures: Readonly<Record<string, number>>;
};

/** What was measured, of what, where and when. */
export type Results = {
  readonly format: 1;
  readonly started: string;
  readonly machine: Readonly<Record<string, string | number>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  readonly settings: Readonly<Record<string, number>>;
  /** Programs that did not take part, with the reason. */
  readonly skipped: Readonly<Record<string, string>>;
  readonly rounds: readonly Round[];
};

/** The machine, as far as it matters. */
export function describeMachine(): Results['machine'] {
  const cores = cpus();
  return {
    processor: cores[0]?.model ?? 'unknown',
    cores: cores.length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
  };
}

/** What is measured and what measures; other changes leave results as they are. */
const MEASURED = ['src', 'bin', 'bench', 'package-lock.json'];

/** The last commit of what is measured, with `+` when files differ from it. */
export function describeCommit(root: string): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['-C', root, ...args, '--', ...MEASURED], { encoding: 'utf8' }).trim();
  const changed = git('status', '--porcelain');
  return `${git('log', '-1', '--format=%h')}${changed === '' ? '' : '+'}`;
}

type RoundKey = Pick<Round, 'scenario' | 'program' | 'round'>;

function isSame(a: RoundKey, b: RoundKey): boolean {
  return a.scenario === b.scenario && a.program === b.program && a.round === b.round;
}

/** Results in a file, saved after each round, so that an interrupted run goes on where it was. */
export class ResultFile {
  #results: Results;
  readonly #path: string | undefined;

  private constructor(results: Results, path: string | undefined) {
    this.#results = results;
    this.#path = path;
  }

  /**
   * Opens the file, or begins it.
   * @throws Error when it holds results of another commit, machine or setting: those do not mix.
   */
  static open(fresh: Results, path: string | undefined): ResultFile {
    if (path === undefined || !existsSync(path)) return new ResultFile(fresh, path);
    const kept = JSON.parse(readFileSync(path, 'utf8')) as Results;
    // A program that was not there before may join; one of another version may not.
    const versions = { ...fresh.versions, ...kept.versions };
    const now: Results = { ...fresh, versions: { ...versions, ...fresh.versions } };
    const before: Results = { ...kept, versions };
    for (const part of ['format', 'machine', 'commit', 'settings', 'versions'] as const) {
      const [old, current] = [before[part], now[part]].map((facts) => JSON.stringify(facts));
      if (old === current) continue;
      throw new Error(
        `${path} holds results with another ${part} (${old}, now ${current}); name another file with --out, or add --fresh to begin again`,
      );
    }
    return new ResultFile({ ...kept, versions, skipped: fresh.skipped }, path);
  }

  get results(): Results {
    return this.#results;
  }

  /** Whether a round is there; one that failed is measured again when a run goes on. */
  has(round: RoundKey): boolean {
    return this.#results.rounds.some((kept) => isSame(kept, round) && kept.failed === undefined);
  }

  add(round: Round): void {
    const others = this.#results.rounds.filter((kept) => !isSame(kept, round));
    this.#results = { ...this.#results, rounds: [...others, round] };
    if (this.#path === undefined) return;
    mkdirSync(dirname(this.#path), { recursive: true });
    // Written beside and moved, so that an interruption leaves the old file whole.
    writeFileSync(`${this.#path}.new`, `${JSON.stringify(this.#results, undefined, 1)}\n`);
    renameSync(`${this.#path}.new`, this.#path);
  }
}
