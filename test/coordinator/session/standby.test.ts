import { expect, test } from "vitest";
import type { ControlConnection } from "../../../src/coordinator/port/control-connection.ts";
import { Standby } from "../../../src/coordinator/session/standby.ts";
import { BoundedQueue } from "../../../src/lib/memory/bounded-queue.ts";
import type { ClientMessage } from "../../../src/protocol/messages/control.ts";

test("sources that stand by for a session are told to run, until they go; one that speaks is sent away", async () => {
  const standby = new Standby();
  const told: string[] = [];
  const source = (name: string, session: string) => {
    const says = new BoundedQueue<ClientMessage>({ limit: 10, sizeOf: () => 1 });
    const connection = {
      send: ({ type }: { readonly type: string }) => told.push(`${name} ${type}`),
      refuse: (code: string) => told.push(`${name} ${code}`),
    } as unknown as ControlConnection;
    return { says, gone: standby.hold(connection, session, says[Symbol.asyncIterator]()) };
  };
  const [one, two] = [source("one", "photos"), source("two", "photos")];
  source("three", "music");
  expect(standby.run("photos")).toBe(2);
  expect(told.splice(0)).toEqual(["one run", "two run"]);
  one.says.end();
  await one.gone;
  two.says.push({ type: "ready" });
  await two.gone;
  expect(told.splice(0)).toEqual(["two damaged"]);
  expect([standby.run("photos"), standby.run("music"), standby.run("nobody")]).toEqual([0, 1, 0]);
});
