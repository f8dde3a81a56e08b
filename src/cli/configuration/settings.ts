import type { Command, Option } from "commander";
import { FanfoldError } from "../../lib/errors.ts";
import type { Environment } from "../process/program-io.ts";
import { configPlaces } from "./config-places.ts";
import { environmentSettings } from "./environment-settings.ts";
import { folderArgument, keyOf, takesSettings } from "./option-keys.ts";
import { areRivals, type FolderSetting, readSetting, refusal, type Setting, type SettingLayer } from "./setting.ts";

/** What a person said about configuration files, as commander reads it. */
export interface GivenConfiguration {
  readonly config?: Buffer;
  readonly profile?: string;
}

/** Gives each command its settings from places of the same weight, the weightiest first. */
interface LayerSource {
  layersFor(command: Command): readonly SettingLayer[];
}

const NO_LAYERS: LayerSource = { layersFor: () => [] };

/** What an option got, and whether something weightier had it already. */
export interface Decision {
  readonly setting: Setting;
  readonly isUsed: boolean;
}

/** What commands are told beside their flags: by the environment, and by configuration files below it. */
export class Settings {
  readonly #env: Environment;
  #files: LayerSource | FanfoldError = NO_LAYERS;
  #decisions: readonly Decision[] = [];
  #folder: FolderSetting | undefined;

  constructor(env: Environment) {
    this.#env = env;
  }

  /** Reads the files, where there are any: they may name all commands. What is wrong with them is thrown when a command needs them. */
  async open(program: Command, everyCommand: () => Command = () => program): Promise<void> {
    try {
      const { config, profile } = givenConfiguration(program, this.#env);
      const places = configPlaces(config, this.#env);
      if (places.length === 0 && profile === undefined) return;
      const { openConfigFiles } = await import("./config-files.ts");
      this.#files = await openConfigFiles({ places, profile, program: everyCommand() });
    } catch (thrown) {
      this.#files = FanfoldError.from(thrown);
    }
  }

  /**
   * Adds to a command what its flags have left open. A setting that cannot be used together with a weightier one is left
   * out, so that each flag can be given whatever a file says.
   *
   * @throws FanfoldError `usage`, `config-invalid`
   */
  applyTo(command: Command, switchedOff: ReadonlySet<Option>): void {
    if (!takesSettings(command)) return;
    if (this.#files instanceof FanfoldError) throw this.#files;
    const layers = [{ settings: environmentSettings(command, this.#env) }, ...this.#files.layersFor(command)];
    this.#decisions = decide(command, layers, { switchedOff, hasToken: (this.#env.FANFOLD_TOKEN ?? "") !== "" });
    this.#folder = layers.find(({ folder }) => folder !== undefined)?.folder;
    const place = folderArgument(command);
    if (this.#folder !== undefined) place?.argument.argOptional().default(this.#folder.text);
  }

  /** What the last command got, for those who ask where it came from. */
  get decisions(): readonly Decision[] {
    return this.#decisions;
  }

  get folder(): FolderSetting | undefined {
    return this.#folder;
  }
}

/** `--config` and `--profile`, or their environment variables. */
export function givenConfiguration(program: Command, env: Environment): GivenConfiguration {
  const { config, profile } = program.opts<GivenConfiguration>();
  const { FANFOLD_CONFIG: file = "", FANFOLD_PROFILE: name = "" } = env;
  const named = config ?? (file === "" ? undefined : Buffer.from(file));
  const chosen = profile ?? (name === "" ? undefined : name);
  return { ...(named === undefined ? {} : { config: named }), ...(chosen === undefined ? {} : { profile: chosen }) };
}

interface Typed {
  /** Switches that were typed with `=false`. */
  readonly switchedOff: ReadonlySet<Option>;
  readonly hasToken: boolean;
}

function decide(command: Command, layers: readonly SettingLayer[], typed: Typed): readonly Decision[] {
  const taken = new Set([...typed.switchedOff].map((option) => option.attributeName()));
  const isTyped = (option: Option): boolean => command.getOptionValueSource(option.attributeName()) === "cli";
  for (const option of command.options.filter(isTyped)) taken.add(option.attributeName());
  const active = command.options.filter((option) => isTyped(option) && !typed.switchedOff.has(option));
  const decisions: Decision[] = [];
  for (const [at, { settings }] of layers.entries()) {
    const isFree = ({ option }: Setting): boolean =>
      !taken.has(option.attributeName()) &&
      !active.some((other) => areRivals(other, option)) &&
      // A token in the environment is weightier than a file with one that only a configuration names.
      !(at > 0 && typed.hasToken && option.attributeName() === "tokenFile");
    const used = settings.filter(isFree);
    decisions.push(...settings.map((setting) => ({ setting, isUsed: used.includes(setting) })));
    refuseRivals(used);
    assign(command, used);
    for (const { option } of used) taken.add(option.attributeName());
    active.push(...used.filter(({ value }) => value !== false).map(({ option }) => option));
  }
  return decisions;
}

function refuseRivals(used: readonly Setting[]): void {
  const on = used.filter(({ value }) => value !== false);
  for (const [at, setting] of on.entries()) {
    const rival = on.slice(0, at).find(({ option }) => areRivals(option, setting.option));
    if (rival !== undefined) throw refusal(setting, `it cannot be used together with "${keyOf(rival.option)}"`);
  }
}

/** Those of one place: options that share a value add to it, in their order. */
function assign(command: Command, used: readonly Setting[]): void {
  const values = new Map<string, unknown>();
  for (const setting of used) {
    const attribute = setting.option.attributeName();
    // A switch that is off is as if nobody had given it.
    if (setting.value === false) continue;
    const value = readSetting(setting, values.get(attribute));
    values.set(attribute, value);
    command.setOptionValueWithSource(attribute, value, setting.origin.from === "environment" ? "env" : "config");
  }
}
