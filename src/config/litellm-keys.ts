import { DEPLOYMENT_ROUTING } from './routing-schema.ts';
import type { Path } from './yaml-tree.ts';

/**
 * Keys of LiteLLM's configuration (`config_settings.md`) and of the design document that are
 * accepted so that their files run, without an effect here. The rule is a function of the path, so
 * that one place decides what is listed, what is substituted and what is validated.
 */

/** Sections without any effect. */
export const SECTIONS_WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'callback_settings',
  'credential_list',
  'guardrails',
  'mcp_servers',
  'search_tools',
  'vector_store_registry',
  'prompts',
  'include',
]);

/** Sections whose keys are listed one by one, because each is a decision of its own. */
const LISTED_BY_KEY: ReadonlySet<string> = new Set([
  'litellm_settings',
  'router_settings',
  'retry_config',
  'general_settings',
]);

/** Parameters of a deployment that LiteLLM's router reads itself and never sends to a model. */
export const DEPLOYMENT_WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'additional_drop_params',
  'allowed_openai_params',
  'api_version',
  'auto_router_config',
  'budget_duration',
  'configurable_clientside_auth_params',
  'custom_llm_provider',
  'drop_params',
  'extra_body',
  'extra_headers',
  'headers',
  'litellm_credential_name',
  'max_budget',
  'max_retries',
  'merge_reasoning_content_in_choices',
  'order',
  'organization',
  'region_name',
  'rust',
  'tag_regex',
  'tags',
  'use_in_pass_through',
  'use_litellm_proxy',
]);

/** Of a deployment, what Obelisk reads itself. */
export const DEPLOYMENT_KEYS: readonly string[] = [
  'model',
  'api_base',
  'api_key',
  'mock_response',
  ...Object.keys(DEPLOYMENT_ROUTING),
];

/** Of sections where any key of LiteLLM's may stand, the keys with an effect. */
export const SETTINGS_WITH_EFFECT: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'router_settings',
    ['routing_strategy', 'num_retries', 'timeout', 'cooldown_time', 'allowed_fails', 'retry_after'],
  ],
  ['litellm_settings', ['num_retries', 'request_timeout']],
  ['general_settings', ['master_key', 'inference_keys']],
]);

const COST = /_cost(?:_|$)|_per_(?:token|second|request|image|character|query|pixel|page)/;
/** Credentials of clouds that are not spoken to yet: sent along, they would reach the wrong server. */
const CREDENTIAL = /(?:^aws_|^vertex_|^azure_|^watsonx_)|(?:_key|_secret|_token|_credentials|_password)$/;

/** Whether a parameter of a deployment (LiteLLM's `litellm_params`) has an effect: it is read here, or sent. */
export function deploymentKeyHasEffect(key: string): boolean {
  if (DEPLOYMENT_KEYS.includes(key)) return true;
  return !DEPLOYMENT_WITHOUT_EFFECT.has(key) && !COST.test(key) && !CREDENTIAL.test(key);
}

/** Whether the value at a path has an effect. */
export function hasEffect(path: Path): boolean {
  const [section, second, third, fourth] = path;
  if (section === undefined) return true;
  if (SECTIONS_WITHOUT_EFFECT.has(String(section))) return false;
  const settings = SETTINGS_WITH_EFFECT.get(String(section));
  if (settings) return second === undefined || settings.includes(String(second));
  if (section === 'providers') return providerKeyHasEffect(second, third);
  if (section !== 'model_list' || third === undefined) return true;
  if (third === 'litellm_params') return fourth === undefined || deploymentKeyHasEffect(String(fourth));
  return third === 'model_name' || third === 'model_info';
}

function providerKeyHasEffect(key: string | number | undefined, child: string | number | undefined): boolean {
  if (key === 'fallback_chain') return false;
  return key !== 'litellm' || (child !== 'retry_config' && child !== 'router_settings');
}

/** Paths of every key in a parsed file that is understood but has no effect yet. */
export function pathsWithoutEffect(value: unknown, path: Path = []): readonly Path[] {
  const last = String(path.at(-1) ?? '');
  if (hasEffect(path))
    return childrenOf(value).flatMap(([key, child]) => pathsWithoutEffect(child, [...path, key]));
  const children = LISTED_BY_KEY.has(last) ? childrenOf(value) : [];
  return children.length === 0 ? [path] : children.map(([key]) => path.concat(key));
}

function childrenOf(value: unknown): readonly (readonly [string | number, unknown])[] {
  if (Array.isArray(value)) return value.map((child: unknown, index) => [index, child] as const);
  return typeof value === 'object' && value !== null ? Object.entries(value) : [];
}
