import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { E2E_MS } from "../copying.ts";

test(
  "two coordinators of one user run on two ports, each with a state of its own",
  async () => {
    await using lab = await CliLab.open();
    const [one, other] = [await lab.coordinator(), await lab.coordinator()];
    for (const { address } of [one, other]) {
      const state = lab.path("home", "state", "fanfold", "coordinator", address.replace("localhost:", ""));
      expect(existsSync(`${state}/coordinator.db`), state).toBe(true);
    }
  },
  E2E_MS,
);
