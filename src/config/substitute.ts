/** Variables by name; an absent or undefined entry is unset. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A text after substitution, or the variable that it lacks. */
export type Substitution =
  | { readonly kind: 'same' }
  | { readonly kind: 'replaced'; readonly text: string; readonly names: readonly string[] }
  | { readonly kind: 'failed'; readonly message: string };

const OS_ENVIRON = /^os\.environ\/(.*)$/s;
const REFERENCE = /\$(\$)?\{([^}]*)\}/g;
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s;

/**
 * Replaces `${NAME}`, `${NAME:-default}` (the default also stands in for an empty variable, as in a
 * shell) and a whole `os.environ/NAME` (LiteLLM's form). `$${` writes a literal `${`. What was put
 * in is not looked at again, so that a variable cannot name another one.
 */
export function substitute(text: string, environment: Environment): Substitution {
  const whole = OS_ENVIRON.exec(text);
  if (whole) return substituteWhole(whole[1] ?? '', environment);
  if (!text.includes('${')) return { kind: 'same' };
  const names: string[] = [];
  let failure: string | undefined;
  const result = text.replaceAll(REFERENCE, (match: string, escaped: string | undefined, body: string) => {
    if (escaped !== undefined) return match.slice(1);
    const found = lookUp(body, environment);
    if ('message' in found) {
      failure ??= found.message;
      return '';
    }
    names.push(found.name);
    return found.value;
  });
  if (failure !== undefined) return { kind: 'failed', message: failure };
  return { kind: 'replaced', text: result, names };
}

function substituteWhole(name: string, environment: Environment): Substitution {
  const value = environment[name];
  if (value === undefined) return { kind: 'failed', message: unset(name, `os.environ/${name}`) };
  return { kind: 'replaced', text: value, names: [name] };
}

function lookUp(
  body: string,
  environment: Environment,
): { readonly name: string; readonly value: string } | { readonly message: string } {
  const [, name, fallback] = NAME_AND_DEFAULT.exec(body) ?? [];
  if (name === undefined) {
    return { message: 'expected ${NAME} or ${NAME:-default}; write $${ for a literal ${' };
  }
  if (fallback?.includes('${')) return { message: `the default of \${${name}} cannot hold another \${` };
  const value = environment[name];
  if (fallback !== undefined && (value === undefined || value === '')) return { name, value: fallback };
  return value === undefined ? { message: unset(name, `\${${name}:-default}`) } : { name, value };
}

function unset(name: string, example: string): string {
  const printable = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/.test(name) ? name : '(not a variable name)';
  const hint = example.startsWith('$') ? `; set it, or write ${example}` : '; set it';
  return `the environment variable ${printable} is not set${hint}`;
}

/** What YAML would have read, had the text stood in the file: true, false, null or a number. */
export function retype(text: string): unknown {
  if (text === 'true') return true;
  if (text === 'false') return false;
  if (text === 'null') return null;
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}
