/**
 * `blink-store completions bash|zsh|fish`: a script that teaches a shell to complete subcommands,
 * flags, files where a flag takes one, and the verbs of the protocol after `client` and `run`. All
 * of it comes from the tables of flags and the table of commands.
 *
 * @module
 */

import { type Command, commands } from "../commands/mod.ts";
import { showHelp } from "./help.ts";
import { nameOf, type Option, type Subcommand } from "./option.ts";
import { completionsCommand } from "./options/completions.ts";
import { parse } from "./parse.ts";
import { subcommands, summaryOf } from "./subcommands.ts";
import { UsageError } from "./usage_error.ts";

const writers = { bash, zsh, fish } as const;

/** Prints the script for a shell; returns the exit status. */
export async function run(args: readonly string[]): Promise<number> {
  const { words: [shell, ...rest], help } = parse(completionsCommand.options, args);
  if (help) return showHelp(completionsCommand);
  if (shell === undefined) throw new UsageError("which shell? give bash, zsh or fish");
  if (!Object.hasOwn(writers, shell)) {
    throw new UsageError(`there are no completions for ${shell}: give bash, zsh or fish`);
  }
  if (rest.length > 0) throw new UsageError(`unexpected word "${rest[0]}"`);
  console.log(await completionsFor(shell as keyof typeof writers));
  return 0;
}

/** The script for a shell. */
export async function completionsFor(shell: keyof typeof writers): Promise<string> {
  return writers[shell](await Promise.all(subcommands.map(({ load }) => load())));
}

/** What may follow a subcommand besides flags. */
function wordsOf({ name }: Subcommand): string[] {
  switch (name) {
    case "client":
    case "run":
      return commands.flatMap((command: Command) => [command.verb, ...command.aliases]);
    case "completions":
      return Object.keys(writers);
    case "data":
      return ["check", "dump", "load"];
    default:
      return [];
  }
}

const help: Option = {
  name: "help",
  short: "h",
  kind: "switch",
  help: "print the help",
  group: "",
};

function flagsOf(subcommand: Subcommand): readonly Option[] {
  return [...subcommand.options, help];
}

/** Each way to type a flag: `-x` and `--stdin`. */
function spellings(option: Option): string[] {
  return [...(option.short === undefined ? [] : [`-${option.short}`]), nameOf(option)];
}

function bash(tables: readonly Subcommand[]): string {
  const names = [...subcommands.map(({ name }) => name), "help"];
  const cases = tables.map((subcommand) => {
    const options = flagsOf(subcommand);
    const files = options.filter(({ kind }) => kind === "path").flatMap(spellings);
    const values = options.filter(({ kind }) => kind !== "path" && kind !== "switch")
      .flatMap(spellings);
    const choices = options.filter(({ choices }) => choices !== undefined).map((option) => `
      [[ " ${spellings(option).join(" ")} " == *" $previous "* ]] && choices="${
      option.choices!.join(" ")
    }"`);
    const verbs = wordsOf(subcommand).join(" ");
    return `    ${subcommand.name})
      files="${files.join(" ")}"
      values="${values.join(" ")}"
      flags="${options.flatMap(spellings).join(" ")}"
      words="${verbs}"${choices.join("")}
      [[ $word == [a-z]* ]] && words="${verbs.toLowerCase()}"
      ;;`;
  });
  return `# Completions of blink-store for bash.
_blink_store() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local files="" values="" flags="" words="" choices=""
  COMPREPLY=()
  if ((COMP_CWORD == 1)); then
    COMPREPLY=($(compgen -W "${names.join(" ")} --help --version" -- "$word"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join("\n")}
    help) words="${names.join(" ")}" ;;
  esac
  if [[ " $files " == *" $previous "* ]]; then
    local IFS=$'\\n'
    compopt -o filenames 2>/dev/null
    COMPREPLY=($(compgen -f -- "$word"))
  elif [[ " $values " == *" $previous "* ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$word"))
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$word"))
  fi
}
complete -F _blink_store blink-store`;
}

function zsh(tables: readonly Subcommand[]): string {
  const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`;
  const escaped = (text: string) => text.replace(/[\\:[\]]/g, "\\$&");
  const flagLines = (option: Option) => {
    const action = option.kind === "path"
      ? "_files"
      : option.choices === undefined
      ? " "
      : `(${option.choices.join(" ")})`;
    const value = option.kind === "switch" ? "" : `:${escaped(option.value ?? "")}:${action}`;
    const optional = option.kind === "optional text" ? `:${value}` : value;
    return spellings(option).map((flag) =>
      quoted(`${option.repeatable ? "*" : ""}${flag}[${escaped(option.help)}]${optional}`)
    );
  };
  const cases = tables.map((subcommand) => {
    const words = wordsOf(subcommand);
    const lines = flagsOf(subcommand).flatMap(flagLines);
    if (words.length > 0) {
      const all = subcommand.name === "completions" ? words : [
        ...words,
        ...words.map((word) => word.toLowerCase()),
      ];
      lines.push(quoted(`1:word:(${all.join(" ")})`));
    }
    return `        ${subcommand.name})
          _arguments \\
            ${lines.join(" \\\n            ")}
          ;;`;
  });
  const described = subcommands.map(({ name, summary }) => quoted(`${name}:${escaped(summary)}`));
  return `#compdef blink-store
# Completions of blink-store for zsh.
_blink_store() {
  local curcontext=$curcontext state line
  local -a subcommands
  subcommands=(
    ${described.join("\n    ")}
    'help:explain a subcommand'
  )
  _arguments -C '1:subcommand:->subcommand' '*::word:->words'
  case $state in
    subcommand) _describe subcommand subcommands ;;
    words)
      case $line[1] in
${cases.join("\n")}
        help) _describe subcommand subcommands ;;
      esac
      ;;
  esac
}
if [[ $funcstack[1] == _blink_store || $funcstack[1] == _blink-store ]]; then
  _blink_store "$@"
else
  compdef _blink_store blink-store
fi`;
}

function fish(tables: readonly Subcommand[]): string {
  const quoted = (text: string) => `'${text.replace(/[\\']/g, "\\$&")}'`;
  const lines = [
    "# Completions of blink-store for fish.",
    "complete -c blink-store -f",
    "complete -c blink-store -n __fish_use_subcommand -l help -d 'print the help'",
    "complete -c blink-store -n __fish_use_subcommand -l version -d 'print the version'",
  ];
  for (const subcommand of tables) {
    const seen = `-n '__fish_seen_subcommand_from ${subcommand.name}'`;
    lines.push(
      `complete -c blink-store -n __fish_use_subcommand -a ${subcommand.name} ` +
        `-d ${quoted(summaryOf(subcommand.name))}`,
    );
    for (const option of flagsOf(subcommand)) {
      const short = option.short === undefined ? "" : ` -s ${option.short}`;
      const takesValue = option.kind !== "switch" && option.kind !== "optional text";
      const choices = option.choices && ` -a '${option.choices.join(" ")}'`;
      const value = option.kind === "path" ? " -r -F" : takesValue ? ` -x${choices ?? ""}` : "";
      lines.push(
        `complete -c blink-store ${seen}${short} -l ${option.name}${value} ` +
          `-d ${quoted(option.help)}`,
      );
    }
    const words = wordsOf(subcommand);
    if (words.length > 0) lines.push(`complete -c blink-store ${seen} -a '${words.join(" ")}'`);
  }
  return lines.join("\n");
}
