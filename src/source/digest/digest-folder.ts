import { setImmediate } from "node:timers/promises";
import type { EventHub } from "../../lib/async/event-hub.ts";
import { type Clock, systemClock } from "../../lib/clock.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import { type MemberRun, startMember } from "../../member/member-run.ts";
import type { DigestEvent } from "../../protocol/messages/digest-events.ts";
import { openTree, type TreeOptions } from "../publish/published-tree.ts";
import { treeScopeOf } from "../walk/tree-scope.ts";
import { TreeReading } from "./tree-reading.ts";

export interface DigestOptions
  extends Pick<TreeOptions, "folder" | "filters" | "oneFileSystem" | "links" | "owner" | "perms" | "times"> {
  /** Whether to emit one event for each file that was read. @default false */
  readonly fileEvents?: boolean;
  /** Aborted: the work ends at once, with nothing to undo. */
  readonly signal: AbortSignal;
  /** Where time comes from. @default the clock of the system */
  readonly clock?: Clock;
}

/** The digest of a tree, and what it is of. */
type DigestResult = Extract<DigestEvent, { type: "finished" }>;

type DigestRun = MemberRun<DigestEvent, DigestResult>;

/** The event loop turns, and signals are heard, this often. */
const SLICE_MS = 50;
const PROGRESS_MS = 200;

/**
 * Makes the digest of a directory, as a session with the same options would prove it: without a network, and without any
 * trace. It starts at once; disposing ends it.
 */
export function digestFolder(options: DigestOptions): DigestRun {
  return startMember(options.signal, async ({ hub, signal }) => {
    const { clock = systemClock } = options;
    // Every file is read, whatever the walk says of it.
    const tree = { ...openTree({ ...options }), checksum: false };
    return await readTree(tree.root, { scope: treeScopeOf(tree), options, hub, signal, clock });
  });
}

interface DigestWork {
  readonly scope: ReturnType<typeof treeScopeOf>;
  readonly options: DigestOptions;
  readonly hub: EventHub<DigestEvent>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

async function readTree(root: Buffer, { scope, options, hub, signal, clock }: DigestWork): Promise<DigestResult> {
  const startMs = clock.nowMs();
  let problemCount = 0;
  const notCarried: Record<string, number> = {};
  using reading = new TreeReading(root, scope, {
    problem: (problem) => {
      problemCount += 1;
      hub.emit({ type: "problem", problem });
    },
    warning: (code, message) => hub.emit({ type: "warning", code, message }),
    notCarried: (what, count) => {
      notCarried[what] = (notCarried[what] ?? 0) + count;
    },
    file: (path, bytes) => {
      if (options.fileEvents === true) hub.emit({ type: "file", path, bytes });
    },
  });
  hub.emit({ type: "reading", folder: shownPath(root) });
  const steps = reading.run();
  let shownMs = startMs;
  for (let next = steps.next(), sliceMs = startMs; ; next = steps.next()) {
    const nowMs = clock.nowMs();
    const { counts } = reading;
    if (next.done === true) {
      const digest = next.value.toString("hex");
      const elapsedMs = nowMs - startMs;
      const result = { type: "finished" as const, digest, counts, problemCount, notCarried, elapsedMs };
      hub.emit(result);
      return result;
    }
    if (nowMs - sliceMs < SLICE_MS) continue;
    sliceMs = nowMs;
    if (nowMs - shownMs >= PROGRESS_MS) {
      shownMs = nowMs;
      hub.emit(progressOf(reading, nowMs - startMs));
    }
    await setImmediate();
    signal.throwIfAborted();
  }
}

function progressOf({ counts, progress }: TreeReading, elapsedMs: number): DigestEvent {
  const { filesDone, bytesDone, current } = progress;
  return {
    type: "progress",
    progress: {
      filesFound: counts.files,
      bytesFound: counts.bytes,
      filesDone,
      bytesDone,
      discoveryEnded: false,
      bytesUnchanged: 0,
      bytesKept: 0,
      bytesSent: 0,
      bytesSentAgain: 0,
      bytesCaughtUp: 0,
      currentFile: current,
      rateBytesPerSecond: elapsedMs > 0 ? (bytesDone * 1000) / elapsedMs : 0,
      elapsedMs,
    },
  };
}
