import type { CompletedCommand, Values } from "./completion-model.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** What a script is made of. */
export interface ShellCommands {
  readonly commands: readonly CompletedCommand[];
  /** Options that may stand behind every command. */
  readonly everywhere: CompletedCommand["options"];
}

/** A word of a shell: bash, zsh and fish agree on it, as long as there is no backslash. */
export function wordOf(text: string): string {
  return `'${text.replaceAll("\\", "/").replaceAll("'", "’")}'`;
}

interface SharedValues {
  /** Patterns of a command with an option. */
  readonly places: readonly string[];
  readonly values: Values;
}

/** The options that take a value, with the places that take the same together. */
export function byPlace({ commands, everywhere }: ShellCommands): readonly SharedValues[] {
  const found = new Map<string, { readonly places: string[]; readonly values: Values }>();
  const add = (place: string, values: Values | undefined): void => {
    if (values === undefined) return;
    const name = JSON.stringify(values);
    const same = found.get(name) ?? { places: [], values };
    same.places.push(place);
    found.set(name, same);
  };
  for (const { flags, values } of everywhere) for (const flag of flags) add(`*${wordOf(` ${flag}`)}`, values);
  for (const { path, options } of commands.filter((command) => command.path !== ""))
    for (const { flags, values } of options) for (const flag of flags) add(wordOf(`${path} ${flag}`), values);
  return [...found.values()];
}
