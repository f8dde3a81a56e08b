import { describe, expect, it } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { isLoopbackUrl, parseAmqpUrl, parseBroker, parseNatsUrl, redactUrl } from "../../src/transport/broker-url.ts";

function refusalOf(run: () => unknown): FanfoldError {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof FanfoldError) return thrown;
  }
  return expect.fail("nothing was refused");
}

describe("parseBroker", () => {
  it.each([
    ["embedded", "embedded"],
    ["nats://host", "nats"],
    ["tls://host:4443", "nats"],
    ["NATS://host:4222", "nats"],
    ["amqp://host", "amqp"],
    ["amqps://user:secret@host:5671/vhost", "amqp"],
  ])("takes %s as %s", (value, kind) => {
    expect(parseBroker(value).kind).toBe(kind);
  });

  it.each([
    "",
    "relay",
    "nats",
    "nats:host",
    "http://host",
    "redis://host:6379",
    "nats://",
    "nats://:4222",
    "nats://host:70000",
    "nats://host:port",
    "nats://host/path",
    "nats://host?tls=1",
    "nats://a,tls://b",
    "amqp://host#part",
    "amqp://host/a/b",
    "amqp://user:pass%zz@host",
    "nats://a:one@host,b:two@other",
  ])("refuses %j as usage", (value) => {
    expect(refusalOf(() => parseBroker(value)).code).toBe("usage");
  });

  it.each([
    "redis://user:s3cret@host:6379",
    "nats://user:s3cret@host:port",
    "amqp://user:s3cret%zz@host",
    "amqp://user:s3/cret@host",
    "nats://user:s3,cret@host:port",
    "nats://s3cret@host:port",
    "nats://user:s3cret@one:1,user:s3cret@two:port",
    "user:s3cret@host",
    "amqp://user:s3,cret@host:port",
    "amqp://user:s3cret@one,user:s3cret@two:port",
  ])("never shows the secret of a value it refuses: %j", (value) => {
    const { message } = refusalOf(() => parseBroker(value));
    expect(message).not.toMatch(/s3|cret/);
    expect(message).toContain("***");
  });
});

describe("parseNatsUrl", () => {
  it("gives the default port and no credentials", () => {
    expect(parseNatsUrl("nats://host")).toEqual({
      servers: ["host:4222"],
      places: [{ host: "host", port: 4222 }],
      tls: false,
      credentials: { type: "none" },
    });
  });

  it("decodes a percent-encoded user and password", () => {
    expect(parseNatsUrl("tls://us%40er:p%3A%2Fw%C3%A9%25@host:4443")).toEqual({
      servers: ["host:4443"],
      places: [{ host: "host", port: 4443 }],
      tls: true,
      credentials: { type: "password", user: "us@er", password: "p:/wé%" },
    });
  });

  it("takes a user without a password as a token", () => {
    expect(parseNatsUrl("nats://t%2Fok@host").credentials).toEqual({ type: "token", token: "t/ok" });
  });

  it("takes several servers, with the scheme and the credentials once or each time", () => {
    for (const url of ["nats://u:p@a:1,b:2,[::1]:3", "nats://u:p@a:1,nats://u:p@b:2,nats://[::1]:3"]) {
      expect(parseNatsUrl(url)).toMatchObject({
        servers: ["a:1", "b:2", "[::1]:3"],
        credentials: { type: "password", user: "u", password: "p" },
      });
    }
  });
});

describe("parseAmqpUrl", () => {
  it("gives the default ports, virtual host and account", () => {
    expect(parseAmqpUrl("amqp://host")).toEqual({
      protocol: "amqp",
      servers: [{ host: "host", port: 5672 }],
      vhostEncoded: "",
      credentials: { type: "none" },
    });
    expect(parseAmqpUrl("amqps://host/").servers).toEqual([{ host: "host", port: 5671 }]);
  });

  it("decodes credentials, takes an IPv6 host without its brackets and leaves the virtual host encoded", () => {
    expect(parseAmqpUrl("amqps://us%40er:p%2Fw@[fe80::1]:1234/%2Fteam")).toEqual({
      protocol: "amqps",
      servers: [{ host: "fe80::1", port: 1234 }],
      vhostEncoded: "%2Fteam",
      credentials: { type: "password", user: "us@er", password: "p/w" },
    });
  });
});

describe("parseAmqpUrl of several servers", () => {
  it("takes the scheme, the credentials and the virtual host once or each time", () => {
    for (const url of [
      "amqp://u:p@a:1,b,[::1]:3/team",
      "amqp://u:p@a:1/team,b,[::1]:3",
      "amqp://u:p@a:1/team,amqp://u:p@b/team,amqp://[::1]:3/team",
    ]) {
      expect(parseAmqpUrl(url)).toEqual({
        protocol: "amqp",
        servers: [
          { host: "a", port: 1 },
          { host: "b", port: 5672 },
          { host: "::1", port: 3 },
        ],
        vhostEncoded: "team",
        credentials: { type: "password", user: "u", password: "p" },
      });
    }
  });

  it.each(["amqp://a/one,b/two", "amqp://u:p@a,u:q@b", "amqp://a,amqps://b", "amqp://a,", "amqp://a,b/c/d"])(
    "refuses %s",
    (url) => {
      expect(refusalOf(() => parseAmqpUrl(url)).code).toBe("usage");
    },
  );
});

describe("redactUrl", () => {
  it.each([
    ["nats://host:4222", "nats://host:4222"],
    ["nats://user:secret@host:4222", "nats://user:***@host:4222"],
    ["nats://user:p%40ss@[::1]:4222", "nats://user:***@[::1]:4222"],
    ["nats://user:sec@ret@host", "nats://user:***@host"],
    ["nats://token@host:4222", "nats://***@host:4222"],
    ["tls://u:one@a:1,u:two@b:2", "tls://u:***@a:1,u:***@b:2"],
    ["nats://u:secret@a:1,b:2,c:3", "nats://u:***@a:1,b:2,c:3"],
    ["amqp://user@host/vhost", "amqp://user@host/vhost"],
    ["amqp://u:secret@a:1,b:2/vhost", "amqp://u:***@a:1,b:2/vhost"],
    ["amqps://u:one@a,u:two@b", "amqps://u:***@a,u:***@b"],
    ["amqps://user:secret@host:5671/vhost", "amqps://user:***@host:5671/vhost"],
    ["amqp://:secret@host", "amqp://***@host"],
  ])("shows %s as %s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});

describe("isLoopbackUrl", () => {
  it.each([
    "nats://localhost",
    "amqp://u:p@127.0.0.1:5672",
    "amqp://127.9.8.7",
    "nats://[::1]:4222",
    "nats://a.localhost,127.0.0.1",
  ])("is true for %s", (url) => {
    expect(isLoopbackUrl(url)).toBe(true);
  });

  it.each([
    "nats://example.org",
    "amqp://128.0.0.1",
    "nats://127.0.0.1.example.org",
    "nats://localhost,other",
    "nats://[::2]",
  ])("is false for %s", (url) => {
    expect(isLoopbackUrl(url)).toBe(false);
  });
});
