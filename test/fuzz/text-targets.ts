import { isDeepStrictEqual } from "node:util";
import { parseDuration } from "../../src/cli/options/parse-duration.ts";
import { parseLabel, parsePath, parseSessionName } from "../../src/cli/options/parse-name.ts";
import { parseWholeNumber } from "../../src/cli/options/parse-number.ts";
import { hostRefusal } from "../../src/coordinator/port/hosts.ts";
import { escapeName, escapeText } from "../../src/lib/escape-name.ts";
import { formatHostPort } from "../../src/lib/net/host-port.ts";
import { parseCoordinatorAddress } from "../../src/member/address.ts";
import { parseSessionScope, scopeCovers } from "../../src/protocol/access/session-scope.ts";
import { formatToken, parseToken } from "../../src/protocol/access/token.ts";
import { limitAt, readLimit } from "../../src/protocol/bandwidth/limit-plan.ts";
import { PROTOCOL_VERSION } from "../../src/protocol/limits.ts";
import { decodeClientMessage, decodeCoordinatorMessage, encodeControl } from "../../src/protocol/messages/control.ts";
import { fitProblem, fitReason } from "../../src/protocol/messages/fit-message.ts";
import { parseRules, TreeFilter } from "../../src/protocol/names/filter.ts";
import { withSafeText } from "../../src/protocol/names/peer-text.ts";
import { decodeFacts, encodeFacts } from "../../src/sink/own/folder-facts.ts";
import { isDoubted, markAtStart } from "../../src/sink/own/sync-mark.ts";
import { parseAmqpUrl, parseBroker, parseNatsUrl } from "../../src/transport/broker-url.ts";
import {
  ClientHandshake,
  GREETING,
  NONCE_BYTES,
  parseTicket,
  RelayHandshake,
} from "../../src/transport/embedded/handshake.ts";
import type { FuzzTarget } from "./fuzzer.ts";
import { must, refuses } from "./refuses.ts";

const bytes = (...texts: string[]): Buffer[] => texts.map((text) => Buffer.from(text));
const textOf = (input: Uint8Array): string => Buffer.from(input).toString("utf8");
const latinOf = (input: Uint8Array): string => Buffer.from(input).toString("latin1");

const JSON_WORDS = [
  ..."{}[],:\"'\\".split(""),
  ...[
    "null",
    "true",
    "false",
    "-1",
    "1e999",
    "-0",
    "9007199254740993",
    "NaN",
    '"__proto__":',
    '"constructor":',
    '"type":',
  ],
  ...["\\u0000", "\\ud800", "\\u202e", "\\u001b[2J", '"hello"', '"report"', "[[[[[[[[", '{"a":{"a":{"a":', "\u{1f600}"],
];

const HELLO = JSON.stringify({
  type: "hello",
  version: PROTOCOL_VERSION,
  role: "source",
  session: "default",
  label: "alpha",
  labelAsked: false,
  labelElse: "alpha photos",
  key: "0".repeat(64),
  signature: "A".repeat(86),
  token: "ff1_source",
  timeMs: 1,
  former: "1".repeat(64),
  destCount: 2,
  expect: ["beta"],
  back: { sessionId: "k3v9x0q2m7ab", epoch: 1 },
  place: ["a".repeat(32)],
});
const CLIENT = [
  HELLO,
  '{"type":"ready"}',
  '{"type":"limited","limit":{"bytesPerSecond":1024,"from":"timetable"}}',
  '{"type":"receipt","receipt":"a.b.c"}',
  '{"type":"leave","code":"interrupted","reason":"x"}',
  '{"type":"progress","progress":{"filesFound":1,"filesDone":1,"bytesFound":1,"bytesDone":1,"discoveryEnded":true,"bytesSent":1,"bytesSentAgain":0,"currentFile":"x","rateBytesPerSecond":1.5,"elapsedMs":1}}',
  '{"type":"finished","summary":{"result":"complete","files":1,"directories":1,"symlinks":0,"notCarried":{"fifo":1},"bytes":1,"bytesSent":1,"bytesSentAgain":0,"elapsedMs":1,"problemCount":0,"problems":[],"sinks":[]}}',
];
const COORDINATOR = [
  '{"type":"limit","limit":"mon-08:00,2M 19:00,off"}',
  `{"type":"challenge","version":11,"nonce":"${"0".repeat(64)}"}`,
  '{"type":"transport","transport":{"kind":"nats","url":"tls://a:4222","credentials":{"jwt":"a.b.c","seed":"SU"},"ca":"PEM"}}',
  '{"type":"welcome","version":5,"member":{"id":"q8z1mc","name":"alpha"},"session":"default","sessionId":"k3v9x0q2m7ab","epoch":1,"transport":{"kind":"embedded","ticket":"9b1e9b1e9b1e9b1e"},"warnings":["w"],"underWay":false,"rejoined":false}',
  `{"type":"start","epoch":1,"source":{"id":"q8z1mc","name":"alpha"},"sourceIdentity":"${"0".repeat(64)}","sourcePlace":["${"a".repeat(32)}"],"sinks":[{"id":"q8z1mc","name":"alpha"}],"late":false,"dryRun":false}`,
  '{"type":"refused","code":"x","reason":"y"}',
  '{"type":"joined","member":{"id":"q8z1mc","name":"alpha"},"restarted":true}',
  '{"type":"left","role":"sink","member":{"id":"q8z1mc","name":"alpha"},"code":"x","reason":"y"}',
  '{"type":"ended","code":"x"}',
];

