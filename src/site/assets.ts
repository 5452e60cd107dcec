import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { ObeliskError } from '../shared/errors.ts';
import type { Handler } from '../wire/http.ts';
import { PAGE_POLICY, securityHeaders } from './security-headers.ts';

/** A static file of the page, held in memory, as it is and compressed. */
export type Asset = {
  readonly body: Buffer;
  readonly gzip: Buffer;
  readonly contentType: string;
  /** Without quotes. */
  readonly digest: string;
};

/** What is served below `/assets/`: a closed list, so that no request can name another file. */
const SERVED = [
  'answer.js',
  'api.js',
  'app.js',
  'conversation.js',
  'dom.js',
  'icon.svg',
  'key-form.js',
  'links.js',
  'markdown-inline.js',
  'markdown.js',
  'note-address.js',
  'note-lines.js',
  'note-page.js',
  'note-panel.js',
  'safe-html.js',
  'sse.js',
  'style.css',
] as const;

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
};

/** The files of the page: the two shells, and what they load. */
export type Assets = {
  readonly index: string;
  readonly note: string;
  readonly files: ReadonlyMap<string, Asset>;
};

/** Reads the page's files, which lie beside this module both in a clone and in the published package. */
export function readAssets(): Assets {
  const read = (name: string): Buffer => readFileSync(new URL(`./assets/${name}`, import.meta.url));
  const files = SERVED.map((name): readonly [string, Asset] => {
    const body = read(name);
    const contentType = CONTENT_TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    const digest = createHash('sha256').update(body).digest('base64url').slice(0, 22);
    return [name, { body, gzip: gzipSync(body), contentType, digest }];
  });
  return { index: read('index.html').toString(), note: read('note.html').toString(), files: new Map(files) };
}

/** Serves `/assets/*`. A browser keeps the files and asks each time whether they are still the same. */
export function assetHandler(assets: Assets): Handler {
  return (request, response) => {
    const asset = assets.files.get(request.path.slice('/assets/'.length));
    if (asset === undefined) {
      throw new ObeliskError('not_found', `the page has no file ${request.path}; check the path`);
    }
    const gzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(request.header('accept-encoding') ?? '');
    // Each encoding is an entity of its own (RFC 9110 §8.8.3.3).
    const etag = gzip ? `"${asset.digest}-gzip"` : `"${asset.digest}"`;
    const headers = {
      ...securityHeaders(PAGE_POLICY),
      'content-type': asset.contentType,
      'cache-control': 'no-cache',
      vary: 'accept-encoding',
      ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      etag,
    };
    if (matchesEtag(request.header('if-none-match'), etag)) {
      response.head(304, headers);
      response.end();
      return;
    }
    const body = gzip ? asset.gzip : asset.body;
    response.head(200, { ...headers, 'content-length': String(body.length) });
    response.end(body);
  };
}

/** Whether an `if-none-match` header names this entity (RFC 9110 §13.1.2, weak comparison). */
export function matchesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
}
