import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import type { Transport } from "../../src/transport/transport.ts";
import type { ContractBroker, ContractFeature, ContractHarness } from "./contract-harness.ts";

/** What a case works with; every transport opened through it is closed after the case. */
export interface CaseTools {
  connect(clientName?: string): Promise<Transport>;
  /** Takes over a transport that was opened otherwise. */
  closing<T extends Transport>(transport: T): T;
  readonly broker: ContractBroker;
}

/** One broker for a group of cases; a case names the feature that an adapter may declare as skipped. */
export class CaseGroup {
  readonly #harness: ContractHarness;
  readonly #open = new Set<Transport>();
  #broker: ContractBroker | undefined;

  constructor(harness: ContractHarness) {
    this.#harness = harness;
    beforeAll(async () => {
      this.#broker = await harness.start();
    });
    afterEach(async () => {
      await Promise.all([...this.#open].map((transport) => transport.close()));
      this.#open.clear();
    });
    afterAll(async () => {
      await this.#broker?.stop();
    });
  }

  skips(feature: ContractFeature): boolean {
    return this.#harness.skips?.[feature] !== undefined;
  }

  case(title: string, run: (tools: CaseTools) => Promise<void>): void {
    test(title, () => run(this.#tools()));
  }

  /** A case that runs unless the harness declares why not. */
  caseOf(feature: ContractFeature, title: string, run: (tools: CaseTools) => Promise<void>): void {
    const reason = this.#harness.skips?.[feature];
    if (reason === undefined) this.case(title, run);
    else test.skip(`${title} (skipped: ${reason})`);
  }

  #tools(): CaseTools {
    const broker = this.#broker;
    if (broker === undefined) throw new Error("The broker of this group did not start");
    const closing = <T extends Transport>(transport: T): T => {
      this.#open.add(transport);
      return transport;
    };
    return { broker, closing, connect: async (clientName) => closing(await broker.connect(clientName)) };
  }
}

/** Gives the part of a harness that a feature needs; its absence without a declared skip fails the case. */
export function required<T>(part: T | undefined, feature: ContractFeature): T {
  expect(part, `the harness neither offers "${feature}" nor declares it as skipped`).toBeDefined();
  return part as T;
}
