import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  hkdfSync,
  type KeyObject,
} from "node:crypto";

/** Opens a file in the age format by the text of its specification alone: one chunk, stanzas of type X25519. */
const PRIVATE_HEAD = Buffer.from("302e020100300506032b656e04220420", "hex");
const PUBLIC_HEAD = Buffer.from("302a300506032b656e032100", "hex");
const TAG = 16;
const PAYLOAD_NONCE = 16;
/** Of the first chunk, which is the last one. */
const CHUNK_NONCE = Buffer.concat([Buffer.alloc(11), Buffer.of(1)]);
const BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
const BECH32_CHECK_CHARS = 6;

/** The bytes of `age1…` or `AGE-SECRET-KEY-1…`, without a look at its check characters. */
export function ownKeyBytes(text: string): Buffer {
  const digits = text
    .toLowerCase()
    .slice(text.lastIndexOf("1") + 1, -BECH32_CHECK_CHARS)
    .split("")
    .map((each) => BECH32.indexOf(each).toString(2).padStart(5, "0"))
    .join("");
  return Buffer.from(Array.from({ length: 32 }, (_, at) => Number.parseInt(digits.slice(at * 8, at * 8 + 8), 2)));
}

/** Undefined when this key opens no stanza, or the file was altered. @param scalar 32 secret bytes */
export function ownOpenedAge(file: Buffer, scalar: Buffer): Buffer | undefined {
  const text = file.toString("latin1");
  const macAt = text.indexOf("\n--- ") + "\n---".length;
  const bodyAt = text.indexOf("\n", macAt) + 1;
  const [version, ...lines] = text.slice(0, macAt).split("\n");
  if (version !== "age-encryption.org/v1") return undefined;
  const key = createPrivateKey({ key: Buffer.concat([PRIVATE_HEAD, scalar]), format: "der", type: "pkcs8" });
  for (const [at, line] of lines.entries()) {
    const fileKey = line.startsWith("-> X25519 ") ? fileKeyIn(line, lines[at + 1] ?? "", key) : undefined;
    if (fileKey === undefined) continue;
    const mac = createHmac("sha256", hkdf(fileKey, Buffer.alloc(0), "header"))
      .update(file.subarray(0, macAt))
      .digest("base64")
      .replace(/=+$/, "");
    if (mac !== text.slice(macAt + 1, bodyAt - 1)) return undefined;
    const nonce = file.subarray(bodyAt, bodyAt + PAYLOAD_NONCE);
    return decipher(hkdf(fileKey, nonce, "payload"), CHUNK_NONCE, file.subarray(bodyAt + PAYLOAD_NONCE));
  }
  return undefined;
}

function fileKeyIn(line: string, body: string, key: KeyObject): Buffer | undefined {
  const share = Buffer.from(line.split(" ")[2] ?? "", "base64");
  const peer = createPublicKey({ key: Buffer.concat([PUBLIC_HEAD, share]), format: "der", type: "spki" });
  const own = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(PUBLIC_HEAD.length);
  const shared = diffieHellman({ privateKey: key, publicKey: peer });
  const wrapping = hkdf(shared, Buffer.concat([share, own]), "age-encryption.org/v1/X25519");
  return decipher(wrapping, Buffer.alloc(12), Buffer.from(body, "base64"));
}

function hkdf(secret: Uint8Array, salt: Uint8Array, info: string): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, salt, info, 32));
}

function decipher(key: Buffer, nonce: Buffer, sealed: Buffer): Buffer | undefined {
  const cipher = createDecipheriv("chacha20-poly1305", key, nonce, { authTagLength: TAG });
  cipher.setAuthTag(sealed.subarray(-TAG));
  try {
    return Buffer.concat([cipher.update(sealed.subarray(0, -TAG)), cipher.final()]);
  } catch {
    return undefined;
  }
}
