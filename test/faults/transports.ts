/** The transports that the whole fault matrix runs on, as `server.transport` names them. */
export const TRANSPORTS = ['codec', 'node'] as const;

/** One of them. */
export type Transport = (typeof TRANSPORTS)[number];
