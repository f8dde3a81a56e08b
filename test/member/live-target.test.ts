import { expect, test } from "vitest";
import { newServerKey, selfSigned } from "../../src/lib/crypto/certificate.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { ServerTrust } from "../../src/lib/tls/server-trust.ts";
import { liveTarget } from "../../src/member/join.ts";
import { wireCertificate } from "../../src/protocol/messages/certificates.ts";
import type { TransportOffer } from "../../src/protocol/messages/transport-offer.ts";

const address = { host: "backup", port: 7337 };
const options = { address, isSealed: false };

test("a link takes the newest ticket, or the newest credentials, that were offered", () => {
  const embedded = liveTarget({ kind: "embedded", ticket: "first" }, options);
  const nats = liveTarget(offer("nats", 1), options);
  const amqp = liveTarget({ kind: "amqp", url: "amqps://b", credentials: { token: "1" } }, options);
  const all = [embedded, nats, amqp];
  // What is of another kind is none of its own.
  for (const live of all) live.renew(offer("nats", 2));
  for (const live of all) live.renew({ kind: "amqp", url: "amqps://b", credentials: { token: "2" } });
  for (const live of all) live.renew({ kind: "embedded", ticket: "second" });
  expect(embedded.target).toEqual({ kind: "embedded", ...address, isSealed: false, ticket: "second" });
  expect(nats.target.kind === "nats" && nats.target.credentials?.()).toEqual({ jwt: "j2", seed: "s2" });
  expect(amqp.target.kind === "amqp" && amqp.target.credentials?.()).toEqual({ token: "2" });
});

test.each([
  [true, true, true, true],
  [false, true, true, false],
  [true, false, true, false],
  // Where there is no TLS, nothing goes without one that could have it.
  [true, true, false, false],
])("a link goes without TLS when all is sealed (%s), it is offered (%s), and there is TLS (%s): %s", (...facts) => {
  const [isSealed, plain, hasTls, expected] = facts;
  const trust = hasTls ? new ServerTrust({ pin: "p" }) : undefined;
  const offered = { kind: "embedded", ticket: "first", ...(plain ? { plain } : {}) } as const;
  const { isExposed, target } = liveTarget(offered, { address: { ...address, trust }, isSealed });
  expect(isExposed).toBe(expected);
  expect(target).toMatchObject({ isSealed: expected, tls: trust });
});

test("static credentials stay in the URL, and an authority comes as PEM", () => {
  const pem = selfSigned({ key: newServerKey(), name: "b", hosts: [], random: systemRandom, now: new Date(0) });
  const { target } = liveTarget({ kind: "nats", url: "tls://u:p@b", ca: [wireCertificate(pem)] }, options);
  expect(target).toEqual({ kind: "nats", url: "tls://u:p@b", ca: [pem] });
  expect(() => liveTarget({ kind: "nats", url: "tls://b", ca: ["AAAA"] }, options)).toThrow(
    expect.objectContaining({ code: "damaged" }),
  );
});

function offer(kind: "nats", number: number): TransportOffer {
  return { kind, url: "tls://b", credentials: { jwt: `j${number}`, seed: `s${number}` } };
}
