import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { OllamaHostSettings } from '../shared/ollama-hosts.ts';
import { createOllamaClient } from '../ollama/api/client.ts';
import type { FleetModel, ProfileView } from '../ollama/control-plane.ts';
import { createPinRule } from '../ollama/fleet/model-pins.ts';
import { runnerOptionsOf } from '../ollama/queue/runner-options.ts';
import type { RunnerOptions } from '../ollama/queue/runner-options.ts';
import { TUNABLE_OPTIONS } from '../ollama/tune/matrix.ts';
import { FEWEST_ROUNDS } from '../ollama/tune/paired-comparison.ts';
import { SPEED_VARIABLES } from '../ollama/tune/report.ts';
import { runTuneSession } from '../ollama/tune/session.ts';
import type { TuneSession, TuneWish } from '../ollama/tune/session.ts';
import { openTuneStore } from '../ollama/tune/store.ts';
import { ollamaModelKey } from '../shared/ollama-model-name.ts';
import { ObeliskError } from '../shared/errors.ts';
import { isLoopbackUrl } from '../shared/local-host.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';
import type { UpstreamClient } from '../wire/upstream.ts';
import { EXIT, loadFrom, printJson, usageError } from './command.ts';
import type { Command, CommandContext } from './command.ts';
import type { Controlling } from './controlling.ts';
import { seeHost } from './ollama-env.ts';
import { withControl } from './open-control.ts';
import { createTuneProgress } from './tune-progress.ts';
import { printTuneReport } from './tune-report.ts';

const MINUTE_MS = 60_000;
const DEFAULTS = { minutes: 15, rounds: 10, promptTokens: 512, answerTokens: 96 } as const;

/** `obelisk tune`: which options make a model faster on its host, measured there. */
export const tuneCommand: Command = {
  spec: {
    name: 'tune',
    summary: 'Measure which options make a model faster on its host, and keep them',
    positionals: 'MODEL',
    options: {
      host: { value: 'NAME', description: 'The host, where several have the model' },
      minutes: {
        value: 'N',
        whole: [1, 1440],
        description: `How long it may take (default: ${DEFAULTS.minutes}); what is missing is measured the next time`,
      },
      rounds: {
        value: 'N',
        whole: [FEWEST_ROUNDS, 100],
        description: `Rounds of the comparison that decides (default: ${DEFAULTS.rounds})`,
      },
      only: { value: 'OPTION', multiple: true, description: `Try only this: ${TUNABLE_OPTIONS.join(', ')}` },
      'prompt-tokens': {
        value: 'N',
        whole: [16, 131_072],
        description: `Length of the prompts (default: ${DEFAULTS.promptTokens})`,
      },
      'answer-tokens': {
        value: 'N',
        whole: [1, 8_192],
        description: `Length of the answers (default: ${DEFAULTS.answerTokens})`,
      },
      trade: {
        description: 'Also keep what makes prompts or answers slower, where both together are faster',
      },
      fresh: { description: 'Forget what was measured and not brought to its end' },
      'dry-run': { description: 'Measure, but write no profile' },
    },
    notes: [
      'The model is loaded again and again meanwhile. Afterwards what was loaded before is loaded again.',
      'A setting is kept only where it was faster beyond noise in rounds of its own. Ctrl-C loses nothing: the next one goes on.',
    ],
    examples: [
      'obelisk tune llama3.2',
      'obelisk tune llama3.2 --only num_thread --minutes 5',
      'obelisk tune all-minilm --dry-run --json',
    ],
  },
  async run(context) {
    const [model, ...more] = context.arguments.positionals;
    if (model === undefined || more.length > 0) {
      return usageError(context, 'tune', 'name one model: obelisk tune MODEL');
    }
    const unknown = context.arguments
      .texts('only')
      .find((name) => !TUNABLE_OPTIONS.some((one) => one === name));
    if (unknown !== undefined) {
      return usageError(context, 'tune', `--only is one of ${TUNABLE_OPTIONS.join(', ')}`);
    }
    return withControl(context, ({ control }) => tuneModel(context, control, model));
  },
};

async function tuneModel(context: CommandContext, control: Controlling, named: string): Promise<number> {
  const { settings } = loadFrom(context);
  const { model, host } = await findPlace(context, { control, settings, named });
  const upstream = createUpstreamClient();
  const store = openTuneStore(path.join(settings.dataDir, 'tune.sqlite'));
  const progress = createTuneProgress(context.terminal.stderr);
  if (isLoopbackUrl(host.url)) warnWhenBusy(context);
  const { signal } = context.terminal;
  try {
    const session = await sessionOf(context, { control, upstream, store, model, host, listener: progress });
    const report = await runTuneSession(session, signal);
    progress.end();
    if (context.arguments.has('json')) printJson(context, report);
    else printTuneReport(context, report, host.name);
    return EXIT.ok;
  } catch (error) {
    progress.end();
    if (signal.aborted)
      context.terminal.stderr.write('What was measured is kept: the same command goes on with it.\n');
    throw error;
  } finally {
    store.close();
    await upstream.close();
  }
}

