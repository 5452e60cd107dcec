import type { Headers } from '../wire/http.ts';

/**
 * The page may load its own files and talk to its own server, nothing else: neither a script in a
 * note nor an address made up by a model can run or carry anything out. Pictures may be `data:`, of
 * which the renderer lets PNG, JPEG and WebP through; a picture runs nothing and asks nobody.
 */
export const PAGE_POLICY: string =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
  "base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/** A vault's file opened by itself is inert: no script, no plugin, an origin of its own. */
export const FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'";

/**
 * Headers of every answer of the site. The resource policy keeps other sites from embedding a
 * vault's pictures, which needs no CORS permission otherwise.
 */
export function securityHeaders(policy: string): Headers {
  return {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
  };
}
