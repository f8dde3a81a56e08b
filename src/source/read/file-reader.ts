import { readRows } from "../../protocol/frame/page-rows.ts";
import { trailerOf } from "../../protocol/frame/trailer.ts";
import { digestOf } from "../../protocol/hash/digest.ts";
import { PageReader } from "./page-reader.ts";
import type { ReadOutput, ReadPageOptions } from "./read-output.ts";

/**
 * Reads the files of one page, given as its table, into data frames, then gives its trailer. Synchronous: reading has a
 * thread of its own. A file is delivered only when a second stat, after its last byte, equals the stat before its first
 * byte, or shows only growth [P-6].
 *
 * @throws FanfoldError when the source's directory itself is gone
 */
export function* readPage(table: Uint8Array, options: ReadPageOptions): Generator<ReadOutput, void, undefined> {
  const rows = readRows(table);
  const { folder, isWanted, tellsFiles = true } = options;
  const reader = new PageReader(options, rows);
  folder.lookAnew();
  for (let index = 0; index < rows.count; index += 1) {
    if (!rows.isFile(index)) reader.pass();
    else if (!isWanted(index)) {
      if (!reader.known(index)) yield* reader.unread(index);
    } else if (!reader.fitting(index)) yield* reader.wanted(index);
    else if (tellsFiles) yield reader.told(index);
  }
  yield* reader.flush();
  const { states, notReadBytes } = reader;
  const digest = digestOf(table, states);
  if (options.isLastTry === true) options.tree.again(rows, states.bytes);
  else options.tree.page(rows, states.bytes);
  yield {
    type: "trailer",
    page: rows.page,
    body: trailerOf(rows.page, states, digest),
    notReadBytes,
    ...reader.takeDone(),
  };
}
