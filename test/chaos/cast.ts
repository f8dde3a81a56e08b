import { mkdirSync } from "node:fs";
import type { CoordinatorEvent } from "../../src/protocol/messages/coordinator-events.ts";
import type { SinkEvent, SourceEvent } from "../../src/protocol/messages/events.ts";
import type { CopyProgress, SessionSummary } from "../../src/protocol/messages/progress.ts";
import { freePort } from "../helpers/free-ports.ts";
import type { CliLab } from "../helpers/processes/cli.ts";
import type { CliProcess, ErrorEvent } from "../helpers/processes/cli-process.ts";
import type { Scenario, Victim } from "./scenario.ts";

/** One command of a scenario, through all of its lives: it always starts again with the same arguments. */
export class Part<Event extends { readonly type: string }> {
  readonly name: string;
  readonly lives: CliProcess<Event | ErrorEvent>[] = [];
  readonly #launch: () => CliProcess<Event | ErrorEvent>;

  constructor(name: string, launch: () => CliProcess<Event | ErrorEvent>) {
    this.name = name;
    this.#launch = launch;
  }

  get current(): CliProcess<Event | ErrorEvent> | undefined {
    return this.lives.at(-1);
  }

  get status(): number | undefined {
    return this.current?.status;
  }

  get runs(): boolean {
    return this.current !== undefined && this.status === undefined;
  }

  start(): void {
    this.lives.push(this.#launch());
  }

  /** Resolves when it is gone; the next life can begin. */
  async kill(): Promise<void> {
    this.current?.signal("SIGKILL");
    await this.current?.ended;
  }

  /** What its lives printed last, for the message of a failed scenario. */
  shown(): string {
    return this.lives.map((life, index) => `--- ${this.name}, life ${index + 1}: ${told(life)}`).join("\n");
  }
}

export type SourcePart = Part<SourceEvent>;
export type SinkPart = Part<SinkEvent>;

export interface Cast {
  readonly source: SourcePart;
  readonly sinks: readonly SinkPart[];
  readonly coordinator: Part<CoordinatorEvent>;
  readonly from: string;
  readonly folders: readonly string[];
  /** TMPDIR of all of them. */
  readonly temporary: string;
  /** Prunes the folder of a sink, as far as that keeps snapshots. */
  readonly prune: (sink: SinkPart) => CliProcess<{ readonly type: string }>;
}

/** Makes the commands of one copy of a scenario, none of them started. The folders are the same in each copy. */
export async function castOf(
  lab: CliLab,
  { sinks: expected, late, mibPerSecond, isGuarded, keep, deltas }: Scenario,
  { broker, isFirst }: { readonly broker: string; readonly isFirst: boolean },
): Promise<Cast> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const from = lab.path("source");
  const temporary = lab.path("temporary");
  mkdirSync(temporary, { recursive: true });
  const folders = Array.from({ length: expected + late.sinks }, (_, index) => lab.path(`sink-${index}`));
  const options = { env: { TMPDIR: temporary } };
  const stateDir = lab.path("coordinator");
  // Members start at the same time as the coordinator, so their tokens are made before.
  if (isGuarded && isFirst) await lab.makeTokens(stateDir);
  const access = isGuarded ? ["--require-token"] : [];
  const shared = ["--coordinator", address];
  const commit = keep?.commit === undefined ? [] : ["--commit", String(keep.commit)];
  const delta = deltas === undefined ? [] : ["--delta", "on"];
  const limits = ["--dest-count", String(expected), "--bwlimit", `${mibPerSecond}M`, ...commit, ...delta];
  const keepLast = keep?.keepLast === undefined ? [] : ["--keep-last", String(keep.keepLast)];
  const kept = keep === undefined ? [] : ["--snapshots", ...keepLast];
  return {
    ...{ from, folders, temporary },
    coordinator: new Part("coordinator", () =>
      lab.start(
        ["coordinator", "--port", String(port), "--broker", broker, "--state-dir", stateDir, ...access],
        options,
      ),
    ),
    source: new Part("source", () => lab.start(["source", ...shared, ...limits, "--", from], options)),
    sinks: folders.map(
      (folder, index) =>
        new Part(`sink ${index}`, () =>
          lab.start(["sink", ...shared, "--name", `sink-${index}`, ...kept, "--", folder], options),
        ),
    ),
    prune: ({ name }) =>
      lab.start(["prune", "--keep-last", "1", "--", folders[Number(name.replace("sink ", ""))] ?? ""], options),
  };
}

export function partOf({ source, coordinator, sinks }: Cast, victim: Victim): Part<{ readonly type: string }> {
  const part = [source, coordinator, ...sinks].find(({ name }) => name === victim);
  if (part === undefined) throw new Error(`There is no "${victim}" in this scenario`);
  return part as unknown as Part<{ readonly type: string }>;
}

/** The newest progress a life told of. */
export function progressOf({ events }: CliProcess<SourceEvent | SinkEvent | ErrorEvent>): CopyProgress | undefined {
  return events.findLast((event) => event.type === "progress")?.progress;
}

/** What the source says at its end. */
export function summaryOf(source: SourcePart): SessionSummary | undefined {
  return source.current?.events.findLast((event) => event.type === "finished")?.summary;
}

/** Bytes that a source published in all of its lives: the first time, and again. */
export function bytesPublished(source: SourcePart): number {
  return source.lives
    .map((life) => life.events.findLast((event) => event.type === "finished")?.summary ?? progressOf(life))
    .reduce(
      (sum, counts) =>
        sum + (counts === undefined ? 0 : counts.bytesSent + counts.bytesSentAgain + counts.bytesCaughtUp),
      0,
    );
}

const SHOWN_EVENTS = 30;
const SHOWN_CHARACTERS = 700;

/** The last events of a life; of progress in a row only the last one, and no files. */
function told({ title, status, stderr, events }: CliProcess<{ readonly type: string }>): string {
  const shown = events
    .filter(({ type }) => type !== "file")
    .filter(({ type }, index, all) => !(repeats(type) && all[index + 1]?.type === type));
  const lines = [
    `fanfold ${title}: ${status === undefined ? "runs" : `ended with ${status}`}`,
    ...shown.slice(-SHOWN_EVENTS).map((event) => JSON.stringify(event)),
    `stderr: ${stderr.trimEnd().split("\n").slice(-SHOWN_EVENTS).join("\n    ")}`,
  ];
  return lines
    .map((line) => (line.length > SHOWN_CHARACTERS ? `${line.slice(0, SHOWN_CHARACTERS)} …` : line))
    .join("\n  ");
}

function repeats(type: string): boolean {
  return type === "progress" || type === "session";
}
