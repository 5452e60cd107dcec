import type { EmbedContext } from '../providers/chat.ts';
import type { Attempts } from '../router/attempts.ts';
import { toHeaderValue } from './call.ts';
import type { Call } from './call.ts';
import { clientOf } from './client-of.ts';
import { noteAskedAgain } from './routed-attempts.ts';

/** What asking the deployment whose turn it is goes by; what it tells of itself goes into `headers`. */
export function embedContext(call: Call, attempts: Attempts, headers: Record<string, string>): EmbedContext {
  return {
    clocks: attempts.clocks(false),
    hasOther: attempts.hasOther,
    onAskAgain: () => noteAskedAgain(call, attempts),
    client: clientOf(call.request),
    onHeader: (name, value) => {
      headers[name] = toHeaderValue(value);
    },
  };
}
