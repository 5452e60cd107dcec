import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret } from '../shared/secret.ts';
import { eventually } from '../../test/eventually.ts';
import { createLogger } from './logger.ts';
import type { BatchedLogger, LoggerOptions } from './logger.ts';

function capture(options: Partial<LoggerOptions> = {}): { logger: BatchedLogger; writes: string[] } {
  const writes: string[] = [];
  const stream = { write: (text: string) => writes.push(text) };
  const logger = createLogger({ stream, level: 'info', format: 'json', now: () => 0, ...options });
  return { logger, writes };
}

test('lines are written together, in order, below the level not at all', () => {
  const { logger, writes } = capture();
  logger.info('first', { count: 1, missing: undefined });
  logger.debug('unheard');
  logger.error('second');
  assert.deepEqual(writes, []);
  logger.flush();
  assert.deepEqual(writes, [
    '{"time":"1970-01-01T00:00:00.000Z","level":"info","message":"first","count":1}\n' +
      '{"time":"1970-01-01T00:00:00.000Z","level":"error","message":"second"}\n',
  ]);
});

test('waiting lines are written without being asked for', async () => {
  const { logger, writes } = capture({ flushMs: 1 });
  logger.info('hello');
  await eventually(() => assert.equal(writes.length, 1));
});

test('text is for people, and a value cannot forge a line', () => {
  const { logger, writes } = capture({ format: 'text' });
  logger.warn('request', { model: 'llama3:latest', path: 'a b\n00:00 info  forged' });
  logger.flush();
  assert.equal(
    writes.join(''),
    '00:00:00.000 warn  request model=llama3:latest path="a b\\n00:00 info  forged"\n',
  );
});

test('colours appear only where they are wanted', () => {
  const { logger, writes } = capture({ format: 'text', colours: true });
  logger.info('hello');
  logger.flush();
  assert.ok(writes.join('').includes('\u001B[36minfo \u001B[0m'));
});

test('a secret that gets into a line does not get out', () => {
  const secret = new Secret('sk-"canary"-1234');
  for (const format of ['text', 'json'] as const) {
    const { logger, writes } = capture({ format, secrets: [secret] });
    logger.error(`request with ${secret.reveal()}`, { header: `Bearer ${secret.reveal()}` });
    logger.flush();
    assert.doesNotMatch(writes.join(''), /canary/);
    assert.match(writes.join(''), /\[secret\]/);
  }
});

test('lines of a flood are written while it lasts, none is lost', () => {
  const { logger, writes } = capture();
  for (let count = 0; count < 10_000; count += 1) logger.info('x');
  assert.ok(writes.length > 100, 'most do not wait for the end of their batch');
  logger.flush();
  assert.equal(writes.join('').trim().split('\n').length, 10_000);
});

test('of secrets that begin alike none gets out in part, whatever characters they hold', () => {
  const secrets = ['sk-a.b*c', 'sk-a.b*c(d', '\\k|[^', 'ключ'].map((text) => new Secret(text));
  const { logger, writes } = capture({ format: 'text', secrets });
  logger.info(`of ${secrets.map((secret) => secret.reveal()).join(' and ')}, not sk-aXbbc`);
  logger.flush();
  const hidden = '[secret] and [secret] and [secret] and [secret]';
  assert.ok(writes.join('').includes(`of ${hidden}, not sk-aXbbc`), writes.join(''));
});

test('a log can be told to say more, and of secrets that came later', () => {
  const { logger, writes } = capture();
  logger.setLevel('debug');
  logger.addSecrets([new Secret('sk-later')]);
  logger.debug('heard', { key: 'sk-later' });
  logger.setLevel('error');
  logger.warn('unheard');
  logger.flush();
  assert.match(writes.join(''), /"heard","key":"\[secret\]"/);
  assert.doesNotMatch(writes.join(''), /unheard/);
});

test('a log that cannot be written harms nobody, and tells what it lost once it can', () => {
  const writes: string[] = [];
  let full = true;
  const stream = {
    write: (text: string) => {
      if (full) throw new Error('ENOSPC: no space left on device, write');
      writes.push(text);
    },
  };
  const { logger } = capture({ stream });
  logger.info('first');
  logger.flush();
  logger.info('second');
  logger.flush();
  full = false;
  logger.info('third');
  logger.flush();
  logger.info('fourth');
  logger.flush();
  const told = writes
    .join('')
    .trim()
    .split('\n')
    .map((line): unknown => JSON.parse(line));
  const time = '1970-01-01T00:00:00.000Z';
  assert.deepEqual(told, [
    { time, level: 'error', message: 'lines of the log could not be written', lines: 2 },
    { time, level: 'info', message: 'third' },
    { time, level: 'info', message: 'fourth' },
  ]);
});

test('a reader that stops reading costs lines and no memory', () => {
  const writes: string[] = [];
  const stream = { write: (text: string) => writes.push(text), writableLength: 0 };
  const { logger } = capture({ stream });
  const say = (message: string): void => {
    logger.info(message);
    logger.flush();
  };
  stream.writableLength = 1024 * 1024;
  say('waits');
  stream.writableLength += 1;
  say('is lost');
  say('is lost too');
  stream.writableLength = 0;
  say('goes on');
  const messages = writes
    .join('')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly message: string }).message);
  assert.deepEqual(messages, ['waits', 'lines of the log could not be written', 'goes on']);
  assert.match(writes.join(''), /"lines":2/);
});
