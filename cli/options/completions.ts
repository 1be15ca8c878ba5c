/**
 * The usage of `blink-store completions`, which has no flags.
 *
 * @module
 */

import type { Subcommand } from "../option.ts";

/** `blink-store completions`. */
export const completionsCommand = {
  name: "completions",
  usage: ["bash|zsh|fish"],
  options: [],
  notes: [
    "Where to put what it prints:",
    "  bash  ~/.local/share/bash-completion/completions/blink-store",
    "  zsh   _blink-store in a folder of $fpath",
    "  fish  ~/.config/fish/completions/blink-store.fish",
  ],
} as const satisfies Subcommand;
