/** Name of the file in the data directory by which the command line finds a running server; only its owner may read it. */
export const SERVER_FILE = 'server.json';

/**
 * Name of the file in the data directory that holds a key of the running server, which opens its
 * management too: whoever may read it owns the server anyway, and needs to know no more.
 */
export const TOKEN_FILE = 'server.token';
