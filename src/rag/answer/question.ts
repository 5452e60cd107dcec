import type { ChatMessage } from '../../providers/chat.ts';
import type { Tokenizer } from '../text/tokenizer.ts';

/** What a conversation asks a vault. */
export type VaultQuestion = {
  /** The last user turn: what the answer answers. */
  readonly text: string;
  /** What is looked for: of a follow-up, the turns that it hangs on too. */
  readonly query: string;
  readonly followUp: boolean;
};

/** Turns that a follow-up is read together with. */
const JOINED_TURNS = 3;
/** A question with fewer words of its own hangs on what was said before. */
const FEW_TERMS = 2;
/** Past this many words of its own a question stands alone, whatever pronouns it has. */
const MANY_TERMS = 7;

/** Words that stand for something said before, in the languages that people ask in most. */
const ANAPHORA =
  /(?<!\p{L})(?:it|its|they|them|their|this|that|these|those|he|him|his|she|her|there|then|same|ones?|es|sie|ihn|ihm|dies\p{L}*|das|dessen|deren|davon|dazu|damit|dort|ils?|elles?|cela|ça|ceux|celui|celle|leur|eso|esto|ello|ellos|él|ella|su|он[аио]?|это\p{L}*|их|его|её)(?!\p{L})|[它他她们這这那其]/iu;
const CONTINUES =
  /^(?:and|but|or|what about|how about|why|und|aber|warum|wieso|et|mais|pourquoi|y|pero|¿?por qué|а|и|почему|那|那么|为什么)(?!\p{L})/iu;

/**
 * Reads what a conversation asks. A last turn that is short or speaks of what was said before is looked
 * for together with the user's turns before it, at most three in all: without a model to rewrite it,
 * joining is what finds most.
 */
export function readVaultQuestion(messages: readonly ChatMessage[], tokenizer: Tokenizer): VaultQuestion {
  const turns = messages
    .filter((message) => message.role === 'user')
    .map(({ text }) => text.trim())
    .filter((text) => text !== '');
  const text = turns.at(-1) ?? '';
  const followUp = turns.length > 1 && hangsOnEarlier(text, tokenizer);
  return { text, query: followUp ? turns.slice(-JOINED_TURNS).join('\n') : text, followUp };
}

function hangsOnEarlier(text: string, tokenizer: Tokenizer): boolean {
  const words = new Set(tokenizer.queryTerms(text).map(({ word }) => word)).size;
  if (words <= FEW_TERMS) return true;
  return words < MANY_TERMS && (ANAPHORA.test(text) || CONTINUES.test(text));
}
