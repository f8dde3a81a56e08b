import type { CopyProgress, SessionSummary, SinkOutcome } from "../../../src/protocol/messages/progress.ts";
import type { SinkLine } from "../../../src/protocol/messages/sink-line.ts";

const GIB = 2 ** 30;

/** Values as the roles give them; a test says what is special about its own. */
export function sampleProgress(own: Partial<CopyProgress> = {}): CopyProgress {
  return {
    filesFound: 20_000,
    filesDone: 5000,
    bytesFound: 4 * GIB,
    bytesDone: GIB,
    discoveryEnded: true,
    bytesUnchanged: 0,
    bytesKept: 0,
    bytesSent: GIB,
    bytesSentAgain: 0,
    bytesCaughtUp: 0,
    currentFile: "node_modules/@types/node/fs/promises.d.ts",
    rateBytesPerSecond: 100 * 2 ** 20,
    elapsedMs: 10_000,
    ...own,
  };
}

export function sampleSink(name: string, own: Partial<SinkLine> = {}): SinkLine {
  return {
    name,
    state: "receiving",
    progress: { filesDone: 4000, bytesDone: GIB / 2, currentFile: "node_modules/typescript/lib/日本語/lib.dom.d.ts" },
    ...own,
  };
}

export function sampleOutcome(name: string, own: Partial<SinkOutcome> = {}): SinkOutcome {
  return {
    sinkId: "abc123",
    name,
    outcome: "proven",
    filesDone: 20_000,
    bytesDone: 4 * GIB,
    digest: "5f".repeat(32),
    problemCount: 0,
    problems: [],
    filesUnchanged: 0,
    bytesUnchanged: 0,
    bytesKept: 0,
    entriesChanged: 0,
    caughtUp: false,
    ...own,
  };
}

export function sampleSummary(own: Partial<SessionSummary> = {}): SessionSummary {
  return {
    result: "complete",
    files: 20_000,
    directories: 1200,
    symlinks: 1,
    hardlinks: 0,
    specials: 0,
    notCarried: {},
    notCarriedExamples: {},
    bytes: 4 * GIB,
    bytesSent: 4 * GIB,
    bytesSentAgain: 0,
    bytesCaughtUp: 0,
    bytesSaved: 0,
    bytesKept: 0,
    bytesNotNeeded: 0,
    filesGrew: 0,
    elapsedMs: 40_000,
    digest: "5f".repeat(32),
    problemCount: 0,
    problems: [],
    sinks: [sampleOutcome("alpha"), sampleOutcome("beta")],
    ...own,
  };
}
