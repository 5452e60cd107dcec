/** Prefix of a vault's name as a model. */
export const VAULT_PREFIX = 'vault/';

/** A vault as a model, taken apart. */
export type VaultModel = {
  /** The vault's name, in NFC. */
  readonly vault: string;
  /** Who writes the answer, where the request says so. */
  readonly writer?: string;
};

/**
 * Takes `vault/<name>[:<model>]` apart: at the first colon, because a model's name may have more of
 * them and a vault's has none. Percent-encoding is decoded, as clients send ids as they stand in paths.
 * Undefined when it is no vault's name.
 */
export function parseVaultModel(name: string): VaultModel | undefined {
  const decoded = decodePercent(name).normalize('NFC');
  if (!decoded.startsWith(VAULT_PREFIX)) return undefined;
  const rest = decoded.slice(VAULT_PREFIX.length);
  const colon = rest.indexOf(':');
  const vault = colon < 0 ? rest : rest.slice(0, colon);
  const writer = colon < 0 ? '' : rest.slice(colon + 1);
  if (vault === '') return undefined;
  return writer === '' ? { vault } : { vault, writer };
}

/** A name with a stray `%` is not encoded at all, so it stays as it is. */
function decodePercent(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch (error) {
    if (error instanceof URIError) return name;
    throw error;
  }
}
