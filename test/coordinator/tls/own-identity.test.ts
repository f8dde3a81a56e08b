import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ownIdentity } from "../../../src/coordinator/tls/own-identity.ts";
import { pinOf } from "../../../src/lib/crypto/public-key-pin.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const NOW = new Date("2026-06-01T00:00:00Z");
const PEM_NAMES = ["tls-certificate.pem", "tls-key.pem"];

function identityIn(stateDir: string, now = NOW) {
  return ownIdentity({ stateDir, name: "backup", hosts: ["backup", "10.0.0.3"], random: systemRandom, now });
}

test("makes a key and a certificate once, for nobody else to read", () => {
  const folder = tempFolder();
  const first = identityIn(folder);
  expect(readdirSync(folder).sort()).toEqual(PEM_NAMES);
  for (const name of PEM_NAMES) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(new X509Certificate(first.certificates).subjectAltName).toBe("DNS:backup, IP Address:10.0.0.3");
  expect(first.tokenPin).toBe(pinOf(new X509Certificate(first.certificates)));
  expect(identityIn(folder)).toEqual(first);
});

test.each([
  ["near its end", new Date("2034-07-01T00:00:00Z"), undefined],
  ["of a clock that was ahead", new Date("2026-05-01T00:00:00Z"), undefined],
  ["damaged", NOW, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
])("renews a certificate that is %s, with the same key", (_, now, content) => {
  const folder = tempFolder();
  const first = identityIn(folder);
  if (content !== undefined) writeFileSync(join(folder, "tls-certificate.pem"), content);
  const renewed = identityIn(folder, now);
  expect(renewed.certificates).not.toBe(first.certificates);
  expect([renewed.key, renewed.tokenPin]).toEqual([first.key, first.tokenPin]);
  expect(readFileSync(join(folder, "tls-certificate.pem"), "utf8")).toBe(renewed.certificates);
});

test("makes a certificate for the key that is there, not for one that was", () => {
  const folder = tempFolder();
  const first = identityIn(folder);
  rmSync(join(folder, "tls-key.pem"));
  const second = identityIn(folder);
  expect(second.tokenPin).not.toBe(first.tokenPin);
  expect(identityIn(folder)).toEqual(second);
});

test("never replaces a key that it cannot read: all tokens name it", () => {
  const folder = tempFolder();
  writeFileSync(join(folder, "tls-key.pem"), "nothing of the kind");
  expect(() => identityIn(folder)).toThrow(expect.objectContaining({ code: "damaged" }));
  expect(readFileSync(join(folder, "tls-key.pem"), "utf8")).toBe("nothing of the kind");
});

test("says which file cannot be written", () => {
  expect(() => identityIn(join(tempFolder(), "missing"))).toThrow(
    expect.objectContaining({ code: "disk-failed", message: expect.stringMatching(/tls-key\.pem.*no such file/) }),
  );
});
