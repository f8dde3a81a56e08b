import type { Command, Option } from "commander";
import type { Environment } from "../process/program-io.ts";
import { isRepeatable, isSwitch, settableOptions, variableOf } from "./option-keys.ts";
import { refusal, type Setting } from "./setting.ts";

/** What Kubernetes and links of Docker put into `FANFOLD_PORT` for a service named fanfold. */
const SERVICE_ADDRESS = /^(tcp|udp|sctp):\/\//;
const WORDS: ReadonlyMap<string, boolean> = new Map([
  ["true", true],
  ["yes", true],
  ["on", true],
  ["1", true],
  ["false", false],
  ["no", false],
  ["off", false],
  ["0", false],
]);

/** The options that environment variables give; an empty one gives nothing. @throws FanfoldError `usage` */
export function environmentSettings(command: Command, env: Environment): readonly Setting[] {
  return settableOptions(command).flatMap((option) => {
    const text = env[variableOf(option)];
    const isGiven = text !== undefined && text !== "" && !SERVICE_ADDRESS.test(text);
    return isGiven ? [settingOf(option, text)] : [];
  });
}

function settingOf(option: Option, text: string): Setting {
  const setting: Setting = {
    option,
    value: isRepeatable(option) ? text.split("\n").filter((line) => line !== "") : [text],
    origin: { from: "environment", variable: variableOf(option) },
  };
  if (!isSwitch(option)) return setting;
  const value = WORDS.get(text.trim().toLowerCase());
  if (value === undefined) throw refusal(setting, `found "${text.slice(0, 40)}", want true or false`);
  return { ...setting, value };
}
