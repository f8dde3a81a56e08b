import { createPrivateKey, X509Certificate } from "node:crypto";
import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { natsGranter } from "../../../src/coordinator/broker/nats-granter.ts";
import { isNkey, Nkey } from "../../../src/coordinator/broker/nats-nkey.ts";
import { readNatsSeeds } from "../../../src/coordinator/broker/nats-seeds.ts";
import { setUpNats } from "../../../src/coordinator/broker/nats-setup.ts";
import { decodeJws } from "../../../src/lib/crypto/jws.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { madeSeeds } from "../../helpers/brokers/nats-seeds.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const now = new Date("2026-12-01T10:00:00.500Z");
const sink = { memberId: "k1k1k1", identity: "a1", name: "*.>", role: "sink", sessionId: "s1s1s1s1s1s1" } as const;
const source = { ...sink, memberId: "q1q1q1", role: "source" } as const;

function setUp(folder = join(tempFolder(), "nats"), tlsNames: readonly string[] = []): string {
  setUpNats(folder, { port: 4333, tlsNames, now, random: systemRandom });
  return folder;
}

const mode = (...path: string[]) => (statSync(join(...path)).mode & 0o777).toString(8);
const claimsOf = (jwt: string) => JSON.parse(decodeJws(jwt)?.payload.toString() ?? "");

describe("setUpNats()", () => {
  test("writes a configuration that all may read, and secrets that only the owner may", () => {
    const folder = setUp();
    expect(readdirSync(folder).sort()).toEqual(["accounts.conf", "coordinator.seeds", "nats.conf", "offline"]);
    expect(readdirSync(join(folder, "offline")).sort()).toEqual([
      "account.seed",
      "operator.seed",
      "system-account.seed",
    ]);
    expect(mode(folder, "coordinator.seeds")).toBe("600");
    expect(mode(folder, "offline")).toBe("700");
    for (const name of readdirSync(join(folder, "offline"))) expect(mode(folder, "offline", name)).toBe("600");
    expect(mode(folder, "accounts.conf")).toMatch(/^6[46]4$/);
    expect(readFileSync(join(folder, "nats.conf"), "utf8")).toContain("0.0.0.0:4333");
  });

  test("gives the server no secret, and the coordinator none of the keys that stay offline", () => {
    const folder = setUp();
    const read = (name: string) => readFileSync(join(folder, name), "utf8");
    const offline = ["operator", "account", "system-account"].map((name) => read(`offline/${name}.seed`).trim());
    const seeds = read("coordinator.seeds").match(/\bS[A-Z2-7]{57}\b/g) ?? [];
    expect(seeds).toHaveLength(5);
    expect(new Set([...offline, ...seeds]).size).toBe(8);
    expect(`${read("nats.conf")}${read("accounts.conf")}`).not.toMatch(/\bS[A-Z2-7]{57}\b/);
    const [operator = "", account = ""] = offline;
    expect(Nkey.fromSeed("operator", operator)).toBeDefined();
    const { keys, remover } = readNatsSeeds(join(folder, "coordinator.seeds"));
    const roles = [keys.source, keys.sink, keys.coordinator].map(({ publicKey }) => publicKey);
    const [top, system, fanfold] = (read("accounts.conf").match(/eyJ\S+/g) ?? []).map(claimsOf);
    for (const { iss } of [top, system, fanfold]) expect(iss).toBe(Nkey.fromSeed("operator", operator)?.publicKey);
    const signersOf = ({ nats }: typeof fanfold) => nats.signing_keys.map(({ key }: { key: string }) => key);
    expect([fanfold.sub, ...signersOf(fanfold)]).toEqual([Nkey.fromSeed("account", account)?.publicKey, ...roles]);
    expect([system.sub, ...signersOf(system)]).toEqual([remover?.system, remover?.key.publicKey]);
    expect(top.nats.signing_keys).toEqual([remover?.operator.publicKey]);
    expect(system.nats.signing_keys[0].template.pub).toEqual({
      allow: [`$SYS.REQ.ACCOUNT.${fanfold.sub}.CLAIMS.UPDATE`],
    });
  });

  test("with names, makes a certificate for them, whose key only the owner may read", () => {
    const folder = setUp(undefined, ["nats.example", "10.0.0.7"]);
    const certificate = new X509Certificate(readFileSync(join(folder, "server.pem")));
    expect(certificate.subjectAltName).toBe("DNS:nats.example, IP Address:10.0.0.7");
    expect(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(folder, "server.key"))))).toBe(true);
    expect([mode(folder, "server.pem"), mode(folder, "server.key")]).toEqual([
      expect.stringMatching(/^6[46]4$/),
      "600",
    ]);
    expect(readFileSync(join(folder, "nats.conf"), "utf8")).toMatch(/^tls \{/m);
  });

  test("overwrites nothing", () => {
    const folder = setUp();
    const before = readFileSync(join(folder, "accounts.conf"));
    expect(() => setUp(folder)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining("nothing is overwritten") }),
    );
    expect(readFileSync(join(folder, "accounts.conf"))).toEqual(before);
    const parent = tempFolder();
    mkdirSync(join(parent, "empty"));
    setUp(join(parent, "empty/"));
    writeFileSync(join(parent, "file"), "");
    expect(() => setUp(join(parent, "file"))).toThrow(expect.objectContaining({ code: "folder-not-a-directory" }));
    expect(readdirSync(parent).sort()).toEqual(["empty", "file"]);
  });
});

