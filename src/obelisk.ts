import { homedir } from 'node:os';
import { assemble, secretsOf } from './assemble.ts';
import type { House } from './assemble.ts';
import type { ConfigFlags } from './config/config-inputs.ts';
import { loadConfig } from './config/load-config.ts';
import type { LoadedConfig } from './config/settings.ts';
import type { Lasting } from './lasting.ts';
import { listenOn } from './listen.ts';
import type { Listening as ServedListening } from './listen.ts';
import type { ControlPlane, ProfileView } from './ollama/control-plane.ts';
import { toProfilePatch } from './ollama/profiles/patch.ts';
import { DEFAULT_PROFILE } from './ollama/profiles/profiles.ts';
import { toAnswerParts, toChatRequest } from './query.ts';
import type { Answer, AnswerPart, QueryOptions } from './query.ts';
import type { SearchOptions, VaultLibrary, VaultSearchResult, VaultStatus } from './rag/library.ts';
import type { Deployment } from './router/deployment.ts';
import type { ProviderFactory } from './router/provider-factory.ts';
import { reloadHouse } from './reload.ts';
import type { Reloaded } from './reload.ts';
import type { Serving } from './serving.ts';
import { ObeliskError } from './shared/errors.ts';
import { createLogger } from './telemetry/logger.ts';
import type { BatchedLogger } from './telemetry/logger.ts';

/** What an Obelisk is made from; what is not given comes from the file, the environment, the defaults. */
export type ObeliskOptions = {
  /** Configuration file; absent: `obelisk.yaml` in the working directory, if there is one. */
  readonly config?: string;
  /** Folders of notes, or folders with a name; they replace the file's. */
  readonly vaults?: ConfigFlags['vaults'];
  /** Where indexes are kept. */
  readonly dataDir?: string;
  /** Variables instead of the process's own. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Whether to follow the vaults as they change; off unless told, because a library may be short-lived. */
  readonly watch?: boolean;
  /** Where log lines go; absent: nowhere. */
  readonly log?: { write(text: string): unknown };
};

/** What Ollama loads a model with: `num_gpu` counts layers, and `keep_alive` stands among them. */
export type HardwareOptions = {
  readonly num_ctx?: number | null;
  readonly num_gpu?: number | null;
  readonly main_gpu?: number | null;
  readonly num_thread?: number | null;
  readonly num_batch?: number | null;
  readonly use_mmap?: boolean | null;
  readonly draft_num_predict?: number | null;
  /** Seconds, or a duration such as `30m`; negative means for ever. */
  readonly keep_alive?: number | string | null;
  /** Anything else is refused with what to use instead. */
  readonly [option: string]: number | boolean | string | null | undefined;
};

/** Which models hardware options are for: every model on every host unless told. */
export type HardwarePlace = { readonly model?: string; readonly host?: string };

/** A server that listens. */
export type Listening = Pick<ServedListening, 'url' | 'close'>;

/** The product in one process. */
export type Obelisk = {
  /** The configuration in force. */
  readonly config: LoadedConfig;
  /** Providers by model, and what they can do, as the configuration in force has them. */
  readonly providers: ProviderFactory;
  /**
   * Answers a question from a vault, once its index is up to date.
   * @throws ObeliskError as the gateway would answer over HTTP.
   */
  query(question: string, options?: QueryOptions): Promise<Answer>;
  /** The same, piece by piece. Leaving the loop stops the writer. */
  stream(question: string, options?: QueryOptions): AsyncIterable<AnswerPart>;
  /** @throws ObeliskError `not_found` for a vault that is not there. */
  search(query: string, options?: SearchOptions & { readonly vault?: string }): Promise<VaultSearchResult>;
  /** Models that can be asked for now, after the first look at their hosts. */
  models(): Promise<readonly Deployment[]>;
  /** What manages the models and hosts of Ollama, as the configuration in force has them, after the first look at them. */
  control(): Promise<ControlPlane>;
  /**
   * Sets at run time what Ollama loads models with, of every model or of one, on every host or on one;
   * the change is kept across restarts, and null takes a value back to the configuration's. It is sent
   * with every request from then on: a model that is loaded with something else is loaded anew.
   * @throws ObeliskError `invalid_request` for an option that Ollama does not have (any more), with what
   *   to use instead; `not_found` for a host that is not configured.
   */
  configureHardware(options: HardwareOptions, at?: HardwarePlace): ProfileView;
  /** Whether a model is used where none is named. */
  roleOf(modelName: string): 'chat' | 'embedding' | undefined;
  vaults(): readonly VaultStatus[];
  /** Compares every vault with its index once more, and resolves when all is read, links and warnings included. */
  refresh(): Promise<void>;
  /** Throws the indexes away and resolves when they are built again. @throws ObeliskError `store_failed`. */
  rebuild(): Promise<void>;
  /** Resolves when every vault was compared with its index once. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Serves the gateway and the page. @throws ObeliskError `address_in_use`, `unsafe_bind`. */
  listen(): Promise<Listening>;
  /**
   * Loads the configuration from where it came from once more and puts it in force: new requests see
   * it, those under way end with the old one.
   * @throws ObeliskError what is wrong with it, naming file, line and column; then the old one stays.
   */
  reload(): Promise<Reloaded>;
  /** Ends everything that was started. */
  close(): Promise<void>;
};

