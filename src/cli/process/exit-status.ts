import { type ErrorCode, isErrorCode } from "../../lib/errors.ts";
import type { SessionSummary, SinkOutcome } from "../../protocol/messages/progress.ts";
import { isWhole } from "../../protocol/messages/whole-copy.ts";

/** What a command ends with, for programs that call it. docs/exit-status.md says what to do about each. */
export const EXIT_STATUS = {
  ok: 0,
  internal: 1,
  usage: 2,
  incomplete: 3,
  sinksLost: 4,
  refused: 5,
  unreachable: 6,
  protocol: 7,
  folder: 8,
  disk: 9,
  waitTimeout: 10,
  peerLost: 11,
  differs: 12,
  nothingToDo: 13,
  superseded: 14,
  cancelled: 15,
  deleteRefused: 16,
  sinksMissing: 17,
  tokenMissing: 18,
  tokenDamaged: 19,
  tokenUnknown: 20,
  tokenExpired: 21,
  tokenRevoked: 22,
  tokenRole: 23,
  tokenSession: 24,
  tokenUsedUp: 25,
  clockOff: 26,
  pinMismatch: 27,
  tlsFailed: 28,
  certificateWanted: 29,
  memberRemoved: 30,
  proofRefused: 31,
  tooMany: 32,
  receiptInvalid: 33,
  memberUnknown: 34,
  unwell: 36,
  configInvalid: 35,
  notRecipient: 37,
} as const;

const BY_CODE: Readonly<Record<ErrorCode, number>> = {
  usage: EXIT_STATUS.usage,
  "config-invalid": EXIT_STATUS.configInvalid,
  "folder-missing": EXIT_STATUS.folder,
  "folder-not-a-directory": EXIT_STATUS.folder,
  "folder-denied": EXIT_STATUS.folder,
  "folder-not-empty": EXIT_STATUS.folder,
  "folder-overlaps": EXIT_STATUS.folder,
  "folder-snapshots": EXIT_STATUS.folder,
  "folder-busy": EXIT_STATUS.refused,
  "source-changed": EXIT_STATUS.refused,
  "name-taken": EXIT_STATUS.refused,
  superseded: EXIT_STATUS.superseded,
  cancelled: EXIT_STATUS.cancelled,
  "session-busy": EXIT_STATUS.refused,
  refused: EXIT_STATUS.refused,
  "token-missing": EXIT_STATUS.tokenMissing,
  "token-damaged": EXIT_STATUS.tokenDamaged,
  "token-unknown": EXIT_STATUS.tokenUnknown,
  "token-expired": EXIT_STATUS.tokenExpired,
  "token-revoked": EXIT_STATUS.tokenRevoked,
  "token-role": EXIT_STATUS.tokenRole,
  "token-session": EXIT_STATUS.tokenSession,
  "token-used-up": EXIT_STATUS.tokenUsedUp,
  "clock-off": EXIT_STATUS.clockOff,
  "pin-mismatch": EXIT_STATUS.pinMismatch,
  "tls-failed": EXIT_STATUS.tlsFailed,
  "certificate-wanted": EXIT_STATUS.certificateWanted,
  "member-removed": EXIT_STATUS.memberRemoved,
  "not-recipient": EXIT_STATUS.notRecipient,
  "member-unknown": EXIT_STATUS.memberUnknown,
  "proof-refused": EXIT_STATUS.proofRefused,
  "too-many": EXIT_STATUS.tooMany,
  "receipt-invalid": EXIT_STATUS.receiptInvalid,
  "port-taken": EXIT_STATUS.unreachable,
  "state-busy": EXIT_STATUS.refused,
  "not-a-coordinator": EXIT_STATUS.unreachable,
  "coordinator-unreachable": EXIT_STATUS.unreachable,
  "coordinator-lost": EXIT_STATUS.peerLost,
  "broker-unreachable": EXIT_STATUS.unreachable,
  "broker-denied": EXIT_STATUS.unreachable,
  "broker-lost": EXIT_STATUS.peerLost,
  "payload-too-large": EXIT_STATUS.unreachable,
  closed: EXIT_STATUS.internal,
  "protocol-version": EXIT_STATUS.protocol,
  damaged: EXIT_STATUS.protocol,
  "frames-lost": EXIT_STATUS.protocol,
  "digest-mismatch": EXIT_STATUS.protocol,
  "disk-full": EXIT_STATUS.disk,
  "disk-failed": EXIT_STATUS.disk,
  "manifest-missing": EXIT_STATUS.folder,
  "manifest-damaged": EXIT_STATUS.folder,
  "snapshot-missing": EXIT_STATUS.folder,
  "snapshot-damaged": EXIT_STATUS.folder,
  differs: EXIT_STATUS.differs,
  "wait-timeout": EXIT_STATUS.waitTimeout,
  "source-lost": EXIT_STATUS.peerLost,
  "sinks-lost": EXIT_STATUS.sinksLost,
  incomplete: EXIT_STATUS.incomplete,
  "delete-refused": EXIT_STATUS.deleteRefused,
  // A signal's own status stands in its place where one was received (statusOfSignal).
  interrupted: 130,
  internal: EXIT_STATUS.internal,
};

