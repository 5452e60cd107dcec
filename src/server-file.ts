/** Name of the file in the data directory by which the command line finds a running server; only its owner may read it. */
export const SERVER_FILE = 'server.json';
