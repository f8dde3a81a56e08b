import type { SessionDetail, SessionMember } from "../../../protocol/api/answer-schemas.ts";
import { type Receipt, readReceipt } from "../../../protocol/messages/receipt.ts";
import type { SessionView } from "../../../protocol/messages/session-view.ts";
import { fingerprint } from "../../../protocol/names/fingerprint.ts";
import { formatBytes, formatCount, formatElapsed, formatRate, plural } from "../../../words/format.ts";
import { sinkLines } from "../sink-lines.ts";
import { summaryMessages } from "../summary-lines.ts";
import { PLAIN_STYLE } from "../text/style.ts";
import { tableLines } from "../text/table.ts";
import { minuteOf, stateWords } from "./record-words.ts";

const KEY_DIGITS_SHOWN = 12;

interface PageOptions {
  /** Whether a coordinator runs that answers. */
  readonly runs: boolean;
  readonly columns: number;
}

/** All that is known of one session, as it reads. */
export function sessionPage(detail: SessionDetail, { runs, columns }: PageOptions): readonly string[] {
  const { view, summary, members } = detail;
  const facts: (readonly [string, string | undefined])[] = [
    ["session", detail.session],
    ["id", detail.epoch > 1 ? `${detail.sessionId}, its source was started ${detail.epoch} times` : detail.sessionId],
    ["result", stateWords(detail, view, runs)],
    ["reason", detail.reason],
    ["opened", timeText(detail.opened)],
    ["started", timeText(detail.started)],
    ["ended", timeText(detail.ended)],
    ["source", sourceText(members)],
    ["directory", detail.directory],
  ];
  const head = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(11)}${value}`]));
  const body =
    summary === undefined
      ? liveLines(view, columns)
      : summaryMessages(summary, PLAIN_STYLE).map(({ text }) => text.replace(/^fanfold: (warning: )?/, ""));
  const receipts = receiptLines(members);
  return [...head, ...(body.length === 0 ? [] : ["", ...body]), ...(receipts.length === 0 ? [] : ["", ...receipts])];
}

function timeText(time: string | undefined): string | undefined {
  return time === undefined ? undefined : `${time.slice(0, "2026-01-02T03:04:05".length).replace("T", " ")} UTC`;
}

function sourceText(members: readonly SessionMember[]): string | undefined {
  const source = members.filter(({ role }) => role === "source").at(-1);
  return source === undefined ? undefined : `${source.name} (${source.key.slice(0, KEY_DIGITS_SHOWN)})`;
}

/** How far one is that waits or runs. */
function liveLines(view: SessionView | undefined, columns: number): readonly string[] {
  if (view === undefined) return [];
  const { progress, sinks, missing = [], state: session } = view;
  const table = { columns, rows: Number.POSITIVE_INFINITY, session, ...(progress === undefined ? {} : { progress }) };
  const lines: string[] = [];
  if (progress !== undefined) {
    const found = progress.discoveryEnded ? "" : " so far";
    lines.push(
      `${formatCount(progress.filesDone)} of ${plural(progress.filesFound, "file")}, ${formatBytes(progress.bytesDone)} of ${formatBytes(progress.bytesFound)}${found}, ${formatRate(progress.rateBytesPerSecond)}, for ${formatElapsed(progress.elapsedMs)}`,
    );
  }
  lines.push(...sinkLines(sinks, table, PLAIN_STYLE).map((line) => `  ${line}`));
  if (missing.length > 0) lines.push(`missing  ${missing.join(", ")}`);
  return lines;
}

const RECEIPT_HEAD = ["RECEIPT OF", "SIGNED (UTC)", "SAYS", "FILES", "BYTES", "TREE", "KEY"];

/** What each sink signed. The signature is looked at here: nobody has to believe the coordinator. */
function receiptLines(members: readonly SessionMember[]): readonly string[] {
  const rows = members.flatMap(({ name, key, receipt }) =>
    receipt === undefined ? [] : [receiptRow(name, key, checked(receipt, key))],
  );
  return rows.length === 0 ? [] : tableLines([RECEIPT_HEAD, ...rows]);
}

function receiptRow(name: string, key: string, receipt: Receipt | undefined): readonly string[] {
  const digits = key.slice(0, KEY_DIGITS_SHOWN);
  if (receipt === undefined) return [name, "-", "not signed by this sink: altered", "-", "-", "-", digits];
  const { provenAt, outcome, filesDone, bytesDone, digest } = receipt;
  return [
    name,
    minuteOf(provenAt),
    outcome,
    formatCount(filesDone),
    formatBytes(bytesDone),
    fingerprint(digest),
    digits,
  ];
}

function checked(text: string, key: string): Receipt | undefined {
  try {
    const receipt = readReceipt(text);
    return receipt.sink === key ? receipt : undefined;
  } catch {
    return undefined;
  }
}
