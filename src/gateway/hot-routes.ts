/** Exact paths by which models are used: what the codec answers itself, where it is chosen. */
const HOT: ReadonlyMap<string, string> = new Map(
  ['/v1', ''].flatMap((version): [string, string][] => [
    [`${version}/chat/completions`, 'POST'],
    [`${version}/embeddings`, 'POST'],
    [`${version}/completions`, 'POST'],
    [`${version}/models`, 'GET'],
  ]),
);

/** Whether a request is one of those that programs make all day; everything else is left to node:http. */
export function isHotRoute(method: string, path: string): boolean {
  return HOT.get(path) === method;
}
