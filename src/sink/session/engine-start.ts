import type { StreamScope } from "../../protocol/frame/frame.ts";
import type { EngineStart } from "../engine/engine-messages.ts";
import type { StreamSecret } from "../stream/stream-secret.ts";
import type { CopyTask, SinkRuntime } from "./copy-parts.ts";

interface StreamTask {
  readonly scope: StreamScope;
  readonly seal?: StreamSecret | undefined;
  readonly task: CopyTask;
  readonly runtime: Pick<SinkRuntime, "clock">;
}

/** What the thread of the disk is told of the copy of one stream. */
export function engineStartOf({ scope, seal, task, runtime }: StreamTask): EngineStart {
  const { folder, snapshots, session, source, fill, deletion, dryRun, fileEvents } = task;
  return {
    scope,
    seal,
    folder: folder.path,
    snapshots: snapshots !== undefined,
    doubts: folder.doubts,
    session,
    source,
    startedMs: runtime.clock.date().getTime(),
    fill,
    deletion,
    dryRun,
    fileNotices: fileEvents,
  };
}
