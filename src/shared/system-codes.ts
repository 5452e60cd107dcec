/** System codes of a connection that never came to be. */
export const NEVER_CONNECTED: readonly string[] = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
];

/** System codes of a connection that broke. */
export const BROKEN_CONNECTION: readonly string[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'];
