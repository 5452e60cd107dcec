import type { CommandContext } from './command.ts';
import { loadFrom } from './command.ts';
import { controlHere } from './controlling.ts';
import type { Controlling } from './controlling.ts';
import { createRemoteControl } from './remote-control.ts';
import { findRunningServer } from './running-server.ts';
import { createUpstreamClient } from '../wire/upstream-client.ts';

/** A control plane, and where it is. */
export type OpenedControl = {
  readonly control: Controlling;
  /** Set where a running server does the work, which goes on without this command. */
  readonly serverUrl?: string;
};

/** Opens the control plane of the server that runs on the same data directory, else one in this process. */
export async function openControl(context: CommandContext): Promise<OpenedControl> {
  const config = loadFrom(context);
  const client = createUpstreamClient();
  const { environment } = context.terminal;
  const server = await findRunningServer(config.settings, { environment, client });
  if (server !== undefined) {
    const { url, ownerKey: key } = server;
    return { control: createRemoteControl({ url, key, client }), serverUrl: url };
  }
  await client.close();
  // No vault is read for it.
  const program = await context.open({ ...config, settings: { ...config.settings, vaults: [] } });
  return { control: controlHere(await program.control(), () => program.close()) };
}

/** Does something with the control plane, and closes it whatever happens. */
export async function withControl(
  context: CommandContext,
  work: (opened: OpenedControl) => Promise<number>,
): Promise<number> {
  const opened = await openControl(context);
  try {
    return await work(opened);
  } finally {
    await opened.control.close();
  }
}
