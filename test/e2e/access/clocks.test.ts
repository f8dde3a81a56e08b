import { describe, expect, test } from "vitest";
import { CliLab, COMMAND } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { E2E_MS } from "../copying.ts";

/** faketime waits for its program, and would leave it behind when it is killed. */
const GOES_WITH_IT = ["setpriv", "--pdeathsig", "KILL"] as const;
/** On a machine whose clock is ahead. */
const ahead = (by: string) => ["faketime", "--exclude-monotonic", "-f", `+${by}`, ...GOES_WITH_IT] as const;

describe.skipIf(!programsAvailable("faketime", "setpriv"))("clocks that differ", { timeout: E2E_MS }, () => {
  test("a token that only a wrong clock makes look old says so; one that is old for both is expired", async () => {
    await using lab = await CliLab.open("open");
    const state = ["--state-dir", lab.path("state")];
    await lab.makeTokens(lab.path("state"));
    const make = [COMMAND, "token", "create", "--json", "--role", "sink", "--ttl", "1h", ...state];
    const made = lab.run(process.execPath, make);
    expect(await made.exit(), made.shown()).toBe(0);
    const { token } = made.events.at(-1) as unknown as { token: string };
    const { address } = await lab.coordinator({ args: ["--require-token", ...state], through: ahead("3d") });
    const env = { FANFOLD_TOKEN: token };
    const refused = await refusal(lab.sink(address, lab.path("one"), [], { env }));
    expect(refused).toMatchObject({ status: 26, code: "clock-off" });
    expect(refused.message).toContain("set the clock that is wrong");
    const old = await refusal(lab.sink(address, lab.path("two"), [], { env, through: ahead("3d") }));
    expect(old).toMatchObject({ code: "token-expired" });
  });

  test("a certificate that is over by this machine's clock alone says so", async () => {
    await using lab = await CliLab.open("guarded");
    const { address } = await lab.coordinator();
    const refused = await refusal(lab.sink(address, lab.path("one"), [], { through: ahead("20y") }));
    expect(refused).toMatchObject({ status: 26, code: "clock-off" });
  });
});

async function refusal(process: ReturnType<CliLab["sink"]>) {
  const { code, message } = await process.event("error");
  return { code, message, status: await process.exit() };
}
