import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** Seals and opens by the text of the protocol alone: nothing of this comes from `src`. */
const HEADER = 40;
const SALT = 16;
const TAG = 16;
const SIGNATURE = 64;
const HEARTBEAT = 5;
const PRIVATE_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");

/** Whose frames, and of what. */
export interface OwnScope {
  readonly secret: Uint8Array;
  readonly sessionId: string;
  readonly epoch: number;
}

export function ownPrivateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, seed]), format: "der", type: "pkcs8" });
}

/** HKDF with SHA-256 (RFC 5869), of 32 bytes: one round. */
function hkdf(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  const extracted = createHmac("sha256", salt.length === 0 ? Buffer.alloc(32) : salt)
    .update(secret)
    .digest();
  return createHmac("sha256", extracted).update(info).update(Buffer.of(1)).digest();
}

export function ownStreamKey({ secret, sessionId, epoch }: OwnScope, stream: number, sinkId = ""): Buffer {
  return hkdf(secret, new Uint8Array(0), `fanfold stream 1\0${sessionId}\0${epoch}\0${stream}\0${sinkId}`);
}

export function ownReportKey({ secret, sessionId, epoch }: OwnScope, sinkId: string, salt: Uint8Array): Buffer {
  return hkdf(secret, salt, `fanfold report 1\0${sessionId}\0${epoch}\0${sinkId}`);
}

/** @param frame header, content and table */
export function ownSealedFrame(frame: Buffer, key: Uint8Array, source: KeyObject): Buffer {
  const header = frame.subarray(0, HEADER);
  const signature = sign(null, signedOfFrame(frame, key), source);
  if (frame[3] === HEARTBEAT) return Buffer.concat([frame, signature]);
  return Buffer.concat([header, encipher(key, header, Buffer.concat([frame.subarray(HEADER), signature]))]);
}

/** Undefined when this source has not sealed it. */
export function ownOpenedFrame(sealed: Buffer, key: Uint8Array, source: KeyObject): Buffer | undefined {
  const header = sealed.subarray(0, HEADER);
  const body = sealed[3] === HEARTBEAT ? sealed.subarray(HEADER) : decipher(key, header, sealed.subarray(HEADER));
  if (body === undefined) return undefined;
  const frame = Buffer.concat([header, body.subarray(0, -SIGNATURE)]);
  return verify(null, signedOfFrame(frame, key), createPublicKey(source), body.subarray(-SIGNATURE))
    ? frame
    : undefined;
}

function signedOfFrame(frame: Buffer, key: Uint8Array): Buffer {
  const contentBytes = frame.readUInt32BE(32);
  return Buffer.concat([
    Buffer.from("fanfold frame 1\0"),
    createHash("sha256").update(key).digest(),
    frame.subarray(0, HEADER),
    frame.subarray(HEADER + contentBytes),
  ]);
}

/** @param report header and body */
export function ownSealedReport(report: Buffer, key: Uint8Array, salt: Uint8Array, sink: KeyObject): Buffer {
  const head = Buffer.concat([report.subarray(0, HEADER), salt]);
  const body = report.subarray(HEADER);
  const signature = sign(null, Buffer.concat([Buffer.from("fanfold report 1\0"), head, body]), sink);
  return Buffer.concat([head, encipher(key, head, Buffer.concat([body, signature]))]);
}

/** Header, salt, body and signature. Undefined when this sink has not sealed it. */
export function ownOpenedReport(sealed: Buffer, key: Uint8Array, sink: KeyObject): Buffer | undefined {
  const head = sealed.subarray(0, HEADER + SALT);
  const body = decipher(key, head, sealed.subarray(head.length));
  if (body === undefined) return undefined;
  const signed = Buffer.concat([Buffer.from("fanfold report 1\0"), head, body.subarray(0, -SIGNATURE)]);
  return verify(null, signed, createPublicKey(sink), body.subarray(-SIGNATURE))
    ? Buffer.concat([head, body])
    : undefined;
}

function encipher(key: Uint8Array, head: Buffer, plain: Uint8Array): Buffer {
  const cipher = createCipheriv("aes-256-gcm", key, nonceOf(head));
  cipher.setAAD(head);
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

function decipher(key: Uint8Array, head: Buffer, sealed: Buffer): Buffer | undefined {
  const cipher = createDecipheriv("aes-256-gcm", key, nonceOf(head), { authTagLength: TAG });
  cipher.setAAD(head);
  cipher.setAuthTag(sealed.subarray(-TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()]);
  } catch {
    return undefined;
  }
}

/** The sequence, in the last 8 of 12 bytes. */
function nonceOf(head: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(4), head.subarray(24, 32)]);
}
