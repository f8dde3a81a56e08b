import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { VerifyEvent } from "../../../src/protocol/messages/verify-events.ts";
import { type VerifyResult, verifyFolder } from "../../../src/sink/verify/verify.ts";
import { tempFolder } from "../disks/temp-folder.ts";
import { type CopiedFolderOptions, copyWithManifest } from "../trees/copied-folder.ts";
import { content } from "../trees/tree.ts";

export interface Verified {
  readonly result: VerifyResult;
  /** `kinds path`, sorted. */
  readonly found: readonly string[];
  readonly events: readonly VerifyEvent[];
}

/** Verifies a folder, and gathers all that is told of it. */
export async function verify(folder: string, strict = false): Promise<Verified> {
  const run = verifyFolder({ folder, strict, fileEvents: true, signal: new AbortController().signal });
  const events: VerifyEvent[] = [];
  const reading = (async () => {
    for await (const event of run.events()) events.push(event);
  })();
  const result = await run.result;
  await reading;
  const found = events.flatMap((event) => {
    if (event.type === "difference") return [`${event.difference.kinds.join(",")} ${event.difference.path}`];
    return event.type === "extra" ? [`extra ${event.path}`] : [];
  });
  return { result, found: found.sort(), events };
}

/** A small tree with one entry of each kind, its copy, and the copy's manifest. */
export function copiedTree(options: CopiedFolderOptions = {}): string {
  const base = tempFolder();
  const [source, sink] = [join(base, "source"), join(base, "sink")];
  mkdirSync(join(source, "dir/inner"), { recursive: true });
  for (const name of ["a", "b", "c", "d"]) writeFileSync(join(source, "dir", name), content(5000, name.charCodeAt(0)));
  writeFileSync(join(source, "large"), content(2_500_000, 7));
  writeFileSync(join(source, "even"), content(1024 * 1024, 8));
  writeFileSync(join(source, "empty"), "");
  symlinkSync("dir/a", join(source, "link"));
  mkdirSync(sink);
  // Whole seconds: Node can restore them exactly.
  for (const name of ["dir/a", "dir/b", "dir/c", "dir/d", "large", "even", "empty"])
    utimesSync(join(source, name), 1_700_000_000, 1_700_000_000);
  copyWithManifest(source, sink, options);
  return sink;
}

/** Changes one byte in place; size and time stay. */
export function flipByte(path: string | Buffer, offset: number): void {
  const { atimeMs, mtimeMs } = statSync(path);
  const fd = openSync(path, "r+");
  const [byte = 0] = readFileSync(path).subarray(offset);
  writeSync(fd, Buffer.of(byte ^ 1), 0, 1, offset);
  closeSync(fd);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}
