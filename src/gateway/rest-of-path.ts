import { ObeliskError } from '../shared/errors.ts';
import type { Call } from './call.ts';

/**
 * What stands where the route has `*`, percent-decoded: names of models hold `/` and `:`.
 * @throws ObeliskError `invalid_request`.
 */
export function restOfPath({ request, route }: Pick<Call, 'request' | 'route'>): string {
  try {
    return decodeURIComponent(request.path.slice(route.length - 1));
  } catch (error) {
    throw new ObeliskError('invalid_request', 'the name in the path is not valid percent-encoding', {
      cause: error,
    });
  }
}
