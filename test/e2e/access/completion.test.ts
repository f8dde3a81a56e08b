import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { describe, expect, onTestFinished, test } from "vitest";
import { CliLab } from "../../helpers/processes/cli.ts";
import { programsAvailable } from "../../helpers/processes/programs.ts";
import { ShellAtTerminal, type TerminalShell, withFanfold } from "../../helpers/processes/shell-at-terminal.ts";
import { E2E_MS } from "../copying.ts";
import { startGuarded } from "./guarded.ts";

/** A name that a shell must not run. */
const HOSTILE = "attic $(touch hacked)`touch hacked`;touch hacked";

interface Scene {
  readonly lab: CliLab;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly address: string;
}

/** A coordinator with a session that waits, a sink in it, and a folder with files to complete. */
async function scene(): Promise<Scene> {
  const lab = await CliLab.open("open");
  onTestFinished(() => lab[Symbol.asyncDispose]());
  const { address } = await lab.coordinator();
  const sink = lab.sink(address, lab.path("copy"), ["--session", "nightly", "--name", HOSTILE]);
  await sink.event("joined");
  const folder = lab.path("shell");
  mkdirSync(`${folder}/backup`, { recursive: true });
  writeFileSync(`${folder}/backup.txt`, "");
  writeFileSync(`${folder}/the token.file`, "");
  writeFileSync(`${folder}/own.toml`, "[profile.photos]\n");
  const env = withFanfold(folder, { XDG_STATE_HOME: lab.path("home", "state") });
  return { lab, folder, env, address: address.replace(/^https?:\/\//, "") };
}

const CASES = (address: string): readonly (readonly [string, string])[] => [
  ["fanfold so", "fanfold source "],
  ["fanfold token re", "fanfold token revoke "],
  ["fanfold source --dest", "fanfold source --dest-count "],
  ["fanfold source --links sk", "fanfold source --links skip "],
  ["fanfold source --links=sk", "fanfold source --links=skip "],
  ["fanfold sink --token-file the", "fanfold sink --token-file the\\ token.file "],
  ["fanfold coordinator --on-end backup.", "fanfold coordinator --on-end backup.txt "],
  ["fanfold sink --no-delete bac", "fanfold sink --no-delete backup/"],
  ["fanfold identity export bac", "fanfold identity export backup/"],
  ["fanfold identity import backup backup.", "fanfold identity import backup backup.txt "],
  ["fanfold --config own.toml source --profile ph", "fanfold --config own.toml source --profile photos "],
  ["fanfold completion f", "fanfold completion fish "],
  ["fanfold help ver", "fanfold help verify "],
  ["fanfold config show rec", "fanfold config show receipt "],
  ["fanfold sink -- --x", "fanfold sink -- --x"],
  ["fanfold sink --name f", "fanfold sink --name f"],
  [
    `fanfold source --coordinator ${address} --session ni`,
    `fanfold source --coordinator ${address} --session nightly `,
  ],
  ["fanfold sink --coordinator 127.0.0.1:1 --session ni", "fanfold sink --coordinator 127.0.0.1:1 --session ni"],
];

/** What each of the shells asks for the names that stand behind these words. */
async function asked(lab: CliLab, what: string, words: readonly string[], env = {}): Promise<readonly string[]> {
  const ask = lab.start(["complete", what, "--", ...words], { plain: true, env });
  expect(await ask.exit()).toBe(0);
  return ask.stdout.split("\n").filter((line) => line !== "");
}

/** Nobody waits at a prompt for longer than 0.9 s. On a busy machine the answer may come at a later try. */
async function expectAnswer<Answer>(ask: () => Answer | Promise<Answer>, answer: Answer): Promise<void> {
  await expect.poll(ask).toEqual(answer);
}

test("a coordinator with tokens and TLS tells names to a token that may read, and to no other", {
  timeout: E2E_MS,
}, async () => {
  await using lab = await CliLab.open("open");
  const { address, stateDir, token } = await startGuarded(lab);
  const member = { FANFOLD_TOKEN: await token("sink") };
  const sink = lab.sink(address, lab.path("copy"), ["--session", "nightly", "--name", "attic"], { env: member });
  await sink.event("joined");
  const create = lab.start(["token", "create", "--json", "--state-dir", stateDir, "--role", "observer"], {
    plain: true,
  });
  expect(await create.exit()).toBe(0);
  const observer = { FANFOLD_TOKEN: (JSON.parse(create.stdout) as { readonly token: string }).token };
  const file = lab.path("observer");
  writeFileSync(file, `${observer.FANFOLD_TOKEN}\n`, { mode: 0o600 });
  const words = ["source", "--coordinator", address];
  await expectAnswer(() => asked(lab, "sessions", [...words, "--token-file", file, "--session"]), ["nightly"]);
  await expectAnswer(() => asked(lab, "sinks", [...words, "--expect"], observer), ["attic"]);
  const members = ["members", "remove", "--coordinator", address];
  await expectAnswer(() => asked(lab, "members", members, observer), ["attic"]);
  for (const env of [member, {}]) {
    expect(await asked(lab, "sessions", [...words, "--session"], env)).toEqual([]);
    expect(await asked(lab, "members", members, env)).toEqual([]);
  }
  // Whoever runs it asks as its own user, without a token.
  await expectAnswer(() => asked(lab, "members", ["members", "remove", "--state-dir", stateDir]), ["attic"]);
});

for (const shell of ["bash", "zsh"] satisfies TerminalShell[])
  describe.skipIf(!programsAvailable(shell, "script"))(`${shell} at a terminal`, { timeout: E2E_MS }, () => {
    test("completes what the definitions of the commands say, and what the coordinator knows", async () => {
      const { address, ...place } = await scene();
      using terminal = new ShellAtTerminal(shell, place);
      await terminal.ready();
      for (const [typed, line] of CASES(address)) {
        await expectAnswer(async () => {
          const completed = await terminal.complete(typed);
          expect(completed.shown).not.toContain("fanfold: ");
          return completed.line;
        }, line);
      }
      expect((await terminal.complete("fanfold source --links ")).shown).toMatch(/keep +safe +skip/);
      const listed = (await terminal.complete("fanfold ")).shown;
      for (const command of ["coordinator", "source", "verify", "completion"]) expect(listed).toContain(command);
      expect(listed).not.toMatch(/^complete +/m);
    });

    test("never runs what somebody else called a sink", async () => {
      const { address, ...place } = await scene();
      using terminal = new ShellAtTerminal(shell, place);
      await terminal.ready();
      await expectAnswer(async () => {
        const { line } = await terminal.complete(`fanfold source --coordinator ${address} --expect att`);
        // The shell itself reads the line as one word.
        const [program = "", ...words] = [shell, "-c", `printf %s ${line.slice(line.indexOf("attic"))}`];
        return spawnSync(program, words, { encoding: "utf8", cwd: place.folder }).stdout;
      }, HOSTILE);
      expect(existsSync(`${place.folder}/hacked`)).toBe(false);
    });
  });

describe.skipIf(!programsAvailable("fish"))("fish", { timeout: E2E_MS }, () => {
  test("completes the same", async () => {
    const { folder, env, address } = await scene();
    const complete = (line: string): string[] => {
      const words = ["-c", 'fanfold completion fish | source; complete -C "$argv[1]"', line];
      const { stdout, stderr } = spawnSync("fish", words, { cwd: folder, env, encoding: "utf8" });
      expect(stderr).toBe("");
      return stdout
        .split("\n")
        .slice(0, -1)
        .map((each) => each.split("\t")[0] ?? "");
    };
    for (const [typed, line] of CASES(address)) {
      const wanted =
        line === typed
          ? []
          : [
              (
                line
                  .trimEnd()
                  .split(/(?<!\\) /)
                  .at(-1) ?? ""
              ).replaceAll("\\ ", " "),
            ];
      // It does not count arguments: files are among the folders of the first one.
      if (typed.startsWith("fanfold identity")) expect(complete(typed)).toEqual(expect.arrayContaining(wanted));
      else await expectAnswer(() => complete(typed), wanted);
    }
    expect(complete("fanfold source --links ")).toEqual(["keep", "safe", "skip"]);
    await expectAnswer(() => complete(`fanfold source --coordinator ${address} --expect att`), [HOSTILE]);
    expect(complete("fanfold ")).toEqual(expect.arrayContaining(["coordinator", "source", "token"]));
    expect(existsSync(`${folder}/hacked`)).toBe(false);
  });
});
