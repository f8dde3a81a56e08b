import { throwIfAborted } from "../../lib/async/abort.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { SelfCheck } from "../verify/self-check.ts";
import type { SinkRuntime } from "./copy-parts.ts";
import { takeFolder } from "./take-folder.ts";

/** Who may use a sink's folder: its copies, or all that only read it. */
export class FolderTurns {
  readonly #folder: Pick<SinkFolder, "path" | "claim" | "lend">;
  readonly #check: Pick<SelfCheck, "begin" | "yield">;

  constructor(folder: Pick<SinkFolder, "path" | "claim" | "lend">, check: Pick<SelfCheck, "begin" | "yield">) {
    this.#folder = folder;
    this.#check = check;
  }

  /** Has the folder alone. The sink's own check stops for it; that of another process is waited for. */
  async take(runtime: SinkRuntime): Promise<void> {
    await this.#check.yield();
    // Its session may have ended meanwhile.
    throwIfAborted(runtime.signal);
    await takeFolder(this.#folder, runtime);
  }

  /** Nothing is copied now. Idempotent. */
  lend(): void {
    this.#folder.lend();
    this.#check.begin();
  }
}
