import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request } from "node:https";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { STEPS_MS } from "../../../src/coordinator/port/strangers.ts";
import { PER_OWNER_MAX } from "../../../src/transport/embedded/relay-clients.ts";
import { handLink } from "../../helpers/brokers/relay-hand.ts";
import { ControlClient } from "../control-client.ts";
import { clientOf, coordinatorOf, stateFolder } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";

/** A connection that says this and no more. */
async function quiet(port: number, bytes: string | Buffer = ""): Promise<{ socket: Socket; closed: Promise<unknown> }> {
  const socket = connect(port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => undefined);
  socket.resume();
  const closed = once(socket, "close");
  await once(socket, "connect");
  socket.write(bytes);
  return { socket, closed };
}

/** Resolves once the coordinator has read what was sent before: it answers one connection after another. */
async function settled(port: number): Promise<void> {
  (await ControlClient.connect(port))[Symbol.dispose]();
}

test("whoever says nothing, or half of a request, or nothing after the upgrade, is cut; a member is not", async () => {
  const clock = new ManualClock();
  const coordinator = await coordinatorOf({ clock });
  const { port } = coordinator;
  const member = await clientOf(coordinator);
  await member.enter("sink");
  const silent = await quiet(port);
  const half = await quiet(port, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
  const upgraded = await ControlClient.connect(port);
  await settled(port);
  clock.advance(STEPS_MS.request + 1000);
  await Promise.all([silent.closed, half.closed]);
  // The registry says why, before the port would cut it.
  expect(await upgraded.expect("refused")).toMatchObject({ code: "refused", reason: expect.stringContaining("hello") });
  member.socket.ping();
  await once(member.socket, "pong");
});

/** Its certificate has to be good today. */
class ClockOfToday extends ManualClock {
  override date(): Date {
    return new Date();
  }
}

test("a handshake of TLS that is never finished is cut, and so is whoever finishes it and is silent then", async () => {
  const clock = new ClockOfToday();
  const stateDir = await stateFolder();
  const { port } = await coordinatorOf({ clock, stateDir, requireToken: true });
  const ca = readFileSync(join(stateDir, "tls-certificate.pem"));
  const silent = await quiet(port);
  // The head of a ClientHello of 512 bytes, which never come.
  const half = await quiet(port, Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252]));
  const secured = connectTls({ host: "127.0.0.1", port, ca });
  secured.on("error", () => undefined);
  secured.resume();
  await once(secured, "secureConnect");
  const [answer] = await once(request({ host: "127.0.0.1", port, ca, path: "/livez" }).end(), "response");
  expect(answer.statusCode).toBe(200);
  clock.advance(STEPS_MS.handshake + 1000);
  await Promise.all([silent.closed, half.closed, once(secured, "close")]);
});

test("a flood of idle connections keeps nobody out, not even at the same address", async () => {
  const coordinator = await coordinatorOf();
  const member = await clientOf(coordinator);
  await member.enter("sink", { session: "before" });
  const idle = await Promise.all(Array.from({ length: 600 }, () => quiet(coordinator.port)));
  const late = await clientOf(coordinator);
  await late.enter("sink", { session: "after" });
  await Promise.all(idle.slice(0, 300).map(({ closed }) => closed));
  member.socket.ping();
  await once(member.socket, "pong");
  expect(coordinator.sessions().map(({ session }) => session)).toEqual(["before", "after"]);
});

test("a member takes no more of the relay than its part, and from nobody else", async () => {
  const coordinator = await coordinatorOf();
  const [greedy, other] = [await clientOf(coordinator), await clientOf(coordinator)];
  const ticketOf = async (client: ControlClient, label: string) => {
    const { transport } = await client.enter("sink", { label });
    if (transport.kind !== "embedded") throw new Error("want the embedded relay");
    return transport.ticket;
  };
  const relay = async (ticket: string) => {
    const { socket, rest } = await handLink(coordinator.port, ticket);
    onTestFinished(() => void socket.destroy());
    return { socket, closed: rest };
  };
  const innocent = await relay(await ticketOf(other, "other"));
  const ticket = await ticketOf(greedy, "greedy");
  const links: Awaited<ReturnType<typeof relay>>[] = [];
  for (let number = 0; number < PER_OWNER_MAX + 2; number += 1) links.push(await relay(ticket));
  await Promise.all(links.slice(0, 2).map(({ closed }) => closed));
  expect(links.slice(2).filter(({ socket }) => socket.destroyed)).toEqual([]);
  expect(innocent.socket.destroyed).toBe(false);
});
