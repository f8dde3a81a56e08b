import { execFileSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { encodeControl } from "../../src/protocol/messages/control.ts";
import { type GuardedCoordinator, startGuarded } from "../e2e/access/guarded.ts";
import { CliLab, COMMAND } from "../helpers/processes/cli.ts";
import { Intruder } from "./intruder.ts";

const keyOf = (digit: string): SigningKey => new SigningKey(digit.repeat(64));
const [member, thief] = [keyOf("1"), keyOf("2")];

describe("at the control channel of a coordinator that asks for tokens", () => {
  let lab: CliLab;
  let coordinator: GuardedCoordinator;
  let intruder: Intruder;
  let sinkToken: string;

  beforeAll(async () => {
    lab = await CliLab.open("guarded");
    coordinator = await startGuarded(lab);
    intruder = await Intruder.at(coordinator);
    sinkToken = await coordinator.token("sink");
    const { control } = await intruder.enter({ key: member, token: sinkToken });
    control[Symbol.dispose]();
    await control.closed;
  });
  afterAll(async () => {
    await intruder[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  function newToken(...args: readonly string[]): string {
    const words = [COMMAND, "token", "create", "--json", "--state-dir", coordinator.stateDir, ...args];
    const made: unknown = JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" }));
    if (typeof made !== "object" || made === null || !("token" in made)) throw new Error("want a token");
    return String(made.token);
  }

  test("nobody comes in who has a key of its own and no token", async () => {
    for (const role of ["source", "sink"] as const)
      expect(await intruder.answerTo((nonce) => intruder.hello({ key: thief, role, nonce }))).toBe("token-missing");
  });

  test("who was let in as a sink is no source by that", async () => {
    const asSource = (nonce: string) => intruder.hello({ key: member, role: "source", nonce });
    expect(await intruder.answerTo(asSource)).toBe("token-missing");
    const withToken = (nonce: string) => intruder.hello({ key: member, role: "source", token: sinkToken, nonce });
    expect(await intruder.answerTo(withToken)).toBe("token-role");
  });

  test("the key of a member, which is no secret, lets nobody in without its signature", async () => {
    const claims = [{ key: thief }, { key: thief, token: sinkToken }];
    for (const claim of claims) {
      const forged = (nonce: string) => ({ ...intruder.hello({ ...claim, nonce }), key: member.publicKey });
      expect(await intruder.answerTo(forged)).toBe("proof-refused");
    }
  });

  test("a hello that was seen once is worth nothing on another connection, and its token is not spent", async () => {
    const token = newToken("--role", "sink", "--uses", "1");
    const [heard, replayed] = [await intruder.knock(), await intruder.knock()];
    const said = encodeControl(intruder.hello({ key: keyOf("3"), token, nonce: heard.nonce }));
    replayed.raw(said);
    expect(await replayed.expect("refused")).toMatchObject({ code: "proof-refused" });
    heard.raw(said);
    await heard.expect("welcome");
    heard.raw(said);
    expect(await heard.expect("refused")).toMatchObject({ code: "damaged" });
    expect(await intruder.answerTo((nonce) => intruder.hello({ key: keyOf("4"), token, nonce }))).toBe("token-used-up");
  });

  test.each([
    ["with another certificate", "b".repeat(52)],
    ["without TLS", ""],
  ])("a hello to somebody in between, %s, who passes it on, lets nobody in", async (_, pin) => {
    const passedOn = (nonce: string) => intruder.hello({ key: member, pin, nonce });
    expect(await intruder.answerTo(passedOn)).toBe("proof-refused");
  });

  test("a token for an observer or an admin lets no member in", async () => {
    for (const role of ["observer", "admin"]) {
      const token = newToken("--role", role);
      expect(await intruder.answerTo((nonce) => intruder.hello({ key: thief, token, nonce }))).toBe("token-role");
    }
  });

  test("who guesses is told ever later, then nothing; a member comes in from there all the same", async () => {
    const from = "127.67.0.1";
    const guess = () => intruder.answerTo((nonce) => intruder.hello({ key: thief, nonce }), from);
    const answers = await Promise.all(Array.from({ length: 24 }, guess));
    expect(new Set(answers)).toEqual(new Set(["token-missing", "too-many"]));
    expect(await intruder.answerTo((nonce) => intruder.hello({ key: member, nonce }), from)).toBe("welcome");
  });
});
