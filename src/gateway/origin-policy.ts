import { ObeliskError } from '../shared/errors.ts';
import type { HttpRequest } from '../wire/http.ts';

/** Names and origins, beyond this machine's own, that the server answers to. */
export type OriginRules = {
  /** Address that the server listens on: whoever reaches it by that name is right here. */
  readonly host?: string;
  readonly allowedHosts: readonly string[];
  /** `https://notes.example`, as browsers send them. */
  readonly allowedOrigins: readonly string[];
};

/** The page of another origin that may read answers; `undefined` when none is involved. */
export type OriginPolicy = (request: HttpRequest) => string | undefined;

/** Obsidian's own window: plugins ask from here. */
const OBSIDIAN_ORIGIN = 'app://obsidian.md';

/** How a container names the machine it runs on. */
const DOCKER_HOST = 'host.docker.internal';

/**
 * Creates the check against web pages: DNS rebinding shows in Host, a foreign page's own requests
 * in Origin. Requests without an Origin come from programs, which need no page to lie.
 *
 * The policy throws ObeliskError `forbidden`.
 */
export function createOriginPolicy(rules: OriginRules): OriginPolicy {
  const hosts = new Set([...rules.allowedHosts.map((host) => host.toLowerCase()), DOCKER_HOST]);
  if (rules.host !== undefined) hosts.add(inHeader(rules.host.toLowerCase()));
  const origins = new Set([OBSIDIAN_ORIGIN, ...rules.allowedOrigins.map((origin) => origin.toLowerCase())]);
  // Nearly every request names the same host: comparing one text is all it costs.
  let lastOwn = 'localhost';
  const isOwn = (host: string): boolean => {
    if (host === lastOwn) return true;
    const own = isOwnHost(host, hosts);
    if (own) lastOwn = host;
    return own;
  };
  return (request) => {
    const host = request.header('host');
    if (host !== undefined && !isOwn(host)) {
      throw new ObeliskError(
        'forbidden',
        `this server does not answer to the Host ${printable(host)}; list it in allowed_hosts`,
      );
    }
    const origin = request.header('origin');
    if (origin === undefined || isSameOrigin(origin, host)) return undefined;
    if (origins.has(origin.toLowerCase())) return origin;
    throw new ObeliskError(
      'forbidden',
      `pages of ${printable(origin)} may not use this server; list the origin in allowed_origins`,
    );
  };
}

function isOwnHost(host: string, hosts: ReadonlySet<string>): boolean {
  const lower = host.toLowerCase();
  if (hosts.has(lower)) return true;
  const name = withoutPort(lower);
  return name === 'localhost' || name === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(name) || hosts.has(name);
}

function inHeader(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  // In an IPv6 literal every colon before the bracket belongs to the address.
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  if (host === undefined) return false;
  const lower = host.toLowerCase();
  return origin === `http://${lower}` || origin === `https://${lower}`;
}

function printable(text: string): string {
  return text.replaceAll(/[^\u0021-\u007E]/g, '?').slice(0, 120);
}
