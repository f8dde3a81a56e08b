import { execFileSync } from "node:child_process";
import { createHash, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect, createServer } from "node:tls";
import { expect, test } from "vitest";
import { decodeBase32 } from "../../../src/lib/crypto/base32.ts";
import { newServerKey, selfSigned } from "../../../src/lib/crypto/certificate.ts";
import { pinOf, samePin } from "../../../src/lib/crypto/public-key-pin.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const NOW = new Date("2026-03-01T12:00:00.789Z");
const HOSTS = ["backup", "localhost", "nas.example.com", "127.0.0.1", "fd00::3", "no name", "ümlaut", ""];

function made(now = NOW, hosts: readonly string[] = HOSTS) {
  const key = newServerKey();
  const pem = selfSigned({ key, name: "backup", hosts, random: systemRandom, now });
  return { key, pem, certificate: new X509Certificate(pem) };
}

function openssl(pem: string, ...args: readonly string[]): string {
  const file = join(tempFolder(), "certificate.pem");
  writeFileSync(file, pem);
  return execFileSync(
    "openssl",
    args.map((arg) => (arg === "FILE" ? file : arg)),
    { encoding: "utf8" },
  );
}

test("says what it is for, and for how long", () => {
  const { certificate, key } = made();
  expect(certificate.subject).toBe("CN=backup");
  expect(certificate.subjectAltName).toBe(
    "DNS:backup, DNS:localhost, DNS:nas.example.com, IP Address:127.0.0.1, IP Address:FD00:0:0:0:0:0:0:3",
  );
  expect(certificate.validFromDate).toEqual(new Date("2026-02-28T12:00:00Z"));
  expect(certificate.validToDate).toEqual(new Date("2036-03-01T12:00:00Z"));
  expect(certificate.ca).toBe(false);
  expect(certificate.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
  expect(certificate.checkPrivateKey(key)).toBe(true);
  expect(certificate.checkHost("NAS.example.com")).toBeDefined();
  expect(certificate.checkIP("fd00::3")).toBeDefined();
  expect(certificate.checkHost("other")).toBeUndefined();
});

test("OpenSSL verifies it strictly, in this and in the next half of the century", () => {
  for (const now of [new Date(), new Date("2045-06-01T00:00:00Z")]) {
    const { pem } = made(now);
    const second = String(Math.floor(now.getTime() / 1000));
    const verify = ["verify", "-x509_strict", "-purpose", "sslserver", "-attime", second, "-CAfile", "FILE", "FILE"];
    expect(openssl(pem, ...verify)).toMatch(/: OK$/m);
  }
});

test("certificates without names, and with more names than there is room for", () => {
  const verify = ["verify", "-x509_strict", "-no_check_time", "-CAfile", "FILE", "FILE"];
  expect(openssl(made(NOW, []).pem, ...verify)).toMatch(/: OK$/m);
  const many = made(
    NOW,
    Array.from({ length: 300 }, (_, at) => `host-${at}.example.com`),
  );
  expect(many.certificate.subjectAltName?.split(", ")).toHaveLength(64);
  expect(openssl(many.pem, ...verify)).toMatch(/: OK$/m);
});

test("the pin is the SHA-256 of the public key as OpenSSL writes it, and stays with a renewed certificate", () => {
  const { key, pem, certificate } = made();
  const publicKey = openssl(pem, "x509", "-in", "FILE", "-noout", "-pubkey");
  const spki = Buffer.from(publicKey.replace(/-----.*-----|\s/g, ""), "base64");
  const pin = pinOf(certificate);
  expect(pin).toMatch(/^[a-z2-7]{52}$/);
  expect(decodeBase32(pin)).toEqual(createHash("sha256").update(spki).digest());
  const renewed = selfSigned({ key, name: "other", hosts: [], random: systemRandom, now: new Date() });
  expect(renewed).not.toBe(pem);
  expect(samePin(pinOf(new X509Certificate(renewed)), pin)).toBe(true);
  expect(samePin(pinOf(made().certificate), pin)).toBe(false);
  expect(samePin("", pin)).toBe(false);
});

test("Node's TLS takes it as the only authority, and no other one with the same names", async () => {
  const { key, pem } = made(new Date());
  const keyPem = key.export({ type: "pkcs8", format: "pem" });
  const server = createServer({ key: keyPem, cert: pem, minVersion: "TLSv1.3" }, (socket) => socket.end("hello"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const say = (ca: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", ca: [ca], minVersion: "TLSv1.3" });
      socket.once("error", reject);
      socket.once("data", (data) => resolve(String(data)));
      socket.once("close", () => reject(new Error("nothing came")));
    });
  try {
    expect(await say(pem)).toBe("hello");
    await expect(say(made(new Date()).pem)).rejects.toThrow();
  } finally {
    server.close();
  }
});
