import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { isWhole } from "../../protocol/messages/whole-copy.ts";
import { formatBytes, formatCount, formatElapsed, formatRate, plural } from "../../words/format.ts";
import { heldBackText } from "../../words/held-back.ts";
import { resultWord } from "../../words/result-word.ts";
import { inOrder } from "../../words/sink-order.ts";
import { deletionMessages, deletionText } from "./deletion-lines.ts";
import { dryRunHeadline, dryRunText, replacedText, wantedText } from "./dry-run-lines.ts";
import { fidelityMessages } from "./fidelity-lines.ts";
import { problemMessages, summaryProblems } from "./problem-lines.ts";
import { comparedBy, proofText } from "./proof-lines.ts";
import { stringWidth } from "./text/fit.ts";
import type { Style } from "./text/style.ts";
import { info, type Message } from "./view.ts";

/** What a source prints at its end. */
export function summaryMessages(summary: SessionSummary, style: Style): Message[] {
  // The sums of a dry run are there also when it failed.
  const isDry = summary.filesWanted !== undefined;
  const lines = [isDry ? dryRunHeadline(summary, style) : headline(summary, style)];
  lines.push(field("tree", treeText(summary), style));
  if (!isDry) lines.push(field("sent", sentParts(summary).join("; "), style));
  if (summary.digest !== undefined) lines.push(field("digest", summary.digest, style));
  const nameColumns = Math.max(0, ...summary.sinks.map((sink) => stringWidth(sink.name)));
  inOrder(summary.sinks, ({ outcome }) => outcome).forEach((sink, index) => {
    lines.push(field(index === 0 ? "sinks" : "", outcomeText(sink, nameColumns, style), style));
  });
  const deletions = summary.sinks.flatMap(({ name, deletion }) =>
    deletion === undefined ? [] : deletionMessages(name, deletion),
  );
  const commit = commitText(summary);
  if (commit !== undefined) lines.push(field("commit", commit, style));
  return [...lines.map(info), ...missingMessages(summary, style), ...deletions, ...incompleteMessages(summary, style)];
}

type TreeCounts = Pick<SessionSummary, "directories" | "symlinks" | "hardlinks" | "specials" | "notCarried">;

/** What there is beside files, and what was left out. */
export function treeText({ directories, symlinks, hardlinks, specials, notCarried }: TreeCounts): string {
  const kinds = [plural(directories, "directory", "directories"), plural(symlinks, "symbolic link")];
  if (hardlinks > 0) kinds.push(plural(hardlinks, "hard link"));
  if (specials > 0) kinds.push(plural(specials, "FIFO or device", "FIFOs and devices"));
  const tree = [kinds.join(", ")];
  for (const [kind, [one, many, what]] of LEFT_OUT) {
    const count = notCarried[kind] ?? 0;
    if (count > 0) tree.push(`${plural(count, one, many)} ${what}`);
  }
  return tree.join("; ");
}

/** Who was expected by name and took no part: on standard error, where also those look who want to hear of trouble alone. */
function missingMessages({ missing = [] }: SessionSummary, style: Style): Message[] {
  if (missing.length === 0) return [];
  const text = `fanfold: warning: missing sinks, which got no copy in this session: ${missing.join(", ")}`;
  return [{ level: "warning", text: style.careful(text) }];
}

/** What a sink prints at the end of a session. */
export function outcomeMessages(outcome: SinkOutcome, elapsedMs: number, style: Style): Message[] {
  const { deletion } = outcome;
  const fate = deletion === undefined ? undefined : deletionText(deletion);
  const deleted = fate === undefined ? [] : [info(field("delete", fate, style))];
  if (outcome.outcome === "dry-run") return [info(dryRunText(outcome, style)), ...deleted];
  const amount = `${plural(outcome.filesDone, "file")}, ${formatBytes(outcome.bytesDone)} in ${formatElapsed(elapsedMs)}`;
  const lines: Message[] = [];
  if (outcome.outcome === "failed") {
    lines.push({ level: "info", text: `${style.bad("failed")} after ${amount}` });
  } else {
    lines.push(info(`${(isWhole(outcome) ? style.good : style.careful)(outcome.outcome)}: ${amount}`));
    lines.push(info(field("data", receivedParts(outcome, elapsedMs).join("; "), style)));
    const proof = proofText(outcome);
    if (proof !== undefined) lines.push(info(field("proof", proof, style)));
    if (outcome.digest !== undefined) lines.push(info(field("digest", outcome.digest, style)));
    if (outcome.unsynced === true) lines.push(info(field("disk", UNSYNCED, style)));
  }
  return [...lines, ...deleted, ...fidelityMessages(outcome.fidelity, style), ...problemMessages(outcome)];
}

