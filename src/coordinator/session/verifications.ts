import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { SinkCheck } from "../../protocol/api/answer-schemas.ts";
import type { Verification } from "../../protocol/api/verification-schemas.ts";
import { SESSION_ID_CHARS, SINKS_PER_SESSION_MAX, VERIFY_PROBLEMS_BYTES_MAX } from "../../protocol/limits.ts";
import type { ClientMessage } from "../../protocol/messages/control.ts";
import type { CoordinatorEvent } from "../../protocol/messages/coordinator-events.ts";
import type { VerificationSink } from "../../protocol/messages/fleet-verify-events.ts";
import {
  fitVerifyReport,
  hasDamage,
  type VerifiedTrees,
  type VerifyProgress,
  type VerifyReport,
} from "../../protocol/messages/verification.ts";
import type { History } from "../history/history.ts";
import type { Client } from "./effects.ts";

/** Orders whose answers are kept: the oldest makes place. */
const KEPT_MAX = 16;
/** What all kept answers name, as JSON: half of what a command reads of one order. Each sink of an order has the same share of it. */
const NAMED_BYTES_MAX = 8 * 1024 * 1024;
/** A sink says how far it is each 2 s. */
const SILENT_MS = 60_000;
/** One that says so and gets no further is not waited for, either: its disk hangs, or it only talks. */
const STUCK_MS = 600_000;
/** A sink whose connection broke tries again at least each 5 s, and its check goes on meanwhile. */
const BACK_WITHIN_MS = 15_000;
/** What a sink says unasked is taken this often: it is written down, and everybody hears of it. */
const UNASKED_EVERY_MS = 1_000;

type Said<T extends ClientMessage["type"]> = Extract<ClientMessage, { type: T }>;

interface KnownCopy {
  readonly key: string;
  readonly name: string;
}

interface VerificationsOptions {
  readonly clients: ReadonlyMap<string, Client>;
  /** Sinks that took part in the latest sessions of this name, and may again. */
  readonly known: (session: string) => readonly KnownCopy[];
  /** As a member is called in its session. */
  readonly nameOf: (client: Client) => string;
  /** What sinks have told, across restarts. */
  readonly told: Pick<History, "isTold" | "sinkTold">;
  readonly emit: (event: CoordinatorEvent) => void;
  readonly clock: Clock;
  readonly random: Random;
}

interface AskedSink extends KnownCopy {
  /** By which it speaks; undefined: it was not there. */
  client: Client | undefined;
  heardMs: number;
  /** When it was further than ever before. */
  furtherMs: number;
  /** When its connection broke; 0: it said that it goes. */
  goneMs: number | undefined;
  progress?: VerifyProgress;
  /** The most that it has found and read: files and bytes. */
  furthest: number;
  report?: VerifyReport;
  /** What it names, as JSON. */
  namedBytes: number;
}

interface KeptOrder {
  readonly id: string;
  readonly session: string;
  readonly trees: VerifiedTrees;
  readonly startedAt: string;
  /** By key. */
  readonly sinks: ReadonlyMap<string, AskedSink>;
}

interface AskedOf {
  readonly session: string;
  readonly trees: VerifiedTrees;
  readonly limit?: string | undefined;
}

/** Orders to sinks to read their copies again [P-1.11], and what they answer. Time only decides when somebody looks. */
export class Verifications {
  readonly #options: VerificationsOptions;
  readonly #orders = new Map<string, KeptOrder>();
  readonly #takenMs = new WeakMap<Client, number>();

  constructor(options: VerificationsOptions) {
    this.#options = options;
  }

