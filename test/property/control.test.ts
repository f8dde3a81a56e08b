import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CONTROL_BYTES_MAX } from "../../src/protocol/limits.ts";
import {
  type CoordinatorMessage,
  decodeClientMessage,
  decodeCoordinatorMessage,
  encodeControl,
  type Hello,
} from "../../src/protocol/messages/control.ts";
import { thrownCode } from "../helpers/thrown.ts";

const hex = (digits: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${digits}}$`));
const id = (chars: number) => fc.stringMatching(new RegExp(`^[a-z0-9]{${chars}}$`));
const text = fc.string({ unit: "grapheme", maxLength: 60 });
const session = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/);
const directory = fc.oneof(fc.constant("/"), fc.stringMatching(/^[a-zA-Z0-9 äöü…\\{}-]{1,128}$/));
const member = fc.record({ id: id(6), name: text });
const hello: fc.Arbitrary<Hello> = fc.record(
  {
    type: fc.constant("hello" as const),
    version: fc.nat(),
    role: fc.constantFrom("source" as const, "sink" as const),
    session,
    label: fc.stringMatching(/^[a-zA-Z0-9 äöü-]{1,64}$/),
    labelAsked: fc.boolean(),
    labelElse: fc.stringMatching(/^[a-zA-Z0-9 äöü-]{1,64}$/),
    key: hex(64),
    signature: fc.stringMatching(/^[\w-]{86}$/),
    token: fc.stringMatching(/^[a-z0-9_]{1,256}$/),
    timeMs: fc.nat(),
    software: fc.stringMatching(/^fanfold [\w.+-]{1,56}$/),
    free: fc.record({ freeBytes: fc.maxSafeNat(), sizeBytes: fc.maxSafeNat() }),
    former: hex(64),
    destCount: fc.integer({ min: 1, max: 256 }),
    expect: fc.array(fc.stringMatching(/^[a-zA-Z0-9 äöü-]{1,64}$/), { maxLength: 5 }),
    stay: fc.boolean(),
    back: fc.record({ sessionId: id(12), epoch: fc.integer({ min: 1, max: 0xffff_ffff }) }),
    cancel: fc.boolean(),
    dryRun: fc.boolean(),
    place: fc.array(hex(32), { maxLength: 5 }),
    directory,
  },
  { requiredKeys: ["type", "version", "role", "session", "label", "labelAsked", "key", "signature", "timeMs"] },
);
const start: fc.Arbitrary<CoordinatorMessage> = fc.record(
  {
    type: fc.constant("start" as const),
    epoch: fc.integer({ min: 1, max: 0xffff_ffff }),
    source: member,
    sourceIdentity: hex(64),
    formerIdentity: hex(64),
    sourcePlace: fc.array(hex(32), { maxLength: 5 }),
    sourceDirectory: directory,
    sinks: fc.array(member, { minLength: 1, maxLength: 5 }),
    late: fc.boolean(),
    dryRun: fc.boolean(),
  },
  { requiredKeys: ["type", "epoch", "source", "sourceIdentity", "sourcePlace", "sinks", "late", "dryRun"] },
);
const decoders = [decodeClientMessage, decodeCoordinatorMessage];
const HELLO = {
  type: "hello",
  version: 1,
  role: "sink",
  session: "default",
  label: "alpha",
  labelAsked: false,
  key: "0".repeat(64),
  signature: "A".repeat(86),
  timeMs: 0,
};

describe("a control message", () => {
  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(hello, (message) => {
        expect(decodeClientMessage(encodeControl(message))).toEqual(message);
      }),
    );
    fc.assert(
      fc.property(start, (message) => {
        expect(decodeCoordinatorMessage(encodeControl(message))).toEqual(message);
      }),
    );
  });

  test("that is garbage, or has a character changed, is refused as damaged or is another one", () => {
    const changed = fc
      .tuple(fc.oneof(hello, start).map(encodeControl), fc.nat(), fc.string({ unit: "binary", maxLength: 2 }))
      .map(([json, at, noise]) => json.slice(0, at % json.length) + noise + json.slice((at % json.length) + 1));
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string(), changed), (input) => {
        for (const decode of decoders) expect(["damaged", "nothing"]).toContain(thrownCode(() => decode(input)));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each<[string, object]>([
    ["a label with a control character", { label: "a\u{1b}[2J" }],
    ["a label that turns text", { label: "a\u{202e}b" }],
    ["an empty label", { label: "" }],
    ["a session name with a slash", { session: "a/b" }],
    ["a session name of dots", { session: ".." }],
    ["a session name that is too long", { session: "s".repeat(65) }],
    ["a short key", { key: "0".repeat(63) }],
    ["a short signature", { signature: "A".repeat(85) }],
    ["a whole path in the place of a directory's name", { directory: "/home/anna/photos" }],
    ["a path below a directory", { directory: "anna/photos" }],
    ["a directory that takes the terminal", { directory: "a\u{1b}[2J" }],
    ["a directory that turns text", { directory: "a\u{202e}b" }],
    ["a directory of two lines", { directory: "a\u{2028}b" }],
    ["a directory whose name is too long", { directory: "d".repeat(129) }],
    ["a directory without a name", { directory: "" }],
    ["no sinks", { destCount: 0 }],
    ["too many names", { expect: Array.from({ length: 257 }, (_, index) => `s${index}`) }],
    ["a name of nothing", { expect: [""] }],
    ["a fraction of a sink", { destCount: 1.5 }],
    ["too many sinks", { destCount: 257 }],
    ["a negative version", { version: -1 }],
    ["an unknown role", { role: "coordinator" }],
    ["an unknown type", { type: "constructor" }],
  ])("with %s is refused", (_, change) => {
    expect(thrownCode(() => decodeClientMessage(JSON.stringify(HELLO)))).toBe("nothing");
    expect(thrownCode(() => decodeClientMessage(JSON.stringify({ ...HELLO, ...change })))).toBe("damaged");
  });

  test("that is too long or too deep is refused", () => {
    const deep = `${"[".repeat(CONTROL_BYTES_MAX / 2)}${"]".repeat(CONTROL_BYTES_MAX / 2)}`;
    for (const decode of decoders)
      expect([" ".repeat(CONTROL_BYTES_MAX + 1), deep].map((input) => thrownCode(() => decode(input)))).toEqual([
        "damaged",
        "damaged",
      ]);
  });

  test("cannot reach a prototype", () => {
    const summary =
      '{"result":"complete","files":0,"directories":0,"symlinks":0,"notCarried":{"__proto__":1,"constructor":2},"bytes":0,"bytesSent":0,"bytesSentAgain":0,"elapsedMs":0,"problemCount":0,"problems":[],"sinks":[],"__proto__":{"polluted":1}}';
    const code = thrownCode(() =>
      decodeClientMessage(`{"type":"finished","summary":${summary},"__proto__":{"polluted":1}}`),
    );
    expect(["nothing", "damaged"]).toContain(code);
    expect(Object.hasOwn(Object.prototype, "polluted")).toBe(false);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});
