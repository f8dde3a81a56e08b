import { Command, type Option } from "commander";
import { isSwitch } from "./option-keys.ts";
import type { Settings } from "./settings.ts";

const HELP: ReadonlySet<string> = new Set(["-h", "--help"]);

/** A command whose options also come from the environment and from configuration files. */
export class ConfiguredCommand extends Command {
  readonly #settings: Settings;

  constructor(name: string, settings: Settings) {
    super(name);
    this.#settings = settings;
  }

  override createCommand(name: string): Command {
    return new ConfiguredCommand(name, this.#settings);
  }

  /** Commander calls it once for each command on the way to the one that runs, before it looks at what is missing. */
  override parseOptions(args: string[]): ReturnType<Command["parseOptions"]> {
    const switchedOff = new Set<Option>();
    const parsed = super.parseOptions(this.#withoutValuesOfSwitches(args, switchedOff));
    if (!parsed.unknown.some((word) => HELP.has(word))) this.#settings.applyTo(this, switchedOff);
    return parsed;
  }

  /** `--stay=true` is `--stay`; `--stay=false` is nothing, whatever a file says. */
  #withoutValuesOfSwitches(args: readonly string[], switchedOff: Set<Option>): string[] {
    const end = args.indexOf("--");
    return args.flatMap((word, at) => {
      const [, flag, value] = (end >= 0 && at > end ? null : /^(--[a-z][a-z-]*)=(true|false)$/.exec(word)) ?? [];
      const option = this.options.find(({ long }) => long !== undefined && long === flag);
      if (option === undefined || !isSwitch(option)) return [word];
      if (value === "true") return [option.long ?? word];
      switchedOff.add(option);
      return [];
    });
  }
}
