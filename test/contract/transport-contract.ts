import { describe } from "vitest";
import { brokerCases } from "./broker-cases.ts";
import type { ContractHarness } from "./contract-harness.ts";
import { deliveryCases } from "./delivery-cases.ts";
import { endingCases } from "./ending-cases.ts";
import { pressureCases } from "./pressure-cases.ts";

/** What every adapter must do, whatever its broker. A new adapter is a harness and one call of this. */
export function transportContract(name: string, harness: ContractHarness): void {
  describe(`the ${name} transport`, () => {
    deliveryCases(harness);
    pressureCases(harness);
    endingCases(harness);
    brokerCases(harness);
  });
}
