import { createHash, timingSafeEqual } from "node:crypto";
import { FanfoldError } from "../../lib/errors.ts";
import { parseToken, type Token } from "../../protocol/access/token.ts";
import type { TokenRecord } from "./access-store.ts";

const ASK = "ask for a new one, or make it with fanfold token create";
/** Stands in for the record of a token that nobody knows, so that its answer takes the same time. */
const NO_HASH = "0".repeat(64);

export function secretHash(secret: string): string {
  return createHash("sha256").update(secret).digest("hex");
}

/**
 * The record of a token that somebody shows. Whether its id or its secret is wrong, nobody learns.
 *
 * @throws FanfoldError `token-damaged` or `token-unknown`
 */
export function knownToken(text: string, find: (id: string) => TokenRecord | undefined): TokenRecord {
  const token = parseToken(text);
  const record = find(token.id);
  if (isSecretOf(token, record?.secretHash ?? NO_HASH) && record !== undefined && record.role === token.role)
    return record;
  throw new FanfoldError(
    "token-unknown",
    `cannot let in by this token: the coordinator does not know it; it is of another coordinator, or too old to be kept; ${ASK}`,
  );
}

function isSecretOf({ secret }: Token, hash: string): boolean {
  return timingSafeEqual(Buffer.from(secretHash(secret), "hex"), Buffer.from(hash, "hex"));
}

interface TokenTimes {
  readonly nowMs: number;
  /** Of the machine that shows the token, where it tells its time. */
  readonly clientTimeMs?: number | undefined;
}

/** @throws FanfoldError `token-revoked`, `token-expired`, `clock-off` or `token-used-up` */
export function checkTokenIsGood(record: TokenRecord, times: TokenTimes): void {
  const { id, created, expires, revoked, usesLeft } = record;
  const what = `cannot let in by the token ${id}`;
  if (revoked !== null) throw new FanfoldError("token-revoked", `${what}: it was revoked on ${shown(revoked)}; ${ASK}`);
  if (expires !== null) {
    const isOver = times.nowMs >= Date.parse(expires);
    if (isOver || times.nowMs < Date.parse(created)) checkClocks(record, Date.parse(expires), times);
    if (isOver) throw new FanfoldError("token-expired", `${what}: it expired on ${shown(expires)}; ${ASK}`);
  }
  if (usesLeft === 0)
    throw new FanfoldError("token-used-up", `${what}: it has let in as many members as it was made for; ${ASK}`);
}

/** A token that a wrong clock makes look old, or not made yet, is not to be replaced: the clock is. */
function checkClocks(
  { id, created }: TokenRecord,
  expiresMs: number,
  { nowMs, clientTimeMs = nowMs }: TokenTimes,
): void {
  if (Math.abs(nowMs - clientTimeMs) <= expiresMs - Date.parse(created)) return;
  const found = `the clock of the coordinator says ${shownMs(nowMs)}, that of this machine ${shownMs(clientTimeMs)}`;
  throw new FanfoldError(
    "clock-off",
    `cannot let in by the token ${id}: ${found}, and the token is good from ${shown(created)} to ${shownMs(expiresMs)}; set the clock that is wrong`,
  );
}

function shown(time: string): string {
  return shownMs(Date.parse(time));
}

function shownMs(timeMs: number): string {
  const date = new Date(timeMs);
  if (Number.isNaN(date.getTime())) return "no time";
  return `${date.toISOString().slice(0, 16).replace("T", " ")} UTC`;
}
