import { describe, expect, test } from "vitest";
import {
  type BrokerOptions,
  offerOf,
  offerWarning,
  resolveBroker,
} from "../../../src/coordinator/broker/broker-setup.ts";

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
    [{ broker: "amqp://b", brokerCredentials: "token" }, /user:password/],
    [{ broker: "http://b" }, /http:\/\/b/],
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

test("offerOf() gives a ticket for the embedded relay, and a URL for a broker", () => {
  expect(offerOf(resolveBroker({ broker: "embedded" }), "t")).toEqual({ kind: "embedded", ticket: "t" });
  expect(offerOf(resolveBroker({ broker: "nats://b:1" }), "")).toEqual({ kind: "nats", url: "nats://b:1" });
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
