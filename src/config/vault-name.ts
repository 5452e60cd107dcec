const ALLOWED = /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]*$/u;
const LONGEST = 100;

/**
 * Says why a text cannot name a vault, or undefined when it can. A vault is a model named
 * `vault/<name>`, and `vault/<name>:<model>` splits at the first colon.
 */
export function vaultNameProblem(name: string): string | undefined {
  if (name.length === 0) return 'cannot be empty';
  if (name.length > LONGEST) return `must have at most ${LONGEST} characters`;
  if (name !== name.trim()) return 'cannot start or end with a space';
  if (ALLOWED.test(name.normalize('NFC'))) return undefined;
  return 'must start with a letter or digit and hold only letters of any script, digits, spaces, dots, hyphens and underscores';
}

/** Names a vault after its folder: what a name cannot hold becomes a space. Undefined when nothing is left. */
export function vaultNameOf(folderName: string): string | undefined {
  const name = folderName
    .normalize('NFC')
    .replaceAll(/[^\p{L}\p{M}\p{N} ._-]+/gu, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .replace(/^[^\p{L}\p{N}]+/u, '')
    .slice(0, LONGEST)
    .trim();
  return vaultNameProblem(name) === undefined ? name : undefined;
}
