import { createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { rabbitGranter } from "../../../src/coordinator/broker/rabbitmq-granter.ts";
import { readRabbitKey } from "../../../src/coordinator/broker/rabbitmq-key.ts";
import { RABBIT_FILES, setUpRabbit } from "../../../src/coordinator/broker/rabbitmq-setup.ts";
import { newServerKey } from "../../../src/lib/crypto/certificate.ts";
import { decodeJws } from "../../../src/lib/crypto/jws.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { tempFolder } from "../../helpers/disks/temp-folder.ts";

const now = new Date("2026-12-01T10:00:00.500Z");
const sink = { memberId: "k1k1k1", identity: "a1", name: "*.>", role: "sink", sessionId: "s1s1s1s1s1s1" } as const;
const source = { ...sink, memberId: "q1q1q1", role: "source" } as const;

function setUp(folder = join(tempFolder(), "rabbit")): string {
  setUpRabbit(folder, { etc: "/etc/rabbitmq", random: systemRandom });
  return folder;
}

const mode = (...path: string[]) => (statSync(join(...path)).mode & 0o777).toString(8);

describe("setUpRabbit()", () => {
  test("writes a key that only its owner reads, and for the broker what belongs to it", () => {
    const folder = setUp();
    expect(readdirSync(folder).sort()).toEqual(["broker", "coordinator.key"]);
    expect(readdirSync(join(folder, "broker")).sort()).toEqual(["enabled_plugins", "fanfold.conf", "fanfold.pub.pem"]);
    expect(mode(folder, "coordinator.key")).toBe("600");
    for (const name of readdirSync(join(folder, "broker"))) {
      expect(mode(folder, "broker", name)).toMatch(/^6[46]4$/);
      expect(readFileSync(join(folder, "broker", name), "utf8")).not.toContain("PRIVATE");
    }
    const key = readRabbitKey(join(folder, RABBIT_FILES.key));
    const publicKey = createPublicKey(readFileSync(join(folder, RABBIT_FILES.publicKey)));
    expect(createPublicKey(key).equals(publicKey)).toBe(true);
    expect(readFileSync(join(folder, RABBIT_FILES.config), "utf8")).toContain("= /etc/rabbitmq/fanfold.pub.pem\n");
  });

  test("overwrites nothing", () => {
    const folder = setUp();
    const before = readFileSync(join(folder, RABBIT_FILES.key));
    expect(() => setUp(folder)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringContaining("nothing is overwritten") }),
    );
    expect(readFileSync(join(folder, RABBIT_FILES.key))).toEqual(before);
  });
});

describe("readRabbitKey()", () => {
  test("takes a private file, and shows nothing of one that it refuses", () => {
    const file = join(setUp(), RABBIT_FILES.key);
    chmodSync(file, 0o640);
    expect(() => readRabbitKey(file)).toThrow(/--rabbitmq-key .*others on this machine may read it \(mode 640\)/);
    chmodSync(file, 0o600);
    const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey;
    for (const text of ["", "secret\n", String(other.export({ type: "pkcs8", format: "pem" }))]) {
      writeFileSync(file, text);
      expect(() => readRabbitKey(file)).toThrow(
        expect.objectContaining({
          code: "usage",
          message: expect.stringMatching(/^cannot use --rabbitmq-key "[^"]*": found [\w ]+, want a P-256 private key/),
        }),
      );
    }
  });
});

describe("rabbitGranter()", () => {
  const key = newServerKey();
  const granter = rabbitGranter(key, { vhost: "a/*b", ttlMs: 600_000 });

  function claimsOf(token: string) {
    const jws = decodeJws(token);
    if (jws === undefined) throw new Error("want a token");
    const by = { key: createPublicKey(key), dsaEncoding: "ieee-p1363" } as const;
    expect(verify("sha256", jws.input, by, jws.signature)).toBe(true);
    expect(jws.header).toEqual({ typ: "JWT", alg: "ES256", kid: "fanfold" });
    const { scope, ...claims } = JSON.parse(jws.payload.toString());
    const rights: string[] = scope.split(" ");
    const own = ["configure", "write", "read"].map((right) => `fanfold.${right}:a%2F%2Ab/amq.gen*`);
    expect(rights.slice(0, 3)).toEqual(own);
    return { claims, rights: rights.slice(3) };
  }

  test("gives a sink its own exchange, for its own keys", () => {
    const { claims, rights } = claimsOf(granter.grant(sink, now).token);
    const iat = Math.floor(now.getTime() / 1000);
    expect(claims).toEqual({ sub: "fanfold.s1s1s1s1s1s1.k1k1k1", aud: ["fanfold"], iat, exp: iat + 600 });
    const own = "a%2F%2Ab/fanfold.s1s1s1s1s1s1.sink.k1k1k1";
    expect(rights).toEqual([
      `fanfold.read:${own}/fanfold.s1s1s1s1s1s1.data`,
      `fanfold.read:${own}/fanfold.s1s1s1s1s1s1.to.k1k1k1`,
      `fanfold.write:${own}/fanfold.s1s1s1s1s1s1.up.k1k1k1`,
    ]);
  });

  test("gives a source what its session publishes, and the sinks' reports", () => {
    const { claims, rights } = claimsOf(granter.grant(source, now).token);
    expect(claims.sub).toBe("fanfold.s1s1s1s1s1s1.q1q1q1");
    expect(rights).toEqual([
      "fanfold.write:a%2F%2Ab/fanfold.s1s1s1s1s1s1/fanfold.s1s1s1s1s1s1.data",
      "fanfold.write:a%2F%2Ab/fanfold.s1s1s1s1s1s1/fanfold.s1s1s1s1s1s1.to.*",
      "fanfold.read:a%2F%2Ab/fanfold.s1s1s1s1s1s1.up/fanfold.s1s1s1s1s1s1.up.%2A",
    ]);
  });

  test("signs no pattern that an id could carry", () => {
    for (const odd of [{ memberId: "*" }, { memberId: "k1k1k1k1" }, { sessionId: "s1s1/s1s1s1s" }, { sessionId: "" }])
      expect(() => granter.grant({ ...sink, ...odd }, now)).toThrow(expect.objectContaining({ code: "internal" }));
  });

  test("keeps the coordinator's own token for half of its life", () => {
    const at = (ms: number) => granter.own(new Date(now.getTime() + ms)).token;
    const first = at(0);
    expect(at(299_999)).toBe(first);
    expect(at(300_000)).not.toBe(first);
  });

  test("gives tokens that fit into the first frame of a connection, which RabbitMQ takes up to 4096 bytes", () => {
    for (const { token } of [granter.grant(sink, now), granter.grant(source, now), granter.own(now)])
      expect(token.length).toBeLessThan(1500);
  });
});
