import type { FitEstimate, ShownModel } from '../../ollama/control-plane.ts';
import { EXIT, printJson, styleOf, usageError } from '../command.ts';
import type { Command, CommandContext } from '../command.ts';
import { withControl } from '../open-control.ts';
import { toBytes } from '../../shared/quantities.ts';
import { withoutControls } from '../style.ts';
import { toTable } from '../table.ts';
import { placeOf } from './job-command.ts';

/** Texts that can be printed alone. */
const TEXTS = ['modelfile', 'template', 'system', 'license', 'parameters'] as const;

/** `obelisk models show`: what a model is. */
export const showCommand: Command = {
  spec: {
    name: 'models show',
    summary: 'Show what a model is',
    positionals: 'MODEL',
    options: {
      host: { value: 'HOST', description: 'As this host has it (default: the first that has it)' },
      verbose: { short: 'v', description: 'All of its facts, long lists too' },
      ...Object.fromEntries(TEXTS.map((text) => [text, { description: `Only its ${text}, as it is` }])),
    },
    examples: ['obelisk models show llama3.2', 'obelisk models show llama3.2 --modelfile > Modelfile'],
  },
  async run(context) {
    const [model, ...more] = context.arguments.positionals;
    if (model === undefined || more.length > 0) {
      return usageError(context, 'models show', 'write the name of one model');
    }
    const verbose = context.arguments.has('verbose');
    return withControl(context, async ({ control }) => {
      print(context, await control.show(model, { ...placeOf(context), ...(verbose ? { verbose } : {}) }));
      return EXIT.ok;
    });
  },
};

function print(context: CommandContext, shown: ShownModel): void {
  const { arguments: given, terminal } = context;
  const only = TEXTS.filter((text) => given.has(text));
  if (given.has('json')) {
    printJson(context, shown);
  } else if (only.length > 0) {
    for (const text of only) terminal.stdout.write(`${withoutControls(shown[text] ?? '').trimEnd()}\n`);
  } else {
    const { bold } = styleOf(context);
    for (const [title, rows] of sectionsOf(shown, given.has('verbose'))) {
      if (rows.length > 0) terminal.stdout.write(`${bold(title)}\n${toTable(rows)}\n`);
    }
  }
}

type Section = readonly [title: string, rows: readonly (readonly string[])[]];

function sectionsOf(shown: ShownModel, verbose: boolean): readonly Section[] {
  const info = shown.model_info ?? {};
  const details = shown.details ?? {};
  const of = (suffix: string): unknown =>
    Object.entries(info).find(([name]) => name.endsWith(`.${suffix}`))?.[1];
  const model = rowsOf({
    name: shown.name,
    host: shown.host,
    'leaves this machine for': shown.remote_host,
    architecture: info['general.architecture'],
    parameters: details.parameter_size,
    quantization: details.quantization_level,
    'context length': of('context_length') ?? details.context_length,
    'embedding length': of('embedding_length') ?? details.embedding_length,
    capabilities: shown.capabilities?.join(', '),
    requires: shown.requires,
    modified: shown.modified_at,
  });
  return [
    ['Model', model],
    ['Parameters', linesOf(shown.parameters)],
    ['System', linesOf(shown.system)],
    ['Licence', linesOf(shown.license).slice(0, verbose ? undefined : 3)],
    ['Facts', verbose ? rowsOf(info) : []],
  ];
}

function rowsOf(values: Readonly<Record<string, unknown>>): readonly (readonly string[])[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined || value === null || value === ''
      ? []
      : [[`  ${name}`, withoutControls(typeof value === 'string' ? value : JSON.stringify(value))]],
  );
}

function linesOf(text: string | null | undefined): readonly (readonly string[])[] {
  const lines = withoutControls(text ?? '').split('\n');
  return lines.flatMap((line) => (line.trim() === '' ? [] : [[`  ${line.trim()}`]]));
}

/** `obelisk models fit`: whether a model fits into the memory of the hosts. */
export const fitCommand: Command = {
  spec: {
    name: 'models fit',
    summary: 'Estimate the memory that a model takes, for each host',
    positionals: 'MODEL',
    options: {
      host: { value: 'HOST', description: 'Only for this host' },
      ctx: {
        value: 'TOKENS',
        whole: [1, 100_000_000],
        description: 'Context window (default: as it is served)',
      },
      parallel: { value: 'COUNT', whole: [1, 1_024], description: 'Requests at once (default: the host’s)' },
    },
    examples: ['obelisk models fit llama3.2', 'obelisk models fit llama3.2 --ctx 32768 --parallel 4'],
  },
  async run(context) {
    const [model, ...more] = context.arguments.positionals;
    if (model === undefined || more.length > 0) {
      return usageError(context, 'models fit', 'write the name of one model');
    }
    const [numCtx, parallel] = [context.arguments.whole('ctx'), context.arguments.whole('parallel')];
    return withControl(context, async ({ control }) => {
      const estimates = await control.fit(model, {
        ...placeOf(context),
        ...(numCtx === undefined ? {} : { numCtx }),
        ...(parallel === undefined ? {} : { parallel }),
      });
      if (context.arguments.has('json')) printJson(context, estimates);
      else printFit(context, estimates);
      return EXIT.ok;
    });
  },
};

function printFit(context: CommandContext, estimates: readonly FitEstimate[]): void {
  const bytes = (value: number | undefined): string => (value === undefined ? '-' : toBytes(value));
  const header = [
    'HOST',
    'VERDICT',
    'CONTEXT',
    'PARALLEL',
    'WEIGHTS',
    'CACHE',
    'TOTAL',
    'MEMORY',
    'LARGEST CONTEXT',
  ];
  const rows = estimates.map((fit) => [
    withoutControls(fit.host),
    fit.verdict,
    String(fit.numCtx),
    String(fit.parallel),
    toBytes(fit.weightsBytes),
    bytes(fit.cacheBytes),
    bytes(fit.totalBytes),
    bytes(fit.memoryBytes),
    fit.largestNumCtx === undefined ? '-' : String(fit.largestNumCtx),
  ]);
  const { stdout, stderr } = context.terminal;
  stdout.write(toTable([header.map(styleOf(context).bold), ...rows]));
  for (const fit of estimates) stderr.write(`${withoutControls(`${fit.host}: ${fit.explanation}`)}\n`);
}
