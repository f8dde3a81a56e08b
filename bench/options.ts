import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { parseArgs } from "node:util";
import { WORKLOADS, type WorkloadName } from "./workloads.ts";

export const TRANSPORTS = ["embedded", "nats", "amqp"] as const;
export const PEERS = ["rsync", "mbuffer", "cp", "bare", "syncthing"] as const;
/** Who takes part unasked: small files take syncthing long. */
const PEERS_DEFAULT = "rsync,mbuffer,cp,bare";

/** What `npm run bench` was asked for. */
export interface BenchOptions {
  readonly workloads: readonly WorkloadName[];
  readonly transports: readonly (typeof TRANSPORTS)[number][];
  readonly peers: readonly (typeof PEERS)[number][];
  /** Whether the embedded transport takes part a second time, as beyond one machine. */
  readonly guarded: boolean;
  /** Whether each transport takes part a second time, with all that is sent encrypted from end to end. */
  readonly sealed: boolean;
  /** Copies made at once: each number in turn. */
  readonly sinks: readonly number[];
  readonly runs: number;
  /** Share of each workload's size. */
  readonly scale: number;
  readonly folder: string;
  readonly nats: string;
  readonly amqp: string;
  readonly out: string | undefined;
  /** Where fanfold's processes leave their CPU profiles. */
  readonly profile: string | undefined;
}

export const BENCH_USAGE = `npm run bench -- [options]
  --workload ${WORKLOADS.join(",")}
                                     what to copy (default: all)
  --transports ${TRANSPORTS.join(",")}     what fanfold copies through (default: all)
  --peers ${PEERS.join(",")}
                                     whom to compare with (default: all but syncthing; "" for none)
  --guarded                          fanfold embedded also as beyond one machine: with tokens, and sealed
  --sealed                           fanfold also with all that is sent encrypted from end to end
  --sinks N,N,...                    copies made at once, each number in turn (default: 3)
  --runs N                           runs of each contender, in turn (default: 3)
  --scale F                          share of the size of each workload, to try it out (default: 1)
  --folder DIR                       where everything happens (default: /dev/shm, else the folder for temporary files)
  --nats URL, --amqp URL             brokers (default: nats://localhost:4222, amqp://localhost:5672)
  --out FILE                         writes the figures of every run there, as JSON
  --profile DIR                      leaves CPU profiles of fanfold's processes there; the figures are not to be used then`;

/** Memory as a file system, on Linux. */
export const MEMORY_FOLDER = "/dev/shm";

/** Reads the arguments. @throws Error a sentence about what is wrong */
export function readBenchOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      workload: { type: "string", default: WORKLOADS.join(",") },
      transports: { type: "string", default: TRANSPORTS.join(",") },
      peers: { type: "string", default: PEERS_DEFAULT },
      guarded: { type: "boolean", default: false },
      sealed: { type: "boolean", default: false },
      sinks: { type: "string", default: "3" },
      runs: { type: "string", default: "3" },
      scale: { type: "string", default: "1" },
      folder: { type: "string", default: existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir() },
      nats: { type: "string", default: "nats://localhost:4222" },
      amqp: { type: "string", default: "amqp://localhost:5672" },
      out: { type: "string" },
      profile: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return "help";
  return {
    workloads: words("--workload", values.workload, WORKLOADS),
    transports: words("--transports", values.transports, TRANSPORTS),
    peers: words("--peers", values.peers, PEERS),
    guarded: values.guarded,
    sealed: values.sealed,
    sinks: wholeNumbers("--sinks", values.sinks, 64),
    runs: wholeNumber("--runs", values.runs, 100),
    scale: share("--scale", values.scale),
    folder: values.folder,
    nats: values.nats,
    amqp: values.amqp,
    out: values.out,
    profile: values.profile,
  };
}

export function words<Word extends string>(option: string, value: string, known: readonly Word[]): Word[] {
  const asked = value.split(",").filter(Boolean);
  const wrong = asked.find((word) => !known.some((one) => one === word));
  if (wrong !== undefined) throw new Error(`want some of ${known.join(",")} for ${option}, found "${wrong}"`);
  return known.filter((word) => asked.includes(word));
}

/** @throws Error unless it is a list of whole numbers from 1 to `max`, at least one */
export function wholeNumbers(option: string, value: string, max: number): number[] {
  return value.split(",").map((each) => wholeNumber(option, each, max));
}

/** @throws Error unless it is a whole number from 1 to `max` */
export function wholeNumber(option: string, value: string, max: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= max) return number;
  throw new Error(`want 1 to ${max} for ${option}, found "${value}"`);
}

/** @throws Error unless it is more than 0 and at most 1 */
export function share(option: string, value: string): number {
  const number = Number(value);
  if (number > 0 && number <= 1) return number;
  throw new Error(`want a number above 0 and up to 1 for ${option}, found "${value}"`);
}
