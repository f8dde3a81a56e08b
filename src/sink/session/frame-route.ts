import { decodeWholeFrame, FRAME_HEADER_BYTES, openSealedFrame, type StreamScope } from "../../protocol/frame/frame.ts";
import { PROTOCOL_VERSION } from "../../protocol/limits.ts";
import type { SinkSeal } from "./sink-seal.ts";

/** Who is to take a payload: the engine of the stream that runs, nobody, or the next stream, which begins with it. */
export type FrameRoute =
  | { readonly to: "engine" }
  | { readonly to: "nobody" }
  | { readonly to: "next"; readonly stream: number };

const ENGINE: FrameRoute = { to: "engine" };
const NOBODY: FrameRoute = { to: "nobody" };
const EPOCH_OFFSET = 16;
const STREAM_OFFSET = 20;

/**
 * Looks at the header of a payload, for where it belongs [P-9.3]; the engine checks the rest. What would begin another stream
 * is opened here. Frames of other epochs and
 * of lower streams are left over, or come too early: whatever of them is needed is sent again.
 *
 * @param place the stream that this sink is served by
 */
export function routeFrame(
  payload: Uint8Array,
  place: StreamScope,
  isOwnSubject: boolean,
  seal?: Pick<SinkSeal, "opener">,
): FrameRoute {
  // The engine knows what to say of what is no frame of this version.
  if (payload.length < FRAME_HEADER_BYTES || payload[2] !== PROTOCOL_VERSION) return ENGINE;
  const epoch = new DataView(payload.buffer, payload.byteOffset).getUint32(EPOCH_OFFSET);
  const stream = payload[STREAM_OFFSET] ?? 0;
  if (epoch === place.epoch && stream === place.stream) return ENGINE;
  if (epoch !== place.epoch || stream < place.stream || !isOwnSubject) return NOBODY;
  // A spoilt or forged header must not end the copy that runs. The payload stays as it came, for the engine.
  const frame =
    seal === undefined ? decodeWholeFrame(payload) : openSealedFrame(Buffer.from(payload), seal.opener(stream));
  return frame?.sessionId === place.sessionId ? { to: "next", stream } : NOBODY;
}
