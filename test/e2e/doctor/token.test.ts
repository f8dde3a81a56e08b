import { describe, expect, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { startGuarded } from "../access/guarded.ts";
import { E2E_MS } from "../copying.ts";
import { type Examined, examined } from "./examined.ts";

async function created(lab: CliLab, stateDir: string, args: readonly string[]): Promise<{ token: string; id: string }> {
  const words = ["token", "create", "--json", "--state-dir", stateDir, ...args];
  const create = lab.start(words, { plain: true });
  if ((await create.exit()) !== 0) throw new Error(create.shown());
  return JSON.parse(create.stdout) as { token: string; id: string };
}

const withToken = (token: string) => ({ env: { FANFOLD_TOKEN: token } });

describe("fanfold doctor with a token", { timeout: E2E_MS }, () => {
  test("asks the coordinator whether it takes it, and spends no use of it", async () => {
    await using lab = await CliLab.open("open");
    const { address, stateDir } = await startGuarded(lab);
    const once = await created(lab, stateDir, ["--role", "sink", "--uses", "1"]);
    const observer = await created(lab, stateDir, ["--role", "observer", "--ttl", "never"]);
    const until = /which expires on 20\d\d-\d\d-\d\d \d\d:\d\d UTC$/;
    for (const [{ token }, end] of [
      [once, until],
      [once, until],
      [observer, /which does not expire$/],
    ] as const) {
      const { of, named, status } = await examined(lab, ["--coordinator", address], withToken(token));
      expect(of("token")).toMatchObject({
        status: "ok",
        found: expect.stringMatching(new RegExp(`^the coordinator takes the token .*${end.source}`)),
      });
      expect(of("certificate")).toMatchObject({
        status: "ok",
        found: expect.stringContaining("the key that is expected"),
      });
      expect([named("error"), status]).toEqual([[], 0]);
    }
    const list = lab.start(["members", "list", "--json", "--state-dir", stateDir], { plain: true });
    expect(await list.exit()).toBe(0);
    expect(JSON.parse(list.stdout)).toEqual({ members: [] });
  });

  test("tells a token that was cut, one that is over, one that was revoked, and one of another coordinator", async () => {
    await using lab = await CliLab.open("open");
    const { address, stateDir } = await startGuarded(lab);
    const good = await created(lab, stateDir, ["--role", "sink"]);
    const ask = (token: string): Promise<Examined> => examined(lab, ["--coordinator", address], withToken(token));

    const cut = await ask(good.token.slice(0, -3));
    expect(cut.of("token")).toMatchObject({ status: "error", todo: expect.stringContaining("copy it again") });

    const short = await created(lab, stateDir, ["--role", "source", "--ttl", "1s"]);
    await expect
      .poll(async () => (await ask(short.token)).of("token").found, { timeout: 120_000 })
      .toMatch(/it expired on /);

    const revoked = lab.start(["token", "revoke", "--state-dir", stateDir, good.id], { plain: true });
    expect(await revoked.exit()).toBe(0);
    expect((await ask(good.token)).of("token").found).toContain("it was revoked on ");

    const other = await startGuarded(lab, { stateDir: lab.path("other") });
    const stranger = await ask(await other.token("sink"));
    expect(stranger.of("certificate")).toMatchObject({
      status: "error",
      found: expect.stringMatching(/it has the key \S+…, expected \S+…$/),
      todo: expect.stringContaining("somebody may stand in between"),
    });
    expect([stranger.named("error"), stranger.status]).toEqual([["certificate"], 36]);
  });

  test("says that a token is wanted, and where a file with one cannot be read", async () => {
    await using lab = await CliLab.open("open");
    const { address } = await startGuarded(lab);
    const none = await examined(lab, ["--coordinator", address]);
    expect(none.named("error")).toEqual(["protocol"]);
    expect(none.of("protocol").found).toContain("it speaks TLS only");
    const unread = await examined(lab, ["--coordinator", address, "--token-file", lab.path("nothing")]);
    expect(unread.of("token")).toMatchObject({
      status: "error",
      found: expect.stringContaining("cannot read the token"),
    });
    const unknown = await examined(lab, ["--coordinator", "192.0.2.1"]);
    expect(unknown.of("certificate")).toMatchObject({
      status: "error",
      found: expect.stringContaining("found no token"),
    });
  });
});
