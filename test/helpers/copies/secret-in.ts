import type { Seal } from "../../../src/protocol/messages/control.ts";

/** What a coordinator passes on; nothing of a session that is open, or sealed for recipients. */
export function secretIn(seal: Seal | undefined): Buffer {
  return Buffer.from(seal?.by === "coordinator" ? seal.secret : "", "base64url");
}
