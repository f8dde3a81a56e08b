import { expect } from "vitest";
import { type DataRecord, decodeDataTable } from "../../../src/protocol/frame/data-table.ts";
import { decodeFrame, finishFrame } from "../../../src/protocol/frame/frame.ts";
import { TreeFolder } from "../../../src/source/disk/tree-folder.ts";
import { readPage } from "../../../src/source/read/file-reader.ts";
import type { ReadOutput, ReadPageOptions } from "../../../src/source/read/read-output.ts";
import { newBuilder } from "../copies/source-frames.ts";
import { decodeTrailer } from "../copies/trailers.ts";
import { walkTree } from "./walk-tree.ts";

export interface ReadTree {
  /** Of each frame its records. */
  readonly frames: DataRecord[][];
  readonly frameBytes: number[];
  readonly problems: string[];
  /** Files that are to be read again, and files that grew. */
  readonly again: string[];
  readonly grew: string[];
  /** State of each entry but the root, in the order of their names. */
  readonly states: string[];
  readonly doneBytes: number;
  readonly doneFiles: number;
}
export interface ReadTreeOptions
  extends Partial<Pick<ReadPageOptions, "isWanted" | "heldOf" | "isLastTry" | "recipes">> {
  readonly frameBytes?: number;
  readonly checksum?: boolean;
  /** Between the walk and the reading. */
  readonly change?: () => void;
  /** At each output of the reading. */
  readonly onOutput?: (output: ReadOutput) => void;
}

/** Walks a small tree, and reads its only page. */
export function readTree(root: string, options: ReadTreeOptions = {}): ReadTree {
  const { frameBytes, change, onOutput, checksum = false, ...reading } = options;
  using folder = TreeFolder.open(Buffer.from(root));
  const body =
    [...walkTree(Buffer.from(root), { checksum })].flatMap((output) =>
      output.type === "page" ? [output.body] : [],
    )[0] ?? Buffer.alloc(0);
  change?.();
  let [states, doneBytes, doneFiles]: [string[], number, number] = [[], 0, 0];
  const [frames, sizes]: [DataRecord[][], number[]] = [[], []];
  const [problems, again, grew]: [string[], string[], string[]] = [[], [], []];
  const tree = { page: () => undefined, again: () => undefined };
  const from = { folder, builder: newBuilder(frameBytes), tree, isWanted: () => true, ...reading };
  for (const output of readPage(body, from)) {
    onOutput?.(output);
    if (output.type === "problem") problems.push(`${output.problem.path} ${output.problem.message}`);
    if (output.type === "again") again.push(Buffer.from(output.path).toString());
    if (output.type === "grew") grew.push(output.path);
    if (output.type === "trailer")
      states = decodeTrailer(output.body)
        .states.slice(1)
        .map(({ state }) => state);
    if (output.type === "frame") {
      const payload = Buffer.from(output.frame.buffer, 0, output.frame.frameBytes);
      finishFrame(payload, 0);
      const { table, content } = decodeFrame(payload);
      frames.push(decodeDataTable(table, content));
      sizes.push(payload.length);
    }
    if (output.type === "frame" || output.type === "trailer") {
      doneBytes += output.doneBytes;
      doneFiles += output.doneFiles;
    }
  }
  return { frames, frameBytes: sizes, problems, again, grew, states, doneBytes, doneFiles };
}

export function contentOf(frames: DataRecord[][], entry: number): Buffer {
  const chunks = frames.flat().flatMap((record) => (record.kind === "chunk" && record.entry === entry ? [record] : []));
  let at = 0;
  for (const { offset, bytes } of chunks) {
    expect(offset).toBe(at);
    at += bytes.length;
  }
  return Buffer.concat(chunks.map(({ bytes }) => bytes));
}
