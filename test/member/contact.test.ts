import { describe, expect, test } from "vitest";
import { FanfoldError } from "../../src/lib/errors.ts";
import { askedContact, type ContactOptions, contactOf } from "../../src/member/contact.ts";
import { type CoordinatorMemory, rememberedAs, withCoordinator } from "../../src/member/remembered-coordinators.ts";
import { formatToken } from "../../src/protocol/access/token.ts";
import type { LinkEvent } from "../../src/protocol/messages/events.ts";
import { selfMade } from "../helpers/tls/certificates.ts";

const pair = selfMade();
const { pin: PIN, certificate: PEM } = pair;
const { pin: OTHER_PIN } = selfMade();

function tokenWith(pin: string): string {
  return formatToken({ role: "sink", pin, id: "abcdefgh", secret: "c".repeat(26) });
}

function listOf(...coordinators: readonly unknown[]): string {
  return JSON.stringify({ coordinators });
}

interface Memory extends CoordinatorMemory {
  text: string | undefined;
}

function memoryOf(text?: string): Memory {
  return {
    text,
    read() {
      return this.text;
    },
    write(later) {
      this.text = later;
    },
  };
}

function remembering(address: string, pin: string, certificate?: string): Memory {
  return memoryOf(withCoordinator(undefined, rememberedAs(address, pin, certificate)));
}

function contact(options: ContactOptions, memory: CoordinatorMemory = memoryOf()) {
  const events: LinkEvent[] = [];
  return { events, ...contactOf(askedContact(options), memory, (event) => events.push(event)) };
}

/** How a coordinator is reached: `plain`, `authorities` or the pin, and whether its certificate is known. */
function reached(options: ContactOptions, memory?: CoordinatorMemory): string {
  const { trust } = contact(options, memory).address;
  if (trust === undefined) return "plain";
  if (trust.pin === "") return "authorities";
  return `${trust.pin === PIN ? "pin" : "other"}${trust.certificate === undefined ? "" : " known"}`;
}

describe("a coordinator is reached", () => {
  const known = () => remembering("backup:7337", PIN, PEM);
  test.each<[string, string | undefined, (() => Memory) | undefined, string]>([
    ["localhost", undefined, undefined, "plain"],
    ["127.0.0.1:80", undefined, undefined, "plain"],
    ["localhost", tokenWith(PIN), undefined, "pin"],
    ["http://localhost", tokenWith(PIN), undefined, "plain"],
    ["http://backup", undefined, known, "plain"],
    ["backup", tokenWith(PIN), undefined, "pin"],
    ["https://backup", tokenWith(PIN), undefined, "pin"],
    ["backup", tokenWith(""), undefined, "authorities"],
    ["https://backup", undefined, undefined, "authorities"],
    ["https://localhost", undefined, undefined, "authorities"],
    ["backup", undefined, known, "pin known"],
    ["BACKUP.", undefined, known, "pin known"],
    ["https://backup", undefined, known, "pin known"],
    ["backup", tokenWith(PIN), known, "pin known"],
    ["backup", tokenWith(OTHER_PIN), known, "other"],
    ["backup", tokenWith(""), known, "authorities"],
    ["backup", undefined, () => remembering("backup:7337", ""), "authorities"],
    ["localhost", undefined, () => remembering("localhost:7337", PIN, PEM), "pin known"],
  ])("%s, with token %s", (coordinator, token, memory, how) => {
    expect(reached({ coordinator, ...(token === undefined ? {} : { token }) }, memory?.())).toBe(how);
  });

  test.each<[string, ContactOptions, string, RegExp]>([
    ["beyond this machine without anything", { coordinator: "nas" }, "token-missing", /set FANFOLD_TOKEN or/],
    ["beyond it, known on another port", { coordinator: "backup:1" }, "token-missing", /at backup:1: found no token/],
    [
      "with a token and without TLS",
      { coordinator: "http://backup", token: tokenWith(PIN) },
      "usage",
      /seen on the way/,
    ],
    ["with half a token", { coordinator: "backup", token: tokenWith(PIN).slice(0, -1) }, "token-damaged", /whole/],
    [
      "with a certificate that it cannot be shown",
      { coordinator: "localhost", clientCertificate: { certificate: PEM, key: "" } },
      "usage",
      /needs TLS/,
    ],
  ])("never %s", (_, options, code, words) => {
    const reach = () => contact(options, known());
    expect(reach).toThrow(expect.objectContaining({ code, message: expect.stringMatching(words) }));
    expect(reach).not.toThrow(/ccccc/);
  });
});

