import type { CreateSource, JobSpec } from '../control-plane.ts';

/** Characters of a text that are told of: a licence may have a hundred thousand, and a job is told of five times a second. */
const TOLD_LENGTH = 2_000;

/** What a job does, as those who watch it are told: long texts are cut. */
export function toldSpec(spec: JobSpec): JobSpec {
  return spec.kind === 'create' ? { ...spec, source: toldSource(spec.source) } : spec;
}

function toldSource(source: CreateSource): CreateSource {
  const { modelfile, template, system, license, messages } = source;
  return {
    ...source,
    ...(modelfile === undefined ? {} : { modelfile: cut(modelfile) }),
    ...(template === undefined ? {} : { template: cut(template) }),
    ...(system === undefined ? {} : { system: cut(system) }),
    ...(license === undefined ? {} : { license: license.map(cut) }),
    ...(messages === undefined
      ? {}
      : { messages: messages.slice(0, 20).map(({ role, content }) => ({ role, content: cut(content) })) }),
  };
}

function cut(text: string): string {
  return text.length > TOLD_LENGTH ? `${text.slice(0, TOLD_LENGTH)}…` : text;
}
