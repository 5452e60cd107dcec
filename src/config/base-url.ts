/**
 * Says why a text cannot be the base URL of a server, or undefined when it can. The sentence never
 * quotes the text, which may hold a password.
 */
export function baseUrlProblem(text: string): string | undefined {
  const url = URL.parse(text);
  if (!url || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    return 'must be a URL that starts with http:// or https://';
  }
  if (url.username !== '' || url.password !== '') {
    return 'cannot hold a user name or password; use api_key';
  }
  if (url.search !== '' || url.hash !== '') return 'cannot hold a query (?) or a fragment (#)';
  return undefined;
}

/** A base URL without trailing slashes. */
export function toBaseUrl(text: string): string {
  return text.trim().replace(/\/+$/, '');
}
