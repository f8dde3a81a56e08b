import { spawnSync } from "node:child_process";
import { mkdirSync, renameSync, rmdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { SnapshotFacts } from "../../../src/sink/snapshots/snapshot-facts.ts";
import { snapshotTimeMs } from "../../../src/sink/snapshots/snapshot-name.ts";
import { openEngine } from "./open-engine.ts";
import { sourceFrames } from "./source-frames.ts";

/** Facts of a snapshot of this name, as a sink writes them. */
export function handFacts(name: string, changes: Partial<SnapshotFacts> = {}): SnapshotFacts {
  const provenAt = new Date(snapshotTimeMs(name) ?? 0).toISOString();
  return {
    version: 1,
    name,
    session: "default",
    sessionId: "abcdefghij",
    source: { name: "photos-box", key: "5c".repeat(32), folder: "photos" },
    files: 0,
    bytes: 0,
    digest: "0d".repeat(32),
    createdAt: provenAt,
    provenAt,
    proofs: 1,
    problemCount: 0,
    ...changes,
  };
}

export function factsFolder(folder: string, name: string): string {
  return join(folder, ".fanfold/snapshots", name);
}

/** An empty snapshot of a sink's folder, the newest one of it. */
export function addHandSnapshot(folder: string, name: string, changes: Partial<SnapshotFacts> = {}): void {
  mkdirSync(factsFolder(folder, name), { recursive: true });
  writeFileSync(join(factsFolder(folder, name), "snapshot.json"), JSON.stringify(handFacts(name, changes)));
  mkdirSync(join(folder, name));
  rmSync(join(folder, "latest"), { force: true });
  symlinkSync(name, join(folder, "latest"));
}

/** A snapshot of a real tree, as a sink proves and keeps it: copied by the real parts, with its manifest. */
export function addRealSnapshot(folder: string, name: string, source: string): void {
  const copy = join(folder, ".fanfold/next");
  rmSync(copy, { recursive: true, force: true });
  mkdirSync(join(copy, ".fanfold"), { recursive: true });
  copyForSnapshot(folder, { name, source, copy });
  renameSync(join(copy, ".fanfold/manifest"), join(factsFolder(folder, name), "manifest"));
  rmSync(join(copy, ".fanfold"), { recursive: true });
  rmdirSync(join(folder, name));
  renameSync(copy, join(folder, name));
  for (const word of ["chmod", "touch"])
    if (spawnSync(word, [`--reference=${source}`, join(folder, name)]).status !== 0) throw new Error(`no ${word}`);
}

function copyForSnapshot(
  folder: string,
  { name, source, copy }: { readonly name: string; readonly source: string; readonly copy: string },
): void {
  using sink = openEngine(copy, { specials: true });
  for (const payload of sourceFrames(source)) sink.accept(payload);
  const { digest, counts } = sink.engine;
  if (digest === undefined || sink.problems.length > 0) throw new Error(JSON.stringify(sink.problems));
  addHandSnapshot(folder, name, { digest: digest.toString("hex"), files: counts.filesFound, bytes: counts.bytesFound });
}