function safePrototype(value: unknown): void {
  must(Object.getPrototypeOf({}) === Object.prototype && !("polluted" in {}), "no message reaches a prototype");
  must(
    typeof value !== "object" || value === null || Object.getPrototypeOf(value) === Object.prototype,
    "plain values only",
  );
}

function controlHolds(decode: (text: string) => unknown) {
  return (input: Uint8Array): void => {
    const message = refuses(["damaged"], () => decode(textOf(input)));
    if (message !== undefined) safePrototype(message);
  };
}

function optionsHold(input: Uint8Array): void {
  const text = textOf(input);
  const number = { option: "--n", min: 1, max: 9 };
  const values: readonly (() => unknown)[] = [
    () => parseDuration(text, "--d"),
    () => limitAt(readLimit(text, "--r"), 0) ?? undefined,
    () => parseWholeNumber(text, number),
    () => parseSessionName(text),
    () => parseLabel(text),
    () => parsePath(text, "p"),
  ];
  const [durationMs, rate, whole, session] = values.map((value) => refuses(["usage"], value));
  for (const value of [durationMs, rate, whole])
    must(value === undefined || (typeof value === "number" && value > 0 && value < 2 ** 53), "a number in its range");
  must(session === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(String(session)), "a harmless name");
}

function addressHolds(input: Uint8Array): void {
  const text = textOf(input);
  const address = refuses(["usage"], () => parseCoordinatorAddress(text));
  if (address !== undefined) {
    const url = new URL(`ws://${formatHostPort(address)}/control`);
    must(url.pathname === "/control" && url.username === "" && url.search === "", "an address is host and port alone");
  }
  for (const parse of [parseBroker, parseNatsUrl, parseAmqpUrl]) refuses(["usage"], () => parse(text));
}

/** The last line is a path, the others are patterns. */
function filterHolds(input: Uint8Array): void {
  const at = input.lastIndexOf(0x0a);
  const group = refuses(["usage"], () => parseRules(input.subarray(0, Math.max(0, at)), "patterns"));
  const path = input.subarray(at + 1, at + 4096);
  if (group !== undefined) new TreeFilter([group]).excludes(path, input.length % 2 === 0);
}

function escapeHolds(input: Uint8Array): void {
  const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
  for (const shown of [escapeName(input), escapeText(textOf(input)), escapeText(latinOf(input))])
    must(!unsafe.test(shown), "what is shown neither moves, hides nor turns text");
  const problem = fitProblem({ path: escapeName(input), kind: "k", message: textOf(input) });
  must(problem.path.length <= 512 && problem.message.length <= 300, "what is sent fits");
  must(fitReason(textOf(input)).length <= 2000, "a reason fits");
}

function tokenHolds(input: Uint8Array): void {
  const text = latinOf(input);
  const token = refuses(["token-damaged"], () => parseToken(text));
  must(token === undefined || formatToken(token) === text, "a token has one text");
  const scope = refuses(["usage"], () => parseSessionScope(text));
  if (scope !== undefined) scopeCovers(scope, "a".repeat(64));
}

const TICKET = "5a".repeat(24);

function handshakeHolds(input: Uint8Array): void {
  const half = input.length >> 1;
  const halves = [input.subarray(0, half), input.subarray(half)];
  const client = new ClientHandshake({ ticket: TICKET, nonce: Buffer.alloc(NONCE_BYTES) });
  refuses(["broker-denied", "broker-unreachable"], () => {
    for (const part of halves) must(!("rest" in (client.push(part) ?? {})), "nobody is the relay by chance");
  });
  const { secret = Buffer.alloc(0) } = parseTicket(TICKET) ?? {};
  const relay = new RelayHandshake({ nonce: Buffer.alloc(NONCE_BYTES), find: () => ({ secret, rights: "all" }) });
  for (const part of halves) {
    const step = relay.push(part);
    must(typeof step !== "object" || "send" in step, "nobody has a ticket by chance");
    if (typeof step === "string") break;
  }
}

