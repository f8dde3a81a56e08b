/**
 * `npm run bench:delta-cores`: what do the parts of a recipe cost by themselves? Cutting, hashing, slices, answers, the index.
 */
import { randomFillSync } from "node:crypto";
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type BuiltRecipe, buildRecipe } from "../src/delta/build-recipe.ts";
import { makeCutter } from "../src/delta/cutter.ts";
import { type CutterKind, cuttingFor, piecesMax } from "../src/delta/cutting.ts";
import { PieceBits } from "../src/delta/piece-bits.ts";
import { PieceIndex } from "../src/delta/piece-index.ts";
import { PieceLengths } from "../src/delta/piece-lengths.ts";
import { decodeSlice, encodeSlice, type Recipe, slicesOf } from "../src/delta/recipe.ts";
import { RecipeSlices } from "../src/delta/recipe-slices.ts";
import { Directories } from "../src/lib/disk/directories.ts";
import { statPath } from "../src/lib/disk/entry-stats.ts";
import { traitsOf } from "../src/lib/disk/file-traits.ts";
import { ByteReader, ByteWriter } from "../src/protocol/frame/bytes.ts";
import { placeIn } from "../src/sink/own/own-files.ts";
import { loadPieces, savePieces } from "../src/sink/own/piece-file.ts";
import { describeMachine, machineLines } from "./machine.ts";
import { MEMORY_FOLDER, wholeNumber } from "./options.ts";
import { markdownTable, median } from "./report.ts";

const USAGE = "npm run bench:delta-cores -- [--mib N] [--runs N] [--folder DIR]";
const MIB = 1024 * 1024;
const PART_BYTES = MIB;
const CUTTERS: readonly CutterKind[] = ["content", "fixed"];

function cutOnly(bytes: Buffer, kind: CutterKind): number {
  const cutting = cuttingFor(kind, bytes.length);
  const cutter = makeCutter(cutting);
  const lengths = new PieceLengths(piecesMax(cutting, bytes.length));
  for (let at = 0; at < bytes.length; at += PART_BYTES) cutter.cut(bytes.subarray(at, at + PART_BYTES), lengths);
  cutter.end(lengths);
  return lengths.count;
}

function build(path: string, size: number, kind: CutterKind): BuiltRecipe {
  const fd = openSync(path, "r");
  try {
    const steps = buildRecipe({ fd, size, cutting: cuttingFor(kind, size) });
    for (;;) {
      const step = steps.next();
      if (step.done !== true) continue;
      if (step.value === undefined) throw new Error("the file became shorter");
      return step.value;
    }
  } finally {
    closeSync(fd);
  }
}

/** Sends a recipe, and the answers of three sinks. Returns the bytes of the recipe. */
function exchange(recipe: Recipe): number {
  const pieces = recipe.lengths.length;
  const out = new ByteWriter();
  let gathering: RecipeSlices | undefined;
  let bytes = 0;
  for (let index = 0; index < slicesOf(pieces); index += 1) {
    out.truncate(0);
    encodeSlice(out, recipe, index);
    bytes += out.length;
    const slice = decodeSlice(new ByteReader(out.view()));
    if (gathering === undefined) gathering = new RecipeSlices(slice);
    else gathering.add(slice);
  }
  if (gathering?.whole === undefined) throw new Error("the recipe is not whole");
  const union = PieceBits.none(pieces);
  for (const share of [2, 3, 5]) {
    const answer = PieceBits.none(pieces);
    for (let piece = 0; piece < pieces; piece += share) answer.add(piece);
    union.addAll(PieceBits.decode(answer.bytes, pieces));
  }
  if (union.lackedBytes(recipe) < recipe.size / 2) throw new Error("the answers lack too little");
  return bytes;
}

/** Enters the pieces of a file, and looks all of them up. */
function indexed(path: string, recipe: Recipe): PieceIndex {
  const stats = statPath(Buffer.from(path));
  if (stats === undefined) throw new Error("the file is gone");
  const index = new PieceIndex();
  index.add({ path: Buffer.from("file"), traits: traitsOf(stats) }, recipe);
  if (index.lacked(recipe).count > 0) throw new Error("a piece is not found");
  return index;
}

/** Puts an index into the folder of a sink, and takes it from there. */
function remembered(base: string, index: PieceIndex): void {
  using directories = Directories.open(Buffer.from(base), process.platform);
  const place = placeIn(directories);
  savePieces(place, index);
  if (loadPieces(place, (file) => file).pieces !== index.pieces) throw new Error("pieces are missing");
}

/** In milliseconds of processor time: what else runs on the machine counts less. */
function timed(runs: number, work: () => unknown): number {
  const times = Array.from({ length: runs }, () => {
    const start = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(start);
    return (user + system) / 1000;
  });
  return median(times);
}

function bench(base: string, { runs, bytes }: { readonly runs: number; readonly bytes: number }): void {
  const content = Buffer.allocUnsafe(bytes);
  for (let at = 0; at < bytes; at += PART_BYTES) randomFillSync(content, at, Math.min(PART_BYTES, bytes - at));
  const path = join(base, "file");
  mkdirSync(join(base, ".fanfold"));
  writeFileSync(path, content);
  print(["# Parts of a recipe", "", ...machineLines(describeMachine(base))].join("\n"));
  print(`- a file of ${bytes / MIB} MiB of random bytes, ${runs} runs, medians\n`);
  const rate = (ms: number): string => (bytes / 1000 / ms).toFixed(0);
  const rows = CUTTERS.flatMap((kind) => {
    const { recipe } = build(path, bytes, kind);
    const cutMs = timed(runs, () => cutOnly(content, kind));
    const buildMs = timed(runs, () => build(path, bytes, kind));
    const exchangeMs = timed(runs, () => exchange(recipe));
    const index = indexed(path, recipe);
    const indexMs = timed(runs, () => indexed(path, recipe));
    const fileMs = timed(runs, () => remembered(base, index));
    return [
      [`${kind}: cut`, rate(cutMs), `${recipe.lengths.length} pieces`],
      [`${kind}: read, cut and hash`, rate(buildMs), ""],
      [`${kind}: slices and answers`, rate(exchangeMs), `${exchange(recipe)} bytes`],
      [`${kind}: pieces entered and found`, rate(indexMs), ""],
      [`${kind}: pieces saved and loaded`, rate(fileMs), ""],
    ];
  });
  print(markdownTable(["part", "MB of the file in a second of CPU", "result"], rows));
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

function main(): void {
  const { values } = parseArgs({
    options: {
      mib: { type: "string", default: "256" },
      runs: { type: "string", default: "5" },
      folder: { type: "string", default: existsSync(MEMORY_FOLDER) ? MEMORY_FOLDER : tmpdir() },
    },
  });
  const [runs, mib] = [wholeNumber("--runs", values.runs, 100), wholeNumber("--mib", values.mib, 2048)];
  const base = mkdtempSync(join(values.folder, "fanfold-bench-"));
  process.on("exit", () => rmSync(base, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
  bench(base, { runs, bytes: mib * MIB });
}

try {
  main();
} catch (thrown) {
  process.stderr.write(`bench: ${thrown instanceof Error ? thrown.message : String(thrown)}\nusage: ${USAGE}\n`);
  process.exitCode = 2;
}
