/** Fixed sentences of an answer, in one language. */
export type Phrases = {
  readonly language: string;
  /** Said instead of an answer when the vault holds none; also what a model is told to say. */
  readonly notInNotes: string;
  /** Introduces the notes that came nearest. */
  readonly nearest: string;
  /** Introduces the passages that agree with an answer whose writer cited nothing. */
  readonly sources: string;
  /** Said when nothing retrieved agrees with an answer whose writer cited nothing. */
  readonly uncited: string;
};

const ENGLISH: Phrases = {
  language: 'en',
  notInNotes: 'Your notes do not answer this.',
  nearest: 'The nearest notes are:',
  sources: 'Passages that agree with this answer:',
  uncited: 'No passage of your notes backs this answer.',
};

/** Function words that tell a language from the others of this list, and its sentences. */
const LANGUAGES: readonly { readonly words: RegExp; readonly phrases: Phrases }[] = [
  {
    words:
      /(?<!\p{L})(?:wie|was|wer|wo|wann|warum|welche[rsnm]?|ist|sind|kann|und|der|die|das|ich|ein|eine|nicht|mit|für|auf)(?!\p{L})/giu,
    phrases: {
      language: 'de',
      notInNotes: 'Deine Notizen beantworten das nicht.',
      nearest: 'Am nächsten kommen diese Notizen:',
      sources: 'Stellen, die zu dieser Antwort passen:',
      uncited: 'Keine Stelle deiner Notizen belegt diese Antwort.',
    },
  },
  {
    words:
      /(?<!\p{L})(?:comment|quoi|quels?|quelles?|où|quand|pourquoi|est|sont|peut|et|le|la|les|des|du|je|une?|dans|pour|avec|qu)(?!\p{L})/giu,
    phrases: {
      language: 'fr',
      notInNotes: 'Vos notes ne répondent pas à cette question.',
      nearest: 'Les notes les plus proches sont :',
      sources: 'Passages qui concordent avec cette réponse :',
      uncited: 'Aucun passage de vos notes n’appuie cette réponse.',
    },
  },
  {
    words:
      /(?<!\p{L})(?:cómo|qué|quién|dónde|cuándo|cuáles|cuál|cuánt[oa]s?|por|es|son|puedo|y|el|los|las|del|una?|en|para|con)(?!\p{L})/giu,
    phrases: {
      language: 'es',
      notInNotes: 'Tus notas no responden a esto.',
      nearest: 'Las notas más cercanas son:',
      sources: 'Pasajes que concuerdan con esta respuesta:',
      uncited: 'Ningún pasaje de tus notas respalda esta respuesta.',
    },
  },
  {
    words:
      /(?<!\p{L})(?:how|what|who|where|when|why|which|is|are|do|does|can|and|the|an?|i|to|of|in|for|with)(?!\p{L})/giu,
    phrases: ENGLISH,
  },
];

const BY_SCRIPT: readonly { readonly script: RegExp; readonly phrases: Phrases }[] = [
  {
    script: /[\p{Script=Hiragana}\p{Script=Katakana}]/u,
    phrases: {
      language: 'ja',
      notInNotes: 'ノートにはその答えがありません。',
      nearest: '最も近いノート:',
      sources: 'この回答に合う箇所:',
      uncited: 'この回答を裏付ける箇所はノートにありません。',
    },
  },
  {
    script: /\p{Script=Han}/u,
    phrases: {
      language: 'zh',
      notInNotes: '您的笔记没有回答这个问题。',
      nearest: '最接近的笔记：',
      sources: '与此回答相符的段落：',
      uncited: '笔记中没有支持此回答的段落。',
    },
  },
  {
    script: /\p{Script=Cyrillic}/u,
    phrases: {
      language: 'ru',
      notInNotes: 'В ваших заметках нет ответа на этот вопрос.',
      nearest: 'Ближайшие заметки:',
      sources: 'Фрагменты, согласующиеся с этим ответом:',
      uncited: 'Ни один фрагмент заметок не подтверждает этот ответ.',
    },
  },
];

/**
 * Chooses the fixed sentences in the language of a question, by script and by function words; English
 * where neither tells.
 */
export function phrasesFor(question: string): Phrases {
  for (const { script, phrases } of BY_SCRIPT) if (script.test(question)) return phrases;
  let best = ENGLISH;
  let most = 0;
  for (const { words, phrases } of LANGUAGES) {
    const count = question.match(words)?.length ?? 0;
    const wins = count > most || (count === most && count > 0 && phrases === ENGLISH);
    if (wins) [best, most] = [phrases, count];
  }
  return best;
}

/** Recognises in a model's words the sentence that says that the notes hold no answer, in any language. */
export function isNotInNotes(text: string): boolean {
  const start = text.trimStart().substring(0, 200);
  const known = [...LANGUAGES, ...BY_SCRIPT].map(({ phrases }) => phrases.notInNotes.replace(/[.。]$/u, ''));
  return known.some((sentence) => start.includes(sentence));
}
