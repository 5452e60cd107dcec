import { DEFAULT_HEARTBEAT } from '../event-stream.ts';
import type { Route } from '../route-table.ts';
import type { ManageOperations, ManageOptions } from './manage-operations.ts';

const ROUTES: readonly (readonly [Route['method'], string, keyof ManageOperations])[] = [
  ['POST', '/api/pull', 'pull'],
  ['POST', '/api/push', 'push'],
  ['POST', '/api/create', 'create'],
  ['POST', '/api/copy', 'copy'],
  ['DELETE', '/api/delete', 'delete'],
  // HEAD is served by GET.
  ['GET', '/api/blobs/*', 'findBlob'],
  ['POST', '/api/blobs/*', 'upload'],
];

/**
 * Lists the routes of Ollama's API that change what models there are, for the owner alone. What serves
 * them is loaded with the first request for one.
 */
export function ollamaManageRoutes(
  options: Pick<ManageOptions, 'control' | 'blobs'> & Partial<Pick<ManageOptions, 'heartbeat'>>,
): readonly Route[] {
  let operations: Promise<ManageOperations> | undefined;
  const load = async (): Promise<ManageOperations> => {
    const { createManageOperations } = await import('./manage-operations.ts');
    return createManageOperations({ heartbeat: DEFAULT_HEARTBEAT, ...options });
  };
  return ROUTES.map(([method, path, operation]) => ({
    method,
    path,
    access: 'admin',
    body: 'any',
    async handle(call) {
      operations ??= load();
      await (await operations)[operation](call);
    },
  }));
}