describe("what is remembered of a coordinator", () => {
  test("is its key and certificate from the first welcome on", () => {
    const memory = memoryOf();
    const { address, onWelcome } = contact({ coordinator: "backup", token: tokenWith(PIN) }, memory);
    address.trust?.learn(PEM);
    onWelcome();
    expect(JSON.parse(memory.text ?? "")).toEqual({
      coordinators: [{ address: "backup:7337", pin: PIN, certificate: PEM }],
    });
    expect(reached({ coordinator: "https://backup" }, memory)).toBe("pin known");
    const renewed = contact({ coordinator: "backup" }, memory);
    const { certificate } = pair.renewed();
    renewed.address.trust?.learn(certificate);
    renewed.onWelcome();
    expect(contact({ coordinator: "backup" }, memory).address.trust?.certificate).toBe(certificate);
  });

  test("is that authorities vouch for it", () => {
    const memory = memoryOf();
    contact({ coordinator: "https://backup" }, memory).onWelcome();
    expect(memory.text).toContain('"authorities"');
    expect(reached({ coordinator: "backup" }, memory)).toBe("authorities");
  });

  test("is nothing without TLS", () => {
    const memory = memoryOf();
    contact({ coordinator: "localhost" }, memory).onWelcome();
    expect(memory.text).toBeUndefined();
  });

  test("are the newest 16, and no write without news", () => {
    let text: string | undefined;
    for (let count = 0; count < 20; count += 1)
      text = withCoordinator(text, rememberedAs(`host${count}:7337`, PIN, PEM)) ?? text;
    const kept = JSON.parse(text ?? "").coordinators.map(({ address }: { address: string }) => address);
    expect(kept).toEqual(Array.from({ length: 16 }, (_, index) => `host${19 - index}:7337`));
    expect(withCoordinator(text, rememberedAs("host7:7337", PIN, PEM))).toBeUndefined();
  });

  test.each([
    "",
    "no JSON",
    "[]",
    listOf({ address: "backup:7337", pin: PIN, certificate: "none" }),
    listOf({ address: "backup:7337", pin: OTHER_PIN, certificate: PEM }),
    listOf({ address: "backup:7337", pin: "", certificate: PEM }),
  ])("is nothing in a file that holds %.60s", (text) => {
    expect(() => contact({ coordinator: "backup" }, memoryOf(text))).toThrow(/found no token/);
  });

  test("stays when another entry of the file is damaged", () => {
    const [damaged, whole] = [{ address: "nas:7337" }, { address: "backup:7337", pin: PIN, certificate: PEM }];
    expect(reached({ coordinator: "backup" }, memoryOf(listOf(damaged, whole)))).toBe("pin known");
  });

  test("may be lost without harm to a copy, and a person is told", () => {
    const fail = (): never => {
      throw new FanfoldError("disk-full", "cannot write it");
    };
    const { events, address, onWelcome } = contact(
      { coordinator: "backup", token: tokenWith(PIN) },
      { read: fail, write: fail },
    );
    address.trust?.learn(PEM);
    onWelcome();
    const message = "cannot write it; until then each start needs the token";
    expect(events).toEqual(Array(2).fill({ type: "warning", code: "disk-full", message }));
  });
});
