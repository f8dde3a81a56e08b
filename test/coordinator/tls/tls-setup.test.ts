import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type TlsFiles, TlsSetup } from "../../../src/coordinator/tls/tls-setup.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import type { AccessMode } from "../../../src/protocol/messages/coordinator-events.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";
import { type KeyPair, selfMade } from "../../helpers/tls/certificates.ts";
import { testAuthority } from "../../helpers/tls/test-authority.ts";

function setup(files: TlsFiles, access: AccessMode = "guarded"): TlsSetup {
  return new TlsSetup({ access, files, clock: systemClock });
}

const NAMES = ["DNS:localhost"];

/** Files that hold a certificate and its key. */
function filesOf(folder: string, { certificate, key }: KeyPair, name = "own") {
  const [tlsCert, tlsKey] = [join(folder, `${name}-certificate`), join(folder, `${name}-key`)];
  writeFileSync(tlsCert, certificate);
  writeFileSync(tlsKey, key, { mode: 0o600 });
  return { tlsCert, tlsKey };
}

function placeOf(stateDir: string) {
  return { stateDir, hosts: ["localhost"], random: systemRandom };
}

describe("a certificate of one's own", () => {
  test("is served with its chain, and checked by authorities", async () => {
    const folder = tempFolder();
    const { certificate, certificateFile: tlsCert, keyFile } = await (await testAuthority(folder)).issue("own", NAMES);
    const material = setup({ tlsCert, tlsKey: Buffer.from(keyFile) }).material(placeOf(folder));
    expect(material?.identity.certificates).toBe(certificate);
    expect(material?.identity.tokenPin).toBe("");
  });

  test("is pinned when no authority stands behind it", () => {
    const folder = tempFolder();
    const made = selfMade();
    expect(setup(filesOf(folder, made)).material(placeOf(folder))?.identity.tokenPin).toBe(made.pin);
  });

  test("that cannot be used is refused, in words that never hold the key", async () => {
    const folder = tempFolder();
    const authority = await testAuthority(folder);
    const [one, other] = [await authority.issue("one", NAMES), await authority.issue("other", NAMES)];
    const past = filesOf(folder, selfMade({ now: new Date("2011-01-01T00:00:00Z") }), "past");
    const future = filesOf(folder, selfMade({ now: new Date("2090-01-02T00:00:00Z") }), "future");
    const empty = join(folder, "empty");
    writeFileSync(empty, "");
    const refusalOf = (tlsCert: string, tlsKey: string): string => {
      try {
        setup({ tlsCert, tlsKey });
      } catch (thrown) {
        expect(thrown).toMatchObject({ code: "usage" });
        return String(thrown);
      }
      return "none";
    };
    expect(refusalOf(one.certificateFile, other.keyFile)).toContain("found the key of another certificate");
    expect(refusalOf(past.tlsCert, past.tlsKey)).toContain("was good until 2021-01-01");
    expect(refusalOf(future.tlsCert, future.tlsKey)).toContain("is good from 2090-01-01");
    expect(refusalOf(one.keyFile, one.keyFile)).toContain("found 0 certificates");
    expect(refusalOf(one.certificateFile, one.certificateFile)).toContain("found no private key");
    expect(refusalOf(empty, one.keyFile)).toContain("found 0 certificates");
    expect(refusalOf(join(folder, "missing"), one.keyFile)).toMatch(/--tls-cert.*no such file/);
    expect(refusalOf(one.certificateFile, folder)).toMatch(/--tls-key.*found something else/);
  });
});

test.each<[TlsFiles, AccessMode, RegExp]>([
  [{ tlsCert: "c" }, "guarded", /--tls-cert without --tls-key/],
  [{ tlsKey: "k" }, "guarded", /--tls-key without --tls-cert/],
  [{ tlsCert: "c", tlsKey: "k" }, "open", /--tls-cert: .*add --require-token/],
  [{ tlsClientCa: "a" }, "insecure-open", /--tls-client-ca: .*--insecure-open/],
])("refuses %j where it is %s", (files, access, text) => {
  expect(() => setup(files, access)).toThrow(
    expect.objectContaining({ code: "usage", message: expect.stringMatching(text) }),
  );
});

test("an authority of clients has to be one", async () => {
  const folder = tempFolder();
  const authority = await testAuthority(folder);
  const { certificateFile } = await authority.issue("leaf", NAMES);
  expect(() => setup({ tlsClientCa: certificateFile })).toThrow(/may not sign others/);
  const good = setup({ tlsClientCa: authority.certificateFile });
  expect(good.mode).toBe("certificates");
  expect(good.material(placeOf(folder))?.clientCa).toEqual([authority.certificate]);
});

test("reads its files again, and keeps what it has when they cannot be used", async () => {
  const folder = tempFolder();
  const authority = await testAuthority(folder);
  const [one, other] = [await authority.issue("one", NAMES), await authority.issue("other", NAMES)];
  const [tlsCert, tlsKey] = [join(folder, "c.pem"), join(folder, "k.pem")];
  const put = (from: string, to: string) => writeFileSync(to, readFileSync(from));
  put(one.certificateFile, tlsCert);
  put(one.keyFile, tlsKey);
  const tls = setup({ tlsCert, tlsKey });
  expect(tls.reload()).toBeUndefined();
  tls.material(placeOf(folder));
  put(other.certificateFile, tlsCert);
  expect(() => tls.reload()).toThrow(/key of another certificate/);
  put(other.keyFile, tlsKey);
  expect(tls.reload()?.identity.certificates).toBe(readFileSync(other.certificateFile, "utf8"));
});
