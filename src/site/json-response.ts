import type { HttpResponse } from '../wire/http.ts';
import type { Headers } from '../wire/http.ts';
import { PAGE_POLICY, securityHeaders } from './security-headers.ts';

/** Answers with JSON that no cache keeps: it is made of a person's notes. */
export function sendJson(response: HttpResponse, value: unknown, extra: Headers = {}): void {
  const body = Buffer.from(JSON.stringify(value));
  response.head(200, {
    ...securityHeaders(PAGE_POLICY),
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(body.length),
    'cache-control': 'no-store',
    ...extra,
  });
  response.end(body);
}

/** Answers with HTML under the page's policy. */
export function sendHtml(response: HttpResponse, status: number, html: string): void {
  const body = Buffer.from(html);
  response.head(status, {
    ...securityHeaders(PAGE_POLICY),
    'content-type': 'text/html; charset=utf-8',
    'content-length': String(body.length),
    'cache-control': 'no-store',
  });
  response.end(body);
}
