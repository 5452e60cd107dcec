/** The parts of a `.cpuprofile` that are read here. Times are microseconds of the monotonic clock. */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  readonly startTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

type ProfileNode = {
  readonly id: number;
  readonly children?: readonly number[];
  readonly callFrame: {
    readonly functionName: string;
    readonly url: string;
    readonly lineNumber: number;
  };
};

/** Self time of one name. */
export type Share = { readonly name: string; readonly micros: number };

/** Self time within a window, by what it was spent in; the idle time is apart. */
export type ProfileSummary = {
  readonly busyMicros: number;
  readonly idleMicros: number;
  readonly groups: readonly Share[];
  readonly modules: readonly Share[];
  readonly functions: readonly Share[];
  /** Time of the repository's own functions together with everything they call. */
  readonly totals: readonly Share[];
};

const IDLE = '(idle)';

/** A module by the name people know it by: a path in the repository, a package, a module of Node. */
export function moduleName(url: string, root: string): string {
  if (url === '') return 'native';
  const path = url.replace(/^file:\/\//, '').replace(`${root}/`, '');
  const inPackage = path.lastIndexOf('node_modules/');
  return inPackage === -1 ? path : path.slice(inPackage + 'node_modules/'.length);
}

/** The first two folders of a repository's path, a package's name, or `node:` with one level. */
export function groupName(module: string): string {
  if (module.startsWith('node:')) return module.split('/').slice(0, 2).join('/');
  const parts = module.split('/');
  return parts.length > 2 ? parts.slice(0, 2).join('/') : module;
}

/** Sums self time between two moments, in microseconds of the monotonic clock. */
export function summarise(
  profile: CpuProfile,
  window: { readonly from: number; readonly to: number; readonly root: string },
): ProfileSummary {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const stacks = ownFunctionsOf(profile, window.root);
  const [groups, modules, functions, totals] = [1, 2, 3, 4].map(() => new Map<string, number>());
  let now = profile.startTime;
  let busyMicros = 0;
  let idleMicros = 0;
  for (const [index, id] of profile.samples.entries()) {
    now += profile.timeDeltas[index] ?? 0;
    const frame = nodes.get(id)?.callFrame;
    if (frame === undefined || now < window.from || now > window.to) continue;
    // A sample stands for the time until the next one.
    const micros = profile.timeDeltas[index + 1] ?? 0;
    if (frame.functionName === IDLE) {
      idleMicros += micros;
      continue;
    }
    busyMicros += micros;
    const module = moduleName(frame.url, window.root);
    const named = frame.functionName === '' ? '(anonymous)' : frame.functionName;
    add(groups, frame.url === '' && named.startsWith('(') ? named : groupName(module), micros);
    add(modules, frame.url === '' && named.startsWith('(') ? named : module, micros);
    add(functions, functionName(frame, window.root), micros);
    for (const name of stacks.get(id) ?? []) add(totals, name, micros);
  }
  return {
    busyMicros,
    idleMicros,
    groups: sorted(groups),
    modules: sorted(modules),
    functions: sorted(functions),
    totals: sorted(totals),
  };
}

function functionName(frame: ProfileNode['callFrame'], root: string): string {
  const name = frame.functionName === '' ? '(anonymous)' : frame.functionName;
  const module = moduleName(frame.url, root);
  return `${name}  ${frame.url === '' ? module : `${module}:${frame.lineNumber + 1}`}`;
}

/** The repository's own functions on the stack of each node, each once however often it recurs. */
function ownFunctionsOf(profile: CpuProfile, root: string): ReadonlyMap<number, ReadonlySet<string>> {
  const parents = new Map(
    profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id] as const)),
  );
  const stacks = new Map<number, ReadonlySet<string>>();
  // A parent stands before its children in the file.
  for (const { id, callFrame } of profile.nodes) {
    const above = stacks.get(parents.get(id) ?? 0) ?? new Set<string>();
    const own = moduleName(callFrame.url, root).startsWith('src/');
    stacks.set(id, own ? new Set([...above, functionName(callFrame, root)]) : above);
  }
  return stacks;
}

function add(sums: Map<string, number> | undefined, name: string, micros: number): void {
  sums?.set(name, (sums.get(name) ?? 0) + micros);
}

function sorted(sums: ReadonlyMap<string, number> | undefined): readonly Share[] {
  return [...(sums ?? [])].map(([name, micros]) => ({ name, micros })).sort((a, b) => b.micros - a.micros);
}
