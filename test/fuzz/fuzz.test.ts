import { describe, expect, test } from "vitest";
import { SeededRandom } from "../helpers/seeded-random.ts";
import { Coverage } from "./coverage.ts";
import { type Finding, Fuzzer, type FuzzTarget } from "./fuzzer.ts";
import { mutate } from "./mutate.ts";
import { decodePlanted } from "./planted-faults.ts";
import { FUZZ_TARGETS } from "./targets.ts";

const RUNS_MAX = 200_000;
const INPUTS = 60;

function findingsOf(target: FuzzTarget, seed: number): Finding[] {
  const findings: Finding[] = [];
  using coverage = new Coverage((url) => url.includes("planted-faults"));
  const nowMs = (): number => 0;
  const fuzzer = new Fuzzer({ target, coverage, seed, nowMs, onFinding: (finding) => findings.push(finding) });
  while (findings.length === 0 && fuzzer.runs < RUNS_MAX) fuzzer.batch();
  return findings;
}

test("what the inputs reach leads the fuzzer to a fault behind four bytes, and the finding has no more than these", () => {
  const target = { name: "planted", seeds: () => [Buffer.alloc(8)], run: decodePlanted };
  const [finding] = findingsOf(target, 1);
  expect(finding?.what).toContain("RangeError: planted");
  expect([...(finding?.input ?? [])]).toEqual([0x46, 0x21, 0x99, 0x07]);
});

test("what takes for ever is a finding", () => {
  const findings: Finding[] = [];
  let now = 0;
  using coverage = new Coverage(() => false);
  const target: FuzzTarget = {
    ...{ name: "slow", seeds: () => [Buffer.from("slow!")] },
    run: (input) => {
      now += input.includes(0x21) ? 9000 : 0;
    },
  };
  new Fuzzer({ target, coverage, seed: 1, nowMs: () => now, onFinding: (finding) => findings.push(finding) });
  expect(findings).toMatchObject([{ what: expect.stringContaining("longer") }]);
  expect(findings[0]?.input).toContain(0x21);
});

describe.each(FUZZ_TARGETS.map((target) => [target.name, target] as const))("%s", (_, target) => {
  test("takes its good inputs, and some hundred spoilt ones, without a finding", () => {
    const seeds = target.seeds();
    expect(seeds.length).toBeGreaterThan(0);
    for (const seed of seeds) target.run(seed);
    const source = { random: new SeededRandom(7), corpus: seeds, words: target.words ?? [], maxBytes: 4096 };
    for (const seed of seeds) for (let time = 0; time < INPUTS; time += 1) target.run(mutate(seed, source));
  });
});
