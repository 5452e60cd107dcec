import type { CommandSpec } from './arguments.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** A shell that a script can be written for. */
export type Shell = (typeof SHELLS)[number];

/** Whether a script can be written for a shell of that name. */
export function isShell(name: string): name is Shell {
  return SHELLS.some((shell) => shell === name);
}

/** Writes the script of a shell. Names of models are asked of the program when they are wanted. */
export function completionScript(shell: Shell, specs: readonly CommandSpec[]): string {
  if (shell === 'bash') return bashScript(specs);
  return shell === 'zsh' ? zshScript(specs) : fishScript(specs);
}

/** Prints one name a line, and nothing where no host answers. */
const MODEL_NAMES = `obelisk models list --json 2>/dev/null | sed -n 's/^    "name": "\\([^"]*\\)".*$/\\1/p'`;

/** First words, and the second words of those that have some. */
function wordsOf(specs: readonly CommandSpec[]): ReadonlyMap<string, readonly string[]> {
  const words = new Map<string, string[]>();
  for (const { name } of specs) {
    const [first = '', second] = name.split(' ');
    const seconds = words.get(first) ?? [];
    words.set(first, second === undefined ? seconds : [...seconds, second]);
  }
  return words;
}

function bashScript(specs: readonly CommandSpec[]): string {
  const words = wordsOf(specs);
  const seconds = [...words].filter(([, more]) => more.length > 0);
  return `# Completes obelisk in bash.
_obelisk() {
  local current=\${COMP_WORDS[COMP_CWORD]} first=\${COMP_WORDS[1]} command=\${COMP_WORDS[1]} options='' files='' models=''
  # A name of a model holds colons, at which bash splits words.
  type _get_comp_words_by_ref >/dev/null 2>&1 && _get_comp_words_by_ref -n : -c current
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${[...words.keys()].join(' ')} help --help --version' -- "$current"))
    return
  fi
  local rest=2
  case "$first" in
${seconds.map(([first, more]) => `    ${first}) if [ "$COMP_CWORD" -eq 2 ] && [ "\${current#-}" = "$current" ]; then COMPREPLY=($(compgen -W '${more.join(' ')}' -- "$current")); return; fi; case " ${more.join(' ')} " in *" \${COMP_WORDS[2]} "*) command="$first \${COMP_WORDS[2]}" ;; esac ;;`).join('\n')}
  esac
  case "$command" in
${specs.map((spec) => `    '${spec.name}') options='${optionsOf(spec).join(' ')}'; files='${valuesOf(spec, isFile).join(' ')}'; models='${takesModels(spec) ? 'yes' : ''}' ;;`).join('\n')}
  esac
  local previous=\${COMP_WORDS[COMP_CWORD - 1]}
  case " $files " in *" $previous "*) COMPREPLY=($(compgen -f -- "$current")); return ;; esac
  if [ "\${current#-}" != "$current" ]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  elif [ -n "$models" ]; then
    COMPREPLY=($(compgen -W "$(${MODEL_NAMES})" -- "$current"))
    type __ltrim_colon_completions >/dev/null 2>&1 && __ltrim_colon_completions "$current"
  fi
}
complete -o default -F _obelisk obelisk
`;
}

function zshScript(specs: readonly CommandSpec[]): string {
  const words = wordsOf(specs);
  const summaries = new Map(specs.map(({ name, summary }) => [name, summary]));
  const described = (name: string, full: string): string =>
    `'${quoted(name)}:${quoted(summaries.get(full) ?? `commands of ${name}`)}'`;
  const seconds = [...words].filter(([, more]) => more.length > 0);
  return `#compdef obelisk
# Completes obelisk in zsh.
_obelisk_models() {
  local -a names
  names=(\${(f)"$(${MODEL_NAMES})"})
  compadd -a names
}
_obelisk() {
  local -a firsts seconds
  firsts=(${[...words.keys()].map((first) => described(first, first)).join(' ')})
  if (( CURRENT == 2 )); then
    _describe command firsts
    return
  fi
  local command=$words[2]
  seconds=()
  case $words[2] in
${seconds.map(([first, more]) => `    ${first}) seconds=(${more.map((second) => described(second, `${first} ${second}`)).join(' ')}) ;;`).join('\n')}
  esac
  if (( $#seconds )) && [[ CURRENT -eq 3 && $PREFIX != -* ]]; then
    _describe command seconds
    return
  fi
  if (( $#seconds )) && [[ $words[3] != -* ]]; then
    command="$words[2] $words[3]"
    shift words
    (( CURRENT-- ))
  fi
  shift words
  (( CURRENT-- ))
  case $command in
${specs.map((spec) => `    '${spec.name}') _arguments ${zshArguments(spec).join(' ')} ;;`).join('\n')}
  esac
}
_obelisk "$@"
`;
}

