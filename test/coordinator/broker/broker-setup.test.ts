import { describe, expect, test } from "vitest";
import {
  type BrokerOptions,
  offerOf,
  offerWarning,
  ownTarget,
  resolveBroker,
} from "../../../src/coordinator/broker/broker-setup.ts";
import type { Granter } from "../../../src/coordinator/broker/granter.ts";
import { natsGranter } from "../../../src/coordinator/broker/nats-granter.ts";
import { newServerKey, selfSigned } from "../../../src/lib/crypto/certificate.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { wireCertificate } from "../../../src/protocol/messages/certificates.ts";
import { sinkExchange } from "../../../src/transport/amqp/exchange.ts";
import type { AmqpCredentials } from "../../../src/transport/target.ts";
import { madeSeeds } from "../../helpers/brokers/nats-seeds.ts";

const ofNats: Granter = {
  ...natsGranter(madeSeeds(), { ttlMs: 1000, random: systemRandom }),
  grant: ({ role, memberId }, now) => ({ jwt: `${role} ${memberId} ${now.getTime()}`, seed: "S" }),
  own: (now) => ({ jwt: `own ${now.getTime()}`, seed: "O" }),
};
const holder = { memberId: "k1k1k1", identity: "a1", name: "alpha", role: "sink", sessionId: "s".repeat(12) } as const;
const to = { holder, now: new Date(5), ticket: () => "t", plain: false };
const ca = selfSigned({ key: newServerKey(), name: "b", hosts: [], random: systemRandom, now: new Date(0) });
const certificate = { certificate: ca, key: "KEY" };

