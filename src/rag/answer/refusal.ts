import type { ChatEvent } from '../../providers/chat.ts';
import { answerFields } from './answer-fields.ts';
import { NO_USAGE, type AnswerTask } from './answer-task.ts';
import { phrasesFor } from './phrases.ts';

const NEAREST_NOTES = 3;

/** The answer where there is none: a fixed sentence and the nearest notes, no model asked. */
export async function* writeRefusal(answer: AnswerTask): AsyncGenerator<ChatEvent> {
  const { found, question, publicUrl } = answer;
  const phrases = phrasesFor(question.text);
  yield { type: 'text-delta', text: phrases.notInNotes + nearestNotes(answer, phrases.nearest) };
  const fields = answerFields({
    sources: found.sources,
    citations: [],
    facts: { supported: false },
    publicUrl,
  });
  yield { type: 'message-fields', fields };
  yield { type: 'finish', reason: 'stop', usage: NO_USAGE };
}

/** The nearest notes as a list of links, empty where nothing is near. */
export function nearestNotes({ found, vault, publicUrl }: AnswerTask, title: string): string {
  const notes = found.notes.slice(0, NEAREST_NOTES);
  if (notes.length === 0) return '';
  const lines = notes.map(
    (note) => `- [${linkText(note.title)}](${publicUrl}${noteAddress(vault, note.path)})`,
  );
  return `\n\n${title}\n${lines.join('\n')}`;
}

function noteAddress(vault: string, path: string): string {
  const encoded = path.split('/').map(encodeURIComponent).join('/');
  return `/vault/${encodeURIComponent(vault)}/${encoded}`.replaceAll(/[()]/g, (sign) =>
    sign === '(' ? '%28' : '%29',
  );
}

function linkText(title: string): string {
  return title.replaceAll(/[[\]\\`*_<>]/g, String.raw`\$&`);
}
