import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { FanfoldError, reasonOf } from "../../../lib/errors.ts";
import { type FilePath, pathBytes, shownPath } from "../../../lib/folder/file-path.ts";
import { SINKS_PER_SESSION_MAX } from "../../../protocol/limits.ts";
import type { SessionSummary } from "../../../protocol/messages/progress.ts";
import { RECEIPT_CHARS_MAX } from "../../../protocol/messages/receipt.ts";

/** A file holds the receipts of one session, one a line. */
const FILE_BYTES_MAX = SINKS_PER_SESSION_MAX * (RECEIPT_CHARS_MAX + 1);

/**
 * Puts the receipts of a session into a file, whole or not at all: what stood there before is replaced.
 *
 * @throws FanfoldError `disk-failed`
 */
export async function writeReceipts(path: FilePath, { sinks }: SessionSummary): Promise<void> {
  const text = sinks.flatMap(({ receipt }) => (receipt === undefined ? [] : [`${receipt}\n`])).join("");
  const draft = Buffer.concat([pathBytes(path), Buffer.from(`.${randomBytes(4).toString("hex")}`)]);
  try {
    const file = await open(draft, "wx");
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, pathBytes(path));
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw new FanfoldError(
      "disk-failed",
      `cannot write the receipts to "${shownPath(path)}": ${reasonOf(cause)}; the copies are as the summary says`,
      { cause },
    );
  }
}

/** @throws FanfoldError `usage` when the file cannot be read, `receipt-invalid` when there is none in it */
export async function readReceiptLines(path: FilePath): Promise<readonly string[]> {
  const what = `cannot read the receipts in "${shownPath(path)}"`;
  let bytes: Buffer;
  try {
    bytes = await readFile(pathBytes(path));
  } catch (cause) {
    throw new FanfoldError("usage", `${what}: ${reasonOf(cause)}`, { cause });
  }
  const lines =
    bytes.length > FILE_BYTES_MAX
      ? []
      : bytes
          .toString("latin1")
          .split("\n")
          .filter((line) => line !== "");
  if (lines.length > 0) return lines;
  const found = bytes.length > FILE_BYTES_MAX ? `found more than ${FILE_BYTES_MAX} bytes` : "found none";
  throw new FanfoldError("receipt-invalid", `${what}: ${found}; want what "fanfold source --receipt" writes`);
}