/** Fewer threads are faster where others want the cores too, and slower once they are gone. */
function warnWhenBusy({ terminal }: CommandContext): void {
  // Windows tells no load, and always says 0.
  const [lastMinute = 0] = loadavg();
  if (lastMinute <= availableParallelism()) return;
  terminal.stderr.write(
    'This machine is busy with something else: what is measured now holds for a busy machine.\n',
  );
}

type Place = { readonly model: string; readonly host: OllamaHostSettings };

async function findPlace(
  context: CommandContext,
  {
    control,
    settings,
    named,
  }: { readonly control: Controlling; readonly settings: Settings; readonly named: string },
): Promise<Place> {
  const models = await control.models();
  const model = models.find(({ name }) => ollamaModelKey(name) === ollamaModelKey(named));
  if (model === undefined) {
    throw new ObeliskError(
      'model_not_found',
      `no host of Ollama has ${named}; obelisk models list shows what there is`,
    );
  }
  const host = settings.providers.ollama.hosts.find(
    ({ name }) => name === hostOf(model, { asked: context.arguments.text('host'), settings }),
  );
  if (host === undefined)
    throw new ObeliskError('not_found', `the host of ${model.name} is not in the configuration`);
  return { model: model.name, host };
}

function hostOf(
  { name, hosts }: FleetModel,
  { asked, settings }: { readonly asked: string | undefined; readonly settings: Settings },
): string {
  const { ollama } = settings.providers;
  const mayServe = createPinRule(ollama.modelHosts);
  const serving = new Set(ollama.hosts.filter((host) => mayServe(host, name)).map((host) => host.name));
  const all = hosts.map(({ host }) => host);
  // Where it may be served is where its speed matters; another host has to be named.
  const served = all.filter((host) => serving.has(host));
  const names = served.length === 0 || asked !== undefined ? all : served;
  const [first, ...others] = asked === undefined ? names : names.filter((host) => host === asked);
  if (first !== undefined && others.length === 0) return first;
  const reason =
    first === undefined ? `${asked ?? 'no host'} does not have ${name}` : `several hosts have ${name}`;
  throw new ObeliskError('invalid_request', `${reason}; say which with --host: ${names.join(', ')}`);
}

type Parts = Place &
  Pick<TuneSession, 'store' | 'listener'> & {
    readonly control: Controlling;
    readonly upstream: UpstreamClient;
  };

async function sessionOf(context: CommandContext, parts: Parts): Promise<TuneSession> {
  const { control, upstream, model, host, store, listener } = parts;
  const at = { host: host.name };
  const profile = await control.profile(model, at);
  const { environment } = await seeHost(host, context, upstream);
  return {
    client: createOllamaClient({
      url: host.url,
      upstream,
      ...(host.apiKey === undefined ? {} : { apiKey: host.apiKey }),
    }),
    model,
    wish: wishOf(context),
    baseline: optionsOf(profile),
    configured: new Set(
      Object.entries(profile.options).flatMap(([name, { source }]) =>
        source === 'configured' ? [name] : [],
      ),
    ),
    ...(isLoopbackUrl(host.url) ? { cores: availableParallelism() } : {}),
    environment: Object.fromEntries(
      SPEED_VARIABLES.flatMap((name) => {
        const value = environment.values.get(name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    store,
    clock: { nowMs: () => performance.now(), dateMs: () => Date.now() },
    optionsOf: async (name) => optionsOf(await control.profile(name, at)),
    ...(context.arguments.has('dry-run')
      ? {}
      : {
          write: async (options: RunnerOptions) => void (await control.patchProfile(model, { options }, at)),
        }),
    listener,
  };
}

function optionsOf({ options }: ProfileView): RunnerOptions {
  return runnerOptionsOf(
    Object.fromEntries(Object.entries(options).map(([name, { value }]) => [name, value])),
  );
}

function wishOf({ arguments: given }: CommandContext): TuneWish {
  return {
    promptTokens: given.whole('prompt-tokens') ?? DEFAULTS.promptTokens,
    answerTokens: given.whole('answer-tokens') ?? DEFAULTS.answerTokens,
    rounds: given.whole('rounds') ?? DEFAULTS.rounds,
    budgetMs: (given.whole('minutes') ?? DEFAULTS.minutes) * MINUTE_MS,
    only: given.texts('only'),
    allowsTrade: given.has('trade'),
    fresh: given.has('fresh'),
  };
}
