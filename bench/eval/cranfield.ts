import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Collection, CollectionNote } from './collection.ts';
import { ndcg, recall } from './metrics.ts';

/** Cuts a file of SMART records (`.I`, then fields beginning with `.T`, `.W`…) into fields by letter. */
function readRecords(text: string): Map<string, string>[] {
  return text
    .replaceAll('\r', '')
    .split(/^\.I .*$/mu)
    .slice(1)
    .map((record) => {
      const fields = record.split(/^\.([A-Z])$/mu).slice(1);
      const pairs: [string, string][] = [];
      for (let at = 0; at + 1 < fields.length; at += 2)
        pairs.push([fields[at] ?? '', (fields[at + 1] ?? '').trim()]);
      return new Map(pairs);
    });
}

function toNote(record: Map<string, string>, index: number): CollectionNote {
  const title = (record.get('T') ?? '').replaceAll('\n', ' ').trim();
  const front = title === '' ? '' : `---\ntitle: ${JSON.stringify(title)}\n---\n`;
  return { path: `abstracts/${index + 1}.md`, markdown: `${front}${record.get('W') ?? ''}\n` };
}

/** Code 1 is the best judgement and 4 the least; the gain is 5 − code. */
function readGains(text: string): Map<number, Map<string, number>> {
  const gains = new Map<number, Map<string, number>>();
  for (const line of text.split('\n')) {
    const [question = 0, abstract = 0, code = 0] = line.trim().split(/\s+/u).map(Number);
    if (question === 0 || code < 1 || code > 4) continue;
    const known = gains.get(question) ?? new Map<string, number>();
    known.set(`abstracts/${abstract}.md`, 5 - code);
    gains.set(question, known);
  }
  return gains;
}

/** Cranfield: 1,400 abstracts with their titles, 225 questions numbered by position. */
export function loadCranfield(data: string): Collection {
  const read = (name: string): string => readFileSync(join(data, 'cranfield', name), 'utf8');
  const gains = readGains(read('cranqrel'));
  return {
    name: 'cranfield',
    vault: { notes: readRecords(read('cran.all.1400')).map(toNote) },
    questions: readRecords(read('cran.qry')).map((record, index) => {
      const own = gains.get(index + 1) ?? new Map<string, number>();
      const text = (record.get('W') ?? '').replaceAll('\n', ' ');
      return { text, category: 'abstracts', judgement: { gains: own, relevant: new Set(own.keys()) } };
    }),
    metrics: [
      { name: 'nDCG@10', of: (ranking, judgement) => ndcg(ranking, judgement, 10) },
      { name: 'R@10', of: (ranking, judgement) => recall(ranking, judgement, 10) },
    ],
    gates: [{ metric: 'nDCG@10', words: 0.53 }],
  };
}
