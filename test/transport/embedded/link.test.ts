import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { systemRandom } from "../../../src/lib/random.ts";
import { openLink } from "../../../src/transport/embedded/link.ts";
import { ticketNamed } from "../../helpers/brokers/relay-server.ts";

/** What somebody is told who connects to a port that behaves like this. */
async function toldAbout(port: number): Promise<unknown> {
  const target = { kind: "embedded", host: "127.0.0.1", port, ticket: ticketNamed("t") } as const;
  const { signal } = new AbortController();
  const nothing = () => undefined;
  const handler = { control: nothing, place: nothing, message: nothing, skipped: nothing };
  return await openLink(target, handler, { signal, clock: systemClock, random: systemRandom }).then(
    () => "connected",
    (thrown: unknown) => thrown,
  );
}

async function listen(onSocket: (socket: Socket) => void): Promise<number> {
  const server = createServer(onSocket).listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

test("a relay that breaks the connection, or ends it, is told in words, without a code of the system", async () => {
  const broken = await listen((socket) => void socket.once("data", () => socket.resetAndDestroy()));
  const ended = await listen((socket) => void socket.end());
  const cases: readonly (readonly [port: number, words: string])[] = [
    [broken, "the other side broke the connection; want a running fanfold coordinator there"],
    [ended, "the relay ended the connection; want a running fanfold coordinator there"],
  ];
  for (const [port, words] of cases)
    expect(await toldAbout(port)).toMatchObject({
      code: "broker-unreachable",
      message: `cannot connect to the relay at "127.0.0.1:${port}": ${words}`,
    });
});
