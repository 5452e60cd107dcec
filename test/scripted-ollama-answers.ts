/** What the scripted Ollama answers where all is well. */
import type { ServerResponse } from 'node:http';

import { sendJson, sendLines } from './scripted-ollama-faults.ts';
import { digestOf, nameOf, pullLines, pushLines, shownModel, taggedModel } from './scripted-ollama-models.ts';
import type { ScriptedModel } from './scripted-ollama-models.ts';
import type { ScriptedRunners } from './scripted-ollama-runners.ts';

/** One request that arrived. */
export type ScriptedRequest = {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As JSON; of an upload only its `digest`; undefined where there was none. */
  readonly body: Record<string, unknown> | undefined;
  /** Length of the body. */
  readonly bytes: number;
};

/** A call, for what answers it. */
export type ScriptedCall = {
  readonly request: ScriptedRequest;
  readonly response: ServerResponse;
  readonly text: (name: string) => string;
};

type State = { readonly models: Map<string, ScriptedModel>; readonly blobs: Set<string> };

type Settings = {
  readonly registry?: readonly ScriptedModel[];
  readonly version?: string;
  readonly stepMs?: number;
};

type Answer = (call: ScriptedCall) => void | Promise<void>;

/** A JSON object, or undefined for anything else. */
export function objectOf(text: string): Record<string, unknown> | undefined {
  const value: unknown = JSON.parse(text);
  return typeof value === 'object' && value !== null ? { ...value } : undefined;
}

/** The routes of the scripted Ollama. */
export class ScriptedAnswers {
  readonly #state: State;
  readonly #runners: ScriptedRunners;
  readonly #settings: Settings;
  readonly #routes: Readonly<Record<string, Answer>>;