/** `1.0 GiB received (25.6 MiB/s); 2.0 GiB of changed files were here already; 3.0 GiB unchanged` */
function receivedParts({ bytesDone, bytesUnchanged, bytesKept }: SinkOutcome, elapsedMs: number): string[] {
  const receivedBytes = Math.max(0, bytesDone - bytesUnchanged - bytesKept);
  const kept = bytesKept > 0 ? [`${formatBytes(bytesKept)} of changed files were here already`] : [];
  const unchanged = bytesUnchanged > 0 ? [`${formatBytes(bytesUnchanged)} unchanged`] : [];
  return [`${formatBytes(receivedBytes)} received${rateOf(receivedBytes, elapsedMs)}`, ...kept, ...unchanged];
}

/**
 * `1.0 GiB (25.6 MiB/s); 1.0 GiB more to catch sinks up; 3.0 MiB sent again; 700 MiB saved by compression; 1.0 GiB of changed
 * files were at the sinks already; 2.0 GiB not needed; 1 file grew meanwhile`
 */
function sentParts(summary: SessionSummary): string[] {
  const { bytesSent, bytesSentAgain, bytesCaughtUp, bytesSaved, bytesKept, bytesNotNeeded, filesGrew } = summary;
  const { heldBack, elapsedMs } = summary;
  const parts = [formatBytes(bytesSent) + rateOf(bytesSent + bytesSentAgain + bytesCaughtUp, elapsedMs)];
  if (bytesCaughtUp > 0) parts.push(`${formatBytes(bytesCaughtUp)} more to catch sinks up`);
  if (bytesSentAgain > 0) parts.push(`${formatBytes(bytesSentAgain)} sent again`);
  if (bytesSaved > 0) parts.push(`${formatBytes(bytesSaved)} saved by compression`);
  if (bytesKept > 0) parts.push(`${formatBytes(bytesKept)} of changed files were at the sinks already`);
  if (bytesNotNeeded > 0) parts.push(`${formatBytes(bytesNotNeeded)} not needed: every sink had it`);
  if (filesGrew > 0)
    parts.push(`${plural(filesGrew, "file")} grew while being read: copied with the size at the start`);
  if (heldBack !== undefined) parts.push(heldBackText(heldBack));
  return parts;
}

/** Of a copy with `--durability none`. */
const UNSYNCED = "not synced: a loss of power may destroy the copy until the system has written it";

/** `switched: alpha, beta; gamma does when it is back` */
function commitText({ commit, sinks }: SessionSummary): string | undefined {
  if (commit === undefined) return undefined;
  if (commit !== "switched")
    return `nobody switches: too few sinks have a whole copy; what is proven ${commit === "kept" ? "stays beside the newest snapshot" : "is dropped"}`;
  const done = sinks.filter(({ switchedAt }) => switchedAt !== undefined);
  const later = sinks.filter((sink) => isWhole(sink) && sink.switchedAt === undefined);
  const times = done.map(({ name, switchedAt = "" }) => `${name} at ${switchedAt.slice(11, 19)} UTC`);
  const late = later.length === 0 ? "" : `; when it hears of it: ${later.map(({ name }) => name).join(", ")}`;
  return `switched: ${times.join(", ")}${late}`;
}

function snapshotText({ name, made, kept }: NonNullable<SinkOutcome["snapshot"]>): string {
  const count = kept === undefined ? "" : ` (${formatCount(kept)} kept)`;
  return `snapshot ${name}${made ? "" : " proven again"}${count}`;
}

