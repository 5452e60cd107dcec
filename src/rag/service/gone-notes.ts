/** Notes that an index has and a vault has no longer, until a new note turns out to be one of them. */
export class GoneNotes {
  readonly #byHash = new Map<string, string[]>();

  add(path: string, hash: string): void {
    const paths = this.#byHash.get(hash);
    if (paths === undefined) this.#byHash.set(hash, [path]);
    else paths.push(path);
  }

  /** Takes out a note of the same content, one of the same file name before others. */
  takeLike(path: string, hash: string): string | undefined {
    const paths = this.#byHash.get(hash);
    if (paths === undefined) return undefined;
    const name = path.slice(path.lastIndexOf('/') + 1);
    const same = paths.findIndex((gone) => gone.slice(gone.lastIndexOf('/') + 1) === name);
    const [taken] = paths.splice(Math.max(0, same), 1);
    if (paths.length === 0) this.#byHash.delete(hash);
    return taken;
  }

  paths(): string[] {
    return [...this.#byHash.values()].flat();
  }
}
