import { FanfoldError } from "../../lib/errors.ts";
import type { ChunkRecord, DataRecord, FileFinal } from "../../protocol/frame/data-table.ts";
import { entryDisplay, type FileEntry } from "../../protocol/frame/page.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { PageStore } from "../stream/page-store.ts";
import { countDone, countKept, type EngineCounts } from "./engine-counts.ts";
import type { ContentRecord, FileToWrite } from "./file-writer.ts";
import type { UnprovenPages } from "./unproven-pages.ts";

/** Pages whose data may come before their trailers; a source reads at most four at a time. */
const PAGES_UNCLOSED_MAX = 16;

/** The file of a record. */
export interface FileOfPage extends FileToWrite {
  readonly page: PageRows;
}

/** What a record is of its file is done. Before the first of a file, so is what an earlier session stored of it. */
export function countContent(counts: EngineCounts, record: ContentRecord, isFirst: boolean): void {
  if (isFirst) countDone(counts, record.offset);
  const count = record.kind === "kept" ? countKept : countDone;
  count(counts, record.kind === "chunk" ? record.bytes.length : record.length);
}

/** @throws FanfoldError `damaged` for a record of what is no file, or none that is open */
export function fileOf(record: { readonly entry: number }, pageStore: PageStore, proof: UnprovenPages): FileOfPage {
  const number = pageStore.pageOf(record.entry);
  if (number < proof.pages || number >= proof.pages + PAGES_UNCLOSED_MAX) {
    throw new FanfoldError(
      "damaged",
      `cannot take data of entry ${record.entry}: it is in page ${number}, expected ${proof.pages} or soon after`,
    );
  }
  const page = pageStore.page(number);
  const index = record.entry - page.first;
  const entry = page.entry(index);
  if (entry.kind !== "file" || proof.isClosed(number, index)) {
    const what = `"${entryDisplay(entry)}": it is a ${entry.kind}`;
    throw new FanfoldError("damaged", `cannot take data of ${what} that expects none`);
  }
  return { entry, page, wanted: proof.isWanted(number, index) };
}

export function alteredChunk({ entry }: FileToWrite, { offset }: ChunkRecord): FanfoldError {
  const what = `"${entryDisplay(entry)}" at byte ${offset}`;
  return new FanfoldError(
    "digest-mismatch",
    `cannot check ${what}: the chunk does not have the hash that was sent with it`,
  );
}

/** What the close mark says of a file whose only chunk comes right before it; undefined for all others. */
export function finalOfWhole(
  { roomBytes }: FileEntry,
  record: ContentRecord,
  next: DataRecord | undefined,
): FileFinal | undefined {
  if (record.kind !== "chunk" || record.offset > 0 || roomBytes !== undefined) return undefined;
  if (next?.kind !== "close" || next.entry !== record.entry || next.final?.size !== record.bytes.length)
    return undefined;
  // A chunk and a whole file have the same hash [P-5]. One that differs is told when the file is closed.
  return Buffer.compare(next.final.hash, record.hash) === 0 ? next.final : undefined;
}