describe("readNatsSeeds()", () => {
  test("takes what was written, from a file that is private", () => {
    const file = join(setUp(), "coordinator.seeds");
    const { account, keys } = readNatsSeeds(file);
    expect(isNkey("account", account)).toBe(true);
    expect(new Set(Object.values(keys).map(({ publicKey }) => publicKey)).size).toBe(3);
    const text = readFileSync(file, "utf8");
    writeFileSync(file, text.replace(/^#.*\noperator .*\nsystem .*\nremover .*\n/m, ""));
    expect(readNatsSeeds(file)).toMatchObject({ account, remover: undefined });
    chmodSync(file, 0o644);
    expect(() => readNatsSeeds(file)).toThrow(/--nats-seeds .*others on this machine may read it \(mode 644\)/);
  });

  test("refuses what is no such file, and shows nothing of it", () => {
    const file = join(setUp(), "coordinator.seeds");
    const text = readFileSync(file, "utf8");
    const [seed = ""] = /S[A-Z2-7]{57}/.exec(text) ?? [];
    const altered = seed.slice(0, -1) + (seed.endsWith("A") ? "B" : "A");
    const user = Nkey.make("user", systemRandom);
    for (const other of [
      "",
      "no seeds at all",
      text.replace(seed, altered),
      text.replace(seed, user.seed),
      text.replace(/^account .*$/m, ""),
      text.replace(/^account .*$/m, `account ${user.publicKey}`),
      text.replace(/^sink /m, "sunk "),
      text.replace(/^operator .*$/m, ""),
      text.replace(/^system .*$/m, `system ${user.publicKey}`),
      text.replace(/^remover .*$/m, `remover ${user.seed}`),
    ]) {
      writeFileSync(file, other);
      let message = "";
      try {
        readNatsSeeds(file);
      } catch (thrown) {
        message = String(thrown);
      }
      expect(message).toMatch(/--nats-seeds .*want .*"fanfold nats-setup"/);
      expect(message).not.toMatch(/[A-Z2-7]{20}/);
    }
  });
});

describe("natsGranter()", () => {
  const granter = natsGranter(madeSeeds(), { ttlMs: 60_000, random: systemRandom });

  test("signs for one session and one member, for a while, and says nothing of rights", () => {
    const { jwt, seed } = granter.grant(sink, now);
    const claims = claimsOf(jwt);
    expect(claims).toMatchObject({ sub: Nkey.fromSeed("user", seed)?.publicKey, name: "sink k1k1k1" });
    expect(claims.iat).toBe(Math.floor(now.getTime() / 1000));
    expect(claims.exp - claims.iat).toBe(60);
    const tags = ["session:s1s1s1s1s1s1", "sink:k1k1k1"];
    expect(claims.nats).toEqual({ type: "user", issuer_account: expect.any(String), tags, version: 2 });
    expect(claimsOf(granter.grant(source, now).jwt).nats.tags).toEqual(["session:s1s1s1s1s1s1"]);
    expect(claimsOf(granter.own(now).jwt).nats.tags).toEqual([]);
  });

  test("gives an identity one key, which is nobody else's", () => {
    const seeds = [sink, { ...sink, memberId: "k2k2k2" }, { ...sink, identity: "b2" }].map(
      (holder) => granter.grant(holder, now).seed,
    );
    expect(seeds[0]).toBe(seeds[1]);
    expect(seeds[0]).not.toBe(seeds[2]);
    const other = natsGranter(madeSeeds(), { ttlMs: 60_000, random: systemRandom });
    expect(other.grant(sink, now).seed).not.toBe(seeds[0]);
  });

  test.each([
    { ...sink, sessionId: "*" },
    { ...sink, sessionId: ">" },
    { ...sink, sessionId: "s1s1s1s1s1s1\n" },
    { ...sink, sessionId: "S1S1S1S1S1S1" },
    { ...sink, memberId: "*" },
    { ...sink, memberId: "k1.k1k" },
    { ...source, sessionId: "" },
  ])("signs nothing that is no id: $sessionId $memberId", (holder) => {
    expect(() => granter.grant(holder, now)).toThrow(expect.objectContaining({ code: "internal" }));
  });
});
