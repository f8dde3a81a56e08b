import { FanfoldError } from "../../../lib/errors.ts";
import { escapeText } from "../../../lib/escape-name.ts";
import { type Receipt, readReceipt } from "../../../protocol/messages/receipt.ts";
import { fingerprint } from "../../../protocol/names/fingerprint.ts";
import { formatBytes, plural } from "../../../words/format.ts";
import { parsePath } from "../../options/parse-name.ts";
import { EXIT_STATUS, statusOfCode } from "../../process/exit-status.ts";
import type { ProgramIo } from "../../process/program-io.ts";
import { reportError } from "../../process/report-error.ts";
import { readReceiptLines } from "./receipt-file.ts";

/** As commander reads them. */
export interface ReceiptVerifyOptions {
  /** Public keys, one of which must have signed each receipt. */
  readonly sink?: readonly string[];
  readonly json?: boolean;
}

/** `fanfold receipt verify FILE`: who proved what, and when, offline. */
export async function verifyReceipts(file: string, options: ReceiptVerifyOptions, io: ProgramIo): Promise<number> {
  try {
    const receipts = (await readReceiptLines(parsePath(file, "the file of receipts"))).map(readReceipt);
    for (const receipt of receipts) checkSigner(receipt, options.sink);
    for (const receipt of receipts)
      io.stdout.write(`${options.json === true ? JSON.stringify(receipt) : receiptText(receipt)}\n`);
    return EXIT_STATUS.ok;
  } catch (thrown) {
    const error = FanfoldError.from(thrown);
    reportError(error, { io, verbose: false, json: options.json === true });
    return statusOfCode(error.code);
  }
}

/** @throws FanfoldError `receipt-invalid` */
function checkSigner({ sink, name }: Receipt, trusted: readonly string[] | undefined): void {
  if (trusted === undefined || trusted.includes(sink)) return;
  throw new FanfoldError(
    "receipt-invalid",
    `cannot take the receipt of "${escapeText(name)}": the key ${sink} has signed it, want one of those that --sink names`,
  );
}

function receiptText({
  provenAt,
  name,
  sink,
  outcome,
  filesDone,
  bytesDone,
  session,
  source,
  ...rest
}: Receipt): string {
  const { digest, durability, problemCount, takenAsUnchanged } = rest;
  const copy = `${plural(filesDone, "file")}, ${formatBytes(bytesDone)} of session "${session}"`;
  const parts = [
    `${provenAt}  ${escapeText(name)} (${fingerprint(sink)}) ${WORDS[outcome]} ${copy}`,
    `from ${fingerprint(source)}`,
    `tree ${fingerprint(digest)}`,
  ];
  if (takenAsUnchanged !== undefined) parts.push(`${plural(takenAsUnchanged.files, "file")} taken as unchanged`);
  if (problemCount > 0) parts.push(plural(problemCount, "problem"));
  if (durability === "none") parts.push("not synced to its disk");
  return parts.join("; ");
}

const WORDS: Readonly<Record<Receipt["outcome"], string>> = {
  proven: "proved",
  complete: "completed",
  incomplete: "has, but for its problems,",
};
