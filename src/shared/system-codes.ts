/** System codes of a connection that never came to be. */
export const NEVER_CONNECTED: readonly string[] = [
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
  'EACCES',
  'EPERM',
  'EINVAL',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  // Of a name that is not resolved in its time.
  'ETIMEOUT',
];

/** System codes of a connection that broke. */
export const BROKEN_CONNECTION: readonly string[] = ['ECONNRESET', 'EPIPE', 'ECONNABORTED'];
