import { mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { CoordinatorEvent } from "../../../src/protocol/messages/coordinator-events.ts";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import type { CliProcess } from "../../helpers/processes/cli-process.ts";
import { type Machine, machinesAvailable, openMachines } from "../../helpers/processes/machines.ts";
import { makeOddTree } from "../../helpers/trees/tree.ts";
import { E2E_MS, expectCopy } from "../copying.ts";

type Ran = CliProcess<{ readonly type: string }>;

/** A network of machines on which nothing of fanfold was ever run. */
class Office implements AsyncDisposable {
  readonly lab: CliLab;
  readonly #machines = openMachines(["hub", "one", "two", "laptop"]);

  private constructor(lab: CliLab) {
    this.lab = lab;
    mkdirSync(lab.path("bin"));
    writeFileSync(lab.path("bin", "fanfold"), `#!/bin/sh\nexec "${process.execPath}" "${COMMAND}" "$@"\n`, {
      mode: 0o755,
    });
    for (const { name } of this.#machines.all) mkdirSync(this.home(name));
  }

  static async open(): Promise<Office> {
    return new Office(await CliLab.open("open"));
  }

  home(name: string, ...names: string[]): string {
    return this.lab.path(`home-of-${name}`, ...names);
  }

  /** A coordinator as everybody on the network reaches it; resolves when it listens. */
  async coordinator(): Promise<CliProcess<CoordinatorEvent>> {
    const { through, env } = this.#at("hub");
    const started = this.lab.start<CoordinatorEvent>(["coordinator", "--host", "0.0.0.0"], { through, env });
    await started.event("listening");
    return started as CliProcess<CoordinatorEvent>;
  }

  /** Runs what somebody types into a shell. */
  shell(name: string, line: string): Ran {
    const { through, env } = this.#at(name);
    const [program = "", ...words] = through;
    return this.lab.run(program, [...words, "sh", "-c", line], { plain: true, env });
  }

  /** The same, to its end. */
  async run(name: string, line: string): Promise<Ran> {
    const ran = this.shell(name, line);
    await ran.exit();
    return ran;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#machines[Symbol.dispose]();
    await this.lab[Symbol.asyncDispose]();
  }

  #at(name: string): { readonly through: readonly string[]; readonly env: NodeJS.ProcessEnv } {
    const machine = this.#machines.all.find((each: Machine) => each.name === name);
    if (machine === undefined) throw new Error(`expected a machine called ${name}`);
    const PATH = `${this.lab.path("bin")}:${process.env["PATH"]}`;
    return {
      through: machine.through,
      env: { PATH, HOME: this.home(name), XDG_STATE_HOME: this.home(name, "state") },
    };
  }
}

describe.skipIf(!machinesAvailable())("several machines", { timeout: E2E_MS }, () => {
  test("join over TLS by the lines that the coordinator prints, and stay in without a token", async () => {
    await using office = await Office.open();
    const from = office.home("laptop", "photos");
    const folders = (["one", "two"] as const).map((name) => ({ name, folder: office.home(name, "backup") }));
    await makeOddTree(from);
    await office.coordinator();
    const { stdout } = await office.run("hub", "fanfold token show");
    const line = (role: string, rest: string): string => {
      const [found] =
        new RegExp(
          `^FANFOLD_TOKEN=ff1_${role}_\\S+ fanfold ${role} --coordinator 10\\.77\\.0\\.1:7337( --dest-count N)? DIR$`,
          "m",
        ).exec(stdout) ?? [];
      if (found === undefined) throw new Error(`expected a line for a ${role}:\n${stdout}`);
      return found.replace(/( --dest-count N)? DIR$/, ` ${rest}`);
    };

    const stranger = await office.run(
      "one",
      `fanfold sink --coordinator 10.77.0.1:7337 '${office.home("one", "backup")}'`,
    );
    expect([stranger.status, stranger.stderr]).toEqual([
      18,
      expect.stringContaining("found no token; set FANFOLD_TOKEN"),
    ]);

    const copied = async (command: (role: string, rest: string) => string): Promise<void> => {
      const sinks = folders.map(({ name, folder }) =>
        office.shell(name, command("sink", `--name ${name} '${folder}'`)),
      );
      const source = office.shell("laptop", command("source", `--dest-count 2 '${from}'`));
      const all = [source, ...sinks];
      const ends = await Promise.all(all.map((each) => each.exit()));
      expect(ends, all.map((each) => each.shown()).join("\n")).toEqual([0, 0, 0]);
      for (const { folder } of folders) await expectCopy(from, folder);
    };
    await copied(line);
    writeFileSync(office.home("laptop", "photos", "later"), "later");
    await copied((role, rest) => `fanfold ${role} --coordinator 10.77.0.1:7337 ${rest}`);

    const { status, stderr } = await office.run("hub", "fanfold members remove one");
    expect(status, stderr).toBe(0);
    const again = `fanfold sink --coordinator 10.77.0.1:7337 '${office.home("one", "backup")}'`;
    const removed = await office.run("one", again);
    expect([removed.status, removed.stderr]).toEqual([30, expect.stringContaining("it was removed by who runs the")]);
  });
});
