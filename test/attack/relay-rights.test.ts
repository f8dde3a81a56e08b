import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { SigningKey } from "../../src/lib/crypto/signing-key.ts";
import { subjectsOf, toSubject, upSubject, upWildcard } from "../../src/protocol/subjects.ts";
import { bytesOf, expectCode, readerOf, text, WIDE, watchStatus } from "../contract/contract-tools.ts";
import { type GuardedCoordinator, startGuarded } from "../e2e/access/guarded.ts";
import { CliLab, COMMAND } from "../helpers/processes/cli.ts";
import { Intruder } from "./intruder.ts";

let keys = 0;
function newKey(): SigningKey {
  keys += 1;
  return new SigningKey(keys.toString(16).padStart(64, "0"));
}

describe("at the relay of a coordinator that asks for tokens", () => {
  let lab: CliLab;
  let coordinator: GuardedCoordinator;
  let intruder: Intruder;
  let tokens: { readonly source: string; readonly sink: string };

  beforeAll(async () => {
    lab = await CliLab.open("guarded");
    coordinator = await startGuarded(lab);
    intruder = await Intruder.at(coordinator);
    tokens = { source: await coordinator.token("source"), sink: await coordinator.token("sink") };
  });
  afterAll(async () => {
    await intruder[Symbol.asyncDispose]();
    await lab[Symbol.asyncDispose]();
  });

  const member = async (role: "source" | "sink", session: string) => {
    const key = newKey();
    const entered = await intruder.enter({
      key,
      role,
      session,
      token: tokens[role],
      label: `${role}-${key.publicKey.slice(0, 6)}`,
    });
    return { ...entered, key };
  };
  /** One that is registered, with its link. */
  const linked = async (role: "source" | "sink", session: string) => {
    const entered = await member(role, session);
    const transport = await intruder.relay(entered.ticket);
    entered.control.ready();
    return { ...entered, transport };
  };

  test("a sink is neither the source nor another sink, and hears no other session, whatever it asks for", async () => {
    const [ours, theirs] = [await linked("sink", "ours"), await linked("sink", "theirs")];
    const [victim, source] = [await linked("sink", "ours"), await linked("source", "ours-too")];
    const [own, other] = [subjectsOf(ours.sessionId), subjectsOf(theirs.sessionId)];
    const heard = readerOf(await victim.transport.subscribe(own.data, WIDE));
    const lane = readerOf(await victim.transport.subscribe(toSubject(own, victim.member.id), WIDE));
    const elsewhere = readerOf(await theirs.transport.subscribe(other.data, WIDE));
    for (const subject of [
      ...[">", "*", "#", "fanfold.>", "fanfold.*.data", `fanfold.${theirs.sessionId}.>`, `fanfold.${ours.sessionId}.*`],
      ...[other.data, upWildcard(other), toSubject(other, theirs.member.id)],
      ...[upWildcard(own), upSubject(own, victim.member.id), toSubject(own, victim.member.id), toSubject(own, "*")],
    ])
      await expect(ours.transport.subscribe(subject, WIDE), subject).rejects.toThrow(/relay|subject/);

    const forged = [
      ...[own.data, toSubject(own, victim.member.id), upSubject(own, victim.member.id)],
      ...[other.data, upSubject(other, theirs.member.id)],
    ];
    for (const attacker of [ours, source])
      for (const subject of forged) {
        await attacker.transport.publish(subject, bytesOf("forged"), WIDE).catch(() => undefined);
        await expect
          .poll(() => attacker.transport.publish(subject, bytesOf("forged"), WIDE).catch(({ code }) => code))
          .toBe("broker-denied");
      }
    // The proper source of the session comes last: what it says is all that anybody has heard.
    const proper = await linked("source", "ours");
    await proper.transport.publish(own.data, bytesOf("proper"), WIDE);
    await proper.transport.publish(toSubject(own, victim.member.id), bytesOf("proper"), WIDE);
    expect((await heard.take(1)).map(text)).toEqual(["proper"]);
    expect((await lane.take(1)).map(text)).toEqual(["proper"]);
    await theirs.transport.close();
    expect(await elsewhere.rest()).toEqual([]);
  });

  test("a ticket is for one session: after the next welcome the earlier one opens nothing", async () => {
    const first = await member("sink", "monday");
    first.control[Symbol.dispose]();
    await first.control.closed;
    const next = await intruder.enter({ key: first.key, session: "tuesday" });
    await expect
      .poll(() =>
        intruder.relay(first.ticket).then(
          () => "in",
          ({ code }) => code,
        ),
      )
      .toBe("broker-denied");
    const link = await intruder.relay(next.ticket);
    await expectCode(link.subscribe(subjectsOf(first.sessionId).data, WIDE), "broker-denied");
  });

  test("neither a token nor the key of a member is a ticket", async () => {
    const { key } = await member("sink", "default");
    for (const ticket of [tokens.sink, tokens.source, key.publicKey, "0".repeat(32), "null"])
      await expectCode(intruder.relay(ticket), "broker-denied");
  });

  test("who is removed loses its links at once, and its ticket opens nothing any more", async () => {
    const [gone, stays] = [await linked("sink", "cut"), await linked("sink", "cut")];
    const words = ["members", "remove", "--json", "--state-dir", coordinator.stateDir, gone.key.publicKey];
    const status = watchStatus(gone.transport);
    const removal = lab.run(process.execPath, [COMMAND, ...words]);
    expect(await removal.exit(), removal.shown()).toBe(0);
    // The source of another test may wait elsewhere for so long that sinks are told.
    let last = await gone.control.next();
    while (last.type === "elsewhere") last = await gone.control.next();
    expect(last).toMatchObject({ type: "refused", code: "member-removed" });
    await status.until(() => status.seen.some(({ type }) => type === "disconnected"));
    await expectCode(intruder.relay(gone.ticket), "broker-denied");
    await stays.transport.publish(upSubject(subjectsOf(stays.sessionId), stays.member.id), bytesOf("here"), WIDE);
    expect(stays.control.closeReason).toBe("");
  });
});
