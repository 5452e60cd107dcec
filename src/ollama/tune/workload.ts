/** What every setting is asked. */
export type Workload = {
  readonly kind: 'chat' | 'embedding';
  /** Tokens of the prompt, about; of all texts together, where texts are embedded. */
  readonly promptTokens: number;
  /** Tokens of the answer, at most; 0 where texts are embedded. */
  readonly answerTokens: number;
  /** Of this model, as it was seen to cut. */
  readonly wordsPerToken: number;
};

/** Ordinary words, each of a token or two with most models. */
const WORDS =
  'the a river house light under morning with green paper small answer from stone letter open water north quiet table seven bird across winter map field garden often bridge blue engine market old window train bread slow cloud story hand voice number road salt island copper forest late silver door rain harbour meal early song'.split(
    ' ',
  );

/** Texts that are embedded in one request. */
export const TEXTS_PER_REQUEST = 8;

/**
 * Makes a prompt of a length. Each seed begins differently: Ollama keeps what it has read of the last
 * prompt, and a beginning that it knows would cost nothing.
 */
export function promptOf(words: number, seed: number): string {
  const next = generator(seed);
  const parts = [String(seed)];
  for (let index = 1; index < words; index += 1) {
    const word = WORDS[Math.floor(next() * WORDS.length)] ?? 'the';
    parts.push(index % 12 === 0 ? `${word}.` : word);
  }
  return parts.join(' ');
}

/** Fits a workload into a context window: the prompt takes three quarters at most. */
export function fitWorkload(workload: Workload, numCtx: number | undefined): Workload {
  if (numCtx === undefined) return workload;
  const isChat = workload.kind === 'chat';
  // A text is cut by tokens and made by words: an eighth is left for what the two differ by.
  const texts = isChat ? 1 : TEXTS_PER_REQUEST;
  const promptTokens = Math.min(workload.promptTokens, texts * Math.floor(numCtx * (isChat ? 0.625 : 0.75)));
  const answerTokens = Math.min(workload.answerTokens, Math.floor(numCtx * 0.25));
  return { ...workload, promptTokens, answerTokens };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
