import { describe, expect, test } from "vitest";
import { SEAL_SECRET_BYTES } from "../../src/protocol/seal/seal-keys.ts";
import { startGuarded } from "../e2e/access/guarded.ts";
import { E2E_MS, expectCopy, expectProven } from "../e2e/copying.ts";
import { startTcpProxy } from "../helpers/brokers/tcp-proxy.ts";
import { CliLab } from "../helpers/processes/cli.ts";
import { CONTENT, everyForm, FILE_BYTES, makeCanaryTree, TREE_TEXTS } from "./canaries.ts";
import { Capture } from "./capture.ts";

const TEXTS = {
  ...TREE_TEXTS,
  session: "canary-session-c04e",
  name: "canary-name-of-sink-3b7a",
};

function canaries(tokens: readonly string[]) {
  return {
    ...Object.fromEntries(Object.entries(TEXTS).map(([name, text]) => [name, everyForm(text)])),
    content: CONTENT,
    ...Object.fromEntries(tokens.map((token) => [token.split("_")[1], everyForm(token.slice(-30))])),
  };
}

interface Listening {
  /** Stands before the address. */
  readonly scheme?: string;
  readonly tokens: readonly string[];
  readonly sourceArgs?: readonly string[];
}

/** All bytes of a session whose members show these tokens. */
async function listen(
  lab: CliLab,
  port: number,
  { scheme = "", tokens, sourceArgs = [] }: Listening,
): Promise<Capture> {
  const capture = new Capture();
  const proxy = await startTcpProxy(port, "127.0.0.1", capture.saw);
  const [from, to] = [lab.path("source"), lab.path("sink")];
  makeCanaryTree(from);
  const address = `${scheme}127.0.0.1:${proxy.port}`;
  const [source, sink] = tokens.map((token) => ({ env: { FANFOLD_TOKEN: token } }));
  const session = ["--session", TEXTS.session];
  const receiving = lab.sink(address, to, [...session, "--name", TEXTS.name], sink);
  await expectProven(lab.source(address, from, [...session, ...sourceArgs], source), [receiving]);
  await expectCopy(from, to);
  await proxy.close();
  expect(capture.bytes).toBeGreaterThan(FILE_BYTES);
  return capture;
}

describe("who hears every byte of a session over the relay", { timeout: E2E_MS }, () => {
  test("finds no name, no content, no attribute and no token in it; without TLS the same search finds all of them", async () => {
    await using lab = await CliLab.open("guarded");
    const { port, token } = await startGuarded(lab);
    const tokens = [await token("source"), await token("sink")];
    const sourceArgs = ["--compress", "off"];
    expect((await listen(lab, port, { tokens, sourceArgs })).found(canaries(tokens))).toEqual([]);

    await using open = await CliLab.open("open");
    const { address } = await open.coordinator();
    const heard = await listen(open, Number(address.split(":").at(-1)), { scheme: "http://", tokens, sourceArgs });
    expect(heard.found(canaries(tokens)).sort()).toEqual(Object.keys(canaries(tokens)).sort());
  });

  test.each(["on", "off"])(
    "finds nothing of a sealed tree on the links of the relay, also without TLS: --compress %s",
    async (compress) => {
      const ofTree = Object.keys({ ...TREE_TEXTS, content: CONTENT }).sort();
      for (const [seal, found] of [
        ["on", []],
        ["off", ofTree],
      ] as const) {
        await using open = await CliLab.open("open");
        const { address } = await open.coordinator();
        const sourceArgs = ["--compress", compress, "--seal", seal];
        const port = Number(address.split(":").at(-1));
        const heard = await listen(open, port, { scheme: "http://", tokens: ["", ""], sourceArgs });
        const { ofFrames, secret } = heard;
        expect(secret).toHaveLength(seal === "on" ? SEAL_SECRET_BYTES : 0);
        if (seal === "on") expect(ofFrames.found({ secret: everyForm(secret) })).toEqual([]);
        expect(ofFrames.bytes).toBeGreaterThan(FILE_BYTES);
        expect(
          ofFrames
            .found(canaries([]))
            .filter((name) => ofTree.includes(name))
            .sort(),
        ).toEqual(found);
      }
    },
  );
});
