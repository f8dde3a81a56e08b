import { decodeJws, encodeJws, verifyEdDsa } from "../../lib/crypto/jws.ts";
import { publicKeyObject, type SigningKey } from "../../lib/crypto/signing-key.ts";
import { FanfoldError } from "../../lib/errors.ts";
import { SESSION_ID_CHARS } from "../limits.ts";
import type { Shaped } from "../shape/shape.ts";
import { shape } from "../shape/shapes.ts";
import { deletionShape } from "./deletion.ts";
import { FIDELITY_KINDS } from "./fidelity.ts";
import { takenShape } from "./taken.ts";

/**
 * What a sink proved, signed by it [P-13]: a JSON Web Signature (RFC 7515) with Ed25519, in its compact form. Anybody can
 * check it at any time, without the coordinator.
 */
const TYPE = "fanfold-receipt";
/** One of today has about 1,200. */
export const RECEIPT_CHARS_MAX = 4096;

const count = shape.int().nonnegative();
const publicKey = shape.text().regex(/^[0-9a-f]{64}$/);

const receiptShape = shape.object({
  session: shape.text().max(64),
  sessionId: shape.text().regex(new RegExp(`^[a-z0-9]{${SESSION_ID_CHARS}}$`)),
  epoch: shape.int().min(1),
  /** Public keys. */
  source: publicKey,
  sink: publicKey,
  /** What the sink was called in the session. */
  name: shape.text().max(256),
  /** Of the tree, in hex: the one that the source has published. */
  digest: publicKey,
  /** As in a sink's outcome. */
  outcome: shape.word(["proven", "complete", "incomplete"]),
  filesDone: count,
  bytesDone: count,
  takenAsUnchanged: takenShape.optional(),
  problemCount: count,
  /** Entries that could not be carried exactly, by kind. */
  fidelity: shape.record(shape.word(FIDELITY_KINDS), shape.int().min(1)),
  deletion: shape.object({ result: deletionShape.fields.result, entries: deletionShape.fields.entries }).optional(),
  /** When stored data was forced to the disk: before `provenAt`, unless none. */
  durability: shape.word(["session", "file", "none"]),
  /** By the sink's clock. */
  provenAt: shape.text().dateTime(),
});
export type Receipt = Shaped<typeof receiptShape>;

/** A receipt as text, signed by the sink that `receipt.sink` names. */
export function signReceipt(receipt: Omit<Receipt, "sink">, key: SigningKey): string {
  const payload: Receipt = { ...receipt, sink: key.publicKey };
  return encodeJws({ header: { alg: "EdDSA", typ: TYPE }, payload }, key.signer);
}

/** @throws FanfoldError `receipt-invalid` unless the text is a receipt that its sink signed */
export function readReceipt(text: string): Receipt {
  const jws = text.length > RECEIPT_CHARS_MAX ? undefined : decodeJws(text);
  if (jws?.header["typ"] !== TYPE) throw invalid("found something else, want a text that a sink signed");
  const receipt = receiptShape.accept(jsonIn(jws.payload));
  if (receipt === undefined)
    throw invalid("it says something that no receipt says; use the release of fanfold that made it");
  if (!verifyEdDsa(jws, publicKeyObject(receipt.sink)))
    throw invalid(`the signature is not that of the sink ${receipt.sink}; somebody has changed it`);
  return receipt;
}

/** One that was checked when it came: what it says, without a look at the signature. */
export function keptReceipt(text: string): Receipt | undefined {
  const jws = decodeJws(text);
  return jws === undefined ? undefined : receiptShape.accept(jsonIn(jws.payload));
}

function jsonIn(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    return undefined;
  }
}

function invalid(found: string): FanfoldError {
  return new FanfoldError("receipt-invalid", `cannot take a receipt: ${found}`);
}
