import type { ChatMessage } from '../../providers/chat.ts';

/** What a chat client asks about a conversation instead of within it. */
export type HousekeepingTask =
  | 'title'
  | 'tags'
  | 'follow-ups'
  | 'queries'
  | 'autocomplete'
  | 'emoji'
  | 'other';

/** Open WebUI starts each of its prompts with this line and puts the conversation below. */
const TASK_HEAD = /^#{2,4}\s*task\s*:/i;
const TASK_BODY = /<chat_history>|###\s*chat history|<text>|<type>|###\s*output/i;

/** Words for the conversation as an object, as prompts about it (and hardly any question) name it. */
const CONVERSATION =
  /\b(?:conversation|chat|dialogu?e|discussion|messages?|exchange)\b|对话|會話|会话|聊天/iu;

const TITLE_REQUESTS: readonly RegExp[] = [
  /\b(?:provide|generate|create|write|suggest|come up with|give|reply with|respond with|return)\b[^.\n]{0,60}\b(?:title|name)\b/i,
  /\bsummari[sz]e\b[^.\n]{0,80}\b(?:title|in(?:to)? (?:a )?(?:few|\d+))/i,
  /总结为[^\n]{0,20}标题|生成[^\n]{0,20}标题/u,
];
/** Limits that a person hardly puts on an answer and every client puts on a title. */
const TITLE_LIMITS =
  /\b\d+\s*(?:-|to|–)?\s*\d*[- ]?(?:words?|characters?)\b|\bwords? or (?:less|fewer)\b|\b(?:only|just) (?:return|respond|reply|output)\b|\b(?:return|output|respond|reply)[^.\n]{0,20}\bonly\b|\bno (?:quotes|punctuation)\b|\bconcise\b|字以内|个字/iu;

const KINDS: readonly [HousekeepingTask, RegExp][] = [
  ['follow-ups', /"follow_ups"|follow-?up questions/i],
  ['tags', /"tags"|\btags\b/i],
  ['queries', /"queries"|search queries/i],
  ['autocomplete', /autocompletion|"text"\s*:/i],
  ['title', /"title"|\btitle\b/i],
  ['emoji', /\bemoji\b/i],
];

/**
 * Recognises the housekeeping of a chat client (title, tags, follow-up questions…): it goes to the same
 * model as the conversation, and a vault answering it with passages and citations would become the
 * conversation's title. Knows the prompts of Open WebUI by their frame and those of LibreChat, Lobe,
 * Chatbox and their like by asking for a short title of the conversation.
 */
export function housekeepingTask(messages: readonly ChatMessage[]): HousekeepingTask | undefined {
  const last = messages.findLast((message) => message.role === 'user')?.text.trim() ?? '';
  const system = messages.find((message) => message.role === 'system')?.text.trim() ?? '';
  if (TASK_HEAD.test(last) && TASK_BODY.test(last)) {
    return KINDS.find(([, pattern]) => pattern.test(last))?.[0] ?? 'other';
  }
  if (/facial expression[^.]{0,60}emoji/i.test(last)) return 'emoji';
  // The instruction stands at one end of the prompt, the conversation in the middle.
  const ends = [last.slice(0, 600), last.slice(-600), system.slice(0, 600)];
  return ends.some(asksForTitle) ? 'title' : undefined;
}

function asksForTitle(text: string): boolean {
  return (
    CONVERSATION.test(text) && TITLE_LIMITS.test(text) && TITLE_REQUESTS.some((pattern) => pattern.test(text))
  );
}

/** How prompts frame the conversation that they are about. */
const FRAMES: readonly RegExp[] = [
  /<chat_history>\s*([\s\S]*?)<\/chat_history>/i,
  /\|\|>\s*User:\s*([\s\S]*?)(?:\|\|>|$)/i,
  /(?:conversation|chat(?: history)?)\s*:\s*\n([\s\S]+)$/i,
];
const FIRST_TURN = /(?:^|\n)\s*(?:USER|Human)\s*:\s*([\s\S]*?)(?=\n\s*(?:ASSISTANT|AI|USER|Human)\s*:|$)/i;

/** The first thing a user said, as a housekeeping prompt quotes it or as the turns have it. */
function topicOf(messages: readonly ChatMessage[]): string {
  const [first, ...others] = messages.filter((message) => message.role === 'user').map(({ text }) => text);
  const prompt = others.at(-1) ?? first ?? '';
  const framed = FRAMES.map((frame) => frame.exec(prompt)?.[1]).find((found) => found !== undefined);
  const turn = framed ?? (others.length > 0 ? (first ?? '') : '');
  const said = FIRST_TURN.exec(turn)?.[1] ?? turn;
  return said
    .replaceAll(/["“”`*#<>[\]]/g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

/** At most so many words, or characters where a script writes no blanks. */
function shorten(text: string, words: number): string {
  const short = text.split(' ').slice(0, words).join(' ');
  return (short.length > 60 ? Array.from(short).slice(0, 24).join('') : short).replace(
    /[\s.,;:!?。，？！]+$/u,
    '',
  );
}

/**
 * Answers a housekeeping task without a model, in the shape that was asked for: a title or tags taken
 * from the first question, and empty lists where anything else would be invented.
 */
export function answerHousekeeping(task: HousekeepingTask, messages: readonly ChatMessage[]): string {
  const topic = topicOf(messages);
  const prompt = messages.findLast((message) => message.role === 'user')?.text ?? '';
  switch (task) {
    case 'title': {
      const title = shorten(topic, 6) || 'Notes';
      return /"title"\s*:/.test(prompt) ? JSON.stringify({ title }) : title;
    }
    case 'tags': {
      const words = topic.toLowerCase().match(/[\p{L}\p{N}][\p{L}\p{M}\p{N}-]{3,}/gu) ?? [];
      return JSON.stringify({ tags: [...new Set(words)].slice(0, 3) });
    }
    case 'follow-ups':
      return JSON.stringify({ follow_ups: [] });
    case 'queries':
      return JSON.stringify({ queries: [] });
    case 'autocomplete':
      return JSON.stringify({ text: '' });
    case 'emoji':
      return '📝';
    default:
      return shorten(topic, 6);
  }
}
