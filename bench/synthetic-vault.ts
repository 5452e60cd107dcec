/** A note of a synthetic vault. */
export type SyntheticNote = { readonly path: string; readonly text: string };

/** What a synthetic vault is made from; the same options give the same notes. */
export type SyntheticOptions = { readonly notes: number; readonly seed: number };

const VOCABULARY = 30_000;
const SECTIONS = 5;
const SYLLABLES =
  'ba ce di fo gu ha ke li mo nu pra que ris sto tul ven wor xi yan zed chi tra plo gri'.split(' ');
const OTHER_SCRIPTS = [
  'Заметки о путешествиях и поездках в горы, когда снег уже растаял.',
  '東京で読んだ本についてのメモと、次に書きたい記事の下書き。',
  'ملاحظات حول القراءة والكتابة في الصباح الباكر قبل العمل.',
  'การจดบันทึกความคิดประจำวันช่วยให้จำสิ่งสำคัญได้ดีขึ้น',
  'Größere Übersicht über die Prüfungen der nächsten Wochen.',
  'Ghi chú về những món ăn đã nấu trong mùa hè vừa rồi.',
];

/** A seeded source of numbers in [0, 1) (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** The n-th word of the made-up language; low numbers are the frequent ones. */
export function syntheticWord(rank: number): string {
  let word = '';
  for (let rest = rank + SYLLABLES.length; rest > 0; rest = Math.floor(rest / SYLLABLES.length)) {
    word += SYLLABLES[rest % SYLLABLES.length] ?? '';
  }
  return word;
}

/** A rank drawn as words occur in texts: the frequency falls with the rank (Zipf). */
export function zipfRank(random: () => number): number {
  return Math.floor(VOCABULARY ** random()) - 1;
}

function words(random: () => number, count: number): string {
  return Array.from({ length: count }, () => syntheticWord(zipfRank(random))).join(' ');
}

function pick<T>(random: () => number, list: readonly T[], fallback: T): T {
  return list[Math.floor(random() * list.length)] ?? fallback;
}

/** Names repeat every 50 notes, in other folders: a link by name alone is then ambiguous. */
function nameOf(index: number): string {
  return `${syntheticWord((index % 50 === 0 ? 0 : index) + 200)} ${syntheticWord(index % 997)}`;
}

function pathOf(index: number): string {
  const folder = index % 7 === 0 ? `Архив ${index % 13}` : `area ${index % 40}/topic ${index % 11}`;
  return `${folder}/${nameOf(index)} ${index % 50 === 0 ? '' : index}`.trim().normalize('NFC').concat('.md');
}

function paragraph(random: () => number, index: number, notes: number): string {
  const target = nameOf(Math.floor(random() * notes));
  const other = random() < 0.1 ? pick(random, OTHER_SCRIPTS, '') : '';
  // Neighbours link to each other, so the vault is full of cycles.
  return `${words(random, 45)} [[${nameOf((index + 1) % notes)}]] ${words(random, 12)} [[${target}|${words(random, 2)}]]. ${other}`;
}

function noteText(random: () => number, index: number, notes: number): string {
  const tags = `area/${syntheticWord(index % 30)}`;
  const front = `---\naliases: [${words(random, 2)}]\ntags: [${tags}]\n---\n`;
  const sections = Array.from({ length: SECTIONS }, (_, section) => {
    const list = random() < 0.3 ? `\n\n- ${words(random, 6)}\n- ${words(random, 5)} #${tags}` : '';
    return `## ${words(random, 3)}\n\n${paragraph(random, index, notes)}${section === 0 ? ` ^block-${index}` : ''}${list}`;
  });
  return `${front}# ${nameOf(index)}\n\n${sections.join('\n\n')}\n`;
}

/**
 * Makes a vault: repeated names, copies of whole notes, links in cycles, aliases, nested tags, block ids,
 * several scripts. About 2 KB and five sections a note.
 */
export function* syntheticVault(options: SyntheticOptions): Generator<SyntheticNote> {
  const random = seededRandom(options.seed);
  let copied = '';
  const paths = new Set<string>();
  for (let index = 0; index < options.notes; index += 1) {
    const own = noteText(random, index, options.notes);
    const path = paths.has(pathOf(index))
      ? pathOf(index).replace(/\.md$/u, ` copy ${index}.md`)
      : pathOf(index);
    paths.add(path);
    yield { path, text: index % 100 === 99 ? copied : own };
    copied = own;
  }
}

/** Where a vault's notes lie after a tenth of them has been moved: old path → new path. */
export function syntheticRenames(notes: readonly SyntheticNote[], seed: number): Map<string, string> {
  const random = seededRandom(seed);
  return new Map(
    notes
      .filter(() => random() < 0.1)
      .map(({ path }, at) => [
        path,
        `moved ${at % 9}/${path.slice(path.lastIndexOf('/') + 1).replace('.md', ` ${at}.md`)}`,
      ]),
  );
}