function zshArguments(spec: CommandSpec): readonly string[] {
  const options = Object.entries(spec.options).map(([name, option]) => {
    const text = quoted(option.description).replaceAll(/[[\]]/g, '');
    const value =
      option.value === undefined
        ? ''
        : `:${option.value.toLowerCase().replaceAll(':', ' ')}:${isFile(option.value) ? '_files' : ' '}`;
    return `'${option.multiple === true ? '*' : ''}--${name}[${text}]${value}'`;
  });
  return [...options, takesModels(spec) ? "'*:model:_obelisk_models'" : "'*: : '"];
}

function fishScript(specs: readonly CommandSpec[]): string {
  const words = wordsOf(specs);
  const lines = [...words].flatMap(([first, more]) => [
    `complete -c obelisk -n __fish_use_subcommand -a ${first} -d '${quoted(specs.find(({ name }) => name === first)?.summary ?? `commands of ${first}`)}'`,
    ...more.map(
      (second) =>
        `complete -c obelisk -n '__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${more.join(' ')}' -a ${second} -d '${quoted(specs.find(({ name }) => name === `${first} ${second}`)?.summary ?? '')}'`,
    ),
  ]);
  return `# Completes obelisk in fish.
function __obelisk_models
    ${MODEL_NAMES}
end
complete -c obelisk -f
${lines.join('\n')}
${specs.flatMap((spec) => fishOptions(spec, words.get(spec.name) ?? [])).join('\n')}
`;
}

function fishOptions(spec: CommandSpec, seconds: readonly string[]): readonly string[] {
  const seen = spec.name
    .split(' ')
    .map((word) => `__fish_seen_subcommand_from ${word}`)
    .join('; and ');
  const when =
    seconds.length === 0 ? seen : `${seen}; and not __fish_seen_subcommand_from ${seconds.join(' ')}`;
  const options = Object.entries(spec.options).map(([name, option]) => {
    const short = option.short === undefined ? '' : ` -s ${option.short}`;
    const value = option.value === undefined ? '' : isFile(option.value) ? ' -r -F' : ' -x';
    return `complete -c obelisk -n '${when}' -l ${name}${short}${value} -d '${quoted(option.description)}'`;
  });
  const models = takesModels(spec) ? [`complete -c obelisk -n '${when}' -a '(__obelisk_models)'`] : [];
  return [...options, ...models];
}

function optionsOf(spec: CommandSpec): readonly string[] {
  return Object.keys(spec.options).map((name) => `--${name}`);
}

/** Options whose value is of a kind, in every spelling. */
function valuesOf(spec: CommandSpec, is: (value: string) => boolean): readonly string[] {
  return Object.entries(spec.options).flatMap(([name, { value, short }]) =>
    value !== undefined && is(value) ? [`--${name}`, ...(short === undefined ? [] : [`-${short}`])] : [],
  );
}

function isFile(value: string): boolean {
  return /FILE|DIR|PATH/.test(value);
}

/** What is pulled is not there yet. */
function takesModels({ name, positionals = '' }: CommandSpec): boolean {
  return /MODEL|SOURCE/.test(positionals) && name !== 'models pull' && name !== 'models create';
}

/** Text within single quotes of any of the shells: an apostrophe becomes a typographic one. */
function quoted(text: string): string {
  return text.replaceAll("'", '’').replaceAll(':', ' -').replaceAll('\\', '/');
}
