import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readSmallFile } from "../../../src/lib/folder/small-file.ts";
import { readCertificates, readClientCertificate } from "../../../src/lib/tls/certificate-files.ts";
import { pemCertificate, wireCertificate } from "../../../src/protocol/messages/certificates.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";

const options = ["--broker-cert", "--broker-key"] as const;

test("certificates are taken out of a file, and nothing else of it", async () => {
  const path = tempFolder();
  const authority = await testAuthority(path);
  const other = await testAuthority(path, "other");
  const file = join(path, "both.pem");
  await writeFile(file, `subject=CN = one\r\n${authority.key}${authority.certificate}\n# two\n${other.certificate}`);
  const found = readCertificates(file, "--broker-ca");
  expect(found).toEqual([authority.certificate, other.certificate]);
  expect(found.map(wireCertificate).map(pemCertificate)).toEqual(found);
});

test("what holds no certificate is refused, and its content is not shown", async () => {
  const path = tempFolder();
  const { key, certificate } = await testAuthority(path);
  const file = join(path, "x");
  for (const [content, why] of [
    ["", /found 0 certificates/],
    [key, /found 0 certificates/],
    [certificate.repeat(17), /found 17 certificates/],
    [certificate.replace("MII", "AAA"), /damaged/],
    ["x".repeat(300_000), /small file/],
  ] as const) {
    await writeFile(file, content);
    expect(() => readCertificates(file, "--broker-ca")).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(why) }),
    );
  }
  expect(() => readCertificates(path, "--broker-ca")).toThrow(/small file/);
  expect(() => readCertificates(join(path, "none"), "--broker-ca")).toThrow(/--broker-ca ".*none": no such file/);
});

test("a certificate comes with its own key", async () => {
  const path = tempFolder();
  const authority = await testAuthority(path);
  const one = await authority.issue("one", ["DNS:one"]);
  const two = await authority.issue("two", ["DNS:two"]);
  expect(readClientCertificate({ certificate: undefined, key: undefined, options })).toBeUndefined();
  expect(readClientCertificate({ certificate: one.certificateFile, key: one.keyFile, options })).toEqual({
    certificate: one.certificate,
    key: one.key,
  });
  for (const [certificate, key, why] of [
    [one.certificateFile, two.keyFile, /--broker-key .*the key of another certificate/],
    [one.certificateFile, two.certificateFile, /--broker-key .*no private key/],
    [one.certificateFile, undefined, /--broker-cert without --broker-key/],
    [undefined, one.keyFile, /--broker-key without --broker-cert/],
  ] as const)
    expect(() => readClientCertificate({ certificate, key, options })).toThrow(why);
});

test("a secret that others may read is refused", async () => {
  const path = tempFolder();
  const file = join(path, "seeds");
  await writeFile(file, "secret\n");
  for (const mode of [0o640, 0o604, 0o660]) {
    await chmod(file, mode);
    const read = () => readSmallFile(file, { option: "--nats-seeds", isSecret: true });
    expect(read).toThrow(/others on this machine may read it .*chmod 600/);
    expect(read).not.toThrow(/secret\n/);
  }
  await chmod(file, 0o600);
  expect(readSmallFile(file, { option: "--nats-seeds", isSecret: true })).toBe("secret\n");
});
