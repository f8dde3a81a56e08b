import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { MEMORY_FOLDER, wholeNumber, words } from "../options.ts";
import { CASES, CONTENDERS, type ContenderName, type DeltaCase, type Link } from "./cases.ts";

const NAMES = CASES.map(({ name }) => name);
const SHORT = CASES.filter(({ isLong }) => isLong !== true).map(({ name }) => name);
const LONG = CASES.filter(({ isLong }) => isLong === true).map(({ name }) => name);
const BYTES_DEFAULT = 1024 ** 3;
const BYTES_MAX = 1024 ** 4;
const MBITS_DEFAULT = 200;
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

export const DELTA_USAGE = `npm run bench:delta -- [options]      (as root)
  --only NAME,NAME,...   some of ${NAMES.join(",")}
                         (default: all but ${LONG.join(",")}, which take long)
  --contenders NAME,...  some of ${CONTENDERS.join(",")}, in every case (default: as the case has it)
  --size BYTES           size of the file, as 64M or 1G (default: 1G; 100G, 8G and 5 GB for what takes long)
  --sinks N              copies made at once (default: 3; 1 for sparse and dense)
  --mbits N              what the source's link carries, in Mbit/s, or "none" for no limit (default: 200; 50 for day);
                         not for loopback, unlimited, gigabit, sparse and dense, which have their own
  --runs N               runs of each contender, in turn (default: 3; 1 for what takes long)
  --folder DIR           where everything happens (default: /dev/shm; a folder for temporary files for what takes long)
  --from FILE.json       takes cases that do not run from this earlier report, for the table of goals
  --out FILE             writes the figures of every run there, as JSON, or the report when it ends in .md; may be repeated`;

/** What `npm run bench:delta` was asked for. */
export interface DeltaOptions {
  readonly only: readonly string[];
  readonly contenders: readonly ContenderName[] | undefined;
  readonly bytes: number | undefined;
  readonly sinks: number | undefined;
  readonly mbits: Link | undefined;
  readonly runs: number | undefined;
  readonly folder: string | undefined;
  readonly from: string | undefined;
  readonly outs: readonly string[];
}

/** A case with everything that is to be known to run it. */
export interface PlannedCase {
  readonly name: string;
  readonly change: DeltaCase["change"];
  readonly contenders: readonly ContenderName[];
  readonly bytes: number;
  readonly link: Link;
  readonly sinks: number;
  readonly runs: number;
  readonly folder: string;
}

/** Reads the arguments. @throws Error a sentence about what is wrong */
export function readDeltaOptions(args: readonly string[]): DeltaOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string", default: SHORT.join(",") },
      contenders: { type: "string" },
      size: { type: "string" },
      sinks: { type: "string" },
      mbits: { type: "string" },
      runs: { type: "string" },
      folder: { type: "string" },
      from: { type: "string" },
      out: { type: "string", multiple: true, default: [] },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  const { contenders, size, sinks, mbits, runs } = values;
  return {
    only: words("--only", values.only, NAMES),
    contenders: contenders === undefined ? undefined : words("--contenders", contenders, CONTENDERS),
    bytes: size === undefined ? undefined : bytesOf(size),
    sinks: sinks === undefined ? undefined : wholeNumber("--sinks", sinks, 64),
    mbits: mbits === undefined || mbits === "none" ? mbits : wholeNumber("--mbits", mbits, 10_000),
    runs: runs === undefined ? undefined : wholeNumber("--runs", runs, 100),
    folder: values.folder,
    from: values.from,
    outs: values.out,
  };
}

export function plan(one: DeltaCase, options: DeltaOptions): PlannedCase {
  const { name, change, isLong = false } = one;
  const fast = !isLong && existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir();
  return {
    ...{ name, change, contenders: options.contenders ?? one.contenders },
    bytes: options.bytes ?? one.bytes ?? BYTES_DEFAULT,
    link: one.link ?? options.mbits ?? one.mbits ?? MBITS_DEFAULT,
    sinks: options.sinks ?? one.sinks ?? 3,
    runs: options.runs ?? one.runs ?? 3,
    folder: options.folder ?? fast,
  };
}

function bytesOf(text: string): number {
  const [, number, unit = ""] = /^(\d+)([KMG]?)$/.exec(text) ?? [];
  const bytes = Number(number) * (UNITS[unit] ?? Number.NaN);
  // Below, nothing travels as a recipe.
  if (bytes >= 4 * 1024 ** 2 && bytes <= BYTES_MAX) return bytes;
  throw new Error(`want 4M to 1024G for --size, found "${text}"`);
}
