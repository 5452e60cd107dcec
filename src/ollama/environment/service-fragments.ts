import { ObeliskError } from '../../shared/errors.ts';
import { findVariable, nearestVariable } from './environment-variables.ts';
import { readValue } from './read-value.ts';

/** A setting that someone wants for their Ollama server. */
export type WantedSetting = { readonly name: string; readonly value: string };

/** How Ollama is started, and so where its environment is written. */
export const FRAGMENT_KINDS = ['systemd', 'compose', 'launchd', 'windows', 'shell'] as const;

/** One of them. */
export type FragmentKind = (typeof FRAGMENT_KINDS)[number];

/** What to write where. */
export type Fragment = {
  readonly kind: FragmentKind;
  /** What to do with it, before it. */
  readonly before: string;
  readonly text: string;
  /** What to do after it. */
  readonly after: string;
};

/**
 * Reads `NAME=VALUE` and refuses what would do nothing.
 * @throws ObeliskError `invalid_request` with what to use instead.
 */
export function parseWantedSetting(text: string): WantedSetting {
  const equals = text.indexOf('=');
  const name = text.slice(0, equals).trim();
  const value = text.slice(equals + 1);
  const variable = findVariable(name);
  const refuse = (reason: string): ObeliskError => new ObeliskError('invalid_request', `${name}: ${reason}`);
  // A line break would start a setting of its own in every one of these files.
  if (/\p{Cc}/u.test(value)) throw refuse('a value is one line, without control characters');
  if (variable === undefined) {
    const closest = nearestVariable(name);
    throw refuse(`no release of Ollama reads it${closest === undefined ? '' : `; ${closest} may be meant`}`);
  }
  const vain =
    variable.overridden === true ||
    variable.until !== undefined ||
    variable.group === 'never existed' ||
    variable.group === 'client only';
  if (vain)
    throw refuse(`it does nothing for the server. ${variable.explains}${insteadOf(variable.instead)}`);
  const { problem } = readValue(variable, value);
  if (problem !== undefined) throw refuse(`it ${problem}`);
  return { name, value };
}

function insteadOf(instead: string | undefined): string {
  return instead === undefined ? '' : ` Use ${instead}.`;
}

/** Writes settings the way one kind of service wants them. Nothing takes effect before Ollama is started anew. */
export function fragmentOf(kind: FragmentKind, settings: readonly WantedSetting[]): Fragment {
  return { kind, ...WRITERS[kind](settings) };
}

const WRITERS: Readonly<
  Record<FragmentKind, (settings: readonly WantedSetting[]) => Omit<Fragment, 'kind'>>
> = {
  systemd: (settings) => ({
    before: 'sudo systemctl edit ollama.service, and enter:',
    // systemd.exec(5): % starts a specifier, and a backslash an escape.
    text: `[Service]\n${lines(settings, ({ name, value }) => `Environment="${name}=${escape(value, /["\\]/g).replaceAll('%', '%%')}"`)}`,
    after: 'sudo systemctl daemon-reload && sudo systemctl restart ollama',
  }),
  compose: (settings) => ({
    before: 'In compose.yaml, for the service of Ollama:',
    // Compose reads $ as the start of one of its own variables.
    text: `services:\n  ollama:\n    environment:\n${lines(settings, ({ name, value }) => `      ${name}: ${JSON.stringify(value).replaceAll('$', '$$$$')}`)}`,
    after: 'docker compose up -d ollama',
  }),
  launchd: (settings) => ({
    before: 'For the app, until the Mac is started anew:',
    text: `${lines(settings, ({ name, value }) => `launchctl setenv ${name} ${shellQuoted(value)}`)}\n\nFor a launch agent (brew services), in its property list:\n<key>EnvironmentVariables</key>\n<dict>\n${lines(settings, ({ name, value }) => `  <key>${name}</key>\n  <string>${escapeXml(value)}</string>`)}\n</dict>`,
    after: 'quit Ollama and start it',
  }),
  windows: (settings) => ({
    before: 'In a command prompt:',
    text: lines(settings, ({ name, value }) => `setx ${name} "${value.replaceAll('"', '\\"')}"`),
    after: 'quit Ollama in the task bar and start it',
  }),
  shell: (settings) => ({
    before: 'Started by hand:',
    text: `${settings.map(({ name, value }) => `${name}=${shellQuoted(value)}`).join(' ')} ollama serve`,
    after: 'end the one that runs before',
  }),
};

function lines(settings: readonly WantedSetting[], toLine: (setting: WantedSetting) => string): string {
  return settings.map(toLine).join('\n');
}

function escape(text: string, letters: RegExp): string {
  return text.replaceAll(letters, (letter) => `\\${letter}`);
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
