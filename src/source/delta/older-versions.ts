import type { CutterKind } from "../../delta/cutting.ts";
import { hasBit, setBit } from "../../lib/bits.ts";
import { FanfoldError } from "../../lib/errors.ts";
import type { PageRows } from "../../protocol/frame/page-rows.ts";
import type { UpMessage } from "../../protocol/frame/report.ts";
import { DELTA_FILE_BYTES_MIN } from "../../protocol/limits.ts";

/** By the index of a file in its page: how it is cut for a recipe. Every sink that wants it holds an older version. */
export type Deltas = readonly (readonly [index: number, cutter: CutterKind])[];

/** Of a sink's versions one bit for each entry of the page: an answer of each sink waits for those of all others. */
export interface OlderVersions {
  /** It holds one. */
  readonly listed: Uint8Array;
  /** That is just as long as the file. */
  readonly asLong: Uint8Array;
}
export const NONE_OLDER: OlderVersions = { listed: new Uint8Array(0), asLong: new Uint8Array(0) };
type ListedOlder = NonNullable<Extract<UpMessage, { type: "want" }>["older"]>;

/** @throws FanfoldError `damaged` for what is no file of the page, or which this sink does not want */
export function decodeOlder(older: ListedOlder, rows: PageRows, isWanted: (index: number) => boolean): OlderVersions {
  const bytes = Math.ceil(rows.count / 8);
  const [listed, asLong] = [new Uint8Array(bytes), new Uint8Array(bytes)];
  for (const [index, size] of older) {
    if (index >= rows.count) throw unfit(`entry ${index} of a page of ${rows.count}`);
    if (!rows.isFile(index)) throw unfit(`entry ${index}, which is no file`);
    if (!isWanted(index)) throw unfit(`entry ${index}, which it does not want`);
    setBit(listed, index);
    if (size === rows.size(index)) setBit(asLong, index);
  }
  return { listed, asLong };
}

/**
 * Files of a page that may travel as recipes. `answers`: of each sink that wants something. Where all hold as many bytes as
 * the file has it was most likely written to in its place; else something may have been put in.
 */
export function deltasOf(
  rows: PageRows,
  answers: readonly { readonly older: OlderVersions; readonly isWanted: (index: number) => boolean }[],
): Deltas {
  const deltas: [number, CutterKind][] = [];
  for (let index = 0; index < rows.count; index += 1) {
    if (!answers.some(({ older }) => hasBit(older.listed, index))) continue;
    const size = rows.size(index);
    const wanting = answers.filter(({ isWanted }) => isWanted(index));
    if (size < DELTA_FILE_BYTES_MIN || !wanting.every(({ older }) => hasBit(older.listed, index))) continue;
    const isInPlace = wanting.every(({ older }) => hasBit(older.asLong, index));
    deltas.push([index, isInPlace ? "fixed" : "content"]);
  }
  return deltas;
}

function unfit(what: string): FanfoldError {
  return new FanfoldError("damaged", `cannot read which versions a sink holds: it lists ${what}`);
}
