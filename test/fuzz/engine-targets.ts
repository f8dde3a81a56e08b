import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CutterKind } from "../../src/delta/cutting.ts";
import { SpillFile } from "../../src/lib/disk/spill-file.ts";
import { FanfoldError } from "../../src/lib/errors.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { DELTA_FILE_BYTES_MIN, LEAF_BYTES } from "../../src/protocol/limits.ts";
import { Root } from "../../src/sink/disk/root.ts";
import { DryEngine } from "../../src/sink/engine/dry-engine.ts";
import { encodeRecord, MAGIC, MANIFEST_VERSION, type RecordKind } from "../../src/sink/manifest/manifest.ts";
import { ManifestReader } from "../../src/sink/manifest/manifest-reader.ts";
import { checkFrame } from "../../src/sink/stream/checked-frame.ts";
import { PageStore } from "../../src/sink/stream/page-store.ts";
import { ScopeStore } from "../../src/sink/stream/scope-store.ts";
import { TreeOrder } from "../../src/sink/stream/tree-order.ts";
import { noise } from "../delta/recipes.ts";
import { AS_LISTED, delivered, file, finalOf, HandSource, rootEntry } from "../helpers/copies/hand-source.ts";
import { openEngine } from "../helpers/copies/open-engine.ts";
import { cuttingOf, type HandRecord, recipeFor, recipeFrames, recordsFrame } from "../helpers/copies/recipe-frames.ts";
import { removeTree } from "../helpers/disks/temp-folder.ts";
import { fullTreeFacts } from "../helpers/trees/full-tree-facts.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { must, refuses } from "./refuses.ts";
import { framed, framesOf } from "./state-targets.ts";
import { sessionPayloads, unfinished, WIRE_TARGETS } from "./wire-targets.ts";

/** What a stream may end a sink with: all else is a finding, such as a disk that "failed" by what a source said. */
const REFUSALS = ["damaged", "digest-mismatch", "disk-full"] as const;
const RECORDS: readonly RecordKind[] = ["header", "page", "declared", "end"];

let lab: string | undefined;

/** A sink's folder with links that lead out of it, and what stands outside; made once for each thread. */
function openLab(): { readonly sink: string; readonly canary: string } {
  lab ??= makeLab();
  const [sink, canary] = [join(lab, "sink"), join(lab, "canary")];
  if (readdirSync(lab).includes("sink")) removeTree(sink);
  else {
    mkdirSync(join(canary, "d"), { recursive: true });
    writeFileSync(join(canary, "a"), "canary");
    writeFileSync(join(canary, "d/a"), "canary");
  }
  mkdirSync(sink);
  symlinkSync(canary, join(sink, "out"));
  symlinkSync(join(canary, "d"), join(sink, "d"));
  writeFileSync(join(sink, "a"), "hello");
  utimesSync(join(sink, "a"), 1_600_000_000, 1_600_000_000.123456);
  return { sink, canary };
}

function makeLab(): string {
  const made = mkdtempSync(join(tmpdir(), "fanfold-fuzz-"));
  process.once("exit", () => rmSync(made, { recursive: true, force: true }));
  return made;
}

function guarded(work: (sink: string) => void): void {
  const { sink, canary } = openLab();
  const before = fullTreeFacts(canary);
  try {
    work(sink);
  } finally {
    must(fullTreeFacts(canary) === before, "nothing outside of the sink's folder changes");
  }
}

function copies(input: Uint8Array): void {
  guarded((sink) => {
    using engine = openEngine(sink, { nowMs: 0 });
    refuses(REFUSALS, () => {
      for (const { payload } of framesOf(input)) engine.accept(payload);
      if (engine.engine.digest !== undefined) engine.delete();
    });
  });
}

function looks(input: Uint8Array): void {
  guarded((sink) => {
    const before = fullTreeFacts(sink);
    {
      using root = Root.open(Buffer.from(sink));
      using pageStore = new PageStore(SpillFile.open());
      using order = new TreeOrder({ pageStore, random: systemRandom });
      using scope = new ScopeStore();
      const engine = new DryEngine(
        {
          root,
          pageStore,
          order,
          scope,
          policy: { forbidden: false },
          isDoubted: () => false,
          onBusy: () => undefined,
        },
        { want: () => undefined, outlook: () => undefined, problem: () => undefined },
      );
      refuses(REFUSALS, () => {
        for (const { payload } of framesOf(input)) {
          const checked = checkFrame(payload);
          if ("type" in checked) throw new FanfoldError("damaged", "altered");
          engine.accept(checked);
        }
      });
    }
    must(fullTreeFacts(sink) === before, "a dry run changes nothing");
  });
}

