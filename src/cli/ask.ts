import { ObeliskError } from '../shared/errors.ts';
import { bringUpToDate, openSession } from './session.ts';
import type { Session } from './session.ts';
import { EXIT, printJson, styleOf, usageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import type { AnswerSource } from '../query.ts';
import type { AnswerEvent } from './program.ts';
import { NoteLinks } from './note-links.ts';
import { toPlace } from './place.ts';
import { withoutControls } from './style.ts';

/** `obelisk ask`: one question, one cited answer. */
export const askCommand: Command = {
  spec: {
    name: 'ask',
    summary: 'Ask your notes and get an answer with its sources',
    positionals: '"question"',
    options: {
      vault: { value: 'NAME|DIR', description: 'Vault to ask (needed where there are several)' },
      model: {
        short: 'm',
        value: 'MODEL',
        description: 'Model that writes the answer; extractive quotes without one',
      },
      'no-stream': { description: 'Print the answer when it is complete' },
    },
    notes: [
      'Without a question, or with -, it is read from standard input.',
      'Exit code 3 means that nothing in the vault supports an answer.',
    ],
    examples: [
      'obelisk ask "How do I point Obelisk at my own vault?"',
      'obelisk ask --vault ~/Notes --model extractive "When is the chain oiled?"',
      'echo "What did I decide?" | obelisk ask --json',
    ],
  },
  run: ask,
};

async function ask(context: CommandContext): Promise<number> {
  const question = await readQuestion(context);
  if (question === '') return usageError(context, 'ask', 'write a question: obelisk ask "…"');
  const session = await openSession(context);
  try {
    const [vault] = session.vaults;
    if (vault === undefined) {
      return usageError(context, 'ask', 'no vault is configured; name a folder of notes: --vault DIR');
    }
    if (session.vaults.length > 1) {
      return usageError(context, 'ask', `choose one vault with --vault: ${session.vaults.join(', ')}`);
    }
    await bringUpToDate(session, context);
    return await printAnswer(context, session, { question, vault });
  } finally {
    await session.answering.close();
  }
}

async function readQuestion(context: CommandContext): Promise<string> {
  const { positionals } = context.arguments;
  const fromInput = positionals.length === 0 || (positionals.length === 1 && positionals[0] === '-');
  return (fromInput ? await context.terminal.readInput() : positionals.join(' ')).trim();
}

type Asked = { readonly question: string; readonly vault: string };

async function printAnswer(context: CommandContext, session: Session, asked: Asked): Promise<number> {
  const { terminal, arguments: given } = context;
  const streams = !given.has('json') && !given.has('no-stream');
  const links = new NoteLinks();
  const answer = await readAnswer(context, session, {
    ...asked,
    onText: (text) => {
      if (streams) terminal.stdout.write(withoutControls(links.push(text)));
    },
  });
  const { text, supported } = answer;
  const sources = answer.sources.filter((source) => source.cited);
  if (given.has('json')) {
    printJson(context, { ...asked, model: answer.model ?? null, text, supported, sources });
  } else {
    const rest = streams ? links.end() : links.push(text) + links.end();
    terminal.stdout.write(`${withoutControls(rest)}${text.endsWith('\n') ? '' : '\n'}`);
    printSources(context, sources);
  }
  return supported ? EXIT.ok : EXIT.notInYourNotes;
}

type Answer = Omit<Extract<AnswerEvent, { type: 'end' }>, 'type'> & { readonly text: string };

async function readAnswer(
  context: CommandContext,
  session: Session,
  asked: Asked & { readonly onText: (text: string) => void },
): Promise<Answer> {
  const model = context.arguments.text('model');
  const { signal } = context.terminal;
  const options = { vault: asked.vault, signal, ...(model === undefined ? {} : { model }) };
  let text = '';
  for await (const event of session.answering.ask(asked.question, options)) {
    if (event.type === 'end') return { ...event, text };
    text += event.text;
    asked.onText(event.text);
  }
  throw new ObeliskError('internal', 'the answer ended without saying that it is complete');
}

function printSources(context: CommandContext, sources: readonly AnswerSource[]): void {
  if (sources.length === 0) return;
  const style = styleOf(context);
  const lines = sources.map((source) => `${style.cyan(`[${source.index}]`)} ${toPlace(source)}\n`);
  context.terminal.stdout.write(`\n${style.bold('Sources')}\n${lines.join('')}`);
}
