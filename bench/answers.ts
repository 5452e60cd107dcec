import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sample, type AnsweredVault, type KnownQuestion } from './answers/answered-vault.ts';
import { withVaults } from './answers/answering-vaults.ts';
import { measure, type Asked, type Figures } from './answers/measure.ts';
import { loadSquad, type Squad } from './answers/squad.ts';
import { headingQuestions } from './answers/headings.ts';
import { loadObsidianHelp } from './eval/obsidian-help.ts';
import { numberOption } from './number-option.ts';

const { values: flags } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    sample: { type: 'string', default: '300' },
    set: { type: 'string', multiple: true },
    show: { type: 'string', default: '0' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `node bench/answers.ts [--set NAME]… [--seed N] [--sample N] [--show N] [--json]
  Asks questions with known answers through the product's own library and its built-in writer, no model.
  --set NAME  only the sets whose name begins so
  --sample N  questions drawn from each large set (300)
  --show N    also prints N answers a set that were not what was wanted
  The data lies in OBELISK_DATA (default ../shared/data).`;

type QuestionSet = {
  readonly name: string;
  readonly vaults: readonly AnsweredVault[];
  readonly questions: readonly KnownQuestion[];
};

const NOTHING_KNOWN = { spans: [], notes: new Set<string>() };
/** One question of every article goes to another article's vault, so many articles further on. */
const STRANGER = 7;

function draw<T>(items: readonly T[]): T[] {
  return sample(items, numberOption(flags, 'sample'), numberOption(flags, 'seed'));
}

/** Questions to vaults that hold no answer. */
function strangers(vault: AnsweredVault, questions: readonly KnownQuestion[]): KnownQuestion[] {
  return draw(questions).map(({ text }) => ({ text, vault: vault.name, ...NOTHING_KNOWN }));
}

function smallVaults(name: string, { articles }: Squad): QuestionSet[] {
  const own = draw(articles.flatMap(({ questions }) => questions));
  const others = articles.flatMap(({ vault }, at) =>
    (articles[(at + STRANGER) % articles.length]?.questions ?? []).map((question) => ({
      text: question.text,
      vault: vault.name,
      ...NOTHING_KNOWN,
    })),
  );
  const vaults = articles.map(({ vault }) => vault);
  return [
    { name: `${name}: five-note vaults`, vaults, questions: own },
    { name: `${name}: other five-note vaults`, vaults, questions: draw(others) },
  ];
}

async function headings(
  name: string,
  vault: AnsweredVault & { readonly folder: string },
): Promise<QuestionSet> {
  const questions = draw(await headingQuestions(vault.name, vault.folder));
  return { name, vaults: [vault], questions };
}

async function loadSets(data: string): Promise<QuestionSet[]> {
  const docs = { name: 'obelisk-docs', folder: join(import.meta.dirname, '..', 'docs') };
  const sets = [await headings('headings of docs', docs)];
  const squads = existsSync(join(data, 'xquad'))
    ? ['en', 'zh'].map((language) => loadSquad(data, language))
    : [];
  if (squads.length === 0) console.error(`SKIPPED xquad: there is none in ${data} (set OBELISK_DATA)`);
  for (const squad of squads) {
    sets.push({ name: squad.whole.name, vaults: [squad.whole], questions: draw(squad.questions) });
    sets.push(...smallVaults(squad.whole.name, squad));
  }
  if (!existsSync(join(data, 'obsidian-help'))) {
    console.error(`SKIPPED obsidian-help: there is none in ${data} (set OBELISK_DATA)`);
    return sets;
  }
  const help = loadObsidianHelp(data);
  const vault = { name: help.name, folder: join(data, 'obsidian-help', 'vault') };
  const questions = help.questions
    .filter(({ category }) => category !== 'multilingual')
    .map(({ text, judgement }) => ({ text, vault: help.name, spans: [], notes: judgement.relevant }));
  sets.push(
    { name: help.name, vaults: [vault], questions },
    await headings('headings of obsidian-help', vault),
  );
  for (const squad of squads) {
    const name = squad.whole.name;
    sets.push({
      name: `${name} to obsidian-help`,
      vaults: [vault],
      questions: strangers(vault, squad.questions),
    });
  }
  const [english] = squads;
  if (english !== undefined) {
    const asked = strangers(english.whole, questions);
    sets.push({ name: 'obsidian-help to xquad-en', vaults: [english.whole], questions: asked });
  }
  return sets;
}

function percent(value: number | undefined): string {
  return value === undefined ? '·' : (100 * value).toFixed(1);
}

function row(cells: readonly string[]): string {
  return cells.map((cell, at) => (at === 0 ? cell.padEnd(34) : cell.padStart(10))).join('');
}

function print(figures: Figures): void {
  const { set, questions, refused, contained, leading, firstNote, anyNote, section, length } = figures;
  const shares = [refused, contained, leading, firstNote, anyNote, section].map(percent);
  console.log(row([set, String(questions), ...shares, String(length)]));
}

function show(asked: readonly Asked[]): void {
  for (const { question, answer } of asked
    .filter(({ good }) => !good)
    .slice(0, numberOption(flags, 'show'))) {
    const wanted = [...question.spans.slice(0, 1), ...question.notes].join(' | ');
    console.log(`\n? ${question.text}\n  wanted: ${wanted}\n${answer.text.replaceAll(/^/gm, '    ')}`);
  }
}

async function main(): Promise<void> {
  const data = process.env['OBELISK_DATA'] ?? join(import.meta.dirname, '..', '..', 'shared', 'data');
  const sets = (await loadSets(data)).filter(
    ({ name }) => flags.set?.some((wanted) => name.startsWith(wanted)) !== false,
  );
  const all: Figures[] = [];
  if (!flags.json) {
    console.log(
      row(['%', 'questions', 'refused', 'contained', 'leading', 'first', 'any note', 'section', 'length']),
    );
  }
  for (const { name, vaults, questions } of sets) {
    const { figures, asked } = await withVaults(vaults, async (ask) => measure(name, questions, ask));
    all.push(figures);
    if (flags.json) continue;
    print(figures);
    show(asked);
  }
  if (flags.json) console.log(JSON.stringify(all, undefined, 2));
}

if (flags.help) console.log(HELP);
else await main();
