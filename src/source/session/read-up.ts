import { decodeWholeFrame, type FrameScope } from "../../protocol/frame/frame.ts";
import { decodeUp, type UpFrame } from "../../protocol/frame/up.ts";
import { withSafeText } from "../../protocol/names/peer-text.ts";

/**
 * What a sink says in this session and epoch, its texts safe for terminals whatever it did with them. Undefined for what is left over, and for what was spoilt on its way: that says
 * nothing of who sent it, and the next report says the same and more.
 *
 * @throws FanfoldError `damaged`
 */
export function readUp(payload: Uint8Array, { sessionId, epoch }: FrameScope): UpFrame | undefined {
  if (decodeWholeFrame(payload) === undefined) return undefined;
  const up = decodeUp(payload);
  return up.sessionId === sessionId && up.epoch === epoch ? { ...up, message: withSafeText(up.message) } : undefined;
}
