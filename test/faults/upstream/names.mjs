/**
 * Loaded into the program before anything else: the names of RFC 6761 resolve as a row of the matrix
 * needs it, on any machine, whatever its own resolver does.
 */
import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';

const resolve = dns.lookup;

dns.lookup = function lookup(host, options, callback) {
  const answer = typeof options === 'function' ? options : callback;
  if (host.endsWith('.never.test')) return {};
  if (host.endsWith('.absent.test')) {
    process.stderr.write(`lookup of ${host}\n`);
    const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), {
      code: 'ENOTFOUND',
      syscall: 'getaddrinfo',
      hostname: host,
    });
    setImmediate(() => answer(error));
    return {};
  }
  if (host.endsWith('.other.test')) return resolve('127.0.0.1', options, callback);
  return resolve(host, options, callback);
};
syncBuiltinESMExports();