  constructor(state: State, runners: ScriptedRunners, settings: Settings) {
    this.#state = state;
    this.#runners = runners;
    this.#settings = settings;
    const { version = '0.24.0' } = settings;
    const list =
      (body: () => object): Answer =>
      ({ response }) =>
        sendJson(response, 200, body());
    this.#routes = {
      'GET /api/version': list(() => ({ version })),
      'GET /api/status': list(() => ({ cloud: { disabled: true, source: 'env' } })),
      'GET /api/tags': list(() => ({
        models: [...state.models.values()].map((model) => taggedModel(model, version)),
      })),
      'GET /api/ps': list(() => ({ models: this.#running() })),
      'POST /api/chat': (call) => this.#run(call),
      'POST /api/generate': (call) => this.#run(call),
      'POST /api/embed': (call) => this.#run(call),
      'POST /api/show': (call) => this.#show(call),
      'POST /api/pull': (call) => this.#pull(call),
      'POST /api/push': (call) => this.#push(call),
      'POST /api/create': (call) => this.#create(call),
      'POST /api/copy': (call) => this.#copy(call),
      'DELETE /api/delete': (call) => this.#delete(call),
    };
  }

  async answer(call: ScriptedCall): Promise<void> {
    const { method, path } = call.request;
    const route = this.#routes[`${method} ${path}`];
    if (path.startsWith('/api/blobs/')) this.#blob(call);
    else if (route === undefined) {
      call.response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
    } else await route(call);
  }

  #running(): readonly object[] {
    return this.#runners.running().map((one) => ({
      ...taggedModel(this.#state.models.get(one.name) ?? one),
      expires_at: new Date(one.expiresMs).toISOString(),
      size_vram: one.sizeVram,
      context_length: one.contextLength,
    }));
  }

  #blob({ request, response }: ScriptedCall): void {
    const { blobs } = this.#state;
    const digest = request.path.slice('/api/blobs/'.length);
    if (request.method === 'HEAD') {
      response.writeHead(blobs.has(digest) ? 200 : 404).end();
      return;
    }
    const got = String(request.body?.['digest']);
    if (got !== digest) {
      sendJson(response, 400, { error: `digest mismatch, expected "${digest}", got "${got}"` });
      return;
    }
    response.writeHead(blobs.has(digest) ? 200 : 201).end();
    blobs.add(digest);
  }

  /** The model that is named, or undefined once its absence has been answered. */
  #found({ response, text }: ScriptedCall): ScriptedModel | undefined {
    const name = text('model') || text('source');
    const model = this.#state.models.get(nameOf(name));
    if (model === undefined) sendJson(response, 404, { error: `model '${name}' not found` });
    return model;
  }

  async #run(call: ScriptedCall): Promise<void> {
    const model = this.#found(call);
    if (model !== undefined) await this.#runners.run(call, model);
  }

  #show(call: ScriptedCall): void {
    const model = this.#found(call);
    if (model !== undefined) sendJson(call.response, 200, shownModel(model));
  }

  #copy(call: ScriptedCall): void {
    const model = this.#found(call);
    if (model === undefined) return;
    const name = nameOf(call.text('destination'));
    this.#state.models.set(name, { ...model, digest: model.digest ?? digestOf(nameOf(model.name)), name });
    call.response.writeHead(200).end();
  }

  #delete(call: ScriptedCall): void {
    const model = this.#found(call);
    if (model === undefined) return;
    this.#state.models.delete(nameOf(model.name));
    this.#runners.crash(model.name);
    call.response.writeHead(200).end();
  }

  async #pull(call: ScriptedCall): Promise<void> {
    const name = nameOf(call.text('model'));
    const model = this.#settings.registry?.find((one) => nameOf(one.name) === name);
    if (model === undefined) {
      await this.#stream(call, [
        { status: 'pulling manifest' },
        { error: 'pull model manifest: file does not exist' },
      ]);
      return;
    }
    if (await this.#stream(call, pullLines(model))) this.#state.models.set(name, { ...model, name });
  }

  async #push(call: ScriptedCall): Promise<void> {
    const name = nameOf(call.text('model'));
    const model = this.#state.models.get(name);
    const error = `open /models/manifests/${name.replace(':', '/')}: no such file or directory`;
    await this.#stream(
      call,
      model === undefined
        ? [{ status: 'retrieving manifest' }, { status: "couldn't retrieve manifest" }, { error }]
        : pushLines(model),
    );
  }

  async #create(call: ScriptedCall): Promise<void> {
    const { body = {} } = call.request;
    const name = nameOf(call.text('model'));
    const files = body['files'] ?? {};
    const digests = typeof files === 'object' && files !== null ? Object.values(files).map(String) : [];
    if (body['from'] === undefined && digests.length === 0) {
      sendJson(call.response, 400, { error: "neither 'from' or 'files' was specified" });
      return;
    }
    const missing = digests.find((digest) => !this.#state.blobs.has(digest));
    const base = this.#state.models.get(nameOf(call.text('from')));
    const begun = { status: 'parsing GGUF' };
    const wrong =
      missing === undefined
        ? undefined
        : `open /models/blobs/${missing.replace(':', '-')}: no such file or directory`;
    if (wrong !== undefined) {
      await this.#stream(call, [begun, { error: wrong }]);
      return;
    }
    const pulled = await this.#pullBase(call, base);
    if (pulled === undefined) return;
    const lines = [begun, { status: 'writing manifest' }, { status: 'success' }];
    if (await this.#stream(call, lines)) this.#state.models.set(name, { ...pulled, name });
  }

  /** The base of a new model; one that is missing is pulled, with a `success` of its own. */
  async #pullBase(call: ScriptedCall, base: ScriptedModel | undefined): Promise<ScriptedModel | undefined> {
    const from = call.text('from');
    if (base !== undefined || from === '') return base ?? { name: 'files' };
    const found = this.#settings.registry?.find((one) => nameOf(one.name) === nameOf(from));
    const error = { error: 'pull model manifest: file does not exist' };
    const lines = found === undefined ? [{ status: 'pulling manifest' }, error] : pullLines(found);
    if (found === undefined) await this.#stream(call, lines);
    else await sendLines(call.response, lines, this.#settings.stepMs);
    return found;
  }

  /** Sends a whole stream; false where the client left before its end. */
  async #stream({ response }: ScriptedCall, lines: readonly unknown[]): Promise<boolean> {
    const whole = await sendLines(response, lines, this.#settings.stepMs);
    response.end();
    return whole;
  }
}
