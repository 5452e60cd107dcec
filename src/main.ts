/** The library: what `import … from 'obelisk'` gives. */
export { createObelisk } from './obelisk.ts';
export type { HardwareOptions, HardwarePlace, Listening, Obelisk, ObeliskOptions } from './obelisk.ts';
export type { ControlPlane, ProfileView } from './ollama/control-plane.ts';
export type { Reloaded } from './reload.ts';
export type { Answer, AnswerPart, AnswerSource, QueryOptions } from './query.ts';
export { ObeliskError } from './shared/errors.ts';
export type { ErrorCode } from './shared/errors.ts';
export type { VaultSearchResult, VaultStatus } from './rag/library.ts';
export type { Hit, SearchFilters, Source } from './rag/types.ts';
export type { ProviderCapabilities } from './router/capabilities.ts';
export type { Provider, ProviderFactory, SimpleMessage } from './router/provider-factory.ts';
