import { expect, test } from "vitest";
import { amqpServers } from "../../../src/transport/amqp/open-amqp.ts";

const { signal } = new AbortController();

test("amqpServers() gives each address of a host name, beside the servers that have one", async () => {
  const lookUp = async (host: string) => (host === "rabbit" ? ["10.0.0.1", "fd00::2"] : ["10.0.0.9"]);
  expect(await amqpServers("amqps://u:p@rabbit:1,other:2,192.0.2.1,[::1]:4/v", signal, lookUp)).toEqual([
    { listen: "rabbit:1 (10.0.0.1)", host: "rabbit", address: "10.0.0.1", port: 1 },
    { listen: "rabbit:1 (fd00::2)", host: "rabbit", address: "fd00::2", port: 1 },
    { listen: "other:2", host: "other", address: "other", port: 2 },
    { listen: "192.0.2.1:5671", host: "192.0.2.1", address: "192.0.2.1", port: 5671 },
    { listen: "[::1]:4", host: "::1", address: "::1", port: 4 },
  ]);
});

test("amqpServers() leaves a name that is not known to the connect", async () => {
  const unknown = async () => Promise.reject(new Error("ENOTFOUND"));
  expect(await amqpServers("amqp://nowhere", signal, unknown)).toMatchObject([{ address: "nowhere", port: 5672 }]);
});
