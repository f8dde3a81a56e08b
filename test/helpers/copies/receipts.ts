import { SigningKey } from "../../../src/lib/crypto/signing-key.ts";
import { type Receipt, signReceipt } from "../../../src/protocol/messages/receipt.ts";

export const SINK_KEY = new SigningKey("5".repeat(64));

/** What a sink signs of an empty copy. */
export function receiptOf(change: Partial<Omit<Receipt, "sink">> = {}, key = SINK_KEY): string {
  const scope = { session: "default", sessionId: "abcdefghijkl", epoch: 1, source: "a".repeat(64), name: "alpha" };
  const copy = { digest: "ab".repeat(32), outcome: "proven", filesDone: 0, bytesDone: 0 } as const;
  const rest = { problemCount: 0, fidelity: {}, durability: "session", provenAt: "2026-11-28T12:00:00.000Z" } as const;
  return signReceipt({ ...scope, ...copy, ...rest, ...change }, key);
}
