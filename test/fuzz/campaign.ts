import * as fc from 'fast-check';
import { EARLIER } from './codec-client.ts';
import { CORPUS_FILES, bytesOf, readCorpus } from './corpus.ts';
import { chancePlaces, cutAt } from './cut.ts';
import { Dice } from './dice.ts';
import { mutate } from './mutate.ts';
import { requestStream } from './request-grammar.ts';
import { RequestOracle } from './request-oracle.ts';
import { requestDisagreement } from './requests-agree.ts';
import { responseStream } from './response-grammar.ts';
import { ResponseOracle } from './response-oracle.ts';
import { responseDisagreement } from './responses-agree.ts';

/** One input of the differential fuzz, written so that it can be shrunk and repeated. */
export type FuzzCase = {
  readonly side: 'request' | 'response';
  /** The bytes as latin1. */
  readonly text: string;
  /** Where they are cut. */
  readonly places: readonly number[];
  readonly ending: 'open' | 'eof';
  /** Of the request that a response answers. */
  readonly method: 'GET' | 'POST' | 'HEAD';
  /** What the handler of a request does. */
  readonly behaviour: 'reads' | 'ignores' | 'late';
  /** What the connection of a response has carried before. */
  readonly earlier: string;
};

/** A case on which the codec and Node disagree. */
export type Disagreement = { readonly fuzzCase: FuzzCase; readonly difference: string };

/** What a campaign has done. */
export type CampaignReport = { readonly cases: number; readonly disagreement: Disagreement | undefined };

/** Cases of the grammar in one round, and as many again that are mutations. */
const ROUND = 250;
/** Longest text that is mutated: long ones cost time and teach little. */
const MAX_MUTATED = 4_000;
const SIDES = ['request', 'response'] as const;

/** Runs cases of fuzz, round after round, each with a seed of its own. */
export class Campaign {
  readonly #requests = new RequestOracle();
  readonly #responses = new ResponseOracle();
  readonly #texts: Readonly<Record<FuzzCase['side'], readonly string[]>> = {
    request: corpusTexts(CORPUS_FILES.requests),
    response: corpusTexts(CORPUS_FILES.responses),
  };

  /** The difference between the codec and Node on one case, in words; undefined where they agree. */
  async difference(fuzzCase: FuzzCase): Promise<string | undefined> {
    const { side, text, places, ...rest } = fuzzCase;
    const pieces = cutAt(Buffer.from(text, 'latin1'), places);
    return side === 'request'
      ? requestDisagreement(this.#requests, { ...rest, pieces })
      : responseDisagreement(this.#responses, { ...rest, pieces });
  }

  /** Runs one round. */
  async round(seed: number): Promise<CampaignReport> {
    const cases = SIDES.flatMap((side) => this.#cases(side, seed));
    const differences = await Promise.all(cases.map((fuzzCase) => this.difference(fuzzCase)));
    const at = differences.findIndex((difference) => difference !== undefined);
    const fuzzCase = cases[at];
    const difference = differences[at];
    return {
      cases: cases.length,
      disagreement:
        fuzzCase && difference !== undefined ? await this.#shrunk({ fuzzCase, difference }) : undefined,
    };
  }

  #cases(side: FuzzCase['side'], seed: number): FuzzCase[] {
    const dice = new Dice(seed);
    const corpus = this.#texts[side];
    const grammar = fc.sample(side === 'request' ? requestStream : responseStream, { seed, numRuns: ROUND });
    const mutated = grammar.map((text, index) =>
      mutate(index % 2 === 0 ? dice.pick(corpus) : text, dice, corpus),
    );
    return [...grammar, ...mutated].map((text) => ({
      side,
      text,
      places: chancePlaces(text.length, dice),
      ending: dice.pick(['open', 'open', 'eof'] as const),
      method: dice.pick(['GET', 'GET', 'POST', 'HEAD'] as const),
      behaviour: dice.pick(['reads', 'ignores', 'late'] as const),
      earlier: dice.pick(Object.keys(EARLIER)),
    }));
  }

  /** The smallest case found that still differs: without the cuts, and with ever smaller parts left out. */
  async #shrunk(found: Disagreement): Promise<Disagreement> {
    let best = found;
    const tryCase = async (fuzzCase: FuzzCase): Promise<boolean> => {
      const difference = await this.difference(fuzzCase);
      if (difference !== undefined) best = { fuzzCase, difference };
      return difference !== undefined;
    };
    await tryCase({ ...best.fuzzCase, places: [] });
    for (let size = Math.ceil(best.fuzzCase.text.length / 2); size >= 1; size = Math.floor(size / 2)) {
      for (let at = 0; at < best.fuzzCase.text.length;) {
        const { text } = best.fuzzCase;
        const smaller = text.slice(0, at) + text.slice(at + size);
        if (!(await tryCase({ ...best.fuzzCase, text: smaller }))) at += size;
      }
    }
    return best;
  }
}

function corpusTexts(file: URL): string[] {
  const texts = readCorpus(file).map((entry) => bytesOf(entry).toString('latin1'));
  return texts.filter((text) => text.length > 0 && text.length <= MAX_MUTATED);
}
