import { FanfoldError } from "../../lib/errors.ts";
import { shownPath } from "../../lib/folder/file-path.ts";
import { runProgram } from "../../lib/programs/run-program.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { CommandFacts, SinkRuntime } from "./copy-parts.ts";

/** A snapshot of a large pool may take a while; the source waits for it. */
const RUN_WITHIN_MS = 60_000;

interface SnapshotCommandOptions {
  readonly program: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly folder: Pick<SinkFolder, "path" | "commandFailed" | "noteCommand">;
  readonly runtime: Pick<SinkRuntime, "clock" | "emit">;
}

/** The program that makes a snapshot of the whole folder when a copy is proven, as btrfs and ZFS can (`--snapshot-command`). */
export class SnapshotCommand {
  readonly #options: SnapshotCommandOptions;

  constructor(options: SnapshotCommandOptions) {
    this.#options = options;
  }

  /** Runs it unless nothing has changed since it ended well. That it fails is a warning, and it is run behind the next copy. */
  async run(facts: CommandFacts, signal: AbortSignal): Promise<void> {
    const { folder, program, environment, runtime } = this.#options;
    const { clock } = runtime;
    if (facts.entriesChanged === 0 && !folder.commandFailed) return;
    const [time, shown] = [clock.date().toISOString(), shownPath(folder.path)];
    const what = { program, purpose: "cannot make a snapshot", runWithinMs: RUN_WITHIN_MS };
    const input = JSON.stringify({ time, folder: shown, ...facts });
    try {
      const variables = variablesOf(facts, { time, folder: shown });
      await runProgram({ ...what, input, variables, environment, clock }, signal);
      folder.noteCommand("done");
    } catch (thrown) {
      signal.throwIfAborted();
      folder.noteCommand("failed");
      const { message } = FanfoldError.from(thrown);
      const output = thrown instanceof Error && "output" in thrown && thrown.output !== "" ? thrown.output : undefined;
      const said = output === undefined ? "" : `; it said: ${output}`;
      runtime.emit({ type: "warning", code: "snapshot-command-failed", message: `${message}${said}` });
    }
  }
}

function variablesOf(facts: CommandFacts, { time, folder }: { time: string; folder: string }): Record<string, string> {
  const { session, sessionId, source, digest } = facts;
  return {
    FANFOLD_SNAPSHOT_TIME: time,
    FANFOLD_SNAPSHOT_FOLDER: folder,
    FANFOLD_SNAPSHOT_SESSION: session,
    FANFOLD_SNAPSHOT_SESSION_ID: sessionId,
    FANFOLD_SNAPSHOT_SOURCE: source.name,
    FANFOLD_SNAPSHOT_SOURCE_KEY: source.key,
    FANFOLD_SNAPSHOT_DIGEST: digest,
    FANFOLD_SNAPSHOT_FILES: String(facts.files),
    FANFOLD_SNAPSHOT_BYTES: String(facts.bytes),
    FANFOLD_SNAPSHOT_PROBLEMS: String(facts.problemCount),
    FANFOLD_SNAPSHOT_CHANGED: String(facts.entriesChanged),
  };
}
