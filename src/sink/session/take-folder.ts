import { shownPath } from "../../lib/folder/file-path.ts";
import type { SinkFolder } from "../own/sink-folder.ts";
import type { SinkRuntime } from "./copy-parts.ts";

const LOOK_MS = 200;

/** Has the folder alone for a copy, and says so when that has to wait for a check. The source catches this sink up afterwards. */
export async function takeFolder(
  folder: Pick<SinkFolder, "path" | "claim">,
  { emit, clock, signal }: SinkRuntime,
): Promise<void> {
  if (folder.claim()) return;
  const message = `"${shownPath(folder.path)}" is being verified: the copy begins after that`;
  emit({ type: "warning", code: "folder-busy", message });
  while (!folder.claim()) await clock.sleep(LOOK_MS, signal);
}
