import { createPrivateKey, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeJws, encodeJws, type Jws, signEdDsa, signEs256, verifyEdDsa } from "../../../src/lib/crypto/jws.ts";

/** RFC 8037, appendix A. */
const ED25519 = createPrivateKey({
  key: {
    kty: "OKP",
    crv: "Ed25519",
    d: "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A",
    x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  },
  format: "jwk",
});
/** RFC 7515, appendix A.3. */
const P256 = createPrivateKey({
  key: {
    kty: "EC",
    crv: "P-256",
    x: "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    y: "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    d: "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
  },
  format: "jwk",
});
const ED_DSA_JWS =
  "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
const ES256_JWS =
  "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
const JOE = '{"iss":"joe",\r\n "exp":1300819380,\r\n "http://example.com/is_root":true}';

test("an Ed25519 signature is that of RFC 8037", () => {
  const header = { alg: "EdDSA" };
  expect(encodeJws({ header, payload: "Example of Ed25519 signing" }, signEdDsa(ED25519))).toBe(ED_DSA_JWS);
  const jws = decoded(ED_DSA_JWS);
  expect(jws.payload.toString()).toBe("Example of Ed25519 signing");
  expect(verifyEdDsa(jws, createPublicKey(ED25519))).toBe(true);
});

test("an ES256 signature has the form that RFC 7515 gives it", () => {
  const isSigned = ({ input, signature }: Jws): boolean =>
    verify("sha256", input, { key: createPublicKey(P256), dsaEncoding: "ieee-p1363" }, signature);
  const jws = decoded(ES256_JWS);
  expect(jws.payload.toString()).toBe(JOE);
  expect(isSigned(jws)).toBe(true);
  const ours = decoded(encodeJws({ header: { alg: "ES256" }, payload: JOE }, signEs256(P256)));
  expect(ours.input).toEqual(jws.input);
  expect(ours.signature).toHaveLength(64);
  expect(isSigned(ours)).toBe(true);
});

test("a payload that is no text goes as JSON", () => {
  const jws = decoded(encodeJws({ header: { alg: "EdDSA", typ: "JWT" }, payload: { sub: "ä" } }, signEdDsa(ED25519)));
  expect(jws.header).toEqual({ alg: "EdDSA", typ: "JWT" });
  expect(JSON.parse(jws.payload.toString())).toEqual({ sub: "ä" });
});

describe("nobody is believed", () => {
  test("with another key", () => {
    expect(verifyEdDsa(decoded(ED_DSA_JWS), generateKeyPairSync("ed25519").publicKey)).toBe(false);
  });

  test("with another algorithm in the header, or none", () => {
    const sign = signEdDsa(ED25519);
    for (const alg of ["none", "ES256", "HS256"]) {
      const jws = decoded(encodeJws({ header: { alg }, payload: "x" }, sign));
      expect(verifyEdDsa(jws, createPublicKey(ED25519))).toBe(false);
    }
  });

  test("with one bit changed anywhere", () => {
    const publicKey = createPublicKey(ED25519);
    const isBelieved = (text: string): boolean => {
      const jws = decodeJws(text);
      return jws !== undefined && verifyEdDsa(jws, publicKey);
    };
    fc.assert(
      fc.property(fc.nat(ED_DSA_JWS.length - 1), fc.integer({ min: 0, max: 7 }), (at, bit) => {
        const bytes = Buffer.from(ED_DSA_JWS);
        bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << bit), at);
        expect(isBelieved(bytes.toString("latin1"))).toBe(false);
      }),
    );
  });
});

test("what is no compact form is not read", () => {
  for (const text of [
    "",
    ".",
    "..",
    "a.b",
    `${ED_DSA_JWS}.`,
    `${ED_DSA_JWS}=`,
    `${ED_DSA_JWS} `,
    "bnVsbA.e30.AA",
    "W10.e30.AA",
  ])
    expect(decodeJws(text)).toBeUndefined();
});

test("any payload is read back, and its text is the only one that it has", () => {
  const sign = signEdDsa(ED25519);
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (payload) => {
      const text = encodeJws({ header: { alg: "EdDSA" }, payload }, sign);
      expect(text).toMatch(/^[\w-]+\.[\w-]*\.[\w-]+$/);
      expect(decoded(text).payload.toString()).toBe(Buffer.from(payload).toString());
    }),
  );
  const [head, , signature] = ED_DSA_JWS.split(".");
  for (const body of ["AB", "A", "AA==", "+/+/", "A A"])
    expect(decodeJws(`${head}.${body}.${signature}`)).toBeUndefined();
});

function decoded(text: string): Jws {
  const jws = decodeJws(text);
  if (jws === undefined) throw new Error(`"${text}" is not read`);
  return jws;
}
