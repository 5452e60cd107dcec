/** Fields of OpenAI's body that change an answer and that no translated dialect has. */
const WITHOUT_EFFECT = [
  'logit_bias',
  'parallel_tool_calls',
  'prediction',
  'verbosity',
  'web_search_options',
] as const;

/** Names the fields that a translated request asks for in vain, so that nothing is dropped in silence. */
export function ignoredFields(body: object): readonly string[] {
  const fields: Partial<Record<string, unknown>> = { ...body };
  return WITHOUT_EFFECT.filter((name) => asksForSomething(name, fields[name]));
}

function asksForSomething(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false;
  // Parallel calls are what happens anyway; only to forbid them would be an effect.
  if (name === 'parallel_tool_calls') return value === false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}
