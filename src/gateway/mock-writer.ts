import type { ChatWriter } from '../providers/chat.ts';

/** Usage of a mocked answer, as LiteLLM reports it: there are no tokens to count. */
const USAGE = { promptTokens: 10, completionTokens: 20 };

/** Creates the writer of a deployment with `mock_response`: the configured text, word by word. */
export function createMockWriter(text: string): ChatWriter {
  return async function* write() {
    for (const word of text.match(/\s*\S+\s*$|\s*\S+/g) ?? []) yield { type: 'text-delta', text: word };
    yield { type: 'finish', reason: 'stop', usage: USAGE };
  };
}
