import { ObeliskError } from '../../shared/errors.ts';

/** A vault asked as a model, and who is to write. */
export type VaultModel = {
  readonly vault: string;
  /** `extractive`, or a chat model; absent: whoever is the default. */
  readonly writer?: string;
};

/**
 * Reads `vault/<name>` or `vault/<name>:<model>`, with or without `vault/`: percent-decoded, NFC, split
 * at the first `:`.
 * @throws ObeliskError `model_not_found` when no vault is named, `invalid_request` for a broken escape.
 */
export function parseVaultModel(model: string): VaultModel {
  const written = model.startsWith('vault/') ? model.slice('vault/'.length) : model;
  const colon = written.indexOf(':');
  const vault = decode(colon < 0 ? written : written.slice(0, colon), model);
  const writer = colon < 0 ? '' : written.slice(colon + 1).trim();
  if (vault === '') {
    throw new ObeliskError('model_not_found', `the model ${model} names no vault; write vault/<name>`, {
      param: 'model',
    });
  }
  return writer === '' ? { vault } : { vault, writer };
}

function decode(name: string, model: string): string {
  try {
    return decodeURIComponent(name).normalize('NFC').trim();
  } catch (cause) {
    // A vault may be called `100%`: what is no escape is the name itself.
    if (!/%[0-9a-f]{2}/i.test(name)) return name.normalize('NFC').trim();
    throw new ObeliskError('invalid_request', `the model ${model} has a broken percent-escape; correct it`, {
      cause,
      param: 'model',
    });
  }
}
