import { describe, expect, onTestFinished, test } from "vitest";
import type { Arrival } from "../../../src/coordinator/access/access.ts";
import { AccessStore, type NewToken } from "../../../src/coordinator/access/access-store.ts";
import { GuardedAccess } from "../../../src/coordinator/access/guarded-access.ts";
import { secretHash } from "../../../src/coordinator/access/token-check.ts";
import { openStateDatabase } from "../../../src/coordinator/history/state-database.ts";
import { formatToken } from "../../../src/protocol/access/token.ts";
import { thrown, thrownCode } from "../../helpers/thrown.ts";
import { stateFolder } from "../coordinator-fixture.ts";
import { ManualClock } from "../manual-clock.ts";

const SECRET = "aaaqeayeaudaocajbifqydiob4";
const DAY_MS = 86_400_000;

class Door {
  readonly store: AccessStore;
  readonly access: GuardedAccess;
  readonly clock = new ManualClock();
  readonly warnings: string[] = [];

  constructor(store: AccessStore) {
    this.store = store;
    this.access = new GuardedAccess({ store, clock: this.clock, warn: (message) => this.warnings.push(message) });
  }

  /** Its text. */
  token(id: string, changes: Partial<NewToken> = {}): string {
    const created = this.clock.date();
    const token: NewToken = {
      id: id.padEnd(8, "0"),
      role: "sink",
      secretHash: secretHash(SECRET),
      scope: "*",
      created: created.toISOString(),
      expires: new Date(created.getTime() + DAY_MS).toISOString(),
      usesLeft: null,
      note: "",
      first: 0,
      ...changes,
    };
    this.store.addTokens([token]);
    return formatToken({ role: token.role, pin: "", id: token.id, secret: SECRET });
  }

  arrival(changes: Partial<Arrival> = {}): Arrival {
    return {
      role: "sink",
      session: "default",
      identity: "a1".repeat(32),
      label: "alpha",
      address: "10.0.0.3",
      clientTimeMs: this.clock.date().getTime(),
      ...changes,
    };
  }

  code(changes: Partial<Arrival> = {}): string {
    return thrownCode(() => this.access.admit(this.arrival(changes)));
  }
}

async function doorOf(): Promise<Door> {
  const database = await openStateDatabase(await stateFolder(), new Date());
  onTestFinished(() => database.close());
  return new Door(new AccessStore(database));
}

const OTHER = "b2".repeat(32);

describe("who shows no token", () => {
  test("stays out, unless it is known with the role and for the session", async () => {
    const door = await doorOf();
    expect(door.code()).toBe("token-missing");
    expect(door.code({ token: door.token("one", { scope: "night-*" }), session: "night-1" })).toBe("nothing");
    expect(door.code({ session: "night-2" })).toBe("nothing");
    expect(door.code({ session: "day" })).toBe("token-session");
    expect(door.code({ session: "night-2", role: "source" })).toBe("token-missing");
    expect(door.code({ session: "night-2", identity: OTHER })).toBe("token-missing");
  });
});

