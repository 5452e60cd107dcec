import type { Block } from '../../vault/note.ts';
import type { VaultEntry } from '../../config/settings.ts';
import type { ErrorCode } from '../../shared/errors.ts';
import type { LogFields } from '../../telemetry/log.ts';
import type { ChunkVector, EmbeddingModel, PendingChunk } from '../index/types.ts';
import type { NoteSource, VaultStatus } from '../library.ts';
import type { SearchRequest, SearchResult } from '../types.ts';

/** An open vault; two folders of one name have two keys. */
export type ShelvedVault = VaultEntry & { readonly key: string };

/** What the worker is started with. */
export type WorkerSetup = {
  readonly vaults: readonly ShelvedVault[];
  readonly dataDir: string;
  readonly watch: boolean;
  /** Milliseconds between two comparisons of a followed vault with its index. */
  readonly reconcileMs: number;
};

/** Status of a vault, with what only the library needs to know. */
export type HostStatus = VaultStatus & {
  readonly key: string;
  /** Whether the first comparison with the files has ended, well or badly. */
  readonly passed: boolean;
  /** Chunks that could be embedded now. */
  readonly pendingVectors: number;
  readonly embedding?: EmbeddingModel;
};

/** The next texts to embed, or why there are none. */
export type EmbeddingBatch =
  | { readonly state: 'work'; readonly chunks: readonly PendingChunk[] }
  | { readonly state: 'idle' }
  /** No model is pinned, or one that made no vector yet: the caller may pin its own. */
  | { readonly state: 'unpinned' }
  /** The vectors are another model's; they are never mixed. */
  | { readonly state: 'other-model'; readonly pinned: EmbeddingModel }
  | { readonly state: 'closed' };

/** What can be asked of the worker: request and reply of each operation. `vault` is a vault's key. */
export type Operations = {
  /** Opens a vault and begins its first pass; replies before that has ended. */
  'open-vault': { request: { readonly vault: string; readonly opened: ShelvedVault }; reply: null };
  /** Replies when the vault's files are closed. */
  'close-vault': { request: { readonly vault: string }; reply: null };
  search: { request: { readonly vault: string; readonly search: SearchRequest }; reply: SearchResult };
  note: {
    request: { readonly vault: string; readonly path: string };
    reply: Omit<NoteSource, 'obsidianUrl'>;
  };
  blocks: {
    request: { readonly vault: string; readonly paths: readonly string[] };
    reply: Readonly<Record<string, readonly Block[]>>;
  };
  refresh: { request: { readonly vault: string; readonly rebuild: boolean }; reply: null };
  'embedding-batch': {
    request: { readonly vault: string; readonly digest: string; readonly limit: number };
    reply: EmbeddingBatch;
  };
  'pin-model': { request: { readonly vault: string; readonly model: EmbeddingModel }; reply: null };
  'put-vectors': {
    request: {
      readonly vault: string;
      readonly digest: string;
      readonly vectors: readonly ChunkVector[];
      /** Chunks whose text the model refused; they are not tried again until their note changes. */
      readonly refused: readonly number[];
      /** Chunks that may be handed out again. */
      readonly returned: readonly number[];
      readonly warnings: readonly string[];
    };
    reply: null;
  };
  close: { request: null; reply: null };
};

/** Name of an operation. */
export type OperationName = keyof Operations;

/** A call to the worker. */
export type Call = {
  [Name in OperationName]: {
    readonly id: number;
    readonly name: Name;
    readonly request: Operations[Name]['request'];
  };
}[OperationName];

/** An error on its way between threads: structured clone would lose its class and code. */
export type WireError = { readonly code: ErrorCode; readonly message: string; readonly stack?: string };

/** What the worker says. */
export type WorkerMessage =
  | { readonly type: 'reply'; readonly id: number; readonly value: unknown }
  | { readonly type: 'failure'; readonly id: number; readonly error: WireError }
  | { readonly type: 'status'; readonly statuses: readonly HostStatus[] }
  | {
      readonly type: 'log';
      readonly level: 'debug' | 'info' | 'warn' | 'error';
      readonly message: string;
      readonly fields?: LogFields;
    };
