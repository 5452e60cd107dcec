import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { createVaultWriter } from '../../src/rag/answer/answer.ts';
import { createVaultLibrary } from '../../src/rag/service/vault-library.ts';
import { silentLogger } from '../../src/telemetry/log.ts';
import type { AnsweredVault } from './answered-vault.ts';

/** What the product answered without a language model. */
export type GivenAnswer = {
  readonly refused: boolean;
  /** The Markdown of the answer, marks included. */
  readonly text: string;
  /** Paths of the cited notes in the order of their first mark. */
  readonly cited: readonly string[];
  /** First line of what the first citation quotes. */
  readonly line?: number;
};

/** Asks one of the vaults. */
export type AskVault = (vault: string, question: string) => Promise<GivenAnswer>;

const FIELDS = z.object({
  obelisk: z.object({ supported: z.boolean() }),
  sources: z.array(
    z.object({ path: z.string(), cited: z.boolean(), index: z.number(), startLine: z.number() }),
  ),
});
const PATIENCE_MS = 60_000;

async function writeVault(folder: string, vault: AnsweredVault): Promise<string> {
  if (vault.folder !== undefined) return vault.folder;
  for (const { path, markdown } of vault.notes ?? []) {
    const file = join(folder, ...path.split('/'));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, markdown);
  }
  return folder;
}

/** Opens vaults through the product's own library and asks them through its own writer, without any model. */
export async function withVaults<T>(
  vaults: readonly AnsweredVault[],
  use: (ask: AskVault) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'obelisk-answers-'));
  const entries = await Promise.all(
    vaults.map(async (vault, at) => ({
      name: vault.name,
      path: await writeVault(join(folder, 'vaults', String(at)), vault),
    })),
  );
  const dataDir = join(folder, 'data');
  const library = createVaultLibrary({ vaults: entries, dataDir, watch: false, logger: silentLogger });
  const write = createVaultWriter({
    library,
    chat: () => {
      throw new Error('no model is to be asked');
    },
    chooseModel: () => undefined,
    logger: silentLogger,
  });
  try {
    await library.ready();
    return await use(async (vault, question) => {
      const request = {
        model: `vault/${encodeURIComponent(vault)}:extractive`,
        messages: [{ role: 'user' as const, text: question }],
        stream: true,
        includeUsage: false,
        options: {},
      };
      let text = '';
      let fields: unknown;
      for await (const event of write(request, { signal: AbortSignal.timeout(PATIENCE_MS) })) {
        if (event.type === 'text-delta') text += event.text;
        if (event.type === 'message-fields') fields = event.fields;
      }
      return readAnswer(text, fields);
    });
  } finally {
    await library.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function readAnswer(text: string, fields: unknown): GivenAnswer {
  const { obelisk, sources } = FIELDS.parse(fields);
  const cited = sources.filter((source) => source.cited).sort((a, b) => a.index - b.index);
  const line = cited[0]?.startLine;
  return {
    refused: !obelisk.supported,
    text,
    cited: cited.map(({ path }) => path),
    ...(line === undefined ? {} : { line }),
  };
}
