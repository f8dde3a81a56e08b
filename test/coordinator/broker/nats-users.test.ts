import { expect, test } from "vitest";
import { NatsUsers } from "../../../src/coordinator/broker/nats-users.ts";
import { madeSeeds } from "../../helpers/brokers/nats-seeds.ts";

const TTL_MS = 60_000;
const at = (seconds: number) => new Date(seconds * 1000 + 400);
const seconds = (date: Date) => date.getTime() / 1000;

function users(): NatsUsers {
  return new NatsUsers(madeSeeds().keys.coordinator, TTL_MS);
}

test("what was signed up to a removal is void, and what is signed after it, in the same second, is not", () => {
  const all = users();
  expect(seconds(all.signedAt("a", at(100)))).toBe(100);
  all.shutOut("a", at(100));
  const key = all.keyOf("a").publicKey;
  expect(all.revocations(at(100))).toEqual({ [key]: 100 });
  expect(seconds(all.signedAt("a", at(100)))).toBe(101);
});

test("a clock that went back leaves nothing good that was signed before a removal", () => {
  const all = users();
  all.signedAt("a", at(500));
  all.shutOut("a", at(100));
  expect(Object.values(all.revocations(at(100)))).toEqual([500]);
  expect(seconds(all.signedAt("a", at(100)))).toBe(501);
  expect(seconds(all.signedAt("b", at(100)))).toBe(501);
});

test("a removal is forgotten when all that was signed before it has expired", () => {
  const all = users();
  all.shutOut("a", at(100));
  all.shutOut("b", at(130));
  expect(Object.values(all.revocations(at(160)))).toEqual([100, 130]);
  expect(Object.values(all.revocations(at(162)))).toEqual([130]);
  expect(all.revocations(at(192))).toEqual({});
});

test("who starts again knows what is void, and signs nothing earlier", () => {
  const before = users();
  before.signedAt("a", at(500));
  const first = before.shutOut("a", at(100));
  before.signedAt("a", at(100));
  const second = before.shutOut("a", at(100));
  expect([first, second].map(seconds)).toEqual([500, 501]);
  const after = users();
  after.restore("a", second);
  after.restore("b", new Date(90_000));
  expect(Object.values(after.revocations(at(100)))).toEqual([501, 90]);
  expect(seconds(after.signedAt("c", at(100)))).toBe(501);
  expect(seconds(after.signedAt("a", at(100)))).toBe(502);
});

test("beyond the bound the one removed first is forgotten", () => {
  const all = users();
  for (let index = 0; index < 4096; index += 1) all.shutOut(`m${index}`, at(100));
  all.shutOut("m0", at(101));
  all.shutOut("new", at(102));
  const keys = Object.keys(all.revocations(at(102)));
  expect(keys).toHaveLength(4096);
  expect(keys).toContain(all.keyOf("m0").publicKey);
  expect(keys).not.toContain(all.keyOf("m1").publicKey);
});

test("what is signed is kept before, and once for what is signed within a minute", () => {
  const all = users();
  const kept: number[] = [];
  all.continueFrom(new Date(200_000), (upTo) => kept.push(seconds(upTo)));
  expect(seconds(all.signedAt("a", at(100)))).toBe(200);
  expect(kept).toEqual([]);
  for (const now of [201, 202, 261]) all.signedAt("a", at(now));
  expect(kept).toEqual([261]);
  all.signedAt("a", at(262));
  expect(kept).toEqual([261, 322]);
});
