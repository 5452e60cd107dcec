/** Whether a server tells a version of its own: one built from source says 0.0.0. */
export function isKnownVersion(version: string | undefined): version is string {
  return version !== undefined && /^\d+\.\d+/.test(version) && !version.startsWith('0.0.0');
}

/** Whether a version is older than another; what follows the numbers (`-rc1`) does not count. */
export function isBefore(version: string, other: string): boolean {
  const [mine, theirs] = [numbersOf(version), numbersOf(other)];
  for (const [index, number] of theirs.entries()) {
    const difference = (mine[index] ?? 0) - number;
    if (difference !== 0) return difference < 0;
  }
  return false;
}

function numbersOf(version: string): readonly number[] {
  return (/^\d+(?:\.\d+)*/.exec(version)?.[0] ?? '0').split('.').map(Number);
}
