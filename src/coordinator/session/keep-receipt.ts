import { FanfoldError } from "../../lib/errors.ts";
import { readReceipt } from "../../protocol/messages/receipt.ts";
import type { History } from "../history/history.ts";
import type { Client } from "./effects.ts";
import type { RunningSession } from "./session-slot.ts";

interface ReceiptPlace {
  readonly running: RunningSession | undefined;
  readonly history: History;
}

/** Keeps what a sink signed of its own copy, by its own key [P-13]. Whoever sends anything else is turned away. */
export function keepReceipt(
  text: string,
  { memberId, identity, role, connection }: Client,
  { running, history }: ReceiptPlace,
): void {
  try {
    const { sink, sessionId, epoch } = readReceipt(text);
    if (role !== "sink" || sink !== identity)
      throw new FanfoldError("receipt-invalid", "cannot take a receipt: another key has signed it");
    // One of an earlier epoch may be on its way while the source takes its session over.
    if (running === undefined || sessionId !== running.id || epoch !== running.epoch) return;
    history.receipt({ sessionId, memberId, receipt: text });
  } catch (thrown) {
    connection.refuse("damaged", FanfoldError.from(thrown).message);
  }
}
