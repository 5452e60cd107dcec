/**
 * Whether a URL names this machine or its own network, so that text sent to it does not leave:
 * loopback, private and link-local addresses (RFC 1918, 3927, 4193), `localhost`, `*.local`,
 * `*.internal` and single-label names, which only a local resolver or a container network knows.
 */
export function isLocalUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.toLowerCase().replace(/\.$/, '');
  if (host.startsWith('[')) return isLocalIpv6(host.slice(1, -1));
  const octets = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(host);
  if (octets) return isLocalIpv4(Number(octets[1]), Number(octets[2]));
  return !host.includes('.') || /\.(?:localhost|local|internal|lan|home\.arpa)$/.test(host);
}

function isLocalIpv4(first: number, second: number): boolean {
  if (first === 127 || first === 10) return true;
  if (first === 172) return second >= 16 && second <= 31;
  return (first === 192 && second === 168) || (first === 169 && second === 254);
}

function isLocalIpv6(address: string): boolean {
  return address === '::1' || /^(?:f[cd]|fe[89ab])/.test(address);
}

/** Whether a URL names this very machine (loopback only). */
export function isLoopbackUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const host = new URL(url).hostname.toLowerCase();
  return host === '[::1]' || /(?:^|\.)localhost$/.test(host) || /^127\.\d+\.\d+\.\d+$/.test(host);
}
