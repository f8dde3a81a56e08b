import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type CoordinatorOptions, openCoordinator } from "../../src/coordinator/coordinator.ts";
import type { Coordinator } from "../../src/coordinator/open-coordinator.ts";
import type { CoordinatorEvent } from "../../src/protocol/messages/coordinator-events.ts";
import { awaited } from "../helpers/open-waits.ts";
import { ControlClient } from "./control-client.ts";

export async function stateFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "fanfold-state-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "state");
}

/** A coordinator on a free port, closed with the test. */
export async function coordinatorOf(options: Partial<CoordinatorOptions> = {}): Promise<Coordinator> {
  const { signal } = new AbortController();
  const coordinator = await openCoordinator({
    port: 0,
    stateDir: options.stateDir ?? (await stateFolder()),
    signal,
    ...options,
  });
  onTestFinished(() => coordinator.close());
  return coordinator;
}

export async function clientOf(coordinator: Coordinator): Promise<ControlClient> {
  const client = await ControlClient.connect(coordinator.port);
  onTestFinished(() => client[Symbol.dispose]());
  return client;
}

/** Reads the coordinator's events one after another until one fits. */
export class EventReader {
  readonly #events: AsyncIterator<CoordinatorEvent>;

  constructor(coordinator: { events(): AsyncIterable<CoordinatorEvent> }) {
    this.#events = coordinator.events()[Symbol.asyncIterator]();
  }

  async until<T extends CoordinatorEvent["type"]>(
    type: T,
    fits: (event: Extract<CoordinatorEvent, { type: T }>) => boolean = () => true,
  ): Promise<Extract<CoordinatorEvent, { type: T }>> {
    const one = () => awaited(() => `an event "${type}" of a coordinator, where ${fits}`, this.#events.next());
    for (let next = await one(); next.done !== true; next = await one()) {
      const event = next.value as Extract<CoordinatorEvent, { type: T }>;
      if (event.type === type && fits(event)) return event;
    }
    throw new Error(`the events ended without "${type}"`);
  }
}
