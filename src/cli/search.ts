import { bringUpToDate, openSession } from './session.ts';
import { EXIT, printJson, styleOf, usageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { toPlace } from './place.ts';
import type { SearchAnswer } from './program.ts';
import { withoutControls } from './style.ts';

const DEFAULT_LIMIT = 10;
const EXCERPT = 160;

/** `obelisk search`: the passages an answer would be written from. */
export const searchCommand: Command = {
  spec: {
    name: 'search',
    summary: 'Find passages in your notes, best first',
    positionals: '"words"',
    options: {
      vault: { value: 'NAME|DIR', multiple: true, description: 'Vault to search (default: all)' },
      limit: {
        short: 'n',
        value: 'N',
        whole: [1, 50],
        description: `Notes to show of each vault (default: ${DEFAULT_LIMIT})`,
      },
    },
    examples: ['obelisk search sourdough starter', 'obelisk search --vault ~/Notes --limit 3 --json chain'],
  },
  run: search,
};

async function search(context: CommandContext): Promise<number> {
  const query = context.arguments.positionals.join(' ').trim();
  if (query === '') return usageError(context, 'search', 'write what to look for: obelisk search "…"');
  const session = await openSession(context);
  try {
    if (session.vaults.length === 0) {
      return usageError(context, 'search', 'no vault is configured; name a folder of notes: --vault DIR');
    }
    await bringUpToDate(session, context);
    const limit = context.arguments.whole('limit') ?? DEFAULT_LIMIT;
    const { signal } = context.terminal;
    const answers: SearchAnswer[] = [];
    for (const vault of session.vaults) {
      answers.push(await session.answering.search(query, { vault, limit, signal }));
    }
    if (context.arguments.has('json')) printJson(context, { query, vaults: answers });
    else printHits(context, answers);
    return EXIT.ok;
  } finally {
    await session.answering.close();
  }
}

function printHits(context: CommandContext, answers: readonly SearchAnswer[]): void {
  const style = styleOf(context);
  const { stdout, stderr } = context.terminal;
  for (const { vault, hits } of answers) {
    if (answers.length > 1) stdout.write(`${style.bold(vault)}\n`);
    for (const hit of hits) {
      stdout.write(`${style.cyan(toPlace(hit))}\n  ${toExcerpt(hit.text)}\n`);
    }
    if (hits.length === 0) stderr.write(`nothing found in ${vault}\n`);
  }
}

function toExcerpt(text: string): string {
  const line = withoutControls(text).replaceAll(/\s+/g, ' ').trim();
  const characters = Array.from(line);
  return characters.length > EXCERPT ? `${characters.slice(0, EXCERPT).join('')}…` : line;
}
