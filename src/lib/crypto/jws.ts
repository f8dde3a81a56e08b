import { type KeyObject, sign, verify } from "node:crypto";

/** What a JSON Web Signature (RFC 7515) says: `alg` stands in the header. A payload that is text goes as it is, else as JSON. */
interface JwsContent {
  readonly header: { readonly alg: string } & Readonly<Record<string, unknown>>;
  readonly payload: string | Readonly<Record<string, unknown>>;
}

/** Makes the signature of bytes. */
export type JwsSign = (input: Uint8Array) => Uint8Array;

/** A JSON Web Signature taken apart. Nothing of it is proven yet: see `verifyEdDsa`. */
export interface Jws {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Buffer;
  /** What is signed. */
  readonly input: Buffer;
  readonly signature: Buffer;
}

/** The compact form: three parts in base64url, with dots between. */
export function encodeJws({ header, payload }: JwsContent, signInput: JwsSign): string {
  const content = typeof payload === "string" ? payload : JSON.stringify(payload);
  const input = `${toBase64url(Buffer.from(JSON.stringify(header)))}.${toBase64url(Buffer.from(content))}`;
  return `${input}.${toBase64url(signInput(Buffer.from(input)))}`;
}

/** Takes the compact form apart; undefined when the text is not one. */
export function decodeJws(text: string): Jws | undefined {
  const [head, body, signature, ...rest] = text.split(".").map(fromBase64url);
  if (head === undefined || body === undefined || signature === undefined || rest.length > 0) return undefined;
  const header = jsonObject(head.toString("utf8"));
  if (header === undefined) return undefined;
  return { header, payload: body, input: Buffer.from(text.slice(0, text.lastIndexOf("."))), signature };
}

/** ECDSA with P-256 and SHA-256 (RFC 7518). */
export function signEs256(key: KeyObject): JwsSign {
  return (input) => sign("sha256", input, { key, dsaEncoding: "ieee-p1363" });
}

/** Ed25519 (RFC 8037). */
export function signEdDsa(key: KeyObject): JwsSign {
  return (input) => sign(null, input, key);
}

/** Whether the holder of this Ed25519 key signed it. */
export function verifyEdDsa({ header, input, signature }: Jws, key: KeyObject): boolean {
  return header["alg"] === "EdDSA" && verify(null, input, key, signature);
}

function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** Undefined when the text is not base64url, or not the one text that these bytes have. */
function fromBase64url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, "base64url");
  return bytes.toString("base64url") === text ? bytes : undefined;
}

function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
