import { FanfoldError } from "../../lib/errors.ts";
import { REPORT_BYTES_MAX } from "../limits.ts";
import { buildFrame, decodeFrame, FRAME_HEADER_BYTES, type FrameScope, sealFrame } from "./frame.ts";
import { type UpMessage, upMessageSchema } from "./report.ts";

/** What a sink says [P-10], with where and when it belongs; `sequence` counts this sink's own up frames from 0. */
export interface UpFrame extends FrameScope {
  readonly sequence: number;
  /** The stream it is about: 0 the session's data, else this sink's lane. */
  readonly stream: number;
  readonly message: UpMessage;
}

export function encodeUp(up: UpFrame): Buffer {
  const body = Buffer.from(JSON.stringify(up.message));
  const frame = buildFrame({ type: "up", sessionId: up.sessionId, epoch: up.epoch, stream: up.stream }, body);
  sealFrame(frame, up.sequence);
  return frame;
}

/** @throws FanfoldError `damaged` or `protocol-version` */
export function decodeUp(payload: Uint8Array): UpFrame {
  if (payload.byteLength > FRAME_HEADER_BYTES + REPORT_BYTES_MAX) {
    throw new FanfoldError(
      "damaged",
      `cannot read a report: ${payload.byteLength} bytes, expected at most ${REPORT_BYTES_MAX}`,
    );
  }
  const frame = decodeFrame(payload);
  if (frame.type !== "up")
    throw new FanfoldError("damaged", `cannot read a report: found a frame of type "${frame.type}"`);
  const { sessionId, epoch, sequence, stream } = frame;
  return { sessionId, epoch, sequence, stream, message: parse(frame.table) };
}

function parse(table: Uint8Array): UpMessage {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(table).toString("utf8"));
  } catch (cause) {
    throw new FanfoldError("damaged", "cannot read a report: it is not JSON", { cause });
  }
  const result = upMessageSchema.safeParse(value);
  if (result.success) return result.data;
  throw new FanfoldError("damaged", `cannot read a report: ${result.error.issues[0]?.message ?? "unexpected value"}`, {
    cause: result.error,
  });
}
