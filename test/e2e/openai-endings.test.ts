import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai';
import { eventually } from '../eventually.ts';
import { caught, MESSAGES, openFailingSetting } from '../openai-errors.ts';
import { refusingOrigin } from '../ports.ts';
import type { FailingSetting } from '../openai-errors.ts';

describe('the official openai client and answers that do not come to their end', () => {
  let setting: FailingSetting;
  before(async () => {
    setting = await openFailingSetting();
  });
  after(async () => {
    await setting[Symbol.asyncDispose]();
  });

  for (const prefix of ['', 'local-']) {
    for (const [end, code] of [
      ['cut-off', 'upstream_unreachable'],
      ['unfinished', 'upstream_invalid'],
      ['says-error', undefined],
    ] as const) {
      it(`throws APIError in the middle of the stream of ${prefix}${end}, and asks once`, async () => {
        const before = await setting.requests();
        const heard: string[] = [];
        const error = await caught(
          (async () => {
            const stream = await setting.client().chat.completions.create({
              model: prefix + end,
              messages: MESSAGES,
              stream: true,
            });
            for await (const part of stream) heard.push(part.choices[0]?.delta.content ?? '');
          })(),
        );
        assert.ok(error instanceof APIError, String(error));
        assert.equal(heard.join(''), 'Hello', 'what came before the error counts');
        assert.equal(error.type, 'server_error');
        if (code !== undefined) assert.equal(error.code, code);
        else assert.match(error.message, /out of memory/);
        assert.match(error.requestID ?? '', /^req_/);
        // The client throws at the error's event, the gateway counts at the end of the stream.
        await eventually(async () => assert.equal((await setting.requests()) - before, 1));
      });
    }
  }

  for (const [index, prefix] of ['', 'local-'].entries()) {
    it(`closes the upstream's connection when a stream of ${prefix}endless is left or aborted`, async () => {
      const upstream = setting.upstreams[index];
      assert.ok(upstream);
      const ways: ((stream: { controller: AbortController }) => boolean)[] = [
        () => true,
        (stream) => {
          stream.controller.abort();
          return false;
        },
      ];
      for (const leave of ways) {
        const stream = await setting.client().chat.completions.create({
          model: `${prefix}endless`,
          messages: MESSAGES,
          stream: true,
        });
        const asked = upstream.requests.at(-1);
        for await (const part of stream) {
          assert.equal(part.choices[0]?.delta.content ?? '', part.choices[0]?.delta.role ? '' : 'Hello');
          if (part.choices[0]?.delta.content === 'Hello' && leave(stream)) break;
        }
        assert.ok(asked);
        await asked.closed;
      }
    });
  }

  it('throws APIUserAbortError when a whole answer is aborted, and the upstream is let go', async () => {
    const [upstream] = setting.upstreams;
    assert.ok(upstream);
    const from = upstream.requests.length;
    const abort = new AbortController();
    const asking = setting
      .client()
      .chat.completions.create({ model: 'silent', messages: MESSAGES }, { signal: abort.signal });
    const failing = caught(asking);
    const asked = await upstream.request(from);
    abort.abort();
    assert.ok((await failing) instanceof APIUserAbortError);
    await asked.closed;
  });

  it('throws APIConnectionTimeoutError when its own time is up, and the upstream is let go', async () => {
    const [upstream] = setting.upstreams;
    assert.ok(upstream);
    const from = upstream.requests.length;
    const client = setting.client({ timeout: 150, maxRetries: 0 });
    assert.ok(
      (await caught(client.chat.completions.create({ model: 'silent', messages: MESSAGES }))) instanceof
        APIConnectionTimeoutError,
    );
    await (
      await upstream.request(from)
    ).closed;
  });

  it('throws APIConnectionError when the gateway is away', async () => {
    const client = setting.client({ baseURL: `${await refusingOrigin()}/v1` });
    assert.ok(
      (await caught(client.chat.completions.create({ model: 'fine', messages: MESSAGES }))) instanceof
        APIConnectionError,
    );
  });
});