function hostHolds(input: Uint8Array): void {
  const [host, origin] = latinOf(input).split("\n");
  const rules = { bindHost: "127.0.0.1", machineName: "here", allowHosts: [] };
  if (hostRefusal({ host, origin }, rules) !== undefined) return;
  must(/^(\[|[\d.]+|localhost|.*\.localhost|here)/i.test(host ?? ""), "only own names pass");
}

function folderFactsHold(input: Uint8Array): void {
  const facts = decodeFacts(input);
  if (facts === undefined) return;
  const whole = { ...facts, seed: facts.seed ?? "0".repeat(64) };
  must(/^[0-9a-f]{64}$/.test(whole.seed), "a seed is one");
  const again = decodeFacts(Buffer.from(encodeFacts(whole)));
  must(
    isDeepStrictEqual(
      { mark: undefined, source: undefined, ...again },
      { mark: undefined, source: undefined, ...whole },
    ),
    "facts are read back as they were",
  );
  const mark = markAtStart(facts.mark, { bootId: "b", nowMs: 1e12, wasUsed: true });
  must(mark.doubts.length <= 65, "doubts are bounded");
  isDoubted(mark.doubts, 5);
}

export const TEXT_TARGETS: readonly FuzzTarget[] = [
  {
    name: "client-message",
    seeds: () => bytes(...CLIENT),
    words: JSON_WORDS,
    run: controlHolds((text) => {
      const message = withSafeText(decodeClientMessage(text));
      return JSON.parse(encodeControl(message)) as unknown;
    }),
  },
  {
    name: "coordinator-message",
    seeds: () => bytes(...COORDINATOR),
    words: JSON_WORDS,
    run: controlHolds(decodeCoordinatorMessage),
  },
  {
    name: "options",
    seeds: () => bytes("1h30m", "5", "10MiB", "photos", "alpha", "/a"),
    words: ["ms", "h", "K", "1e9", "\0"],
    run: optionsHold,
  },
  {
    name: "addresses",
    seeds: () =>
      bytes("localhost:7337", "[::1]:1", "http://h/", "nats://u:p@h:4222,g", "amqps://u:p@h:1/%2F", "embedded"),
    words: ["@", ":", "//", "[", "]", "%", "#", "?", "tls://", "\u{ff0f}", "xn--"],
    run: addressHolds,
  },
  {
    name: "filter",
    seeds: () => bytes("# x\n*.o\n!keep.o\n/a/**/b?\n[!a-z]*/\na/x/b1", "**/**/**\n*a*a*a*b\naaaaaaaaaaaa"),
    words: ["**/", "/**", "*", "?", "[", "]", "!", "\\", "[!", "-", "*a"],
    run: filterHolds,
  },
  {
    name: "escape",
    seeds: () => bytes("a\u{202e}\u{1b}[2J\n", "\u{ad}é日\u{1f600}\\"),
    words: ["\x9b", "\xc2\x9b", "\xff"],
    run: escapeHolds,
  },
  {
    name: "relay-handshake",
    seeds: () => [GREETING, Buffer.alloc(NONCE_BYTES + 33), Buffer.concat([GREETING, Buffer.alloc(72)])],
    words: ["\xfffanfold\x02", "\0", "\x01"],
    run: handshakeHolds,
  },
  {
    name: "hosts",
    seeds: () => bytes("localhost:1\nhttp://localhost:1"),
    words: ["[::1]:1", ".localhost", "\n"],
    run: hostHolds,
  },
  {
    name: "tokens",
    seeds: () => bytes("ff1_admin__k3m9x2qa_aaaqeayeaudaocajbifqydiob4i645", "night-*", "*a*a*a*b"),
    words: ["ff1_", "sink", "__", "*", "*a"],
    run: tokenHolds,
  },
  {
    name: "folder-facts",
    seeds: () =>
      bytes(
        `{"secret":"${"0a".repeat(32)}","source":"${"b1".repeat(32)}","mark":{"bootId":"a","syncedBeforeMs":5,"doubts":[[0,4],[5,6]]}}`,
      ),
    words: JSON_WORDS,
    run: folderFactsHold,
  },
];
