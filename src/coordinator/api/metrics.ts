import { statfs } from "node:fs/promises";
import { Counter, Gauge, Registry } from "@prometheus-io/client";
import { type FilePath, pathBytes } from "../../lib/folder/file-path.ts";
import type { FleetSink, WantedSession } from "../../protocol/api/answer-schemas.ts";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";
import { sessionSummaryShape } from "../../protocol/messages/progress.ts";
import type { SessionView } from "../../protocol/messages/session-view.ts";
import type { HistoryFacts } from "./metric-facts.ts";

/** Sinks of which a scrape tells: those that proved something last. */
const SINKS_MAX = 1000;
/** Of a sink's key: enough to tell sinks of one name apart. */
const KEY_CHARS = 12;

/** Each is there from the start, so that its first increase is seen. */
const RESULTS = [...sessionSummaryShape.fields.result.words, "cancelled", "interrupted"] as const;

interface MetricsSources {
  readonly stateDir: FilePath;
  readonly startedAt: Date;
  readonly sessions: () => readonly SessionView[];
  readonly sinks: () => readonly FleetSink[];
  readonly history: () => HistoryFacts;
  readonly wanted: () => readonly WantedSession[];
  readonly eventReaders: () => number;
  /** Why nobody can join now. */
  readonly trouble: () => string | undefined;
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [value: number | null | undefined, labels?: Labels];
interface Family {
  readonly name: string;
  readonly help: string;
  readonly kind?: "counter";
  readonly samples: readonly Sample[];
}

/** All that is known now in the text format of Prometheus (docs/metrics.md). */
export async function metricsText(sources: MetricsSources): Promise<string> {
  const registry = new Registry();
  const views = sources.sessions();
  const families = [
    ...coordinatorFamilies(sources),
    ...(await stateFamilies(sources.stateDir)),
    ...liveFamilies(views),
    ...historyFamilies(sources.history()),
    ...fleetFamilies(sources.sinks()),
    wantedFamily(sources.wanted()),
  ];
  for (const family of families) add(registry, family);
  return await registry.metrics();
}

function add(registry: Registry, { name, help, kind, samples }: Family): void {
  const there = samples.filter((sample): sample is [number, Labels?] => typeof sample[0] === "number");
  const labelNames = Object.keys(there[0]?.[1] ?? {});
  const options = { name, help, labelNames, registers: [registry] };
  if (kind === "counter") {
    const counter = new Counter(options);
    for (const [value, labels = {}] of there) counter.inc(labels, value);
  } else {
    const gauge = new Gauge(options);
    // One without labels starts at 0, which would be a statement.
    if (there.length === 0) registry.removeSingleMetric(name);
    for (const [value, labels = {}] of there) gauge.set(labels, value);
  }
}

function coordinatorFamilies({ startedAt, eventReaders, trouble }: MetricsSources): readonly Family[] {
  const { user, system } = process.cpuUsage();
  return [
    {
      name: "fanfold_coordinator_info",
      help: "Always 1; says which protocol the coordinator speaks.",
      samples: [[1, { protocol: String(PROTOCOL_VERSION) }]],
    },
    {
      name: "fanfold_coordinator_ready",
      help: "1 while members can join, 0 while the broker cannot be used.",
      samples: [[trouble() === undefined ? 1 : 0]],
    },
    { name: "fanfold_event_readers", help: "Readers of the stream of events.", samples: [[eventReaders()]] },
    {
      name: "process_cpu_seconds_total",
      help: "CPU time that the process has used.",
      kind: "counter",
      samples: [[(user + system) / 1e6]],
    },
    {
      name: "process_resident_memory_bytes",
      help: "Memory that the process has resident.",
      samples: [[process.memoryUsage.rss()]],
    },
    {
      name: "process_start_time_seconds",
      help: "When the process started, in seconds since 1970.",
      samples: [[startedAt.getTime() / 1000]],
    },
  ];
}

/** Nothing when the system does not say it. */
async function stateFamilies(stateDir: FilePath): Promise<readonly Family[]> {
  try {
    const { bavail, blocks, bsize } = await statfs(pathBytes(stateDir));
    return [
      {
        name: "fanfold_state_filesystem_avail_bytes",
        help: "Free space of the file system that has the coordinator's state.",
        samples: [[bavail * bsize]],
      },
      {
        name: "fanfold_state_filesystem_size_bytes",
        help: "Size of the file system that has the coordinator's state.",
        samples: [[blocks * bsize]],
      },
    ];
  } catch {
    return [];
  }
}

function liveFamilies(views: readonly SessionView[]): readonly Family[] {
  const of = (value: (view: SessionView) => number | undefined): readonly Sample[] =>
    views.map((view) => [value(view), { session: view.session }]);
  const sinkStates = views.flatMap(({ sinks }) => sinks.map(({ state }) => state));
  return [
    {
      name: "fanfold_sessions",
      help: "Sessions that are not over, by state.",
      samples: (["waiting", "running", "paused"] as const).map((state) => [
        views.filter((view) => view.state === state).length,
        { state },
      ]),
    },
    {
      name: "fanfold_session_sinks",
      help: "Sinks in sessions that are not over, by state.",
      samples: [...new Set(sinkStates)].map((state) => [sinkStates.filter((each) => each === state).length, { state }]),
    },
    {
      name: "fanfold_session_missing_sinks",
      help: "Sinks that a session expects by name and that are not there.",
      samples: of(({ missing, state }) => (state === "waiting" ? (missing?.length ?? 0) : undefined)),
    },
    {
      name: "fanfold_session_found_bytes",
      help: "Bytes of content that the copy has found so far.",
      samples: of(({ progress }) => progress?.bytesFound),
    },
    {
      name: "fanfold_session_done_bytes",
      help: "Bytes of content that the copy is done with.",
      samples: of(({ progress }) => progress?.bytesDone),
    },
    {
      name: "fanfold_session_found_files",
      help: "Files that the copy has found so far.",
      samples: of(({ progress }) => progress?.filesFound),
    },
    {
      name: "fanfold_session_done_files",
      help: "Files that the copy is done with.",
      samples: of(({ progress }) => progress?.filesDone),
    },
    {
      name: "fanfold_session_rate_bytes_per_second",
      help: "Rate at which the copy sends.",
      samples: of(({ progress }) => progress?.rateBytesPerSecond),
    },
  ];
}

function historyFamilies({ named, endedByResult, bytesSent }: HistoryFacts): readonly Family[] {
  const of = (value: (session: HistoryFacts["named"][number]) => number | null): readonly Sample[] =>
    named.map((each) => [value(each), { session: each.session }]);
  return [
    {
      name: "fanfold_sessions_ended_total",
      help: "Sessions that ended since the coordinator started, by result.",
      kind: "counter",
      samples: RESULTS.map((result) => [endedByResult.get(result) ?? 0, { result }]),
    },
    {
      name: "fanfold_sent_bytes_total",
      help: "Bytes of content that sources published in sessions that ended since the coordinator started.",
      kind: "counter",
      samples: [[bytesSent]],
    },
    {
      name: "fanfold_session_last_end_timestamp_seconds",
      help: "When the latest session of this name ended.",
      samples: of(({ lastEndSeconds }) => lastEndSeconds),
    },
    {
      name: "fanfold_session_last_proven_timestamp_seconds",
      help: "When the latest session of this name ended in which every sink proved everything.",
      samples: of(({ lastProvenSeconds }) => lastProvenSeconds),
    },
    {
      name: "fanfold_session_last_result",
      help: "Always 1; says how the latest session of this name ended.",
      samples: named.map(({ session, lastResult }) => [1, { session, result: lastResult }]),
    },
    {
      name: "fanfold_session_last_duration_seconds",
      help: "How long the latest session of this name took.",
      samples: of(({ lastDurationSeconds }) => lastDurationSeconds),
    },
    {
      name: "fanfold_session_last_size_bytes",
      help: "Bytes of content in the latest session of this name.",
      samples: of(({ lastBytes }) => lastBytes),
    },
    {
      name: "fanfold_session_last_problems",
      help: "Entries that the latest session of this name did not copy, or not exactly.",
      samples: of(({ lastProblems }) => lastProblems),
    },
  ];
}

function wantedFamily(wanted: readonly WantedSession[]): Family {
  return {
    name: "fanfold_session_missed",
    help: "1 while a session that is watched (--want) has no whole copy in time, else 0.",
    samples: wanted.map(({ session, missed }) => [missed === undefined ? 0 : 1, { session }]),
  };
}

function fleetFamilies(sinks: readonly FleetSink[]): readonly Family[] {
  const latest = sinks
    .map((sink) => ({ ...sink, provenMs: Date.parse(sink.lastProof?.at ?? "") || 0 }))
    .sort((one, other) => other.provenMs - one.provenMs)
    .slice(0, SINKS_MAX);
  const labels = ({ key, name }: FleetSink) => ({ sink: name, key: key.slice(0, KEY_CHARS) });
  const of = (value: (sink: (typeof latest)[number]) => number | undefined): readonly Sample[] =>
    latest.map((sink) => [value(sink), labels(sink)]);
  return [
    { name: "fanfold_known_sinks", help: "Sinks that the coordinator knows.", samples: [[sinks.length]] },
    {
      name: "fanfold_sink_last_proof_timestamp_seconds",
      help: "When the sink last proved a copy that lacks nothing; 0: never.",
      samples: of(({ provenMs }) => provenMs / 1000),
    },
    {
      name: "fanfold_sink_last_check_timestamp_seconds",
      help: "When the sink last read its copy again to its end.",
      samples: of(({ lastCheck }) => (lastCheck === undefined ? undefined : Date.parse(lastCheck.at) / 1000)),
    },
    {
      name: "fanfold_sink_damaged_entries",
      help: "Entries that were not as they were copied, or missing, when the sink last read its copy again.",
      samples: of(({ lastCheck }) => lastCheck && lastCheck.differing + lastCheck.missing),
    },
    {
      name: "fanfold_sink_connected",
      help: "1 while the sink is connected, 0 while it is not.",
      samples: of(({ connected }) => (connected ? 1 : 0)),
    },
    {
      name: "fanfold_sink_info",
      help: "Always 1; says what program the sink ran last.",
      samples: latest.flatMap((sink): Sample[] =>
        sink.software === undefined ? [] : [[1, { ...labels(sink), software: sink.software }]],
      ),
    },
    {
      name: "fanfold_sink_filesystem_avail_bytes",
      help: "Free space of the file system that has the sink's folder, as it said last.",
      samples: of(({ freeBytes }) => freeBytes),
    },
    {
      name: "fanfold_sink_filesystem_size_bytes",
      help: "Size of the file system that has the sink's folder.",
      samples: of(({ sizeBytes }) => sizeBytes),
    },
    {
      name: "fanfold_sink_said_timestamp_seconds",
      help: "When the sink said last how much space it has.",
      samples: of(({ said }) => (said === undefined ? undefined : Date.parse(said) / 1000)),
    },
  ];
}
