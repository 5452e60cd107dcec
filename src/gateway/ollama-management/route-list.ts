import type { Route } from '../route-table.ts';
import type { Operations } from './operations.ts';

/** Every operation with its method and path; `{…}` at the end takes the rest of the path. */
export const MANAGEMENT_ROUTES: readonly (readonly [
  method: Route['method'],
  path: string,
  access: Route['access'],
  operation: keyof Operations,
])[] = [
  // Says how to speak with this version, and nothing of this server.
  ['GET', '/ollama/openapi.json', 'key', 'describeApi'],
  ['GET', '/ollama/hosts', 'admin', 'listHosts'],
  ['GET', '/ollama/hosts/{host}', 'admin', 'showHost'],
  ['PATCH', '/ollama/hosts/{host}', 'admin', 'changeHost'],
  ['GET', '/ollama/models', 'admin', 'listModels'],
  ['GET', '/ollama/models/{model}', 'admin', 'showModel'],
  ['DELETE', '/ollama/models/{model}', 'admin', 'deleteModel'],
  ['POST', '/ollama/copy', 'admin', 'copyModel'],
  ['POST', '/ollama/unload', 'admin', 'unloadModel'],
  ['GET', '/ollama/fit/{model}', 'admin', 'estimateFit'],
  ['GET', '/ollama/jobs', 'admin', 'listJobs'],
  ['POST', '/ollama/jobs', 'admin', 'startJob'],
  ['GET', '/ollama/jobs/{id}', 'admin', 'showJob'],
  ['DELETE', '/ollama/jobs/{id}', 'admin', 'cancelJob'],
  ['GET', '/ollama/job-events/{id}', 'admin', 'watchJob'],
  ['GET', '/ollama/events', 'admin', 'watchEvents'],
  ['GET', '/ollama/profiles', 'admin', 'listProfiles'],
  ['GET', '/ollama/profiles/{model}', 'admin', 'showProfile'],
  ['PATCH', '/ollama/profiles/{model}', 'admin', 'changeProfile'],
];