/** The same as the program that serves it has it. */
export type ServedObelisk = Omit<Obelisk, 'listen'> & {
  readonly lasting: Lasting;
  listen(): Promise<ServedListening>;
};

/**
 * Opens Obelisk in this process: finds models, indexes vaults, answers questions.
 * @throws ObeliskError `config_invalid` and whatever the configuration's checks say.
 */
export async function createObelisk(options: ObeliskOptions = {}): Promise<Obelisk> {
  const load = (): LoadedConfig =>
    loadConfig({
      file: options.config,
      flags: { vaults: options.vaults, dataDir: options.dataDir },
      environment: options.environment ?? process.env,
      cwd: process.cwd(),
      platform: process.platform,
      homeDir: homedir(),
    });
  const config = load();
  const { settings } = config;
  const logger = createLogger({
    stream: options.log ?? { write: () => undefined },
    level: settings.log.level,
    format: settings.log.format === 'json' ? 'json' : 'text',
    now: Date.now,
    secrets: secretsOf(settings),
  });
  return openObelisk({ config, load, logger, watch: options.watch ?? false });
}

/** Opens Obelisk with a configuration that was loaded already. */
export async function openObelisk(from: {
  readonly config: LoadedConfig;
  /** Loads it once more. */
  readonly load: () => LoadedConfig;
  readonly logger: BatchedLogger;
  readonly watch: boolean;
}): Promise<ServedObelisk> {
  const house = assemble(from);
  const library = (): Serving['library'] => house.serving().library;
  let listening: ServedListening | undefined;
  return {
    lasting: house.lasting,
    get config() {
      return house.config();
    },
    get providers() {
      return house.serving().providers;
    },
    query: (question, options = {}) => wholeAnswer(answer(house, question, options)),
    stream: (question, options = {}) => answer(house, question, options),
    async search(query, { vault, ...options } = {}) {
      const searched = library();
      await searched.ready(options.signal);
      return searched.search(chooseVault(searched, vault), query, options);
    },
    async models() {
      const { looked, registry } = house.serving();
      await looked;
      return registry.list();
    },
    async control() {
      const { looked, control } = house.serving();
      await looked;
      return control;
    },
    configureHardware: (options, place) => configureHardware(house, options, place),
    roleOf(modelName) {
      const { registry } = house.serving();
      if (registry.defaultChat()?.modelName === modelName) return 'chat';
      return registry.defaultEmbedding()?.modelName === modelName ? 'embedding' : undefined;
    },
    vaults: () => library().status(),
    refresh: () => library().refresh(),
    async rebuild() {
      const rebuilt = library();
      for (const vault of rebuilt.names()) await rebuilt.rebuild(vault);
    },
    ready: (signal) => library().ready(signal),
    async listen() {
      listening = await listenOn(house);
      return listening;
    },
    async reload() {
      const reloaded = await reloadHouse(house, from.load);
      listening?.update();
      return reloaded;
    },
    close: () => closeAll(house, listening),
  };
}

/** What is closed already is closed once more, which does nothing. */
async function closeAll(house: House, listening: ServedListening | undefined): Promise<void> {
  await listening?.close(0);
  await house.close();
}

async function wholeAnswer(parts: AsyncIterable<AnswerPart>): Promise<Answer> {
  let text = '';
  for await (const part of parts) {
    if (part.type === 'text') text += part.text;
    else return { text, ...withoutType(part) };
  }
  throw new ObeliskError('upstream_invalid', 'the answer ended without being complete');
}

function configureHardware(
  house: House,
  options: HardwareOptions,
  { model = DEFAULT_PROFILE, host }: HardwarePlace = {},
): ProfileView {
  const at = host === undefined ? {} : { host };
  return house.serving().control.patchProfile(model, toProfilePatch(options), at);
}

async function* answer(house: House, question: string, options: QueryOptions): AsyncIterable<AnswerPart> {
  const { library, looked, proxy, gateway } = house.serving();
  const vault = chooseVault(library, options.vault);
  await Promise.all([looked, library.ready(options.signal)]);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  try {
    const request = toChatRequest(question, { vault, hasLitellm: proxy !== undefined }, options);
    yield* toAnswerParts(gateway.chat(request, { signal }));
  } finally {
    stop.abort();
  }
}

function chooseVault(library: VaultLibrary, named: string | undefined): string {
  if (named !== undefined) return named;
  const names = library.names();
  const [only] = names;
  if (only !== undefined && names.length === 1) return only;
  const message =
    only === undefined
      ? 'no vault is configured; name a folder of notes'
      : `there are several vaults, say which one: ${names.join(', ')}`;
  throw new ObeliskError('invalid_request', message, { param: 'vault' });
}

function withoutType(part: Extract<AnswerPart, { type: 'end' }>): Omit<Answer, 'text'> {
  const { type: _type, ...rest } = part;
  return rest;
}
