/** Where the address of Ollama was found. */
export type OllamaUrlOrigin = 'configured' | 'OLLAMA_URL' | 'OLLAMA_HOST' | 'default';

/** The address of Ollama: a URL without a trailing slash. */
export type OllamaUrl = { readonly url: string; readonly origin: OllamaUrlOrigin };

const DEFAULT_PORT = 11434;
/** Addresses that a server binds to and that nobody can connect to on every platform. */
const ANY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '[::]', '']);

/**
 * Says where Ollama is: what was configured, then `OLLAMA_URL`, then `OLLAMA_HOST`, then
 * `http://127.0.0.1:11434`. Empty values count as absent. `OLLAMA_HOST` follows Ollama's own
 * reading of it (envconfig `Host`): scheme, port and path are optional, a scheme without a port
 * means 80 or 443, and an address to listen on (`0.0.0.0`, `::`) means this machine.
 * @throws TypeError when the value is no address; the message names where it came from.
 */
export function ollamaUrl(from: {
  readonly configured?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
}): OllamaUrl {
  const sources: readonly (readonly [OllamaUrlOrigin, string | undefined])[] = [
    ['configured', from.configured],
    ['OLLAMA_URL', from.environment['OLLAMA_URL']],
    ['OLLAMA_HOST', from.environment['OLLAMA_HOST']],
  ];
  for (const [origin, value] of sources) {
    const text = unquote(value ?? '');
    if (text !== '') return { url: parseOllamaAddress(text, origin), origin };
  }
  return { url: `http://127.0.0.1:${String(DEFAULT_PORT)}`, origin: 'default' };
}

/** Ollama trims spaces and quotes, which unit files and .env files leave in. */
function unquote(value: string): string {
  return value.trim().replaceAll(/^["']|["']$/g, '');
}

function parseOllamaAddress(text: string, origin: OllamaUrlOrigin): string {
  const scheme = /^(https?):\/\//i.exec(text)?.[1]?.toLowerCase();
  const rest = scheme === undefined ? text : text.slice(scheme.length + 3);
  const authority = rest.replace(/\/.*$/s, '');
  const path = rest.slice(authority.length).replace(/\/+$/, '');
  const { host, port } = splitAuthority(authority);
  const url = `${scheme ?? 'http'}://${connectable(host)}:${port === '' ? defaultPort(scheme) : port}${path}`;
  if (rest.includes('://') || !URL.canParse(url) || /[\s@?#]/.test(url)) throw invalid(text, origin);
  return withoutTrailingSlash(new URL(url).href);
}

function connectable(host: string): string {
  if (!ANY_ADDRESS.has(host)) return host;
  return host === '[::]' ? '[::1]' : '127.0.0.1';
}

function defaultPort(scheme: string | undefined): string {
  if (scheme === undefined) return String(DEFAULT_PORT);
  return scheme === 'https' ? '443' : '80';
}

/** Splits host and port; a bare IPv6 address gets its brackets, `:11500` is a port alone. */
function splitAuthority(authority: string): { readonly host: string; readonly port: string } {
  const bracketed = /^(\[[^\]]*\])(?::(\d*))?$/.exec(authority);
  if (bracketed) return { host: bracketed[1] ?? '', port: bracketed[2] ?? '' };
  const colons = authority.split(':').length - 1;
  if (colons > 1) return { host: `[${authority}]`, port: '' };
  const [host = '', port = ''] = authority.split(':');
  return { host, port };
}

function withoutTrailingSlash(href: string): string {
  return href.endsWith('/') ? href.slice(0, -1) : href;
}

function invalid(text: string, origin: OllamaUrlOrigin): TypeError {
  const name = origin === 'configured' ? 'The address of Ollama' : origin;
  return new TypeError(
    `${name} is ${JSON.stringify(text)}, which is no address; write host:port or http://host:port`,
  );
}
