import { entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import type { EngineParts } from "./engine-parts.ts";

/** A file system without holes has filled them: that is told. */
export function checkHoles({ root, fidelity }: Pick<EngineParts, "root" | "fidelity">, entry: FileEntry): void {
  const own = root.look(entry.directory, entry.name);
  if (own !== undefined && own.roomBytes >= own.size) fidelity.add("sparse", entryDisplay(entry));
}
