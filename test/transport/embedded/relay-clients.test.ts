import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { PER_OWNER_MAX, RelayClients } from "../../../src/transport/embedded/relay-clients.ts";

function add(clients: RelayClients, owner: string, address: string): PassThrough | undefined {
  const socket = new PassThrough();
  if (!clients.makesRoom({ owner, address })) return undefined;
  clients.add(socket, { owner, address });
  return socket;
}

test("a member keeps its newest connections, and no others lose one for it", () => {
  const clients = new RelayClients({});
  const other = add(clients, "other", "10.0.0.1");
  const own = Array.from({ length: PER_OWNER_MAX + 3 }, () => add(clients, "own", "10.0.0.1"));
  expect(own.map((socket) => socket?.destroyed)).toEqual([
    ...[true, true, true],
    ...Array.from({ length: PER_OWNER_MAX }, () => false),
  ]);
  expect([other?.destroyed, clients.count]).toEqual([false, PER_OWNER_MAX + 1]);
});

test("an address has a bound, but not this machine, whose address many share", () => {
  const clients = new RelayClients({ perAddressMax: 2 });
  const from = (address: string) =>
    ["a", "b", "c"].map((owner) => add(clients, owner + address, address) !== undefined);
  expect(from("10.0.0.1")).toEqual([true, true, false]);
  expect(from("10.0.0.2")).toEqual([true, true, false]);
  expect(from("127.0.0.1")).toEqual([true, true, true]);
});

test("what is closed makes room", async () => {
  const clients = new RelayClients({ connectionsMax: 1 });
  const first = add(clients, "a", "10.0.0.1");
  expect(add(clients, "b", "10.0.0.1")).toBeUndefined();
  const closed = new Promise((resolve) => first?.once("close", resolve));
  first?.destroy();
  await closed;
  expect(clients.count).toBe(0);
  const second = add(clients, "b", "10.0.0.1");
  clients.cut("a");
  expect(second?.destroyed).toBe(false);
  clients.cut("b");
  expect([second?.destroyed, clients.count]).toEqual([true, 0]);
});