describe("a token", () => {
  test("that is damaged, unknown, of another secret or role, is each told as what it is", async () => {
    const door = await doorOf();
    const token = door.token("one");
    expect(door.code({ token: token.slice(0, -1) })).toBe("token-damaged");
    expect(door.code({ token: formatToken({ role: "sink", pin: "", id: "nobody00", secret: SECRET }) })).toBe(
      "token-unknown",
    );
    const guess = formatToken({ role: "sink", pin: "", id: "one00000", secret: SECRET.replace("a", "b") });
    expect(door.code({ token: guess })).toBe("token-unknown");
    const promoted = formatToken({ role: "source", pin: "", id: "one00000", secret: SECRET });
    expect(door.code({ token: promoted, role: "source" })).toBe("token-unknown");
    expect(door.code({ token, role: "source" })).toBe("token-role");
    expect(door.code({ token: door.token("adm", { role: "admin" }) })).toBe("token-role");
    expect(door.code({ token: door.token("two", { scope: "other" }) })).toBe("token-session");
    expect(door.store.countIdentities()).toBe(0);
  });

  test("gives no error in which its secret stands", async () => {
    const door = await doorOf();
    for (const changes of [
      { scope: "x" },
      { usesLeft: 0 },
      { role: "source" as const },
      { expires: "1970-01-01T00:00:00.000Z" },
    ]) {
      const token = door.token(String(door.store.tokens().length), changes);
      expect(String(thrown(() => door.access.admit(door.arrival({ token }))))).not.toContain(SECRET.slice(0, 8));
    }
  });

  test("admits until it is revoked, expired or used up, and who is in stays", async () => {
    const door = await doorOf();
    const [revoked, expiring, once] = [door.token("rev"), door.token("exp"), door.token("uses", { usesLeft: 1 })];
    const [first, second, third] = ["01".repeat(32), "02".repeat(32), "03".repeat(32)];
    expect(door.code({ identity: first, token: revoked })).toBe("nothing");
    expect(door.code({ identity: second, token: expiring })).toBe("nothing");
    expect(door.code({ identity: third, token: once })).toBe("nothing");
    door.store.revokeToken("rev00000", door.clock.date());
    door.clock.advance(DAY_MS);
    expect(door.code({ token: revoked })).toBe("token-revoked");
    expect(door.code({ token: expiring })).toBe("token-expired");
    expect(door.code({ token: door.token("spent", { usesLeft: 0 }) })).toBe("token-used-up");
    for (const identity of [first, second, third]) expect(door.code({ identity })).toBe("nothing");
    for (const identity of [first, second, third]) expect(door.code({ identity, token: "nonsense" })).toBe("nothing");
  });

  test("is spent by a first admission only, and never beyond its uses", async () => {
    const door = await doorOf();
    const token = door.token("two", { usesLeft: 2 });
    const codes = [0, 1, 1, 0, 2, 3].map((who) => door.code({ identity: `0${who}`.repeat(32), token }));
    expect(codes).toEqual(["nothing", "nothing", "nothing", "nothing", "token-used-up", "token-used-up"]);
    expect(door.store.token("two00000")?.usesLeft).toBe(0);
  });

  test("of another session widens what a known member may enter, and spends a use", async () => {
    const door = await doorOf();
    const night = door.token("night", { scope: "night-*" });
    const day = door.token("day", { scope: "day", usesLeft: 1 });
    expect(door.code({ session: "night-1", token: night })).toBe("nothing");
    expect(door.code({ session: "day", token: day })).toBe("nothing");
    expect(door.code({ session: "day" })).toBe("nothing");
    expect(door.code({ session: "night-2" })).toBe("nothing");
    expect(door.store.token("day00000")?.usesLeft).toBe(0);
    expect(door.store.identities()).toMatchObject([{ scopes: "night-* day" }]);
  });

  test("that only a wrong clock makes look old, or not made yet, is no reason for a new one", async () => {
    const door = await doorOf();
    const token = door.token("one");
    const madeMs = door.clock.date().getTime();
    door.clock.advance(40 * DAY_MS);
    expect(door.code({ token, clientTimeMs: madeMs })).toBe("clock-off");
    expect(door.code({ token })).toBe("token-expired");
    expect(door.code({ token, clientTimeMs: door.clock.date().getTime() - DAY_MS })).toBe("token-expired");
    const early = door.token("early", {
      created: new Date(madeMs + 80 * DAY_MS).toISOString(),
      expires: new Date(madeMs + 81 * DAY_MS).toISOString(),
    });
    expect(door.code({ token: early, clientTimeMs: madeMs + 80 * DAY_MS })).toBe("clock-off");
    expect(door.code({ token: early })).toBe("nothing");
    expect(door.code({ token, identity: OTHER, clientTimeMs: Number.MAX_VALUE })).toBe("clock-off");
  });
});

test("whether a member may enter another session, it need not ask for", async () => {
  const door = await doorOf();
  const sink = { identity: "a1".repeat(32), role: "sink" } as const;
  expect(door.access.mayEnter(sink, "night-1")).toBe(false);
  expect(door.code({ token: door.token("one", { scope: "night-*" }), session: "night-1" })).toBe("nothing");
  expect(["night-2", "day"].map((session) => door.access.mayEnter(sink, session))).toEqual([true, false]);
  expect(door.access.mayEnter({ ...sink, role: "source" }, "night-2")).toBe(false);
  door.store.remove(sink.identity, door.clock.date());
  expect(door.access.mayEnter(sink, "night-2")).toBe(false);
});

describe("a member that was removed", () => {
  test("stays out by its key, and by every token that was made before", async () => {
    const door = await doorOf();
    const token = door.token("one");
    expect(door.code({ token })).toBe("nothing");
    door.store.remove("a1".repeat(32), door.clock.date());
    expect(door.code()).toBe("member-removed");
    expect(door.code({ token })).toBe("member-removed");
    expect(door.code({ token: "nonsense" })).toBe("member-removed");
    expect(door.store.identities()).toEqual([]);
    expect(door.code({ token: door.token("two", { usesLeft: 0 }) })).toBe("token-used-up");
    expect(door.code({ token: door.token("three") })).toBe("nothing");
    expect(door.code({ token })).toBe("nothing");
  });

  test("is forgotten only when no token of its time is left", async () => {
    const door = await doorOf();
    const token = door.token("one");
    expect(door.code({ token })).toBe("nothing");
    door.store.remove("a1".repeat(32), door.clock.date());
    door.token("two");
    door.store.forgetRemoved([1, 2]);
    expect(door.code({ token })).toBe("member-removed");
    door.store.forgetRemoved([2]);
    expect(door.store.countIdentities()).toBe(0);
  });
});

test("the name is the one that a member has in its session, unless a person gave it one", async () => {
  const door = await doorOf();
  const token = door.token("one");
  door.code({ token });
  door.code({ label: "beta" });
  door.access.called(door.arrival(), "beta-disk");
  expect(door.store.identities()).toMatchObject([{ name: "beta-disk" }]);
  door.store.rename("a1".repeat(32), "attic");
  door.code({ label: "gamma" });
  door.access.called(door.arrival(), "gamma-disk");
  expect(door.store.identities()).toMatchObject([{ name: "attic" }]);
});

test("a disk that takes nothing keeps new members out, and lets known ones in", async () => {
  const database = await openStateDatabase(await stateFolder(), new Date());
  onTestFinished(() => database.close());
  const door = new Door(new AccessStore(database));
  const token = door.token("one");
  expect(door.code({ token })).toBe("nothing");
  database.exec("PRAGMA query_only = ON");
  expect(door.code({ token, identity: OTHER })).toBe("refused");
  expect(door.code()).toBe("nothing");
  expect(door.warnings).toHaveLength(2);
});
