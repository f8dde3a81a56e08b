import { FanfoldError } from "../../lib/errors.ts";
import { REPORT_BYTES_MAX } from "../limits.ts";
import { ShapeFault } from "../shape/fault.ts";
import {
  buildFrame,
  decodeFrame,
  FRAME_HEADER_BYTES,
  type Frame,
  type FrameScope,
  type FrameSealer,
  finishFrame,
} from "./frame.ts";
import { type UpMessage, upMessageShape } from "./report.ts";

/** Of a whole report. */
export const UP_FRAME_BYTES_MAX = FRAME_HEADER_BYTES + REPORT_BYTES_MAX;

/** What a sink says [P-10], with where and when it belongs; `sequence` counts this sink's own up frames from 0. */
export interface UpFrame extends FrameScope {
  readonly sequence: number;
  /** The stream it is about: 0 the session's data, else this sink's lane. */
  readonly stream: number;
  readonly message: UpMessage;
}

export function encodeUp(up: UpFrame, sealer?: FrameSealer): Buffer {
  const body = Buffer.from(JSON.stringify(up.message));
  const frame = buildFrame({ type: "up", sessionId: up.sessionId, epoch: up.epoch, stream: up.stream }, body);
  return finishFrame(frame, up.sequence, sealer);
}

/** @throws FanfoldError `damaged` or `protocol-version` */
export function decodeUp(payload: Uint8Array): UpFrame {
  if (payload.byteLength > UP_FRAME_BYTES_MAX) {
    throw new FanfoldError(
      "damaged",
      `cannot read a report: ${payload.byteLength} bytes, expected at most ${UP_FRAME_BYTES_MAX}`,
    );
  }
  return upOf(decodeFrame(payload));
}

/** @throws FanfoldError `damaged` */
export function upOf(frame: Frame): UpFrame {
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
  const message = upMessageShape.read(value);
  if (!(message instanceof ShapeFault)) return message;
  throw new FanfoldError("damaged", `cannot read a report: unexpected value ${message}`);
}
