import { expect, test } from "vitest";
import type { FleetSink } from "../../../src/protocol/api/answer-schemas.ts";
import { clientOf, coordinatorOf } from "../coordinator-fixture.ts";

test("a sink has the name and the free space that its session shows, at once and when it has gone", async () => {
  const coordinator = await coordinatorOf();
  const fleet = async (): Promise<readonly FleetSink[]> => {
    const response = await fetch(`http://127.0.0.1:${coordinator.port}/api/v1/sinks`);
    return ((await response.json()) as { readonly sinks: readonly FleetSink[] }).sinks;
  };
  const named = async (name: string): Promise<FleetSink | undefined> =>
    (await fleet()).find((sink) => sink.name === name);
  const client = await clientOf(coordinator);
  const space = { freeBytes: 90, sizeBytes: 100 };
  await (await clientOf(coordinator)).enter("sink", { label: "vm" });
  const { member } = await client.enter("sink", { label: "vm", labelElse: "vm-dst", free: space });
  expect(member.name).toBe("vm-dst");
  await expect.poll(() => coordinator.sessions()[0]?.sinks.map(({ name }) => name)).toEqual(["vm", "vm-dst"]);
  expect((await fleet()).map(({ name }) => name).sort()).toEqual(["vm", "vm-dst"]);
  expect(await named("vm-dst")).toMatchObject({ connected: true, freeBytes: 90 });

  // More often than it is written down.
  for (const freeBytes of [80, 70, 60]) {
    client.raw(JSON.stringify({ type: "status", free: { ...space, freeBytes } }));
    await expect.poll(async () => (await named("vm-dst"))?.freeBytes).toBe(freeBytes);
    expect(coordinator.sessions()[0]?.sinks[1]?.freeBytes).toBe(freeBytes);
  }
  client.raw(JSON.stringify({ type: "status", free: { ...space, freeBytes: 50 } }));
  client.raw(JSON.stringify({ type: "leave", code: "interrupted", reason: "Ctrl-C" }));
  await client.closed;
  await expect.poll(async () => await named("vm-dst")).toMatchObject({ connected: false, freeBytes: 50 });
});
