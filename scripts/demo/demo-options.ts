import { statSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";

export interface DemoOptions {
  readonly folder: string;
  /** `embedded`, or the URL of a broker. */
  readonly broker: string;
  readonly sinks: number;
  /** Leaves the copies where they are. */
  readonly keep: boolean;
  /** The coordinator, and with it the web page, stays until Ctrl-C. */
  readonly stay: boolean;
  /** As the source takes it; undefined is as fast as it can. */
  readonly bwlimit: string | undefined;
}

export const DEMO_USAGE =
  "npm run demo [-- FOLDER] [--broker nats://localhost:4222] [--sinks 3] [--bwlimit 5M] [--stay] [--keep]";
const SINKS_MAX = 16;

/** Gives a sentence about what is wrong instead of the options when they cannot be used. */
export function readDemoOptions(args: readonly string[], defaultFolder: string): DemoOptions | string {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        broker: { type: "string", default: "embedded" },
        sinks: { type: "string", default: "3" },
        keep: { type: "boolean", default: false },
        stay: { type: "boolean", default: false },
        bwlimit: { type: "string" },
      },
    });
    if (positionals.length > 1) return `want one folder, found ${positionals.length}`;
    const sinks = Number(values.sinks);
    if (!Number.isInteger(sinks) || sinks < 1 || sinks > SINKS_MAX)
      return `want 1 to ${SINKS_MAX} for --sinks, found "${values.sinks}"`;
    const folder = resolve(positionals[0] ?? defaultFolder);
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) return `found no directory at "${folder}"`;
    const { broker, keep, stay, bwlimit } = values;
    return { folder, broker, sinks, keep, stay, bwlimit };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
