import { SpillFile } from "../../../src/lib/disk/spill-file.ts";
import { buildFrame, type FrameType, finishFrame, STREAM_DATA } from "../../../src/protocol/frame/frame.ts";
import { encodeEnd, encodeWalked } from "../../../src/protocol/frame/marks.ts";
import { TreeDigest } from "../../../src/protocol/hash/tree-digest.ts";
import type { DeleteLimit } from "../../../src/protocol/messages/deletion.ts";
import { TreeFolder } from "../../../src/source/disk/tree-folder.ts";
import { deletionMark } from "../../../src/source/publish/deletion-mark.ts";
import { readPage } from "../../../src/source/read/file-reader.ts";
import { FrameBuilder, frameCapacity } from "../../../src/source/read/frame-builder.ts";
import type { ReadOutput } from "../../../src/source/read/read-output.ts";
import type { TreeScope } from "../../../src/source/walk/tree-scope.ts";
import type { WalkOutput } from "../../../src/source/walk/walk-output.ts";
import { walkTree } from "../trees/walk-tree.ts";

export const SESSION = { sessionId: "abcdefghijkl", epoch: 1 } as const;
const FRAME_BYTES = 256 * 1024;

export interface SourceFramesOptions {
  /** What of the tree is carried. */
  readonly tree?: TreeScope;
  /** The sinks are to delete what the tree has not. */
  readonly deletion?: DeleteLimit;
  readonly frameBytes?: number;
  /** Told everything that is no frame. */
  readonly onNotice?: (notice: WalkOutput | ReadOutput) => void;
  /** Whether a sink wants an entry of a page. @default every one */
  readonly isWanted?: (page: number, index: number) => boolean;
  /** Called between the walk and the reading: the place to change files. */
  readonly onWalked?: () => void;
}

/** The whole stream of a session, as a source would publish it: first all pages, then data and trailers, then the end. */
export function* sourceFrames(root: string, options: SourceFramesOptions = {}): Generator<Buffer, void, undefined> {
  using folder = TreeFolder.open(Buffer.from(root));
  const pages: Uint8Array[] = [];
  let [entries, files, bytes, sequence] = [0, 0, 0, 0];
  const seal = (frame: Buffer): Buffer => {
    finishFrame(frame, sequence);
    sequence += 1;
    return frame;
  };
  const deletes = options.deletion !== undefined;
  let problems = 0;
  for (const output of walkTree(Buffer.from(root), { ...options.tree, deletes })) {
    if (output.type === "page") {
      pages.push(output.body);
      entries += output.entries;
      files += output.files;
      bytes += output.bytes;
      yield seal(plainFrame("page", output.body));
    } else if (output.type === "scope") yield seal(plainFrame("scope", output.body));
    else {
      if (output.type === "problem") problems += 1;
      options.onNotice?.(output);
    }
  }
  yield seal(plainFrame("walked", encodeWalked({ pages: pages.length, entries, files, bytes })));
  options.onWalked?.();
  using tree = new TreeDigest(() => SpillFile.open());
  const builder = newBuilder(options.frameBytes);
  const { isWanted = () => true } = options;
  for (const [page, body] of pages.entries()) {
    for (const output of readPage(body, { folder, builder, tree, isWanted: (index) => isWanted(page, index) })) {
      if (output.type === "frame") yield seal(Buffer.from(output.frame.buffer, 0, output.frame.frameBytes));
      else if (output.type === "trailer") {
        yield seal(plainFrame("trailer", output.body));
      } else {
        if (output.type === "problem") problems += 1;
        options.onNotice?.(output);
      }
    }
  }
  if (options.deletion !== undefined) {
    const mark = deletionMark(options.deletion, { entries, problems });
    if (!("code" in mark)) yield seal(plainFrame("scope", mark));
  }
  yield seal(plainFrame("end", encodeEnd({ pages: pages.length, entries, digest: tree.end() })));
}

export function plainFrame(type: FrameType, table: Uint8Array): Buffer {
  return buildFrame({ type, ...SESSION, stream: STREAM_DATA }, table);
}

export function newBuilder(frameBytes = FRAME_BYTES): FrameBuilder {
  const takeBuffer = () => new ArrayBuffer(frameCapacity(frameBytes));
  return new FrameBuilder({ ...SESSION, stream: STREAM_DATA, frameBytes, takeBuffer });
}
