import { execFileSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { processIo } from "../../../src/cli/main.ts";
import { readBrokerCertificate, readContact } from "../../../src/cli/options/contact-options.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";

const { signal } = new AbortController();
const TOKEN = "ff1_sink__abcdefgh_aaaaaaaaaaaaaaaaaaaaaaaaaabbbb";
const COORDINATOR = "backup:7337";

function ioWith(token?: string) {
  const io = processIo();
  onTestFinished(() => {
    delete io.env.FANFOLD_TOKEN;
  });
  if (token !== undefined) io.env.FANFOLD_TOKEN = token;
  return io;
}

function tokenFile(text: string): Buffer {
  const path = join(tempFolder(), "token");
  writeFileSync(path, text, { mode: 0o600 });
  return Buffer.from(path);
}

test("the token of the environment is read once, and no child inherits it", async () => {
  const io = ioWith(` ${TOKEN}\n`);
  expect(execFileSync("env", { encoding: "utf8" })).toContain(TOKEN);
  expect(await readContact({ coordinator: COORDINATOR }, io, signal)).toEqual({
    coordinator: COORDINATOR,
    token: TOKEN,
  });
  expect(execFileSync("env", { encoding: "utf8" })).not.toContain(TOKEN);
  expect(await readContact({ coordinator: COORDINATOR }, io, signal)).toEqual({ coordinator: COORDINATOR });
});

test("the token of a file comes before that of the environment, which is taken out all the same", async () => {
  const io = ioWith("another");
  const given = { coordinator: COORDINATOR, tokenFile: tokenFile(`${TOKEN}\r\n`) };
  expect(await readContact(given, io, signal)).toMatchObject({ token: TOKEN });
  expect(io.env.FANFOLD_TOKEN).toBeUndefined();
});

test("a file that others may read, or that holds nothing, is refused without its content", async () => {
  const [open, empty] = [tokenFile(TOKEN), tokenFile("\n")];
  chmodSync(open, 0o644);
  const read = (file: Buffer) => readContact({ coordinator: COORDINATOR, tokenFile: file }, ioWith(), signal);
  await expect(read(open)).rejects.toMatchObject({
    code: "usage",
    message: `cannot read the token in --token-file "${open}": others on this machine may read it (mode 644); chmod 600 it`,
  });
  await expect(read(empty)).rejects.toThrow(/found nothing, want a token$/);
});

test("certificates come with their keys, for the coordinator and for a broker", async () => {
  const { certificateFile, keyFile, certificate, key } = await (await testAuthority(tempFolder())).issue("a", [
    "DNS:a",
  ]);
  const [cert, itsKey] = [Buffer.from(certificateFile), Buffer.from(keyFile)];
  const given = { coordinator: COORDINATOR, tlsCert: cert, tlsKey: itsKey };
  expect(await readContact(given, ioWith(), signal)).toMatchObject({ clientCertificate: { certificate, key } });
  const brokers = await readBrokerCertificate({ brokerCert: cert, brokerKey: itsKey }, ioWith());
  expect(brokers).toEqual({ brokerCertificate: { certificate, key } });
  expect(await readBrokerCertificate({}, ioWith())).toEqual({});
  await expect(readContact({ coordinator: COORDINATOR, tlsKey: itsKey }, ioWith(), signal)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining("cannot use --tls-key without --tls-cert"),
  });
});
