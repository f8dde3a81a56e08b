import type { CpuPlace, Figure } from "./figures.ts";
import { ONLY_WORKLOAD, type Place } from "./findings.ts";

/** One row of the table of goals. */
export interface Goal {
  readonly what: string;
  readonly figure: Figure;
  /** At most that, and of a speed at least that. None: the figure is only shown. */
  readonly goal?: number;
  /** Behind the point. @default 2 */
  readonly digits?: number;
}

const EMBEDDED = "fanfold embedded";
const GUARDED = "fanfold embedded, guarded";
const RSYNC = { contender: "rsync daemon" };
const ONE_STREAM = { contender: "one TCP stream to one" };

const TO_THREE = { part: "copies", sinks: 3, contender: EMBEDDED };
const BIG_TO_EIGHT: CpuPlace = { part: "sinks", workload: "big", sinks: 8, contender: EMBEDDED };
const SINK: Partial<CpuPlace> = { role: "sink" };
const CLIENT: Partial<CpuPlace> = { role: "client", ...RSYNC };
const SOURCE: Partial<CpuPlace> = { role: "source" };
const DAEMON: Partial<CpuPlace> = { role: "daemon", ...RSYNC };
const MILLIONS: Place = { part: "millions", workload: ONLY_WORKLOAD, sinks: 1, contender: EMBEDDED };

function copied(workload: string, to: Partial<Place> = RSYNC): Figure {
  return { kind: "wall", at: { ...TO_THREE, workload }, to };
}

function oneProcess(workload: string, of: Partial<CpuPlace>, to: Partial<CpuPlace>): Figure {
  return { kind: "cpu", at: { ...TO_THREE, workload, ...of }, to };
}

function linked(part: string, workload: string, to: Partial<Place>): Figure {
  return { kind: "wall", at: { part, workload, sinks: part === "slow-uplink" ? 8 : 3, contender: GUARDED }, to };
}

function overBroker(kind: string): Figure {
  const at = { part: "brokers", workload: "big", sinks: 3, contender: `fanfold ${kind}` };
  return { kind: "speed", at, to: { contender: `bare loop ${kind}` } };
}

/** What fanfold is to reach, and what it is measured by. This is the only place that has the goals. */
export const GOALS: readonly Goal[] = [
  { what: "one file of 1 GiB, wall time to rsync", figure: copied("big"), goal: 1.0 },
  { what: "the same, 8 sinks", figure: { kind: "wall", at: BIG_TO_EIGHT, to: RSYNC }, goal: 0.8 },
  { what: "25,000 files, 400 MiB", figure: copied("mixed"), goal: 0.85 },
  { what: "50,000 files of 0 to 4 KiB", figure: copied("tiny"), goal: 0.8 },
  { what: "25,000 files that are equal already", figure: copied("nochange"), goal: 1.3 },
  { what: "500 MiB of source code", figure: copied("text"), goal: 0.85 },
  { what: "1 GiB over 1 Gbit/s, wall time to rsync", figure: linked("uplink", "big", RSYNC), goal: 0.35 },
  { what: "25,000 files over 1 Gbit/s", figure: linked("uplink", "mixed", RSYNC), goal: 0.45 },
  { what: "50,000 small files over 1 Gbit/s", figure: linked("uplink", "tiny", RSYNC), goal: 0.6 },
  {
    what: "1 GiB over 1 Gbit/s, to one plain TCP stream",
    figure: linked("uplink", "big", ONE_STREAM),
    goal: 1.02,
    digits: 3,
  },
  { what: "1 GiB over an unlimited link, wall time to rsync", figure: linked("fast-uplink", "big", RSYNC) },
  { what: "25,000 files over an unlimited link", figure: linked("fast-uplink", "mixed", RSYNC) },
  { what: "50,000 small files over an unlimited link", figure: linked("fast-uplink", "tiny", RSYNC) },
  {
    what: "1 GiB over an unlimited link, to one plain TCP stream",
    figure: linked("fast-uplink", "big", ONE_STREAM),
    digits: 3,
  },
  {
    what: "1 GiB to 8 sinks over 200 Mbit/s, to one plain TCP stream",
    figure: linked("slow-uplink", "big", ONE_STREAM),
    goal: 1.05,
    digits: 3,
  },
  {
    what: "first byte of 1,000,000 files stored",
    figure: { kind: "first byte", at: { part: "first-byte", workload: ONLY_WORKLOAD, sinks: 3, contender: EMBEDDED } },
    goal: 0.5,
  },
  { what: "speed over NATS, of the bare client library", figure: overBroker("nats"), goal: 95, digits: 0 },
  { what: "speed over RabbitMQ, of the bare client library", figure: overBroker("amqp"), goal: 95, digits: 0 },
  {
    what: "source's CPU time, 8 sinks to 1",
    figure: { kind: "cpu", at: { ...BIG_TO_EIGHT, ...SOURCE }, to: { sinks: 1 } },
    goal: 1.15,
  },
  { what: "CPU time of 1 GiB, to rsync", figure: oneProcess("big", {}, RSYNC), goal: 1.2 },
  { what: "one sink's CPU time of 1 GiB, to one rsync client", figure: oneProcess("big", SINK, CLIENT) },
  { what: "the same, 25,000 files", figure: oneProcess("mixed", SINK, CLIENT) },
  { what: "the same, 50,000 small files", figure: oneProcess("tiny", SINK, CLIENT) },
  { what: "source's CPU time of 1 GiB to 3 sinks, to the rsync daemon", figure: oneProcess("big", SOURCE, DAEMON) },
  { what: "the same, 25,000 files", figure: oneProcess("mixed", SOURCE, DAEMON) },
  { what: "the same, 50,000 small files", figure: oneProcess("tiny", SOURCE, DAEMON) },
  {
    what: "CPU time of a source with 2,000,000 files",
    figure: { kind: "cpu seconds", at: { ...MILLIONS, ...SOURCE } },
    goal: 30,
  },
  {
    what: "CPU time of a sink with 2,000,000 files",
    figure: { kind: "cpu seconds", at: { ...MILLIONS, ...SINK } },
    goal: 40,
  },
  {
    what: "peak memory of any process, embedded",
    figure: { kind: "peak", of: [EMBEDDED, GUARDED] },
    goal: 160,
    digits: 0,
  },
  {
    what: "peak memory of any process, over a broker",
    figure: { kind: "peak", of: ["fanfold nats", "fanfold amqp"] },
    goal: 160,
    digits: 0,
  },
];
