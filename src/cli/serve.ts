import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_FILE } from '../config/read-config-file.ts';
import { DOCS_VAULT } from '../config/resolve-vaults.ts';
import type { LoadedConfig } from '../config/settings.ts';
import { tuneCollector } from '../life/collector.ts';
import type { VaultStatus } from '../rag/library.ts';
import { loadFrom, printJson, styleOf } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import { reportNotices } from './notices.ts';
import type { ModelRow, Program } from './program.ts';
import { TOKEN_FILE } from '../server-file.ts';
import { requireVaults } from '../require-vaults.ts';
import { hearHangUps, serveUntilEnd } from './serve-life.ts';
import { withoutControls } from './style.ts';

/** Longest that the end waits for the readers of the outputs, in milliseconds. */
const LAST_LINES_MS = 1_000;

/** Longest the start message waits for the first look at Ollama. */
const MODELS_WAIT_MS = 800;
const MODELS_SHOWN = 8;

/** `obelisk serve`: the gateway, the vaults and the page. */
export const serveCommand: Command = {
  spec: {
    name: 'serve',
    summary: 'Serve your vaults and models on one port',
    options: {
      vault: { value: 'DIR', multiple: true, description: 'Folder of notes to serve, instead of the file’s' },
      host: { value: 'HOST', description: 'Address to listen on (default: 127.0.0.1)' },
      port: {
        short: 'p',
        value: 'PORT',
        whole: [0, 65_535],
        description: 'Port to listen on; 0 takes a free one (default: 4000)',
      },
    },
    notes: ['Without any configuration Obelisk serves its own documentation. Ctrl-C stops it.'],
    examples: [
      'obelisk serve',
      'obelisk serve --vault ~/Notes --port 4100',
      'obelisk serve --config team.yaml',
    ],
  },
  run: serve,
};

async function serve(context: CommandContext): Promise<number> {
  tuneCollector();
  const { arguments: given, terminal } = context;
  terminal.events.outliveReaders();
  const load = (): LoadedConfig =>
    loadFrom(context, {
      host: given.text('host'),
      port: given.whole('port'),
      vaults: given.texts('vault'),
    });
  const hangUps = hearHangUps(terminal.events);
  const readAtMs = Date.now();
  const config = load();
  reportNotices(context, config);
  await requireVaults(config.settings.vaults);
  const program = await context.open(config, { load });
  let code: number;
  try {
    const listening = await program.listen();
    await announce(context, config, { program, url: listening.url });
    const configFile = config.file ?? path.join(terminal.cwd, DEFAULT_FILE);
    code = await serveUntilEnd({ terminal, program, listening, hangUps, configFile, readAtMs });
  } finally {
    await program.close();
  }
  endUnread(terminal, code);
  return code;
}

/** Lines that nobody reads would keep a process that has done all it had to. */
function endUnread({ events }: CommandContext['terminal'], code: number): void {
  setTimeout(() => events.exit(code), LAST_LINES_MS).unref();
}

type Running = { readonly program: Program; readonly url: string };

async function announce(
  context: CommandContext,
  config: LoadedConfig,
  { program, url }: Running,
): Promise<void> {
  const late = sleep(MODELS_WAIT_MS, undefined, { ref: false });
  const models = await Promise.race([program.models(), late]);
  const vaults = await program.vaults();
  if (context.arguments.has('json')) {
    printJson(context, {
      url,
      models: models ?? null,
      vaults,
      noEffect: config.noEffect,
      notices: config.notices,
    });
    return;
  }
  const style = styleOf(context);
  const lines = [
    `${style.bold('Obelisk')} is listening on ${style.cyan(url)}`,
    '',
    `  page    ${url}/`,
    `  OpenAI  ${url}/v1`,
    `  models  ${describeModels(models)}`,
    ...vaults.map(
      (vault, index) =>
        `  ${index === 0 ? 'vaults' : '      '}  vault/${vault.name} (${describeVault(vault)})`,
    ),
    '',
    'Ask it:',
    `  ${curlLine(config, url, models ?? [])}`,
    '',
  ];
  context.terminal.stdout.write(`${lines.join('\n')}\n`);
}

function describeModels(models: readonly ModelRow[] | void): string {
  if (!models) return 'still looking; obelisk models lists them';
  const named = models.filter((model) => model.kind !== 'vault');
  if (named.length === 0)
    return 'none found, so answers quote your notes; obelisk doctor says how to add one';
  const names = named
    .slice(0, MODELS_SHOWN)
    .map(
      (model) =>
        withoutControls(model.name) + (model.default === undefined ? '' : ` (default ${model.default})`),
    );
  const more = named.length > MODELS_SHOWN ? `, and ${named.length - MODELS_SHOWN} more` : '';
  return names.join(', ') + more;
}

function describeVault(vault: VaultStatus): string {
  if (vault.state === 'failed') return `failed: ${withoutControls(vault.error ?? 'see the log')}`;
  const notes = `${vault.notes} ${vault.notes === 1 ? 'note' : 'notes'}`;
  if (vault.state === 'ready') return notes;
  return vault.notes === 0 ? 'indexing' : `${notes}, indexing`;
}

/** One line for a POSIX shell that works when pasted. A key is named, never shown. */
function curlLine(config: LoadedConfig, url: string, models: readonly ModelRow[]): string {
  const { vaults, masterKey, dataDir } = config.settings;
  const [vault] = vaults;
  const model =
    vault === undefined ? models.find(({ kind }) => kind === 'chat')?.name : `vault/${vault.name}`;
  const token = quote(path.join(dataDir, TOKEN_FILE));
  const key = masterKey === undefined ? '' : ` -H "authorization: Bearer $(cat ${token})"`;
  if (model === undefined) return `curl -s${key} ${url}/v1/models`;
  const content =
    vault === undefined
      ? 'Say hello.'
      : vault.name === DOCS_VAULT
        ? 'Does Obelisk ever write inside a vault?'
        : 'What are these notes about?';
  const body = JSON.stringify({ model, messages: [{ role: 'user', content }] });
  return `curl -s ${url}/v1/chat/completions${key} -H 'content-type: application/json' -d ${quote(body)}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
