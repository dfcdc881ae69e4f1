/**
 * The table of commands as a script for a shell. Words of the table go into the script in single quotes, and nothing of what is typed
 * is ever evaluated.
 */
import type { Command, OptionSpec } from "../cli/command.js";
import { COMMON_OPTIONS } from "../cli/input.js";
import type { Shell } from "./choices.js";

export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return { bash, zsh, fish }[shell](commands);
}

interface Known {
  readonly name: string;
  readonly spec: OptionSpec;
}

function optionsOf(command: Command): readonly Known[] {
  return Object.entries({ ...command.options, ...COMMON_OPTIONS }).map(([name, spec]) => ({ name, spec }));
}

/** Words that may stand behind the command's name and are no file: kinds of keys, shells. */
function operandsOf({ operands: { what } }: Command): readonly string[] {
  const [, list] = /^one of ([a-z, -]+)$/u.exec(what) ?? [];
  return list?.split(", ") ?? [];
}

/** Whether a value is a file, by the word that stands for it in help. */
function takesFile({ type, value, choices }: OptionSpec): boolean {
  return type === "text" && choices === undefined && (value?.includes("FILE") ?? false);
}

const longs = (command: Command): string =>
  optionsOf(command)
    .map(({ name }) => `--${name}`)
    .join(" ");

function bash(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# bash completion for gatehouse: source <(gatehouse completion bash)
_gatehouse() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="" name="" words="" files=""
  (( COMP_CWORD > 0 )) && previous="\${COMP_WORDS[COMP_CWORD-1]}"
  (( COMP_CWORD > 1 )) && name="\${COMP_WORDS[1]}"
  # Bash breaks words at \`=\`: \`--format=js\` comes as three.
  if [[ $current == "=" ]]; then current=""; elif [[ $previous == "=" && COMP_CWORD -gt 2 ]]; then previous="\${COMP_WORDS[COMP_CWORD-2]}"; fi
  COMPREPLY=()
  case "$name $previous" in
${commands.flatMap(bashValues).join("\n")}
    *)
      case "$name" in
        "") words=${quoted(`${names} help --help --version`)} ;;
        help) words=${quoted(names)} ;;
${commands.map(bashCommand).join("\n")}
      esac
      [[ $current == -* ]] && files=""
      ;;
  esac
  local word
  for word in $words; do
    [[ $word == "$current"* ]] && COMPREPLY+=("$word")
  done
  if [[ -n $files ]]; then
    compopt -o filenames 2>/dev/null
    while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current")
  fi
}
complete -F _gatehouse gatehouse
`;
}

/** What an option takes, where it was typed last. */
function bashValues(command: Command): string[] {
  return optionsOf(command)
    .filter(({ spec }) => spec.type === "text")
    .map(({ name, spec }) => {
      const forms = [`--${name}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])];
      const patterns = forms.map((form) => quoted(`${command.name} ${form}`)).join("|");
      const sets = [
        ...(spec.choices === undefined ? [] : [`words=${quoted(spec.choices.join(" "))}`]),
        ...(takesFile(spec) ? ["files=yes"] : []),
      ];
      return `    ${patterns}) ${sets.length === 0 ? ":" : sets.join("; ")} ;;`;
    });
}

function bashCommand(command: Command): string {
  const operands = operandsOf(command);
  const words = [...operands, longs(command)].join(" ");
  const files = operands.length === 0 && command.operands.most > 0 ? " files=yes" : "";
  return `        ${command.name}) words=${quoted(words)}${files} ;;`;
}

function zsh(commands: readonly Command[]): string {
  return `#compdef gatehouse
# zsh completion for gatehouse: gatehouse completion zsh > a folder of $fpath, as _gatehouse
_gatehouse() {
  local -a commands
  commands=(
${commands.map(({ name, summary }) => `    ${quoted(`${name}:${summary}`)}`).join("\n")}
    'help:shows the help of a command'
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    _arguments '--help[show help]' '--version[show the version]'
    return
  fi
  local name="$words[2]"
  shift words
  (( CURRENT-- ))
  case "$name" in
${commands.map(zshCommand).join("\n")}
    help) _describe command commands ;;
  esac
}
if [[ $funcstack[1] == _gatehouse ]]; then _gatehouse "$@"; else compdef _gatehouse gatehouse; fi
`;
}

function zshCommand(command: Command): string {
  const operands = operandsOf(command);
  const last =
    operands.length > 0
      ? [`1:kind:(${operands.join(" ")})`]
      : command.operands.most > 0
        ? ["*:file:_files"]
        : [];
  const specs = optionsOf(command).flatMap(({ name, spec }) =>
    [`--${name}`, ...(spec.short === undefined ? [] : [`-${spec.short}`])].map((form) =>
      zshOption(form, spec),
    ),
  );
  return `    ${command.name}) _arguments ${[...specs, ...last].map(quoted).join(" ")} ;;`;
}

function zshOption(form: string, spec: OptionSpec): string {
  const about = firstSentence(spec.help).replaceAll(/[[\]:\\]/gu, (character) => `\\${character}`);
  const repeated = spec.multiple === true ? "*" : "";
  if (spec.type === "flag") return `${repeated}${form}[${about}]`;
  const values =
    spec.choices === undefined ? (takesFile(spec) ? "_files" : " ") : `(${spec.choices.join(" ")})`;
  return `${repeated}${form}${form.startsWith("--") ? "=" : "+"}[${about}]:value:${values}`;
}

function fish(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name).join(" ");
  return `# fish completion for gatehouse: gatehouse completion fish > ~/.config/fish/completions/gatehouse.fish
complete -c gatehouse -f
${commands
  .map(
    ({ name, summary }) =>
      `complete -c gatehouse -n __fish_use_subcommand -a ${fishQuoted(name)} -d ${fishQuoted(summary)}`,
  )
  .join("\n")}
complete -c gatehouse -n __fish_use_subcommand -a help -d 'shows the help of a command'
complete -c gatehouse -n __fish_use_subcommand -l help -s h -d 'show help'
complete -c gatehouse -n __fish_use_subcommand -l version -s v -d 'show the version'
complete -c gatehouse -n '__fish_seen_subcommand_from help' -a ${fishQuoted(names)}
${commands.flatMap(fishCommand).join("\n")}
`;
}

function fishCommand(command: Command): string[] {
  const when = `-n ${fishQuoted(`__fish_seen_subcommand_from ${command.name}`)}`;
  const operands = operandsOf(command);
  const behind =
    operands.length > 0
      ? [`complete -c gatehouse ${when} -a ${fishQuoted(operands.join(" "))}`]
      : command.operands.most > 0
        ? [`complete -c gatehouse ${when} -F`]
        : [];
  const options = optionsOf(command).map(({ name, spec }) => {
    const short = spec.short === undefined ? "" : ` -s ${spec.short}`;
    const takes =
      spec.type === "flag"
        ? ""
        : spec.choices === undefined
          ? takesFile(spec)
            ? " -r -F"
            : " -x"
          : ` -x -a ${fishQuoted(spec.choices.join(" "))}`;
    return `complete -c gatehouse ${when} -l ${name}${short}${takes} -d ${fishQuoted(firstSentence(spec.help))}`;
  });
  return [...behind, ...options];
}

function firstSentence(text: string): string {
  return /^.*?[.;:](?= |$)/u.exec(text)?.[0].slice(0, -1) ?? text;
}

/** Single quotes keep everything but themselves. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** In fish a backslash means something in single quotes too. */
function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/gu, (character) => `\\${character}`)}'`;
}