/** One sink in a few words: `proven`, `proven, caught up late`, `complete: 7 files taken as unchanged …`, `failed: no space left`. */
function outcomeText(sink: SinkOutcome, nameColumns: number, style: Style): string {
  const colour = isWhole(sink) ? style.good : sink.outcome === "failed" ? style.bad : style.careful;
  const name = sink.name + " ".repeat(Math.max(0, nameColumns - stringWidth(sink.name)));
  const fate = sink.deletion === undefined ? undefined : deletionText(sink.deletion);
  const deleted = fate === undefined ? "" : `; ${fate}`;
  if (sink.outcome === "dry-run") return `${style.strong(name)}  ${wantedText(sink)}${replacedText(sink)}${deleted}`;
  const why = [proofText(sink), sink.message].flatMap((text) => (text === undefined ? [] : [`: ${text}`])).join("");
  const problems = sink.problemCount > 0 ? ` (${plural(sink.problemCount, "problem")})` : "";
  const late = sink.caughtUp ? ", caught up late" : "";
  const kept = sink.snapshot === undefined ? "" : `; ${snapshotText(sink.snapshot)}`;
  const disk = sink.unsynced === true ? `, ${style.careful("not synced to its disk")}` : "";
  return `${style.strong(name)}  ${colour(sink.outcome)}${late}${disk}${problems}${why}${kept}${deleted}`;
}

function headline(summary: SessionSummary, style: Style): string {
  const { files, bytes, elapsedMs, sinks, result } = summary;
  const held = sinks.filter((sink) => sink.outcome !== "failed").length;
  const towards =
    held === sinks.length ? plural(held, "sink") : `${formatCount(held)} of ${plural(sinks.length, "sink")}`;
  if (result === "unchanged")
    return `${style.good("nothing to do")}: ${plural(files, "file")}, ${formatBytes(bytes)} at ${towards} already${comparedBy(summary)} (${formatElapsed(elapsedMs)})`;
  const word = (result === "complete" ? style.good : result === "failed" ? style.bad : style.careful)(
    resultWord(result),
  );
  return `${word}: ${plural(files, "file")}, ${formatBytes(bytes)} to ${towards} in ${formatElapsed(elapsedMs)}`;
}

/** Of a session that ended in its first moments the rate says nothing. */
const RATED_MS_MIN = 100;

/** ` (25.6 MiB/s)`, of what was moved only; or nothing. */
export function rateOf(movedBytes: number, elapsedMs: number): string {
  return movedBytes > 0 && elapsedMs >= RATED_MS_MIN ? ` (${formatRate((movedBytes * 1000) / elapsedMs)})` : "";
}

/** Left out because somebody asked for it: no reason for a warning. */
const LEFT_OUT: ReadonlyMap<string, readonly [one: string, many: string, what: string]> = new Map([
  ["excluded", ["entry", "entries", "left out by filters"]],
  ["link-skipped", ["symbolic link", "symbolic links", "left out"]],
  ["link-leads-out", ["symbolic link", "symbolic links", "left out: the target is outside of the directory"]],
  ["other-file-system", ["directory", "directories", "not entered: on another file system"]],
]);
/** Kinds of `notCarried` in words; a kind of a later version is shown as it is. */
const NOT_CARRIED: ReadonlyMap<string, string> = new Map([
  ["socket", "sockets skipped"],
  ["hard-link-copied", "hard links copied as separate entries"],
  ["attributes-too-large", "extended attributes left out: too many or too large for one entry"],
  ["attributes-unreadable", "extended attributes left out: they cannot be read"],
  ["time-out-of-range", "modification times out of range: the nearest one was taken"],
]);

function incompleteMessages(summary: SessionSummary, style: Style): Message[] {
  const kinds = Object.entries(summary.notCarried).filter(([kind, count]) => count > 0 && !LEFT_OUT.has(kind));
  const notCarried = kinds.map(([kind, count]): Message => {
    const examples = summary.notCarriedExamples[kind] ?? [];
    const more = count > examples.length ? ", …" : "";
    const shown = examples.length === 0 ? "" : ` (${examples.join(", ")}${more})`;
    const text = `fanfold: warning: ${NOT_CARRIED.get(kind) ?? kind}: ${formatCount(count)}${shown}`;
    return { level: "warning", text: style.careful(text) };
  });
  const fidelity = summary.sinks.flatMap((sink) => fidelityMessages(sink.fidelity, style, sink.name));
  return [...notCarried, ...fidelity, ...summaryProblems(summary)];
}

export function field(name: string, value: string, style: Style): string {
  return `  ${style.quiet(name.padEnd(7))} ${value}`;
}