/** Signals that end a command in order. */
export type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/** 128 and the signal's number, as shells show a process that a signal ended. */
const BY_SIGNAL: Readonly<Record<EndingSignal, number>> = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 };

export function statusOfCode(code: ErrorCode): number {
  return BY_CODE[code];
}

export function statusOfSignal(signal: EndingSignal): number {
  return BY_SIGNAL[signal];
}

/**
 * A source ends with 0 only if every sink that took part has its copy, or as many as `--min-success` asks for. Nothing
 * may be missing from it, and nobody that was expected by name.
 */
export function statusOfSummary(
  summary: SessionSummary,
  options: { readonly errorOnNoTransfer?: boolean } = {},
): number {
  const { result, sinks } = summary;
  if (result === "failed" || sinks.length === 0 || isGivenUp(summary)) return EXIT_STATUS.sinksLost;
  if (result === "dry-run") return EXIT_STATUS.ok;
  if (result === "sinks-missing") return EXIT_STATUS.sinksMissing;
  if (result === "quorum") return summary.problemCount > 0 ? EXIT_STATUS.incomplete : deleteStatus(summary);
  if (sinks.some((sink) => sink.outcome === "failed")) return EXIT_STATUS.sinksLost;
  if (result === "incomplete" || summary.problemCount > 0) return EXIT_STATUS.incomplete;
  if (!sinks.every(isWhole)) return EXIT_STATUS.incomplete;
  const status = deleteStatus(summary);
  if (status !== EXIT_STATUS.ok) return status;
  return result === "unchanged" && options.errorOnNoTransfer === true ? EXIT_STATUS.nothingToDo : EXIT_STATUS.ok;
}

/** Copies are proven, and nobody switches to them. */
function isGivenUp({ commit }: SessionSummary): boolean {
  return commit !== undefined && commit !== "switched";
}

/** The copies are whole; but what the source has not is still there, against its will. */
function deleteStatus({ deletionWithheld, sinks }: SessionSummary): number {
  const isRefused = deletionWithheld !== undefined || sinks.some(({ deletion }) => deletion?.result === "refused");
  return isRefused ? EXIT_STATUS.deleteRefused : EXIT_STATUS.ok;
}

/** A sink that failed ends with the status of what failed it. */
export function statusOfOutcome(outcome: SinkOutcome): number {
  if (isWhole(outcome) && outcome.problemCount === 0)
    return outcome.deletion?.result === "refused" ? EXIT_STATUS.deleteRefused : EXIT_STATUS.ok;
  if (isWhole(outcome) || outcome.outcome === "incomplete") return EXIT_STATUS.incomplete;
  if (outcome.outcome === "dry-run") return EXIT_STATUS.ok;
  return outcome.code !== undefined && isErrorCode(outcome.code) ? BY_CODE[outcome.code] : EXIT_STATUS.peerLost;
}
