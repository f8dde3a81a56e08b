import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { decodeFrame } from "../../../src/protocol/frame/frame.ts";
import type { Entry, Page } from "../../../src/protocol/frame/page.ts";
import { decodePage } from "../../../src/protocol/frame/page-rows.ts";
import type { EntryState } from "../../../src/protocol/frame/trailer.ts";
import { Root } from "../../../src/sink/disk/root.ts";
import { encodeManifestStates, LACKS, type Lack, type ManifestState } from "../../../src/sink/manifest/manifest.ts";
import { ManifestReader } from "../../../src/sink/manifest/manifest-reader.ts";
import { openManifestWriter } from "../../../src/sink/manifest/manifest-writer.ts";
import { taken } from "../copies/hand-manifest.ts";
import { type OpenEngineOptions, openEngine } from "../copies/open-engine.ts";
import { rowsOf } from "../copies/rows-of.ts";
import { sourceFrames } from "../copies/source-frames.ts";
import { decodeTrailer } from "../copies/trailers.ts";

export const COPIED_AT = "2026-11-22T16:00:00.000Z";

export interface CopiedFolderOptions {
  /** What the manifest says of an entry, where it is not what came of it. */
  readonly stateOf?: (entry: Entry, state: EntryState) => ManifestState;
  /** Entries declared as not carried at the end. */
  readonly notCarried?: (entry: Entry) => boolean;
  /** How the sink works. */
  readonly engine?: OpenEngineOptions;
  /** Leaves the manifest as a session that was killed leaves it. */
  readonly unfinished?: boolean;
}

/** Copies a tree by the real parts of source and sink, and writes a manifest of that copy over the one it wrote itself. */
export function copyWithManifest(source: string, sink: string, options: CopiedFolderOptions = {}): void {
  const { stateOf = (_, state) => state, notCarried = () => false, unfinished = false, engine: how } = options;
  const manifest = join(sink, ".fanfold/manifest");
  const isFirst = !existsSync(manifest);
  const lacks: (readonly [entry: number, bits: number])[] = [];
  const pages: Page[] = [];
  const states: (readonly EntryState[])[] = [];
  {
    using engine = openEngine(sink, how);
    for (const payload of sourceFrames(source)) {
      const { type, table } = decodeFrame(Buffer.from(payload));
      if (type === "page") pages.push(decodePage(Buffer.from(table)));
      if (type === "trailer") states.push(decodeTrailer(Buffer.from(table)).states);
      engine.accept(payload);
    }
  }
  using root = Root.open(Buffer.from(sink));
  {
    using own = ManifestReader.open(root);
    for (const _ of own?.pages({ lacks: (entry, bits) => lacks.push([entry, bits]) }) ?? []);
  }
  // From the copy's own one the hashes would be taken over.
  if (isFirst) rmSync(manifest);
  const meta = { session: "photos", sessionId: "abcdefghijkl", source: "s", timeMs: Date.parse(COPIED_AT) };
  const writer = openManifestWriter(root, { ...meta, numericIds: false, asRoot: root.metadata.isRoot });
  for (const [entry, bits] of lacks)
    for (const [what, bit] of Object.entries(LACKS)) if ((bits & bit) !== 0) writer.lacks(entry, what as Lack);
  for (const page of pages) {
    const own = page.entries.map((entry, index) =>
      stateOf(entry, states[page.page]?.[index] ?? { state: "as-listed" }),
    );
    writer.page(rowsOf(page), encodeManifestStates(taken(writer, { page, states: own })));
  }
  const declared = pages.flatMap((page) => page.entries.filter(notCarried).map(({ entry }) => entry));
  if (!unfinished) writer.commit(Buffer.alloc(32, 1), declared);
}