describe("resolveBroker()", () => {
  test.each<[string, BrokerOptions, object]>([
    ["no credentials at all", { broker: "nats://b:4222" }, { clientUrl: "nats://b:4222", sharesCredentials: false }],
    [
      "the coordinator's own, because there are no others",
      { broker: "nats://u:p@b:4222" },
      { clientUrl: "nats://u:p@b:4222", sharesCredentials: true, shown: "nats://u:***@b:4222" },
    ],
    [
      "those of the public URL",
      { broker: "nats://u:p@b:4222", brokerPublicUrl: "nats://c:q@pub:4222" },
      { ownUrl: "nats://u:p@b:4222", clientUrl: "nats://c:q@pub:4222", sharesCredentials: false },
    ],
    [
      "the coordinator's own on the public URL without any",
      { broker: "amqp://u:p@b:5672/v", brokerPublicUrl: "amqp://pub:5672/v" },
      { clientUrl: "amqp://u:p@pub:5672/v", sharesCredentials: true },
    ],
    [
      "those of the file for clients",
      { broker: "nats://b:4222", brokerCredentials: "u:p:1", brokerPublicCredentials: "tok/en" },
      { ownUrl: "nats://u:p%3A1@b:4222", clientUrl: "nats://tok%2Fen@b:4222", sharesCredentials: false },
    ],
    [
      "a list of servers keeps its servers",
      { broker: "nats://a:1,b:2", brokerCredentials: "u:p" },
      { ownUrl: "nats://u:p@a:1,b:2", clientUrl: "nats://u:p@a:1,b:2", sharesCredentials: true },
    ],
    [
      "a list of RabbitMQ's servers keeps its servers, and the virtual host",
      { broker: "amqp://a:1,[::1]:2/v", brokerCredentials: "u:p" },
      {
        ownUrl: "amqp://u:p@a:1,[::1]:2/v",
        clientUrl: "amqp://u:p@a:1,[::1]:2/v",
        shown: "amqp://u:***@a:1,[::1]:2/v",
      },
    ],
  ])("tells clients %s", (_, options, wanted) => {
    expect(resolveBroker(options)).toMatchObject(wanted);
  });

  test.each<[BrokerOptions, RegExp]>([
    [{ broker: "nats://b", brokerPublicUrl: "amqp://b" }, /not of the same kind/],
    [{ broker: "embedded", brokerPublicUrl: "nats://b" }, /embedded/],
    [{ broker: "amqp://b/one", brokerPublicUrl: "amqp://c" }, /virtual host is "\/", and that of --broker is "one"/],
    [{ broker: "amqp://b", brokerCredentials: "token" }, /user:password/],
    [{ broker: "http://b" }, /http:\/\/b/],
    [{ broker: "embedded", brokerTls: { ca: [] } }, /embedded/],
    [{ broker: "embedded", granter: ofNats }, /embedded/],
    [{ broker: "amqp://b", granter: ofNats }, /--nats-seeds.*NATS server/],
    [{ broker: "nats://u:p@b", granter: ofNats }, /--nats-seeds together with a user/],
    [{ broker: "nats://b", brokerPublicUrl: "nats://t@c", granter: ofNats }, /--nats-seeds together with a user/],
    [{ broker: "nats://b", brokerPublicCredentials: "u:p", granter: ofNats }, /--nats-seeds together with a user/],
    [{ broker: "nats://b", brokerTls: { ca: [ca] } }, /tls:\/\//],
    [{ broker: "amqp://b", brokerTls: { certificate } }, /amqps:\/\//],
    [{ broker: "nats://b", brokerPublicUrl: "tls://c", brokerTls: { certificate } }, /tls:\/\//],
    [{ broker: "tls://b", brokerTls: { ca: Array.from({ length: 17 }, () => ca) } }, /at most 16/],
  ])("refuses %j", (options, text) => {
    expect(() => resolveBroker(options)).toThrow(
      expect.objectContaining({ code: "usage", message: expect.stringMatching(text) }),
    );
  });

  test("never shows a password in a refusal", () => {
    const options = { broker: "nats://u:geheim@b", brokerPublicUrl: "amqp://u:geheim@b" };
    expect(() => resolveBroker(options)).toThrow(
      expect.not.objectContaining({ message: expect.stringContaining("geheim") }),
    );
  });
});

const tokens: AmqpCredentials = { token: "of the coordinator" };
const amqpGranter: Granter = {
  kind: "amqp",
  ttlMs: 1000,
  grant: ({ role, memberId }, now) => ({ token: `${role} ${memberId} ${now.getTime()}` }),
  own: () => tokens,
};

test("what is granted is offered to the member, and the coordinator's own is kept from it", () => {
  const setup = resolveBroker({ broker: "tls://b:1", granter: ofNats, brokerTls: { ca: [ca], certificate } });
  if (setup.kind === "embedded") throw new Error("not this one");
  const credentials = { jwt: "sink k1k1k1 5", seed: "S" };
  const offer = offerOf(setup, to);
  expect(offer).toEqual({ kind: "nats", url: "tls://b:1", credentials, ca: [wireCertificate(ca)] });
  const own = ownTarget(setup, () => to.now);
  expect(own).toMatchObject({ kind: "nats", url: "tls://b:1", ca: [ca], certificate });
  expect("credentials" in own && own.credentials?.()).toEqual({ jwt: "own 5", seed: "O" });
  const { sessionId, memberId } = to.holder;
  const rabbit = resolveBroker({ broker: "amqp://b:1", granter: amqpGranter });
  expect(offerOf(rabbit, to)).toEqual({
    kind: "amqp",
    url: "amqp://b:1",
    exchange: sinkExchange(sessionId, memberId),
    credentials: { token: "sink k1k1k1 5" },
  });
  if (rabbit.kind === "embedded") throw new Error("not this one");
  expect(ownTarget(rabbit, () => to.now)).toMatchObject({ kind: "amqp", credentials: expect.any(Function) });
});

test("authorities are told to those who reach the broker over TLS", () => {
  const options = { broker: "tls://b:1", brokerPublicUrl: "nats://c:1", brokerTls: { ca: [ca] } };
  expect(offerOf(resolveBroker(options), to)).toEqual({ kind: "nats", url: "nats://c:1" });
  const other = { broker: "nats://b:1", brokerPublicUrl: "tls://c:1", brokerTls: { ca: [ca] } };
  expect(offerOf(resolveBroker(other), to)).toMatchObject({ ca: [wireCertificate(ca)] });
});

test("offerOf() gives a ticket for the embedded relay, and a URL for a broker", () => {
  const embedded = resolveBroker({ broker: "embedded" });
  expect(offerOf(embedded, to)).toEqual({ kind: "embedded", ticket: "t" });
  expect(offerOf(embedded, { ...to, plain: true })).toEqual({ kind: "embedded", ticket: "t", plain: true });
  expect(offerOf(resolveBroker({ broker: "nats://b:1" }), to)).toEqual({ kind: "nats", url: "nats://b:1" });
});

test("offerWarning() names the option when clients are told a loopback address", () => {
  expect(offerWarning(resolveBroker({ broker: "nats://u:p@localhost:4222" }))).toContain("--broker-public-url");
  expect(offerWarning(resolveBroker({ broker: "nats://u:p@localhost:4222" }))).not.toContain("u:p");
  expect(
    offerWarning(resolveBroker({ broker: "nats://localhost", brokerPublicUrl: "nats://10.0.0.3" })),
  ).toBeUndefined();
  const meant = { broker: "nats://nats:4222", brokerPublicUrl: "nats://localhost:4222" };
  expect(offerWarning(resolveBroker(meant))).toBeUndefined();
  expect(offerWarning(resolveBroker({ broker: "embedded" }))).toBeUndefined();
});