/** A manifest of records with right checksums: a kind and a length, then that many bytes. */
function readsManifest(input: Uint8Array): void {
  guarded((sink) => {
    const records: Buffer[] = [MAGIC, Buffer.from([MANIFEST_VERSION])];
    for (let at = 0; at + 3 <= input.length; ) {
      const [kind = 0, high = 0, low = 0] = input.subarray(at, at + 3);
      const end = at + 3 + high * 256 + low;
      records.push(encodeRecord(RECORDS[kind % RECORDS.length] ?? "page", input.subarray(at + 3, end)));
      at = end;
    }
    mkdirSync(join(sink, ".fanfold"));
    writeFileSync(join(sink, ".fanfold/manifest"), Buffer.concat(records));
    using root = Root.open(Buffer.from(sink));
    refuses(["manifest-damaged"], () => {
      using reader = ManifestReader.open(root);
      for (const _page of reader?.pages() ?? []) must(reader !== undefined, "pages come from a reader");
    });
  });
}

function manifestSeeds(): Buffer[] {
  const records = WIRE_TARGETS.find(({ name }) => name === "manifest-record")?.seeds() ?? [];
  const end = Buffer.alloc(44);
  end.writeUIntLE(1, 0, 6);
  end.writeUIntLE(5, 6, 6);
  const all = [...records.map((record) => Buffer.from(record)), end];
  return [
    Buffer.concat(all.flatMap((body, kind) => [Buffer.from([kind, body.length >> 8, body.length & 0xff]), body])),
  ];
}

/** An older version of a file, which is called large enough for a recipe. */
const OLDER = noise(1, 2 * LEAF_BYTES);

/** What recipes and kept ranges do where an older version stands. */
function fills(input: Uint8Array): void {
  guarded((sink) => {
    writeFileSync(join(sink, "l"), OLDER);
    using engine = openEngine(sink, { nowMs: 0 });
    refuses(REFUSALS, () => {
      for (const { payload } of framesOf(input)) engine.accept(payload);
    });
  });
}

/** A file of which all is kept, by both cutters, and one that ends otherwise. */
function recipeSeeds(): Buffer[] {
  const longer = Buffer.concat([OLDER.subarray(0, LEAF_BYTES), Buffer.from("other")]);
  return [
    recipeSession(OLDER, "fixed", OLDER.length),
    recipeSession(OLDER, "content", OLDER.length),
    recipeSession(longer, "fixed", LEAF_BYTES),
  ];
}

function recipeSession(bytes: Buffer, cutter: CutterKind, keptBytes: number): Buffer {
  const source = new HandSource();
  const { payload, page } = source.page([rootEntry, file("l", DELTA_FILE_BYTES_MIN)]);
  const kept: HandRecord = { kind: "kept", offset: 0, length: keptBytes };
  const rest = bytes.subarray(keptBytes);
  const chunks: HandRecord[] = rest.length === 0 ? [] : [{ kind: "chunk", offset: keptBytes, bytes: rest }];
  const content = recordsFrame(1, [kept, ...chunks], finalOf(bytes));
  const recipe = recipeFrames(1, recipeFor(bytes, cuttingOf(cutter)));
  const trailer = source.trailer(page, [AS_LISTED, delivered(bytes)]);
  return framed([payload, ...recipe, content, trailer, source.end()].map(unfinished));
}

const stream = (): Buffer[] => [
  framed(sessionPayloads().map(unfinished)),
  framed(sessionPayloads().slice(0, 1).map(unfinished)),
];
const WORDS = ["d", "a", "out", "d/a", "out/a", ".fanfold", "partial", "..", "/"];

export const ENGINE_TARGETS: readonly FuzzTarget[] = [
  { name: "copy-engine", seeds: stream, words: WORDS, run: copies },
  { name: "recipes", seeds: recipeSeeds, words: ["l", ...WORDS], run: fills },
  { name: "dry-engine", seeds: stream, words: WORDS, run: looks },
  { name: "manifest", seeds: manifestSeeds, words: WORDS, run: readsManifest },
];
