import type { Arena, ArenaOptions, Lane } from '../client/arena.ts';
import type { Mode } from '../client/client-case.ts';
import { RawClient } from '../client/raw-client.ts';
import { chatBody, post } from '../client/requests.ts';
import type { FaultRow } from '../row.ts';

/** What happens to the process, with the check that it does as the row says. Each case has a process of its own. */
export type ProcessCase = FaultRow & {
  readonly options?: Omit<ArenaOptions, 'transport'>;
  check(arena: Arena): Promise<void>;
};

/** A client whose answer is under way. */
export type Waiting = { readonly client: RawClient; readonly lane: Lane; readonly mode: Mode };

/** Asks for a stream and for a whole answer of each upstream; resolves once the upstreams are at work. */
export async function askAll(arena: Arena, says: string): Promise<readonly Waiting[]> {
  const asked = arena.lanes.flatMap((lane) =>
    (['stream', 'whole'] as const).map((mode) => ({ lane, mode, from: lane.upstream.requests.length })),
  );
  const waiting = await Promise.all(
    asked.map(async ({ lane, mode }) => {
      const client = await RawClient.open(arena.url);
      client.write(post(chatBody({ model: lane.model, says, stream: mode === 'stream' })));
      if (mode === 'stream') await client.hears('data: ');
      return { client, lane, mode };
    }),
  );
  for (const lane of arena.lanes) await chatsOf(lane, 2);
  return waiting;
}

async function chatsOf(lane: Lane, count: number): Promise<void> {
  const chats = (): number =>
    lane.upstream.requests.filter(({ path }) => path.endsWith('/chat') || path.endsWith('/completions'))
      .length;
  for (let waitedMs = 0; chats() < count; waitedMs += 10) {
    if (waitedMs > 10_000)
      throw new Error(`only ${chats()} requests have reached the ${lane.dialect} upstream`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
