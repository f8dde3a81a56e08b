import { decodeWholeFrame, type FrameOpener, type FrameScope, openSealedFrame } from "../../protocol/frame/frame.ts";
import { type UpFrame, upOf } from "../../protocol/frame/up.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";

/**
 * What a sink says in this session and epoch, its texts safe for terminals whatever it did with them. Undefined for reports
 * that are left over or were damaged on their way. Damage says nothing about the sender, and the next report has the same
 * content and more.
 *
 * @throws FanfoldError `damaged`
 */
export function readUp(
  payload: Uint8Array,
  { sessionId, epoch }: FrameScope,
  opener?: FrameOpener,
): UpFrame | undefined {
  const frame = opener === undefined ? decodeWholeFrame(payload) : openSealedFrame(payload, opener);
  if (frame === undefined) return undefined;
  const up = upOf(frame);
  return up.sessionId === sessionId && up.epoch === epoch ? { ...up, message: withSafeText(up.message) } : undefined;
}
