/**
 * The framed stream between a client and the relay, after the HTTP upgrade [P-2.4]. Pure. All numbers are big-endian.
 *
 *   frame   = head subject payload
 *   head    = op:u8 subjectBytes:u8 id:u16 payloadBytes:u32        8 bytes
 *   subject = subjectBytes of ASCII
 *   payload = payloadBytes
 *
 * | op | name | sent by | id | subject | payload |
 * | --- | --- | --- | --- | --- | --- |
 * | 1 | pub     | client | 0                 | subject | the message |
 * | 2 | sub     | client | of a subscription | pattern | queueBytes:u32 |
 * | 3 | unsub   | client | of a subscription | -       | - |
 * | 4 | ping    | client | any, echoed       | -       | - |
 * | 5 | msg     | relay  | of a subscription | subject | the message |
 * | 6 | subok   | relay  | of a subscription | -       | - |
 * | 7 | lost    | relay  | of a subscription | -       | messages:u48 bytes:u48 |
 * | 8 | refused | relay  | of a subscription, 0 for a publish | subject | text:utf8, 512 bytes at most |
 * | 9 | pong    | relay  | of the ping       | -       | - |
 *
 * A client chooses the id of a subscription, 1 to 65535. A pong comes after everything the relay did for earlier frames.
 */
import { FanfoldError } from "../../lib/errors.ts";
import { FRAME_BYTES_MAX } from "../../protocol/limits.ts";

export const HEAD_BYTES = 8;
export const SUBSCRIPTION_ID_MAX = 0xffff;
export const REFUSAL_TEXT_BYTES_MAX = 512;
/** Largest message; the embedded transport's payload limit. */
export const MESSAGE_BYTES_MAX = FRAME_BYTES_MAX;

type DataOp = "pub" | "msg";

/** The start of a frame whose payload follows in pieces, because it may be large. */
export interface DataHead {
  readonly op: DataOp;
  readonly id: number;
  readonly subject: string;
  readonly payloadBytes: number;
}

/** A frame that is small and decoded as a whole. */
export type ControlFrame =
  | { readonly op: "sub"; readonly id: number; readonly subject: string; readonly queueBytes: number }
  | { readonly op: "refused"; readonly id: number; readonly subject: string; readonly text: string }
  | { readonly op: "lost"; readonly id: number; readonly messages: number; readonly bytes: number }
  | { readonly op: "unsub" | "ping" | "subok" | "pong"; readonly id: number };

export type Op = DataOp | ControlFrame["op"];
export type Side = "client" | "relay";

interface OpRule {
  readonly code: number;
  readonly sentBy: Side;
  readonly subject: "none" | "subject" | "pattern";
  readonly payloadBytes: { readonly min: number; readonly max: number };
}

const NOTHING = { min: 0, max: 0 };
const MESSAGE = { min: 0, max: MESSAGE_BYTES_MAX };
const U48_BYTES = 6;
const U48_MAX = 2 ** 48 - 1;

/** What each op may carry: encoder and decoder both go by it. */
export const OP_RULES: Readonly<Record<Op, OpRule>> = {
  pub: { code: 1, sentBy: "client", subject: "subject", payloadBytes: MESSAGE },
  sub: { code: 2, sentBy: "client", subject: "pattern", payloadBytes: { min: 4, max: 4 } },
  unsub: { code: 3, sentBy: "client", subject: "none", payloadBytes: NOTHING },
  ping: { code: 4, sentBy: "client", subject: "none", payloadBytes: NOTHING },
  msg: { code: 5, sentBy: "relay", subject: "subject", payloadBytes: MESSAGE },
  subok: { code: 6, sentBy: "relay", subject: "none", payloadBytes: NOTHING },
  lost: { code: 7, sentBy: "relay", subject: "none", payloadBytes: { min: 2 * U48_BYTES, max: 2 * U48_BYTES } },
  refused: { code: 8, sentBy: "relay", subject: "pattern", payloadBytes: { min: 0, max: REFUSAL_TEXT_BYTES_MAX } },
  pong: { code: 9, sentBy: "relay", subject: "none", payloadBytes: NOTHING },
};

/** Head and subject of a frame; its payload is written after it. */
export function encodeHead(head: DataHead): Buffer {
  return encodeStart(head.op, head);
}

export function encodeControl(frame: ControlFrame): Buffer {
  switch (frame.op) {
    case "sub": {
      const payload = Buffer.alloc(4);
      payload.writeUInt32BE(frame.queueBytes);
      return whole(frame, payload);
    }
    case "lost": {
      const payload = Buffer.alloc(2 * U48_BYTES);
      payload.writeUIntBE(Math.min(frame.messages, U48_MAX), 0, U48_BYTES);
      payload.writeUIntBE(Math.min(frame.bytes, U48_MAX), U48_BYTES, U48_BYTES);
      return whole(frame, payload);
    }
    case "refused":
      return whole(frame, Buffer.from(frame.text, "utf8").subarray(0, REFUSAL_TEXT_BYTES_MAX));
    default:
      return encodeStart(frame.op, { id: frame.id, subject: "", payloadBytes: 0 });
  }
}

/** Decodes a control frame whose lengths were checked against `OP_RULES`. */
export function decodeControl(op: ControlFrame["op"], start: Omit<DataHead, "op">, payload: Buffer): ControlFrame {
  const { id, subject } = start;
  switch (op) {
    case "sub":
      return { op, id, subject, queueBytes: payload.readUInt32BE(0) };
    case "lost":
      return { op, id, messages: payload.readUIntBE(0, U48_BYTES), bytes: payload.readUIntBE(U48_BYTES, U48_BYTES) };
    case "refused":
      return { op, id, subject, text: payload.toString("utf8") };
    default:
      return { op, id };
  }
}

function encodeStart(op: Op, { id, subject, payloadBytes }: Omit<DataHead, "op">): Buffer {
  const rule = OP_RULES[op];
  const start = Buffer.allocUnsafe(HEAD_BYTES + subject.length);
  start.writeUInt8(rule.code, 0);
  start.writeUInt8(subject.length, 1);
  start.writeUInt16BE(id, 2);
  start.writeUInt32BE(payloadBytes, 4);
  if (start.write(subject, HEAD_BYTES, "latin1") !== subject.length) {
    throw new FanfoldError("internal", `cannot encode "${op}": the subject "${subject}" does not fit`);
  }
  return start;
}

function whole(frame: { op: Op; id: number; subject?: string }, payload: Buffer): Buffer {
  const start = encodeStart(frame.op, { id: frame.id, subject: frame.subject ?? "", payloadBytes: payload.length });
  return Buffer.concat([start, payload]);
}
