import type { LoadedConfig } from '../config/settings.ts';
import type { ControlPlane } from '../ollama/control-plane.ts';
import type { VaultStatus } from '../rag/library.ts';
import type { Hit } from '../rag/types.ts';
import type { AnswerPart } from '../query.ts';

/** What a question takes beside its text. */
export type QuestionOptions = {
  /** Name of a vault. */
  readonly vault: string;
  /** Who writes the answer; absent: the configured or discovered default. */
  readonly model?: string;
  readonly signal: AbortSignal;
};

/** An answer as it arrives: texts in order, then one `end`. What it cost is not told. */
export type AnswerEvent =
  | Extract<AnswerPart, { type: 'text' }>
  | Omit<Extract<AnswerPart, { type: 'end' }>, 'usage'>;

/** What a search found. */
export type SearchAnswer = {
  readonly vault: string;
  readonly hits: readonly Hit[];
  readonly supported: boolean;
  readonly tookMs: number;
};

/** A model that can be asked for. */
export type ModelRow = {
  readonly name: string;
  readonly kind: 'chat' | 'embedding' | 'vault' | 'other';
  /** `tools`, `vision`, `thinking`… */
  readonly capabilities: readonly string[];
  /** Tokens. */
  readonly contextLength?: number;
  /** Where it comes from: `ollama http://127.0.0.1:11434`, `obelisk.yaml:12`. */
  readonly source: string;
  /** Set where it is the model used when none is named. */
  readonly default?: 'chat' | 'embedding';
};

/** What reading the vaults has come to, over all of them. */
export type IndexProgress = {
  readonly vault: string;
  readonly notesDone: number;
  readonly notesTotal: number;
};

/** What a program can be asked, in this process or over HTTP. */
export type Answering = {
  vaults(): Promise<readonly VaultStatus[]>;
  models(): Promise<readonly ModelRow[]>;
  /** @throws ObeliskError from the iteration; leaving the loop early stops the writer. */
  ask(question: string, options: QuestionOptions): AsyncIterable<AnswerEvent>;
  search(
    query: string,
    options: { readonly vault: string; readonly limit: number; readonly signal: AbortSignal },
  ): Promise<SearchAnswer>;
  close(): Promise<void>;
};

/** A server that listens. */
export type Listening = {
  readonly url: string;
  /** Takes nothing new and lets what is under way go on for `drainMs` milliseconds at most. */
  close(drainMs: number): Promise<void>;
  /** Takes the word back that it runs, at once. */
  forget(): void;
};

/**
 * The whole product in one process, as the command line needs it. Opening it finds the models and
 * starts reading the vaults; it does not wait for either.
 */
export type Program = Answering & {
  /** What manages Ollama, after the first look at its hosts. */
  control(): Promise<ControlPlane>;
  /**
   * Compares the vaults with their indexes and resolves when every difference is read.
   * @throws ObeliskError `vault_unreadable`, `store_failed`; the signal's reason when it aborts.
   */
  index(options: {
    /** Forgets the indexes first. */
    readonly rebuild: boolean;
    readonly onProgress: (progress: IndexProgress) => void;
    readonly signal: AbortSignal;
  }): Promise<readonly VaultStatus[]>;
  /** @throws ObeliskError `address_in_use`, `unsafe_bind`. */
  listen(): Promise<Listening>;
  /** Puts the configuration in force as it is by now; the log tells what came of it. */
  reload(): Promise<void>;
  /** How long requests may go on when the server is told to end, in milliseconds. */
  drainMs(): number;
  /** Tells the log of an error that nobody caught. */
  noteCrash(error: unknown): void;
  /** Writes what is left to say. */
  flushLog(): void;
};

/** How a server's program is opened. */
export type ServerOptions = {
  /** Loads the configuration once more. */
  readonly load: () => LoadedConfig;
};

/**
 * Builds a program from a configuration. Its log goes to standard error. For a server vaults are
 * followed as they change, and the log tells what happens.
 */
export type OpenProgram = (config: LoadedConfig, server?: ServerOptions) => Promise<Program>;