  /** Asks all sinks of a session that are here. Undefined when none is here, nor known. */
  ask({ session, trees, limit }: AskedOf): Verification | undefined {
    const { clients, known, nameOf, clock, random } = this.#options;
    const nowMs = clock.nowMs();
    const asked = { heardMs: nowMs, furtherMs: nowMs, furthest: -1, goneMs: undefined, namedBytes: 0 };
    const here = [...clients.values()].filter(({ role, slot }) => role === "sink" && slot === session);
    const sinks = new Map<string, AskedSink>();
    for (const client of here) {
      const { identity: key } = client;
      sinks.set(key, { ...asked, key, name: nameOf(client), client });
    }
    for (const { key, name } of known(session).slice(0, SINKS_PER_SESSION_MAX))
      if (!sinks.has(key)) sinks.set(key, { ...asked, key, name, client: undefined });
    if (sinks.size === 0) return undefined;
    const id = random.id(SESSION_ID_CHARS);
    const order: KeptOrder = { id, session, trees, startedAt: clock.date().toISOString(), sinks };
    this.#orders.set(id, order);
    for (const old of [...this.#orders.keys()].slice(0, -KEPT_MAX)) this.#orders.delete(old);
    for (const { connection } of here)
      connection.send({ type: "verify", id, trees, ...(limit === undefined ? {} : { limit }) });
    return this.#viewOf(order);
  }

  /** Undefined when nothing is known of it any more. */
  find(id: string): Verification | undefined {
    const order = this.#orders.get(id);
    return order && this.#viewOf(order);
  }

  /** A sink says how far it is. From anybody else it is ignored. */
  reading(client: Client, { id, progress }: Said<"verifying">): void {
    const sink = this.#asked(client, id);
    if (sink === undefined) return;
    sink.progress = progress;
    const { filesFound, filesDone, bytesFound, bytesDone } = progress;
    const far = filesFound + filesDone + bytesFound + bytesDone;
    if (far <= sink.furthest) return;
    sink.furthest = far;
    sink.furtherMs = sink.heardMs;
  }

  /** A sink has read its copy again, or does not go on. Its first answer to an order counts. */
  verified(client: Client, { id, report: said }: Said<"verified">): void {
    const { clock, emit, told, nameOf } = this.#options;
    // Whatever a sink says takes no more memory than that.
    const report = fitVerifyReport(said);
    if (client.role !== "sink" || this.#hasAnswered(client, id)) return;
    const sink = id === undefined ? undefined : this.#asked(client, id);
    if (sink !== undefined && id !== undefined) this.#answer(sink, id, report);
    const { identity, slot } = client;
    // After a break of its connection a sink says again what it said last.
    const name = `${report.result} ${report.startedAt}`;
    if (told.isTold(identity, name)) return;
    if (
      sink === undefined &&
      clock.nowMs() - (this.#takenMs.get(client) ?? Number.NEGATIVE_INFINITY) < UNASKED_EVERY_MS
    )
      return;
    this.#takenMs.set(client, clock.nowMs());
    told.sinkTold(identity, { report: name, check: checkOf(slot, report), endedAt: report.endedAt });
    emit({ type: "verified", session: slot, name: nameOf(client), report });
  }

  /** A connection has ended. A later one may have taken its place by now. */
  gone(client: Client, isBroken: boolean): void {
    for (const { sinks } of this.#orders.values()) {
      const sink = sinks.get(client.identity);
      if (sink?.client === client) sink.goneMs = isBroken ? this.#options.clock.nowMs() : 0;
    }
  }

  #hasAnswered({ identity }: Client, id: string | undefined): boolean {
    return id !== undefined && this.#orders.get(id)?.sinks.get(identity)?.report !== undefined;
  }

  /** Names beyond the room go: first those of other sinks in older orders. What is counted stays. */
  #answer(sink: AskedSink, id: string, report: VerifyReport): void {
    const share = Math.floor(NAMED_BYTES_MAX / (this.#orders.get(id)?.sinks.size ?? 1));
    sink.report = fitVerifyReport(report, Math.min(share, VERIFY_PROBLEMS_BYTES_MAX));
    sink.namedBytes = Buffer.byteLength(JSON.stringify(sink.report.problems));
    let bytes = 0;
    for (const { sinks } of [...this.#orders.values()].reverse()) {
      for (const { namedBytes } of sinks.values()) bytes += namedBytes;
      // That order is one too many, and so are all before it.
      if (bytes > NAMED_BYTES_MAX) for (const each of sinks.values()) forgetNames(each);
    }
  }

  /** Whoever speaks for an order is here. Undefined when it was not asked, or has answered. */
  #asked(client: Client, id: string): AskedSink | undefined {
    const sink = this.#orders.get(id)?.sinks.get(client.identity);
    if (client.role !== "sink" || sink?.client === undefined || sink.report !== undefined) return undefined;
    sink.client = client;
    sink.heardMs = this.#options.clock.nowMs();
    sink.goneMs = undefined;
    return sink;
  }

  #viewOf({ id, session, trees, startedAt, sinks }: KeptOrder): Verification {
    const nowMs = this.#options.clock.nowMs();
    const shown = [...sinks.values()].map((sink) => sinkView(sink, nowMs));
    const isOver = shown.every(({ state }) => state !== "asked" && state !== "reading");
    return { id, session, trees, startedAt, isOver, sinks: shown };
  }
}

function forgetNames(sink: AskedSink): void {
  if (sink.report !== undefined) sink.report = { ...sink.report, problems: [] };
  sink.namedBytes = 0;
}

function sinkView(sink: AskedSink, nowMs: number): VerificationSink {
  const { key, name, progress, report } = sink;
  return {
    ...{ name, key, state: stateOf(sink, nowMs) },
    ...(progress === undefined || report !== undefined ? {} : { progress }),
    ...(report === undefined ? {} : { report }),
  };
}

function stateOf(sink: AskedSink, nowMs: number): VerificationSink["state"] {
  const { client, report, goneMs, heardMs, furtherMs, progress } = sink;
  if (report !== undefined) return "done";
  if (client === undefined) return "away";
  if (goneMs !== undefined && (goneMs === 0 || nowMs - goneMs >= BACK_WITHIN_MS)) return "gone";
  if (nowMs - heardMs >= SILENT_MS || nowMs - furtherMs >= STUCK_MS) return "silent";
  return progress === undefined ? "asked" : "reading";
}

/** What is kept of a check; undefined: it did not come to its end. */
function checkOf(session: string, report: VerifyReport): Omit<SinkCheck, "at"> | undefined {
  if (report.result !== "equal" && report.result !== "differs") return undefined;
  const { trees, files, bytes, differing, missing } = report;
  const result = hasDamage(report) ? "differs" : "equal";
  return { session, result, trees, files, bytes, differing, missing };
}
