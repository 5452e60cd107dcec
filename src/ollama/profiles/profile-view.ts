import type { OllamaCacheType } from '../../shared/ollama-hosts.ts';
import { noticeOf } from '../../shared/ollama-options.ts';

import type { HostMemory, ProfileView } from '../control-plane.ts';
import { estimateFit, parallelOf } from './fit.ts';
import type { OllamaModel } from '../fleet/model-facts.ts';

import type { MergedValues, ProfileLayer } from './profile-values.ts';
import type { ProfileTwin } from './profile-twins.ts';

/** What holds on one host. */
export type ProfileAtHost = { readonly host: string; readonly values: MergedValues };

/** What a view is made from. */
export type ProfileViewFacts = {
  readonly model: string;
  /** The host that was named. */
  readonly host: string | undefined;
  /** Whether it is the profile of every model. */
  readonly isDefault: boolean;
  /** What is known of the model; undefined where it is installed nowhere. */
  readonly known: OllamaModel | undefined;
  readonly values: MergedValues;
  /** What was asked for, before it was brought to what the model can do. */
  readonly asked: readonly ProfileLayer[];
  /** What holds on each host, where there are several and none is named. */
  readonly elsewhere: readonly ProfileAtHost[];
  /** Names of the same weights on a host, with what they are loaded with there. */
  readonly twins: readonly ProfileTwin[];
  /** The host whose memory counts; undefined where there are several and none is named. */
  readonly room:
    | (HostMemory & {
        readonly name: string;
        readonly parallel: number;
        readonly cacheType?: OllamaCacheType;
      })
    | undefined;
};

/** Shows a profile to people: each value, where it comes from, and what should be known of it. */
export function toProfileView(facts: ProfileViewFacts): ProfileView {
  const { model, host, isDefault, known, values } = facts;
  const { keepAlive, requestOptions } = values;
  const isRemote = known?.remoteHost !== undefined;
  // A model of Ollama's cloud is not loaded here; of every model nothing is trained.
  const options = Object.fromEntries(
    Object.entries(isRemote ? {} : values.options).filter(
      ([, { source }]) => !isDefault || source !== 'default',
    ),
  );
  return {
    model: known?.name ?? model,
    ...(host === undefined ? {} : { host }),
    options,
    ...(keepAlive === undefined ? {} : { keepAlive }),
    requestOptions,
    notices: isRemote
      ? [`${model} runs at ${known.remoteHost}: nothing is loaded here, and no option of hardware is sent`]
      : [
          ...optionNotices(options, known),
          ...contextNotices(facts),
          ...hostNotices(facts),
          ...twinNotices(facts),
          ...requestNotices(requestOptions),
        ],
  };
}

function optionNotices(options: ProfileView['options'], known: OllamaModel | undefined): readonly string[] {
  return Object.entries(options).flatMap(([name, { value }]) => {
    const notice = name === 'num_gpu' ? layersNotice(value, known) : noticeOf(name, value);
    return notice === undefined ? [] : [notice];
  });
}

/** `num_gpu` is taken for a number of GPUs by its name: it is always explained. */
function layersNotice(value: number | boolean, known: OllamaModel | undefined): string | undefined {
  const blocks = known?.shape?.blockCount;
  if (typeof value !== 'number' || value <= 0) {
    return value === 0
      ? 'num_gpu: 0 places no layer on the GPU: the CPU does everything'
      : noticeOf('num_gpu', value);
  }
  if (blocks === undefined) {
    return `num_gpu: ${value} places up to ${value} layers on the GPU; it does not count GPUs`;
  }
  // The output layer counts as one more.
  const all = blocks + 1;
  return value >= all
    ? `num_gpu: ${value} places all ${all} layers on the GPU, and fails where they do not fit; -1 lets Ollama decide`
    : `num_gpu: ${value} places ${value} of ${all} layers on the GPU and the others on the CPU; it does not count GPUs`;
}

function contextNotices({ known, values, asked, room, isDefault }: ProfileViewFacts): readonly string[] {
  if (isDefault) return [];
  if (known === undefined) return ['the model is on no host that is there now'];
  const numCtx = values.options['num_ctx']?.value;
  if (typeof numCtx !== 'number') return [];
  const notices: string[] = [];
  const wanted = asked.findLast(({ values: said }) => said.options['num_ctx'] !== undefined)?.values.options[
    'num_ctx'
  ];
  if (typeof wanted === 'number' && wanted > numCtx) {
    notices.push(`num_ctx: ${wanted} is more than the model was trained for, so it gets ${numCtx}`);
  }
  if (room === undefined) return notices;
  const { name: host, parallel, cacheType, ...memory } = room;
  const ask = { numCtx, parallel: parallelOf(known, parallel), cacheType };
  const estimate = estimateFit({ model: known, host, ask, ...memory });
  if (estimate.verdict !== 'fits') notices.push(estimate.explanation);
  return notices;
}

/** A profile without a host says what holds where no host says otherwise: those that do are told. */
function hostNotices({ values, elsewhere, isDefault }: ProfileViewFacts): readonly string[] {
  return elsewhere.flatMap(({ host, values: own }) => {
    const differing = Object.entries(own.options)
      .filter(([name, { value, source }]) => {
        return value !== values.options[name]?.value && !(isDefault && source === 'default');
      })
      .map(([name, { value }]) => `${name}: ${value}`);
    return differing.length === 0 ? [] : [`at ${host} it is ${differing.join(', ')}`];
  });
}

/** Ollama has a place for weights, not for names. */
function twinNotices({ twins }: ProfileViewFacts): readonly string[] {
  const byName = Map.groupBy(twins, ({ name }) => name);
  return [...byName].map(([name, found]) => {
    const differing = [...new Set(found.flatMap((one) => one.differing))];
    const hosts = found.map(({ host }) => host).join(', ');
    return `${name} has the same weights and another ${differing.join(', ')}: requests for both in turns load them anew at ${hosts}; give both the same`;
  });
}

function requestNotices(requestOptions: readonly string[]): readonly string[] {
  const reloading = requestOptions.filter((name) => name !== 'keep_alive');
  if (reloading.length === 0) return [];
  return [`a request may set ${reloading.join(', ')}, and reloads the model where it sets another value`];
}
