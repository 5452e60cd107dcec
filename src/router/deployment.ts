import type { DeploymentRouting } from '../config/settings.ts';
import type { Secret } from '../shared/secret.ts';

/** Dialects an upstream can speak. `extractive` is the built-in writer; `vault` is a vault as a model. */
export type DialectId = 'openai' | 'ollama' | 'extractive' | 'vault';

/** One way to serve a model name. */
export type Deployment = {
  /** Stable within a configuration; in metrics and in `x-obelisk-deployment`. */
  readonly id: string;
  /** The public name, as in `/v1/models`. */
  readonly modelName: string;
  readonly dialect: DialectId;
  /** The upstream's own name for the model (for a vault: its name). */
  readonly model: string;
  /** Of a vault: the name of the model that writes the answer, where the request chose one (`vault/<name>:<model>`). */
  readonly writer?: string;
  /** Base URL without a trailing slash: `https://host/v1` for `openai`, `http://host:11434` for `ollama`; empty for built-ins. */
  readonly baseUrl: string;
  readonly apiKey?: Secret;
  /** Parameters from the configuration that a request's own fields override, by their wire names. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** `litellm_params.mock_response`: the answer to every chat, given without an upstream. */
  readonly mockResponse?: string;
  readonly capabilities: ModelCapabilities;
  /** Limits, weight and timeouts, where the configuration has some of its own. */
  readonly routing?: DeploymentRouting;
  /** Where the model comes from, for people: `ollama http://127.0.0.1:11434`, `obelisk.yaml:12`. */
  readonly source: string;
  /** Whether text sent to it leaves the machine or the local network's model server. */
  readonly local: boolean;
};

/** What a model can do; `undefined` where nobody said. */
export type ModelCapabilities = {
  readonly chat?: boolean;
  readonly embedding?: boolean;
  readonly tools?: boolean;
  readonly vision?: boolean;
  readonly thinking?: boolean;
  /** Tokens the model was trained for. */
  readonly contextLength?: number;
  /** Tokens of a prompt and its answer that fit as the model is served, where that is known to be less. */
  readonly servedContext?: number;
};

/** Tokens of a prompt and its answer that fit, as far as is known. */
export function contextOf({ contextLength, servedContext }: ModelCapabilities): number | undefined {
  return servedContext ?? contextLength;
}

/** What a model name means at this moment. */
export type Resolution =
  /**
   * `group`: every deployment of the name that can be asked now, the same array while nothing
   * changes. `deployment`: the first of them, for whoever only wants to know what the model can do.
   */
  | { readonly kind: 'found'; readonly deployment: Deployment; readonly group: readonly Deployment[] }
  /** Known, but its host is away: answered with 503. */
  | {
      readonly kind: 'away';
      readonly model: string;
      readonly host: string;
      /** What is the matter with it, where it is not away: `is being drained`. */
      readonly trouble?: string;
      readonly remedy: string;
      /** Looks for the host, which may have come back since the last look; absent where it was just looked for. */
      readonly look?: () => Promise<void>;
    }
  /** Configured in a way that leads nowhere: answered with 503, which no waiting mends. */
  | { readonly kind: 'unservable'; readonly model: string; readonly place: string; readonly reason: string }
  | { readonly kind: 'unknown'; readonly nearest: readonly string[] };

/** Every model that can be asked for now. Implementations answer from memory. */
export type ModelRegistry = {
  resolve(name: string): Resolution;
  list(): readonly Deployment[];
  /** The model used where none was named; never one that leaves the machine unless configured. */
  defaultChat(): Deployment | undefined;
  defaultEmbedding(): Deployment | undefined;
};

/** The first deployment of each name: a group has several under one name, which is listed once. */
export function oneOfEachName(deployments: readonly Deployment[]): readonly Deployment[] {
  const first = new Map<string, Deployment>();
  for (const deployment of deployments) {
    if (!first.has(deployment.modelName)) first.set(deployment.modelName, deployment);
  }
  return [...first.values()];
}
